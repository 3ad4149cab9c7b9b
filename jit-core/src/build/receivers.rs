//! Receivers: which classes the object of an attribute access is an instance of, and what that says.
//!
//! *Problem*: the interpreter's caches know one class for each access, and methods that a base class defines meet instances of all
//! its subclasses. *Method*: the type's version is compared with one to four known ones. Which they are is said by the inline
//! cache, or by what the object looked like; after a guard has failed, by the classes met there, and by those met at other
//! accesses of this function that know the same class: one failure teaches all of them. Attributes are read in line where all
//! classes have them in the same place, as classes with a common `__init__` do; methods may differ. *Invariants*:
//! - a place or a descriptor of another class than the cache's is asked for at compile time, from the live class, and used
//!   behind a guard of its version only;
//! - an access that meets too many classes, or fails for another reason, is not guessed again.

use super::builder::Builder;
use super::partial::Choice;
use super::state::*;
use crate::bytecode::code::Constant;
use crate::bytecode::instruction::{Feedback, MethodKind};
use crate::exit::Reason;
use crate::ir::op::{BinOp, Cond, Op, Symbol, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

/// Where instances of a class find a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodPlace {
    /// Address of the method's descriptor, alive as long as a live type has the version.
    pub descriptor: u64,
    /// How many attributes the keys have that instances share, none of them the method's name; `None` where instances have no
    /// dictionary.
    pub shared_keys: Option<i64>,
}

/// What instances of a class find in the class under a name, unless an instance has it itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassValue {
    /// Address of the object, alive as long as a live type has the version.
    pub address: u64,
    pub py: PyTypes,
    /// As for [`MethodPlace`].
    pub shared_keys: Option<i64>,
    /// Version of the object's type where that is a class which may still come to have a `__get__`, else 0.
    pub type_version: u32,
    /// The same as a constant, if it is a number.
    pub number: Option<Constant>,
}

/// What is done with an attribute: classes can redefine either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Load,
    Store,
}

/// Where an attribute of an object is: at an address.
pub(super) struct Spot {
    pub base: Value,
    pub offset: i32,
    /// The values in line of which it is one, and which.
    pub values: Option<(Value, Index)>,
    /// The dictionary in whose entry it is.
    pub dictionary: Option<Value>,
}

/// A number that is known, or depends on the class.
#[derive(Clone, Copy)]
pub(super) enum Index {
    Constant(i64),
    Chosen(Value),
}

/// Classes an access is compiled for.
const MOST_CLASSES: usize = 4;

impl Builder<'_> {
    /// What is known about an attribute of the topmost item: by the interpreter, or else by what the item looked like.
    pub fn attribute_feedback(&self, access: Access, name: u32, feedback: &Feedback) -> Feedback {
        match (feedback, self.example(self.state.stack[self.position(1)])) {
            (Feedback::None, Some(example)) if example.versions().len() <= MOST_CLASSES => {
                let places = example.versions().iter().map(|version| self.attribute_place(*version, name, access));
                places.into_iter().find(|place| *place != Feedback::None).unwrap_or(Feedback::None)
            }
            _ => feedback.clone(),
        }
    }

    /// Where the type with a version has an attribute; the name is one of the code that is walked.
    fn attribute_place(&self, version: u32, name: u32, access: Access) -> Feedback {
        self.request.environment.attribute_place(version, name, access)
    }

    /// The versions to compare with, each with its place: that of the cache, and those of other classes that have one. `None`:
    /// no guess.
    fn versions<P>(&self, version: u32, first: P, place: impl Fn(u32) -> Option<P>) -> Option<Vec<(u32, P)>> {
        let request = self.request;
        if version == 0 || !request.options.inline_attributes || !request.options.speculate {
            return None;
        }
        // In the body of a method that was chosen by the class, only what led to it is possible.
        let narrowed = self.narrowed_versions(self.state.stack[self.position(1)]);
        let possible = |version: &u32| narrowed.is_none_or(|versions| versions.contains(version));
        let mut versions = Vec::new();
        if possible(&version) {
            versions.push((version, first));
        }
        let mut sets: Vec<_> = request.receivers.iter().collect();
        sets.sort_unstable_by_key(|(offset, _)| (**offset != self.at.offset, **offset));
        let met = sets.into_iter().flat_map(|(_, seen)| seen);
        let example = self.example(self.state.stack[self.position(1)]);
        let examples = example.iter().flat_map(|example| example.versions()).filter(|version| possible(version));
        let met = met.filter(|version| possible(version));
        for &other in narrowed.into_iter().flatten().chain(examples).chain(met) {
            if versions.len() < MOST_CLASSES
                && versions.iter().all(|(known, _)| *known != other)
                && let Some(place) = place(other)
            {
                versions.push((other, place));
            }
        }
        if versions.is_empty() {
            return None;
        }
        // A guard that failed here is made again only for the classes that were met here: the first of them comes second.
        let here = request.receivers.get(&self.at.offset);
        let taught = versions.get(1).is_some_and(|(other, _)| here.is_some_and(|seen| seen.contains(other)));
        (taught || self.may_guess(Reason::Version)).then_some(versions)
    }

    /// The versions of which a body's receiver can have one.
    fn narrowed_versions(&self, item: Item) -> Option<&Vec<u32>> {
        let Item::Object { value, .. } = item else { return None };
        self.narrowed.iter().rev().find(|(known, _)| *known == value).map(|(_, versions)| versions)
    }

    /// Guards that the object at a depth has one of the versions; gives the object and, for each version but the last, whether
    /// it is that one.
    fn guard_versions<P>(&mut self, depth: u32, versions: &[(u32, P)]) -> Option<(Value, Vec<Value>)> {
        let Item::Object { value, py, .. } = self.state.stack[self.position(depth)] else { return None };
        if py.may_be_null() {
            return None;
        }
        let layout = self.request.layout;
        let ty = self.load(MemTy::Ptr, Ty::Ptr, value, layout.ob_type);
        let found = self.load(MemTy::U32, Ty::I64, ty, layout.type_version);
        let mut tests = Vec::new();
        for (version, _) in versions {
            let expected = self.int(i64::from(*version));
            tests.push(self.compare(Cond::Eq, found, expected));
        }
        let mut any = tests[0];
        for test in &tests[1..] {
            any = self.binary(BinOp::Or, any, *test);
        }
        self.guard(any, Reason::Version);
        tests.pop();
        if versions.len() > 1 {
            self.count("inline_polymorphic");
        }
        Some((value, tests))
    }

    /// Guards that the object at a depth has the type version; gives the object.
    pub fn guard_type_version(&mut self, depth: u32, version: u32) -> Option<Value> {
        if version == 0 || !self.request.options.inline_attributes || !self.may_guess(Reason::Version) {
            return None;
        }
        Some(self.guard_versions(depth, &[(version, ())])?.0)
    }

    /// Guards that the topmost object has the attribute where the interpreter found it, or where another known class has it:
    /// among the values in line, at an index, in a slot, or in an entry of its own dictionary.
    pub(super) fn guard_place(&mut self, access: Access, name: u32, place: &Feedback) -> Option<Spot> {
        let (in_line, version, first) = match *place {
            Feedback::WithHint { type_version, hint } => return self.guard_entry(access, name, type_version, hint),
            Feedback::InstanceValue { type_version, index } => (true, type_version, i64::from(index)),
            Feedback::Slot { type_version, offset } => (false, type_version, i64::from(offset)),
            _ => return None,
        };
        let versions = self.versions(version, first, |other| match self.attribute_place(other, name, access) {
            Feedback::InstanceValue { index, .. } if in_line => Some(i64::from(index)),
            Feedback::Slot { offset, .. } if !in_line => Some(i64::from(offset)),
            _ => None,
        })?;
        let (owner, tests) = self.guard_versions(1, &versions)?;
        let first = versions[0].1;
        let layout = self.request.layout;
        let mut base = owner;
        if in_line {
            base = self.load(MemTy::Ptr, Ty::Ptr, owner, layout.instance_values);
            self.guard_there(base, Ty::Ptr);
        }
        if versions.iter().all(|(_, place)| *place == first) {
            let offset = if in_line { 8 * first } else { first };
            let values = in_line.then_some((base, Index::Constant(first)));
            return Some(Spot { base, offset: offset as i32, values, dictionary: None });
        }
        let numbers: Vec<Value> = versions.iter().map(|(_, place)| self.int(*place)).collect();
        let number = self.choose(&tests, &numbers);
        let mut bytes = number;
        if in_line {
            let three = self.int(3);
            bytes = self.binary(BinOp::Shl, number, three);
        }
        let values = in_line.then_some((base, Index::Chosen(number)));
        let base = self.offset_by(base, bytes);
        Some(Spot { base, offset: 0, values, dictionary: None })
    }

    /// A method that the versions of the receiver's type determine: the descriptor found with a version is what a lookup gives
    /// as long as that version holds, and is alive as long, so its address is only used behind that guard.
    pub fn method_by_version(&mut self, name: u32, feedback: &Feedback) -> bool {
        let environment = self.request.environment;
        let version = match *feedback {
            Feedback::Method { kind: MethodKind::WithValues | MethodKind::NoDict, type_version, .. } => type_version,
            Feedback::None => {
                let example = self.example(self.state.stack[self.position(1)]);
                let few = example.filter(|example| example.versions().len() <= MOST_CLASSES);
                few.and_then(|example| example.versions().first().copied()).unwrap_or(0)
            }
            _ => 0,
        };
        let Some(first) = environment.method_place(version, name) else {
            return version != 0 && self.method_of_cache(name, feedback);
        };
        let alike = |other: &MethodPlace| other.shared_keys.is_some() == first.shared_keys.is_some();
        let place = |other: u32| environment.method_place(other, name).filter(alike);
        let Some(versions) = self.versions(version, first, place) else { return false };
        let Some((owner, tests)) = self.guard_versions(1, &versions) else { return false };
        let (version, first) = versions[0];
        self.guard_not_hidden(owner, &tests, versions.iter().map(|(_, place)| place.shared_keys));
        if versions.iter().all(|(_, place)| place.descriptor == first.descriptor) {
            self.push_method(name, version, first.descriptor);
        } else {
            let methods: Vec<_> = versions.iter().map(|(_, place)| self.address(place.descriptor)).collect();
            let method = self.choose(&tests, &methods);
            let known = self.choice_of_methods(name, &versions);
            self.push_method_value(method, PyTypes::OBJECT, known);
        }
        true
    }

    /// Guards that instances do not hide what their class has: they have no dictionary, and share as many names as were
    /// looked through; `None` where they can have none.
    fn guard_not_hidden(&mut self, owner: Value, tests: &[Value], shared_keys: impl Iterator<Item = Option<i64>>) {
        let Some(counts) = shared_keys.collect::<Option<Vec<_>>>() else { return };
        let keys = self.guard_no_dictionary(owner);
        let found = self.load(MemTy::I64, Ty::I64, keys, self.request.layout.keys_entries);
        let counts: Vec<_> = counts.into_iter().map(|count| self.int(count)).collect();
        let expected = self.choose(tests, &counts);
        let same = self.compare(Cond::Eq, found, expected);
        self.guard(same, Reason::Version);
    }

    /// An attribute that the instance has from its class, which the interpreter's caches do not tell of: the topmost item becomes
    /// it. `false`: nothing was emitted.
    pub(super) fn load_from_own_class(&mut self, name: u32) -> bool {
        let environment = self.request.environment;
        let Some(example) = self.example(self.state.stack[self.position(1)]) else { return false };
        let first =
            example.versions().iter().find_map(|&version| Some((version, environment.class_value(version, name)?)));
        let Some((version, first)) = first.filter(|_| example.versions().len() <= MOST_CLASSES) else { return false };
        let alike = |other: &ClassValue| {
            other.shared_keys.is_some() == first.shared_keys.is_some() && other.address == first.address
        };
        let place = |other: u32| environment.class_value(other, name).filter(alike);
        let Some(versions) = self.versions(version, first.clone(), place) else { return false };
        let Some((owner, tests)) = self.guard_versions(1, &versions) else { return false };
        self.guard_not_hidden(owner, &tests, versions.iter().map(|(_, place)| place.shared_keys));
        let value = match first.number.clone() {
            Some(number) => {
                let Item::Const(number) = self.foreign_constant(number, first.address) else { return false };
                self.constant_object(number)
            }
            None => self.address(first.address),
        };
        if first.type_version != 0 {
            let ty = self.load(MemTy::Ptr, Ty::Ptr, value, self.request.layout.ob_type);
            self.guard_version_of(ty, first.type_version);
        }
        self.count("inline_class_attributes");
        self.defined(value, first.py);
        self.replace_owner(value, first.py);
        let top = self.position(1);
        if let Item::Object { big, .. } = &mut self.state.stack[top] {
            *big = first.number == Some(Constant::BigInt);
        }
        true
    }

    /// The same with what the interpreter's cache says, of a class that is not known otherwise.
    fn method_of_cache(&mut self, name: u32, feedback: &Feedback) -> bool {
        let &Feedback::Method { kind, type_version, keys_version, descriptor } = feedback else { return false };
        if descriptor == 0 {
            return false;
        }
        let Some(owner) = self.guard_type_version(1, type_version) else { return false };
        if kind == MethodKind::WithValues {
            let keys = self.guard_no_dictionary(owner);
            let found = self.load(MemTy::U32, Ty::I64, keys, self.request.layout.keys_version);
            let expected = self.int(i64::from(keys_version));
            let same = self.compare(Cond::Eq, found, expected);
            self.guard(same, Reason::Version);
        }
        self.push_method(name, type_version, descriptor);
        true
    }

    /// Guards that an instance has no dictionary of its own; gives the keys that instances of its class share.
    fn guard_no_dictionary(&mut self, owner: Value) -> Value {
        let layout = self.request.layout;
        let dictionary = self.load(MemTy::Ptr, Ty::Ptr, owner, layout.instance_dict);
        let null = self.emit(Op::Null(Ty::Ptr));
        let none = self.compare(Cond::Eq, dictionary, null);
        self.guard(none, Reason::Version);
        let ty = self.load(MemTy::Ptr, Ty::Ptr, owner, layout.ob_type);
        self.load(MemTy::Ptr, Ty::Ptr, ty, layout.type_cached_keys)
    }

    pub(super) fn address(&mut self, address: u64) -> Value {
        let symbol = self.address_symbol(address);
        let value = self.emit(Op::Symbol(symbol, Ty::Obj));
        self.defined(value, PyTypes::OBJECT)
    }

    /// The same of something that is no object.
    pub(super) fn plain_address(&mut self, address: u64) -> Value {
        let symbol = self.address_symbol(address);
        self.emit(Op::Symbol(symbol, Ty::Ptr))
    }

    pub(super) fn address_symbol(&mut self, address: u64) -> Symbol {
        let known = self.addresses.iter().position(|known| *known == address);
        let number = known.unwrap_or_else(|| {
            self.addresses.push(address);
            self.addresses.len() - 1
        });
        Symbol::Address(number as u32)
    }

    /// The value that belongs to the first test that holds; the last one, which has none, if no other does.
    fn choose(&mut self, tests: &[Value], values: &[Value]) -> Value {
        let mut chosen = values[values.len() - 1];
        for (test, value) in tests.iter().zip(values).rev() {
            if *value != chosen {
                chosen = self.emit(Op::Select(*test, *value, chosen));
            }
        }
        chosen
    }

    /// The methods of several classes whose bodies may be inlined.
    fn choice_of_methods(&mut self, name: u32, versions: &[(u32, MethodPlace)]) -> Option<Known> {
        let mut functions: Vec<Choice> = Vec::new();
        for &(version, MethodPlace { descriptor: address, .. }) in versions {
            match functions.iter_mut().find(|known| known.address == address) {
                Some(known) => known.versions.push(version),
                None => {
                    let callee = self.request.environment.method_callee(version, name, address);
                    functions.extend(callee.map(|callee| Choice { address, callee, versions: vec![version] }));
                }
            }
        }
        let number = self.choices.iter().position(|known| *known == functions).unwrap_or_else(|| {
            self.choices.push(functions.clone());
            self.choices.len() - 1
        });
        (!functions.is_empty()).then_some(Known::OneOf(number as u32))
    }

    pub(super) fn push_method(&mut self, name: u32, version: u32, descriptor: u64) {
        let callee = self.request.environment.method_callee(version, name, descriptor);
        // What was found for inlining is a function for certain.
        let py = if callee.is_some() { PyTypes::FUNCTION } else { PyTypes::OBJECT };
        let method = self.address(descriptor);
        self.push_method_value(method, py, callee.map(Known::Function));
    }

    fn push_method_value(&mut self, method: Value, py: PyTypes, known: Option<Known>) {
        self.count("inline_methods");
        self.defined(method, py);
        let receiver = self.pop();
        self.push(Item::Object { value: method, own: Own::Volatile, py, big: false, known });
        self.push(receiver);
    }
}
