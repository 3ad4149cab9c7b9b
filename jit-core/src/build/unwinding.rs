//! Unwinding: from a raised exception to its handler, or out of the function.
//!
//! *Problem*: nearly every instruction can raise, and what has to be done then is longer than most instructions. *Method*: a
//! cold block does what the interpreter does when an exception is set: it brings the frame in order, adds it to the
//! traceback, drops the stack down to the handler's depth and goes on there, over an ordinary edge, or returns. Ways out of
//! the function are shared by all places of a block that have the same to write back and to drop. *Source*: `exception_unwind`
//! in `Python/ceval.c`. *Invariants*:
//! - locals and names are in the frame before the traceback is made and anything is dropped;
//! - a handler finds no item on the stack that is raw or borrowed, and on top what it expects: the raising instruction if
//!   it asks for that, and the exception.

use super::builder::Builder;
use super::state::*;
use crate::bytecode::instruction::Offset;
use crate::helpers::Helper;
use crate::ir::op::{BinOp, Block, Op, Status, Symbol, Target, UnOp, Value};
use crate::ir::types::{MemTy, PyTypes, Ty};

/// Key under which the cold path of a raising instruction can be shared.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct UnwindKey {
    handler: Option<Offset>,
    traceback: bool,
    stack: Vec<Item>,
    dirty: Vec<(u32, Raw)>,
    names: Vec<Name>,
    suspect: Option<Value>,
}

impl Builder<'_> {
    /// In `block`, an exception is set: goes to the handler of the current instruction or out of the function.
    /// `traceback`: whether this frame is added to the traceback.
    pub fn unwind_from(&mut self, block: Block, traceback: bool) {
        if self.give_up_body() {
            // A body has no frame to unwind.
            return;
        }
        let handler = self.request.bytecode.handler_for(self.at.opcode_offset);
        let depth = handler.map_or(0, |h| h.depth as usize).min(self.state.stack.len());
        let key = UnwindKey {
            handler: handler.map(|h| h.target),
            traceback,
            stack: self.state.stack.clone(),
            dirty: self
                .state
                .locals
                .iter()
                .enumerate()
                .flat_map(|(i, local)| match local.form {
                    Form::Raw { raw, dirty: true } => vec![(i as u32, raw)],
                    Form::MaybeRaw { raw, bound } => vec![(i as u32, raw), (i as u32, Raw::Bool(bound))],
                    Form::Number(Number { value, is_int }) => {
                        vec![(i as u32, Raw::Float(value)), (i as u32, Raw::Bool(is_int))]
                    }
                    _ => vec![],
                })
                .collect(),
            names: self.state.names.clone(),
            suspect: self.state.suspect,
        };
        let target = match self.unwinds.get(&key) {
            Some(&target) if handler.is_none() => target,
            _ => {
                let target = self.function.new_block();
                self.function.blocks[target.0 as usize].cold = true;
                if handler.is_none() {
                    self.unwinds.insert(key, target);
                }
                self.aside(target, |b| {
                    b.ip_set = true;
                    b.flush_locals();
                    b.flush_names();
                    b.forget_names();
                    if traceback {
                        let (ts, frame) = (b.thread(), b.frame());
                        b.effect(Op::Call(Helper::AddTraceback, vec![ts, frame]));
                    }
                    while b.state.stack.len() > depth {
                        let item = b.pop();
                        b.release(item);
                    }
                    match handler {
                        None => b.terminate(Op::Return(Status::Raised, None)),
                        Some(handler) => {
                            for position in 0..depth {
                                if !matches!(b.state.stack[position], Item::Null | Item::RangeIter { .. }) {
                                    b.own_at(position);
                                }
                            }
                            if handler.push_lasti {
                                let frame = b.frame();
                                let ip = b.load(MemTy::I64, Ty::I64, frame, b.request.layout.frame_prev_instr);
                                let first = b.emit(Op::Symbol(Symbol::CodeUnit(0), Ty::Ptr));
                                let first = b.emit(Op::Unary(UnOp::Cast(Ty::I64), first));
                                let distance = b.binary(BinOp::Sub, ip, first);
                                let one = b.int(1);
                                let lasti = b.binary(BinOp::AShr, distance, one);
                                let lasti = b.emit(Op::BoxInt(lasti));
                                b.push_owned(lasti, PyTypes::INT);
                            }
                            let ts = b.thread();
                            let exception = b.emit(Op::Call(Helper::CatchException, vec![ts]));
                            b.push_owned(exception, PyTypes::OTHER);
                            b.edge_from(handler.target, true);
                        }
                    }
                });
                target
            }
        };
        let saved = self.block;
        self.block = block;
        self.push_inst(Op::Jump(Target { block: target, args: vec![] }), None);
        self.block = saved;
    }
}
