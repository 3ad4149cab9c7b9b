//! Real memory with a small world of objects in it, for the interpreter and for machine code alike.
//!
//! *Problem*: lowered code loads from objects, counts references and calls helpers; to compare a backend with the interpreter
//! bit by bit, both must find the same things at the same addresses. *Method*: one block of memory with fixed places for
//! frame, out buffer, addresses, constants and objects; it is set up afresh before every run, objects are made in the order
//! of calls, and helpers are C functions that find their world through a thread-local pointer. *Invariants*: the interpreter
//! is stopped at any access outside; memory after a run, the calls with their arguments and the status are all that can be
//! observed, and must agree, except that any NaN is as good as another.

use std::alloc::{Layout as Allocation, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};

use columba_jit_core::helpers::{Effects, Helper, Passing};
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::interpret::{Arguments, Environment, Outcome, Trap, interpret};
use columba_jit_core::ir::op::{Op, Symbol};
use columba_jit_core::ir::types::{MemTy, PyTypes};
use columba_jit_core::layout::Layout;
use columba_jit_core::unit::Resolver;

use crate::bench::{Bench, Compiled};
use crate::reference::{read, write};

const KIB: u64 = 1024;
const THREAD_STATE: u64 = 0;
const FRAME: u64 = 4 * KIB;
const OUT: u64 = 8 * KIB;
const SINGLETONS: u64 = 12 * KIB;
const TYPES: u64 = 13 * KIB;
const ADDRESSES: u64 = 16 * KIB;
const CODE: u64 = 96 * KIB;
const CONSTANTS: u64 = 128 * KIB;
const CONSTANT_COUNT: u64 = 64;
const HEAP: u64 = 160 * KIB;
const SIZE: u64 = 1024 * KIB;
/// Distance between objects.
const OBJECT: u64 = 64;
const SINGLETON_COUNT: u64 = 1 << 20;
/// Distance between `Symbol::Address(n)` and the next.
const ADDRESS_STRIDE: u64 = 256;
/// What freed objects are filled with.
const FREED: u64 = 0xdddd_dddd_dddd_dddd;

/// `Symbol::Address` of the table of stress counters: room for 7,000 of them.
pub(crate) const COUNTERS: u32 = 64;
/// `Symbol::Address` of words that only variants use.
pub(crate) const PRESSURE: u32 = 32;
/// Steps after which a program is not used.
const LIMIT: u64 = 60_000;

/// Contents of an object that a run starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Int(i64),
    Float(f64),
    Other(u64),
}

/// What kind of operation: its name, and the condition or width where there is one.
pub(crate) type Kind = (&'static str, &'static str);

pub(crate) struct World {
    base: *mut u8,
    layout: Layout,
    /// Where the next object is made, from the start of the memory.
    next: Cell<u64>,
    calls: RefCell<Vec<(Helper, Vec<u64>)>>,
    errors: RefCell<Vec<String>>,
    /// Counts helpers whose results are made up.
    unknown: Cell<u64>,
}

thread_local! {
    static CURRENT: Cell<*const World> = const { Cell::new(std::ptr::null()) };
}

fn allocation() -> Allocation {
    Allocation::from_size_align(SIZE as usize, 4096).expect("a valid size")
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.base, allocation()) };
    }
}

/// All that can be observed of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
    pub status: i64,
    pub memory: Vec<u64>,
    pub calls: Vec<(Helper, Vec<u64>)>,
}

impl World {
    pub fn new() -> World {
        // SAFETY: the size is not 0.
        let base = unsafe { alloc_zeroed(allocation()) };
        if base.is_null() {
            handle_alloc_error(allocation());
        }
        World {
            base,
            layout: Layout::EXAMPLE,
            next: Cell::new(HEAP),
            calls: RefCell::default(),
            errors: RefCell::default(),
            unknown: Cell::new(0),
        }
    }

    fn at(&self, place: u64) -> u64 {
        self.base as u64 + place
    }

    fn get(&self, address: u64) -> u64 {
        if !self.holds(address, 8) {
            self.fail(format!("{address:#x} is read"));
            return 0;
        }
        // SAFETY: inside the memory.
        unsafe { read(address, MemTy::I64) }
    }

    fn put(&self, address: u64, word: u64) {
        if !self.holds(address, 8) {
            return self.fail(format!("{address:#x} is written"));
        }
        // SAFETY: inside the memory.
        unsafe { write(address, MemTy::I64, word) };
    }

    fn holds(&self, address: u64, size: u64) -> bool {
        address.is_multiple_of(size) && address >= self.at(0) && address <= self.at(SIZE) - size
    }

    fn fail(&self, what: String) {
        self.errors.borrow_mut().push(what);
    }

    fn field(object: u64, offset: i32) -> u64 {
        object.wrapping_add_signed(i64::from(offset))
    }

    /// Everything as it was when the world was new.
    fn reset(&self) {
        // SAFETY: the first `next` bytes are inside the memory; nothing else refers to them.
        unsafe { std::ptr::write_bytes(self.base, 0, self.next.get().min(SIZE) as usize) };
        self.next.set(HEAP);
        self.unknown.set(0);
        self.calls.borrow_mut().clear();
        self.errors.borrow_mut().clear();
        for (index, py) in [PyTypes::NONE, PyTypes::BOOL, PyTypes::BOOL].into_iter().enumerate() {
            // `True` is an int of one digit, `False` of none.
            self.fill(self.at(SINGLETONS) + index as u64 * OBJECT, SINGLETON_COUNT, py, u64::from(index == 1));
        }
        for index in 0..CONSTANT_COUNT {
            let address = self.at(CONSTANTS) + index * OBJECT;
            self.fill(address, SINGLETON_COUNT, PyTypes::INT, 1);
            self.put(Self::field(address, self.layout.long_digits), index + 1000);
        }
    }

    fn fill(&self, object: u64, count: u64, py: PyTypes, first: u64) {
        self.put(Self::field(object, self.layout.ob_refcnt), count);
        self.put(Self::field(object, self.layout.ob_type), self.type_address(py));
        self.put(Self::field(object, self.layout.float_value), first);
        self.put(Self::field(object, self.layout.long_digits), first);
    }

    fn type_address(&self, py: PyTypes) -> u64 {
        self.at(TYPES) + u64::from(py.bits().trailing_zeros()) * OBJECT
    }

    /// A new reference.
    pub fn make(&self, content: Content) -> u64 {
        let place = self.next.get();
        if place + OBJECT > SIZE {
            self.fail("out of objects".into());
            return self.at(CONSTANTS);
        }
        self.next.set(place + OBJECT);
        let address = self.at(place);
        match content {
            Content::Float(number) => self.fill(address, 1, PyTypes::FLOAT, number.to_bits()),
            Content::Other(number) => self.fill(address, 1, PyTypes::OTHER, number),
            Content::Int(number) => {
                let (mut digits, mut rest) = (Vec::new(), number.unsigned_abs());
                while rest > 0 {
                    digits.push(rest & 0x3fff_ffff);
                    rest >>= 30;
                }
                let size = digits.len() as i64 * number.signum();
                digits.resize(4, 0);
                self.fill(address, 1, PyTypes::INT, size as u64);
                for (index, pair) in digits.chunks(2).enumerate() {
                    let word = pair[0] | pair[1] << 32;
                    self.put(Self::field(address, self.layout.long_digits + 8 * index as i32), word);
                }
            }
        }
        address
    }

    fn int_value(&self, object: u64) -> Option<i64> {
        let size = self.get(Self::field(object, self.layout.long_size)) as i64;
        let mut magnitude = 0i128;
        for index in (0..size.unsigned_abs().min(4) as i32).rev() {
            let pair = self.get(Self::field(object, self.layout.long_digits + 8 * (index / 2)));
            let digit = if index % 2 == 0 { pair & 0xffff_ffff } else { pair >> 32 };
            magnitude = magnitude << 30 | i128::from(digit);
        }
        i64::try_from(if size < 0 { -magnitude } else { magnitude }).ok()
    }

    fn incref(&self, object: u64) {
        let count = Self::field(object, self.layout.ob_refcnt);
        self.put(count, self.get(count).wrapping_add(1));
    }

    fn decref(&self, object: u64) {
        let at = Self::field(object, self.layout.ob_refcnt);
        let count = self.get(at);
        if count == 0 {
            return self.fail("a count falls below 0".into());
        }
        self.put(at, count - 1);
        if count == 1 {
            self.free(object);
        }
    }

    fn free(&self, object: u64) {
        if self.get(Self::field(object, self.layout.ob_refcnt)) != 0 {
            self.fail("an object is freed while it is referred to".into());
        }
        for index in 0..OBJECT / 8 {
            self.put(object + 8 * index, FREED);
        }
    }

    pub fn set_slot(&self, slot: u32, object: u64) {
        self.put(self.at(FRAME) + (self.layout.frame_localsplus + 8 * slot as i32) as u64, object);
    }

    /// A word of the frame, by index.
    pub fn set_frame_word(&self, index: u32, word: u64) {
        self.put(self.at(FRAME) + 8 * u64::from(index), word);
    }

    /// Word `index` behind `Symbol::Address(address)`.
    pub fn set_word(&self, address: u32, index: u32, word: u64) {
        self.put(self.address(address) + 8 * u64::from(index), word);
    }

    pub fn word(&self, address: u32, index: u32) -> u64 {
        self.get(self.address(address) + 8 * u64::from(index))
    }

    fn address(&self, index: u32) -> u64 {
        self.at(ADDRESSES) + ADDRESS_STRIDE * u64::from(index)
    }

    /// What a helper does. Helpers that lowering itself uses do what they must; others take the references they steal and
    /// make up a result.
    fn helper_called(&self, helper: Helper, args: &[u64]) -> u64 {
        self.calls.borrow_mut().push((helper, args.to_vec()));
        match helper {
            Helper::BoxFloat => return self.make(Content::Float(f64::from_bits(args[0]))),
            Helper::BoxInt => return self.make(Content::Int(args[0] as i64)),
            Helper::IntToI64 => {
                let Some(number) = self.int_value(args[0]) else { return 0 };
                self.put(args[1], number as u64);
                return 1;
            }
            Helper::Incref => self.incref(args[0]),
            Helper::XDecref if args[0] == 0 => {}
            Helper::Decref | Helper::XDecref => self.decref(args[0]),
            Helper::Dealloc => self.free(args[0]),
            _ => {
                for (&arg, passing) in args.iter().zip(helper.params()) {
                    match passing {
                        Passing::Stolen => self.decref(arg),
                        Passing::StolenOrNull if arg != 0 => self.decref(arg),
                        _ => {}
                    }
                }
                let unknown = self.unknown.get() + 1;
                self.unknown.set(unknown);
                return match helper.result() {
                    Passing::Nothing => 0,
                    Passing::Float => (unknown as f64 + 0.5).to_bits(),
                    Passing::Int | Passing::Status | Passing::Address => unknown % 2,
                    _ if helper.effects().contains(Effects::RAISES) && unknown.is_multiple_of(5) => 0,
                    _ => self.make(Content::Int(unknown as i64)),
                };
            }
        }
        0
    }

    fn observed(&self, status: i64) -> Observed {
        let words = self.next.get().min(SIZE) / 8;
        let memory = (0..words).map(|index| self.get(self.at(8 * index))).collect();
        Observed { status, memory, calls: self.calls.borrow().clone() }
    }

    /// Runs the interpreter; `None` for programs that are too long or need too much.
    pub fn interpret(
        &self,
        bench: &Bench<'_>,
        function: &Function,
        set_up: &dyn Fn(&World),
        entry: i64,
    ) -> Option<(Outcome, Observed)> {
        self.reset();
        set_up(self);
        let arguments =
            Arguments { thread_state: self.at(THREAD_STATE), frame: self.at(FRAME), out: self.at(OUT), entry };
        let mut counting = Counting { world: self, bench };
        match interpret(function, &mut counting, arguments, LIMIT) {
            Ok(outcome) => {
                let observed = self.observed(outcome.status);
                Some((outcome, observed))
            }
            Err(Trap::StepLimit) => None,
            Err(Trap::Undefined { message, .. }) if message.contains("out of objects") => None,
            Err(trap) => panic!("the program is undefined: {trap}\n{function}"),
        }
    }

    /// Runs the interpreter and every mode of the backend, which must agree. Gives what was observed, or `None`.
    #[track_caller]
    pub fn agree(
        &self,
        bench: &Bench<'_>,
        function: &Function,
        compiled: &Compiled<'_>,
        set_up: &dyn Fn(&World),
        entry: i64,
    ) -> Option<(Outcome, Observed)> {
        let (outcome, expected) = self.interpret(bench, function, set_up, entry)?;
        for (mode, code) in compiled.entries.iter().enumerate() {
            self.reset();
            set_up(self);
            CURRENT.set(self);
            let (ts, frame, out) = (self.at(THREAD_STATE), self.at(FRAME), self.at(OUT));
            // SAFETY: the interpreter has shown that the function's accesses are inside this world.
            let status = unsafe { bench.call(code, ts as *mut u64, frame as *mut u64, out as *mut u64, entry) };
            CURRENT.set(std::ptr::null());
            let observed = self.observed(status);
            let what = || format!("entry {entry}, mode {mode}");
            if let Some(error) = self.errors.borrow().first() {
                panic!("{}: {error}\n{function}", what());
            }
            assert_eq!(observed.status, expected.status, "{}: status\n{function}", what());
            if let Some(difference) = difference(&expected, &observed) {
                panic!("{}: {difference}\n{function}", what());
            }
        }
        Some((outcome, expected))
    }
}

/// Whether two words are equal, or NaNs both.
fn same(a: u64, b: u64) -> bool {
    a == b || (f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan())
}

/// What differs first.
pub(crate) fn difference(expected: &Observed, observed: &Observed) -> Option<String> {
    if expected.calls.len() != observed.calls.len() {
        return Some(format!("{} calls, expected {}", observed.calls.len(), expected.calls.len()));
    }
    for (k, (a, b)) in expected.calls.iter().zip(&observed.calls).enumerate() {
        if a.0 != b.0 || !a.1.iter().zip(&b.1).all(|(&a, &b)| same(a, b)) {
            return Some(format!("call {k}: {b:x?}, expected {a:x?}"));
        }
    }
    if expected.memory.len() != observed.memory.len() {
        return Some("another number of objects".into());
    }
    let found = expected.memory.iter().zip(&observed.memory).position(|(&a, &b)| !same(a, b))?;
    let region = match 8 * found as u64 {
        place if place >= HEAP => ("heap", HEAP),
        place if place >= CONSTANTS => ("constants", CONSTANTS),
        place if place >= ADDRESSES => ("addresses", ADDRESSES),
        place if place >= SINGLETONS => ("singletons", SINGLETONS),
        place if place >= OUT => ("out", OUT),
        place if place >= FRAME => ("frame", FRAME),
        _ => ("thread state", THREAD_STATE),
    };
    Some(format!(
        "{} + {}: {:#x}, expected {:#x}",
        region.0,
        8 * found as u64 - region.1,
        observed.memory[found],
        expected.memory[found]
    ))
}

/// Forgets the words that only variants write.
pub(crate) fn without_pressure(mut observed: Observed) -> Observed {
    let start = ((ADDRESSES + ADDRESS_STRIDE * u64::from(PRESSURE)) / 8) as usize;
    let end = start + (ADDRESS_STRIDE * u64::from(COUNTERS - PRESSURE) / 8) as usize;
    observed.memory[start..end].fill(0);
    observed
}

impl Resolver for World {
    fn symbol(&self, symbol: Symbol) -> u64 {
        match symbol {
            Symbol::Const(index) => self.at(CONSTANTS) + u64::from(index) % CONSTANT_COUNT * OBJECT,
            Symbol::Name(index) => self.at(CONSTANTS) + (u64::from(index) + 32) % CONSTANT_COUNT * OBJECT,
            Symbol::Type(py) => self.type_address(py),
            Symbol::None => self.at(SINGLETONS),
            Symbol::True => self.at(SINGLETONS) + OBJECT,
            Symbol::False => self.at(SINGLETONS) + 2 * OBJECT,
            Symbol::CodeUnit(offset) => self.at(CODE) + u64::from(offset),
            Symbol::EvalBreaker => self.at(CONSTANTS) - 8,
            Symbol::SmallInts => self.at(CONSTANTS),
            Symbol::Address(index) => self.address(index),
        }
    }

    fn helper(&self, helper: Helper) -> u64 {
        if helper == Helper::FloatRemainder {
            return float_remainder as *const () as u64;
        }
        HELPERS.iter().find(|entry| entry.0 == helper).unwrap_or_else(|| panic!("the world has no {helper:?}")).1 as u64
    }
}

/// The interpreter's view: accesses are checked, operations counted.
struct Counting<'w> {
    world: &'w World,
    bench: &'w Bench<'w>,
}

impl Counting<'_> {
    fn failed(&self) -> Result<(), String> {
        self.world.errors.borrow().first().map_or(Ok(()), |error| Err(error.clone()))
    }
}

impl Environment for Counting<'_> {
    fn load(&mut self, address: u64, mem: MemTy) -> Result<u64, String> {
        if !self.world.holds(address, mem.size() as u64) {
            return Err(format!("load from {address:#x}"));
        }
        // SAFETY: inside the memory.
        Ok(unsafe { read(address, mem) })
    }

    fn store(&mut self, address: u64, mem: MemTy, bits: u64) -> Result<(), String> {
        if !self.world.holds(address, mem.size() as u64) {
            return Err(format!("store to {address:#x}"));
        }
        // SAFETY: inside the memory.
        unsafe { write(address, mem, bits) };
        Ok(())
    }

    fn symbol(&mut self, symbol: Symbol) -> Result<u64, String> {
        Ok(self.world.symbol(symbol))
    }

    fn call(&mut self, helper: Helper, args: &[u64]) -> Result<u64, String> {
        let result = self.world.helper_called(helper, args);
        self.failed().map(|()| result)
    }

    fn executing(&mut self, op: &Op) {
        *self.bench.executed.borrow_mut().entry(kind(op)).or_default() += 1;
    }
}

/// What kind an operation is of.
pub(crate) fn kind(op: &Op) -> Kind {
    match op {
        Op::IConst(_) => ("iconst", ""),
        Op::FConst(_) => ("fconst", ""),
        Op::Null(_) => ("null", ""),
        Op::Symbol(..) => ("symbol", ""),
        Op::Binary(op, ..) => (op.text(), ""),
        Op::Unary(op, _) => (op.text(), ""),
        Op::Compare(cond, ..) => ("compare", cond.text()),
        Op::Select(..) => ("select", ""),
        Op::BinaryOrLeave(op, ..) => ("or_leave", op.text()),
        Op::Guard(..) => ("guard", ""),
        Op::Load { mem, .. } => ("load", mem.text()),
        Op::Store { mem, .. } => ("store", mem.text()),
        Op::Call(..) => ("call", ""),
        Op::Frame => ("frame", ""),
        Op::ThreadState => ("thread_state", ""),
        Op::Out => ("out", ""),
        Op::Jump(_) => ("jump", ""),
        Op::Branch(..) => ("branch", ""),
        Op::Switch(..) => ("switch", ""),
        Op::Return(..) => ("return", ""),
        Op::Leave(_) => ("leave", ""),
        Op::Unreachable => ("unreachable", ""),
        _ => ("python", ""),
    }
}

fn called(helper: Helper, args: &[u64]) -> u64 {
    let world = CURRENT.get();
    assert!(!world.is_null(), "a helper is called outside a run");
    // SAFETY: `agree` set it to itself for the time of the run.
    unsafe { (*world).helper_called(helper, args) }
}

macro_rules! helpers {
    ($( $name:ident $helper:ident ( $($arg:ident: $ty:ty),* ) )*) => {
        $( extern "C" fn $name($($arg: $ty),*) -> u64 { called(Helper::$helper, &[$($arg.bits()),*]) } )*

        const HELPERS: &[(Helper, *const ())] = &[ $( (Helper::$helper, $name as *const ()), )* ];
    };
}

/// An argument's bits.
trait Bits {
    fn bits(self) -> u64;
}
impl Bits for u64 {
    fn bits(self) -> u64 {
        self
    }
}
impl Bits for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

helpers! {
    box_float BoxFloat(value: f64)
    box_int BoxInt(value: u64)
    int_to_i64 IntToI64(object: u64, to: u64)
    incref Incref(object: u64)
    decref Decref(object: u64)
    xdecref XDecref(object: u64)
    dealloc_object Dealloc(object: u64)
    print_expr PrintExpr(object: u64)
    is_true_borrowed IsTrueBorrowed(object: u64)
    subscr Subscr(container: u64, key: u64)
    flush_float FlushFloat(slot: u64, raw: f64)
    call Call(ts: u64, stack: u64, count: u64, names: u64)
}

extern "C" fn float_remainder(a: f64, b: f64) -> f64 {
    f64::from_bits(called(Helper::FloatRemainder, &[a.to_bits(), b.to_bits()]))
}
