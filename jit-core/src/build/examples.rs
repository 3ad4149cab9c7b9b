//! Examples: what live objects looked like when the compilation started, and the guesses drawn from them.
//!
//! *Problem*: the interpreter records operand types for `+ - *`, subscripts and attributes only, and nothing about what a
//! container holds. *Method*: whoever asks for a compilation describes live values (arguments, or the locals of a frame that
//! has just finished) as plain data, a few levels deep; the builder hangs an example on each value that comes from one: an
//! element of a list gets the list's element, a loaded local what that local held. *Invariant*: examples are guesses, never
//! facts: they only decide which guard is emitted.

use super::BuildRequest;
use super::builder::Builder;
use super::inlining::Callee;
use super::state::*;
use crate::bytecode::code::local_kind;
use crate::bytecode::instruction::{Instruction, Offset, Op as Code};
use crate::exit::Reason;
use crate::ir::op::Value;
use crate::ir::types::PyTypes;
use crate::words::WordMap;
use std::rc::Rc;

/// A live object as plain data.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Example {
    /// Exact type; for what several objects have in common, all their types.
    pub py: PyTypes,
    /// An int that does not fit 64 bits.
    pub big: bool,
    /// Of an `array.array`: its type code, else 0.
    pub typecode: u8,
    /// Of a tuple: its items. Of a list (or an iterator over one): one entry that stands for all items. Of an `enumerate` or `zip`:
    /// one entry that stands for all pairs, then the types of what is gone through, if they are known.
    pub elements: Vec<Rc<Example>>,
    /// Of an instance of a class: the version of its type, else 0.
    pub type_version: u32,
    /// Of several instances of different classes: the versions of all their types.
    pub type_versions: Vec<u32>,
    /// Of a class whose own type is exactly `type`: its version, else 0.
    pub own_version: u32,
    /// The attributes of such an instance, if they lie in line, by their index in the keys its type shares; an unbound one is
    /// `NULL`.
    pub attributes: Vec<Rc<Example>>,
    /// Addresses of the Python functions that implement `x[k]` and `x[k] = v` for its type, else 0. They are alive as long as
    /// some object has a type of that version, and may only be used behind a guard of it.
    pub getitem: u64,
    pub setitem: u64,
}

impl Example {
    /// What both may be; elements and attributes only where they agree.
    pub fn join(&self, other: &Example) -> Example {
        let same_type = self.type_version == other.type_version;
        Example {
            py: self.py | other.py,
            big: self.big || other.big,
            typecode: if self.typecode == other.typecode { self.typecode } else { 0 },
            elements: join_all(&self.elements, &other.elements),
            type_version: if same_type { self.type_version } else { 0 },
            type_versions: if same_type && self.type_version != 0 { Vec::new() } else { self.all_versions(other) },
            own_version: if self.own_version == other.own_version { self.own_version } else { 0 },
            attributes: if same_type { join_all(&self.attributes, &other.attributes) } else { Vec::new() },
            getitem: if same_type { self.getitem } else { 0 },
            setitem: if same_type { self.setitem } else { 0 },
        }
    }
}

impl Example {
    /// The versions of the types that instances may have, the likeliest first.
    pub fn versions(&self) -> &[u32] {
        if self.type_version != 0 { std::slice::from_ref(&self.type_version) } else { &self.type_versions }
    }

    /// Those of both, if both are instances of classes.
    fn all_versions(&self, other: &Example) -> Vec<u32> {
        if self.py != PyTypes::OTHER || other.py != PyTypes::OTHER {
            return Vec::new();
        }
        let mut all = self.versions().to_vec();
        all.extend(other.versions().iter().filter(|version| !self.versions().contains(version)));
        all
    }
}

fn join_all(a: &[Rc<Example>], b: &[Rc<Example>]) -> Vec<Rc<Example>> {
    if a.len() != b.len() {
        return Vec::new();
    }
    a.iter().zip(b).map(|(a, b)| Rc::new(a.join(b))).collect()
}

/// The examples of one walk.
#[derive(Default)]
pub(super) struct Examples {
    values: WordMap<Value, Rc<Example>>,
    locals: Vec<Option<Rc<Example>>>,
    /// By the `FOR_ITER` that goes through it.
    iterated: WordMap<Offset, Rc<Example>>,
}

impl Examples {
    pub fn new(locals: Vec<Option<Rc<Example>>>) -> Examples {
        Examples { locals, ..Examples::default() }
    }

    /// Values from this number on do not exist.
    pub fn forget_from(&mut self, first: Value) {
        self.values.retain(|value, _| *value < first);
    }

    pub fn iterate(&mut self, loop_at: Offset, example: Rc<Example>) {
        self.iterated.insert(loop_at, example);
    }
}

/// A value, and what was known of it.
pub(super) type Lent = (Value, Option<Rc<Example>>);

impl Builder<'_> {
    pub fn example(&self, item: Item) -> Option<Rc<Example>> {
        match item {
            Item::Object { value, .. } => self.examples.values.get(&value).cloned(),
            _ => None,
        }
    }

    pub fn exemplify(&mut self, value: Value, example: Option<Rc<Example>>) {
        if let Some(example) = example {
            self.examples.values.insert(value, example);
        }
    }

    /// For the walk of a body: operands of which nothing is known look as they did when the callee was compiled itself. Gives what
    /// was known of them before. `receiver`: the version of the first one's type, where that is one of several.
    pub(super) fn lend_examples(
        &mut self,
        callee: &Callee,
        operands: &[Option<Item>],
        receiver: Option<u32>,
    ) -> Vec<Lent> {
        let mut lent = Vec::new();
        for (position, operand) in operands.iter().enumerate() {
            let &Some(Item::Object { value, .. }) = operand else { continue };
            let known = self.examples.values.get(&value);
            let then = callee.arguments.get(position).cloned().flatten();
            let example = match receiver.filter(|_| position == 0) {
                Some(version) if known.is_some_and(|known| known.type_version == version) => None,
                Some(version) => {
                    let plain = || Rc::new(Example { py: PyTypes::OTHER, type_version: version, ..Example::default() });
                    Some(then.filter(|then| then.type_version == version).unwrap_or_else(plain))
                }
                None => then.filter(|_| known.is_none()),
            };
            if let Some(example) = example {
                lent.push((value, self.examples.values.insert(value, example)));
            }
        }
        lent
    }

    pub(super) fn return_examples(&mut self, lent: Vec<Lent>) {
        for (value, known) in lent.into_iter().rev() {
            match known {
                Some(known) => self.examples.values.insert(value, known),
                None => self.examples.values.remove(&value),
            };
        }
    }

    /// What a local variable is likely to hold.
    pub fn local_example(&self, local: u32) -> Option<Rc<Example>> {
        self.examples.locals.get(local as usize).cloned().flatten()
    }

    /// A local was loaded.
    pub fn exemplify_local(&mut self, local: u32, value: Value) {
        if let Some(Some(example)) = self.examples.locals.get(local as usize) {
            self.examples.values.entry(value).or_insert_with(|| example.clone());
        }
    }

    /// `GET_ITER` made an iterator of an item with this example.
    pub fn exemplify_loop(&mut self, example: Option<Rc<Example>>) {
        if let Some(example) = example {
            self.examples.iterate(self.at.next, example);
        }
    }

    /// What the current `FOR_ITER` goes through.
    pub fn iterated_example(&self) -> Option<&Rc<Example>> {
        self.examples.iterated.get(&self.at.offset)
    }

    /// The type that an item is known to have, or has by its example.
    pub fn likely_type(&self, item: Item) -> PyTypes {
        let known = self.item_py(item);
        match known.exact() {
            Some(py) => py,
            None => self.example(item).map_or(known, |example| example.py),
        }
    }

    /// What the current `FOR_ITER` gives.
    pub fn loop_example(&self) -> Option<Rc<Example>> {
        let iterated = self.iterated_example()?;
        if iterated.py == PyTypes::TUPLE {
            let (first, rest) = iterated.elements.split_first()?;
            return Some(rest.iter().fold(first.clone(), |all, one| Rc::new(all.join(one))));
        }
        iterated.elements.first().cloned()
    }

    /// The example of `container[index]`.
    pub fn element_example(container: &Example, index: Option<i64>) -> Option<Rc<Example>> {
        match container.py {
            PyTypes::TUPLE => match index {
                Some(index) => container.elements.get(usize::try_from(index).ok()?).cloned(),
                None => {
                    let (first, rest) = container.elements.split_first()?;
                    Some(rest.iter().fold(first.clone(), |all, one| Rc::new(all.join(one))))
                }
            },
            _ => container.elements.first().cloned(),
        }
    }

    /// The example of an attribute of an instance with that type version, by its index.
    pub fn attribute_example(&self, owner: Item, type_version: u32, index: u16) -> Option<Rc<Example>> {
        let owner = self.example(owner)?;
        let attribute = owner.attributes.get(usize::from(index))?;
        (owner.type_version == type_version && attribute.py != PyTypes::NULL).then(|| attribute.clone())
    }

    /// The exact type an item has by its example, if that is worth a guard.
    pub fn example_type(&self, item: Item) -> Option<PyTypes> {
        let example = self.example(item)?;
        let worth = PyTypes::FLOAT | PyTypes::INT | PyTypes::LIST | PyTypes::TUPLE | PyTypes::ARRAY;
        example.py.exact().filter(|py| worth.contains(*py) && !example.big)
    }

    /// Before the topmost item is stored to a local: guards what both that item and that local are likely to be, once
    /// here instead of at each use.
    pub fn guess_stored(&mut self, local: u32) {
        let top = self.position(1);
        let Some(&item) = self.state.stack.get(top) else { return };
        if let Item::Object { value, own, py: py @ PyTypes::INT, big: true, known } = item
            && self.may_guess(Reason::Overflow)
            && let Some(Some(example)) = self.examples.locals.get(local as usize)
            && example.py == PyTypes::INT
            && !example.big
        {
            // A result that need not fit, but did.
            self.state.stack[top] = Item::Object { value, own, py, big: false, known };
        }
        let Item::Object { value, py, big: false, known: None, .. } = self.state.stack[top] else { return };
        let item = self.state.stack[top];
        self.exemplify_local(local, value);
        if py.exact().is_none()
            && !py.may_be_null()
            && self.may_guess(Reason::Type)
            && let Some(guess) = self.example_type(item)
            && py.contains(guess)
        {
            self.refine(1, guess);
            self.count("guess-stored");
        }
        if let Some(example) = self.example(item)
            && let Some(known @ None) = self.examples.locals.get_mut(local as usize)
        {
            *known = Some(example);
        }
        // A number that only arithmetic uses needs no object.
        let kind = match self.state.stack[top] {
            Item::Object { py: PyTypes::FLOAT, big: false, .. } => RawKind::Float,
            Item::Object { py: PyTypes::INT, big: false, .. } => RawKind::Int,
            _ => return,
        };
        if self.only_computes(local) && (kind == RawKind::Float || self.may_guess(Reason::Overflow)) {
            let raw = self.raw_at(1);
            let item = self.pop();
            self.release(item);
            self.push(Item::raw(raw));
            self.count("raw-locals");
        }
    }
}

/// For each local, whether some of its loads feed arithmetic directly; and whether all do: then nothing can tell its object
/// from an equal one.
pub(super) fn computing_locals(code: &[Instruction], kinds: &[u8]) -> (Vec<bool>, Vec<bool>) {
    let mut only = vec![false; kinds.len()];
    let mut other = vec![false; kinds.len()];
    for (index, instruction) in code.iter().enumerate() {
        if let Code::LoadFast(local) = instruction.op {
            let found = if feeds_arithmetic(&code[index + 1..]) { &mut only } else { &mut other };
            if let Some(flag) = found.get_mut(local as usize) {
                *flag = true;
            }
        }
    }
    for (local, kind) in kinds.iter().enumerate() {
        only[local] &= kind & (local_kind::CELL | local_kind::FREE) == 0;
    }
    let some = only.clone();
    for (only, other) in only.iter_mut().zip(other) {
        *only &= !other;
    }
    (some, only)
}

impl Builder<'_> {
    /// Whether what the current instruction pushes is consumed by arithmetic, as far as straight code tells.
    pub(super) fn feeds_arithmetic(&self) -> bool {
        let bytecode = self.request.bytecode;
        bytecode.index_at(self.at.next).is_some_and(|next| feeds_arithmetic(&bytecode.instructions[next..]))
    }
}

/// Whether the item on top before this code is consumed by arithmetic, as far as straight code tells.
fn feeds_arithmetic(code: &[Instruction]) -> bool {
    // Position of the item from the top, from 1.
    let mut depth = 1u32;
    for instruction in code.iter().take(40) {
        let (pops, pushes) = match instruction.op {
            Code::Nop | Code::Precall(_) | Code::KwNames(_) => (0, 0),
            Code::LoadFast(_) | Code::LoadConst(_) | Code::LoadDeref(_) | Code::LoadClosure(_) | Code::PushNull => {
                (0, 1)
            }
            Code::LoadGlobal { push_null, .. } => (0, 1 + u32::from(push_null)),
            Code::BinaryOp { .. } | Code::CompareOp(_) => {
                if depth <= 2 {
                    return true;
                }
                (2, 1)
            }
            Code::Unary(_) => {
                if depth == 1 {
                    return true;
                }
                (1, 1)
            }
            Code::BinarySubscr => (2, 1),
            Code::LoadAttr(_) => (1, 1),
            Code::LoadMethod(_) => (1, 2),
            Code::Call(n) => (n + 2, 1),
            _ => return false,
        };
        if depth <= pops {
            return false;
        }
        depth = depth - pops + pushes;
    }
    false
}

/// What each local is likely to hold: as found on entry, else as an earlier activation left it.
pub(super) fn local_examples(request: &BuildRequest<'_>) -> Vec<Option<Rc<Example>>> {
    if !request.options.examples || !request.options.speculate {
        return Vec::new();
    }
    let mut locals = vec![None; request.code.locals_plus_kinds.len()];
    for (local, earlier) in locals.iter_mut().zip(&request.local_examples) {
        local.clone_from(earlier);
    }
    let live = request.loop_entry.as_ref().map(|entry| &entry.locals).or(request.argument_types.as_ref());
    for (local, live) in locals.iter_mut().zip(live.into_iter().flatten()) {
        if live.py != PyTypes::NULL && live.py != PyTypes::NONE {
            *local = Some(live.example.clone());
        }
    }
    locals
}
