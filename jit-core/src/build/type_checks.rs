//! `isinstance(x, C)` and `isinstance(x, (C, D))`, answered when the code is compiled.
//!
//! *Problem*: the tuple of several classes is built for each call, and each class asked in turn, where all of it depends on nothing but
//! the class of the object. *Method*: where the classes are known, and that of the object is known or guessed, the answer is a
//! constant behind guards of their versions ([`super::Environment::is_instance`]); the tuple is not built. *Invariants*: guards
//! leave to the call, or to where its tuple is built, with all operands on the stack; what a metaclass or an instance's own
//! `__class__` would be asked is never answered here.

use super::builder::Builder;
use super::intrinsics::Builtin;
use super::state::*;
use crate::bytecode::instruction::{Instruction, Op as Code};
use crate::exit::Reason;
use crate::helpers::Helper;
use crate::ir::types::PyTypes;

/// A class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A built-in type (one bit).
    Builtin(PyTypes),
    /// The class whose version that is.
    Version(u32),
}

impl Builder<'_> {
    /// `isinstance` of the topmost two items.
    pub(super) fn is_instance(&mut self) -> Item {
        if let Some(answer) = self.decided_instance(2, 1) {
            return Item::raw(Raw::Bool(self.int(i64::from(answer))));
        }
        let class = self.pop_owned();
        let object = self.pop_owned();
        Item::raw(Raw::Bool(self.call_status(Helper::IsInstance, vec![object, class])))
    }

    /// The same where the current instruction builds the tuple.
    pub(super) fn instance_of_tuple(&mut self, count: u32) -> bool {
        let bytecode = self.request.bytecode;
        let Some(next) = bytecode.index_at(self.at.next) else { return false };
        let following = bytecode.instructions.get(next..next + 2);
        let joined = |instruction: &Instruction| self.plan.starts.contains(&instruction.offset);
        following.is_some_and(|two| !two.iter().any(joined)) && self.instance_of_several(count, following)
    }

    /// `isinstance(x, (C, D))`, the tuple of which is about to be built of the topmost `count` items: does all three instructions.
    /// `false`: at most guards were emitted.
    pub(super) fn instance_of_several(&mut self, count: u32, following: Option<&[Instruction]>) -> bool {
        let Some([Instruction { op: Code::Precall(2), .. }, Instruction { op: Code::Call(2), .. }]) = following else {
            return false;
        };
        let Some(base) = self.state.stack.len().checked_sub(count as usize + 3) else { return false };
        let called = [self.state.stack[base], self.state.stack[base + 1]];
        let [Item::Null, Item::Object { known: Some(Known::Builtin(Builtin::IsInstance)), .. }] = called else {
            return false;
        };
        if count == 0 || !self.request.options.intrinsics {
            return false;
        }
        let Some(answer) = self.decided_instance(count + 1, count) else { return false };
        // A tuple of classes takes a level.
        self.guard_level();
        while self.state.stack.len() > base {
            let item = self.pop();
            if self.inlining.is_none() {
                self.release(item);
            }
        }
        let answer = self.int(i64::from(answer));
        self.push(Item::raw(Raw::Bool(answer)));
        self.count("intrinsics");
        true
    }

    /// The answer for the object at a depth and the topmost `count` classes, where all are known or guessed, and it depends on
    /// nothing else.
    fn decided_instance(&mut self, depth: u32, count: u32) -> Option<bool> {
        let object = self.state.stack[self.position(depth)];
        let py = self.item_py(object);
        let (of, reason) = match py.exact() {
            Some(exact) => (Class::Builtin(exact), None),
            None => {
                let example = self.example(object)?;
                match example.type_version {
                    0 => {
                        let exact = example.py.exact().filter(|exact| py.contains(*exact))?;
                        (Class::Builtin(exact), Some(Reason::Type))
                    }
                    version => (Class::Version(version), Some(Reason::Version)),
                }
            }
        };
        if reason.is_some_and(|reason| py.may_be_null() || !self.may_guess(reason)) {
            return None;
        }
        // The first class of which it is an instance ends the search.
        let (mut answer, mut asked) = (false, Vec::new());
        for depth in (1..=count).rev() {
            let class = self.state.stack[self.position(depth)];
            let class = match class {
                Item::Object { known: Some(Known::Type(py)), .. } => Class::Builtin(py),
                _ => match self.example(class)?.own_version {
                    0 => return None,
                    version => Class::Version(version),
                },
            };
            asked.push((depth, class));
            answer = self.request.environment.is_instance(of, class)?;
            if answer {
                break;
            }
        }
        for (depth, class) in asked {
            if let Class::Version(version) = class {
                self.guard_class(depth, version).then_some(())?;
            }
        }
        match of {
            Class::Builtin(exact) if matches!(object, Item::Object { .. }) => self.refine(depth, exact),
            Class::Builtin(_) => {}
            Class::Version(version) => {
                self.guard_type_version(depth, version)?;
            }
        }
        Some(answer)
    }
}
