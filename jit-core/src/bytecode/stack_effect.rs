//! How each operation moves the evaluation stack, and the depth at every instruction.
//!
//! *Problem*: exits, handlers and the builder of the IR need the exact depth everywhere; hostile code must not make them
//! read below or above the stack. *Method*: [`Op::stack_effect`] gives, per operation, how deep it looks, and what it
//! pops and pushes on fall-through and on its jump, as `Python/ceval.c` does it (which for `PRECALL`, `CALL` and
//! `RETURN_GENERATOR` is not what the compiler's own `stack_effect` says); [`stack_depths`] follows all edges, those
//! to handlers included, from depth 0 at the start.
//! *Invariants*: on success every reachable instruction has one depth whichever way it is reached, no instruction looks
//! below the bottom, none leaves more than `stack_size` items, and a handler never keeps an item that an
//! instruction it covers pops.

use super::decode::Bytecode;
use super::instruction::{Offset, Op};
use thiserror::Error;

/// What an operation does to the stack. Counts are wide, since operands of hostile code are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackEffect {
    /// Items that must be there: those popped and those looked at.
    pub needs: u64,
    pub pops: u64,
    /// Items pushed when control goes on to the next instruction (for a yield: when it has been resumed).
    pub pushes: u64,
    /// Pops and pushes when the jump is taken, for operations that have one.
    pub jump: Option<(u64, u64)>,
}

/// Why depths do not work out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StackError {
    #[error("the instruction at {offset} needs {needs} stack items and there are {depth}")]
    Underflow { offset: Offset, needs: u64, depth: u32 },
    #[error("the instruction at {offset} makes the stack {depth} deep, and its size is {stack_size}")]
    Overflow { offset: Offset, depth: u64, stack_size: u32 },
    #[error("the instruction at {offset} is reached with stack depths {first} and {second}")]
    Inconsistent { offset: Offset, first: u32, second: u32 },
    #[error("the handler of the instruction at {offset} keeps {kept} stack items and only {left} are left")]
    Handler { offset: Offset, kept: u32, left: u32 },
}

impl Op {
    /// Stack effect of this operation.
    pub fn stack_effect(&self) -> StackEffect {
        let plain = |pops: u64, pushes: u64| StackEffect { needs: pops, pops, pushes, jump: None };
        let looks = |needs: u64, pops: u64, pushes: u64| StackEffect { needs, pops, pushes, jump: None };
        let jumps = |pops: u64, pushes: u64, jump| StackEffect { needs: pops, pops, pushes, jump: Some(jump) };
        match *self {
            Op::Nop => plain(0, 0),
            Op::PopTop => plain(1, 0),
            Op::PushNull => plain(0, 1),
            Op::Copy(i) => looks(i.into(), 0, 1),
            Op::Swap(i) => looks(i.into(), 0, 0),
            Op::LoadConst(_) | Op::LoadFast(_) | Op::LoadClosure(_) => plain(0, 1),
            Op::LoadDeref(_) | Op::LoadClassDeref(_) | Op::LoadName(_) => plain(0, 1),
            Op::StoreFast(_) | Op::StoreDeref(_) | Op::StoreName(_) | Op::StoreGlobal(_) => plain(1, 0),
            Op::DeleteFast(_) | Op::DeleteDeref(_) | Op::DeleteName(_) | Op::DeleteGlobal(_) => plain(0, 0),
            Op::MakeCell(_) | Op::CopyFreeVars(_) => plain(0, 0),
            Op::LoadGlobal { push_null, .. } => plain(0, 1 + u64::from(push_null)),
            Op::LoadAttr(_) => plain(1, 1),
            Op::LoadMethod(_) => plain(1, 2),
            Op::StoreAttr(_) => plain(2, 0),
            Op::DeleteAttr(_) => plain(1, 0),
            Op::Unary(_) => plain(1, 1),
            Op::BinaryOp { .. } | Op::CompareOp(_) | Op::IsOp { .. } | Op::ContainsOp { .. } => plain(2, 1),
            Op::BinarySubscr => plain(2, 1),
            Op::StoreSubscr => plain(3, 0),
            Op::DeleteSubscr => plain(2, 0),
            Op::GetLen => looks(1, 0, 1),
            Op::BuildTuple(n) | Op::BuildList(n) | Op::BuildSet(n) | Op::BuildString(n) => plain(n.into(), 1),
            Op::BuildMap(n) => plain(2 * u64::from(n), 1),
            Op::BuildConstKeyMap(n) => plain(u64::from(n) + 1, 1),
            Op::BuildSlice(n) => plain(n.into(), 1),
            Op::FormatValue { with_spec, .. } => plain(1 + u64::from(with_spec), 1),
            Op::ListAppend(i) | Op::SetAdd(i) => looks(u64::from(i) + 1, 1, 0),
            Op::ListExtend(i) | Op::SetUpdate(i) | Op::DictUpdate(i) => looks(u64::from(i) + 1, 1, 0),
            // Looks at the callee below the dictionary to word its error.
            Op::DictMerge(i) => looks(u64::from(i) + 3, 1, 0),
            Op::MapAdd(i) => looks(u64::from(i) + 2, 2, 0),
            Op::ListToTuple => plain(1, 1),
            Op::UnpackSequence(n) => plain(1, n.into()),
            Op::UnpackEx { before, after } => plain(1, u64::from(before) + 1 + u64::from(after)),
            Op::GetIter | Op::GetYieldFromIter => plain(1, 1),
            Op::ForIter { .. } => jumps(1, 2, (1, 0)),
            Op::JumpForward(_) | Op::JumpBackward(_) | Op::JumpBackwardNoInterrupt(_) => jumps(0, 0, (0, 0)),
            Op::PopJumpIf { .. } => jumps(1, 0, (1, 0)),
            Op::JumpIfOrPop { .. } => jumps(1, 0, (1, 1)),
            Op::KwNames(_) => plain(0, 0),
            Op::Precall(n) => looks(u64::from(n) + 2, 0, 0),
            Op::Call(n) => plain(u64::from(n) + 2, 1),
            Op::CallFunctionEx { has_kwargs } => plain(3 + u64::from(has_kwargs), 1),
            Op::MakeFunction(bits) => plain(1 + u64::from((bits & 15).count_ones()), 1),
            Op::LoadBuildClass | Op::LoadAssertionError => plain(0, 1),
            Op::ImportName(_) => plain(2, 1),
            Op::ImportFrom(_) => looks(1, 0, 1),
            Op::ImportStar | Op::PrintExpr => plain(1, 0),
            Op::SetupAnnotations => plain(0, 0),
            Op::ReturnValue => plain(1, 0),
            Op::Resume(_) => plain(0, 0),
            // The value sent by the first resume (always None) is what the `POP_TOP` that follows removes.
            Op::ReturnGenerator => plain(0, 1),
            Op::YieldValue => plain(1, 1),
            Op::AsyncGenWrap => plain(1, 1),
            Op::Send { .. } => jumps(2, 2, (2, 1)),
            Op::GetAwaitable(_) | Op::GetAiter => plain(1, 1),
            Op::GetAnext => looks(1, 0, 1),
            Op::EndAsyncFor => plain(2, 0),
            Op::BeforeWith | Op::BeforeAsyncWith => plain(1, 2),
            Op::WithExceptStart => looks(4, 0, 1),
            Op::PushExcInfo => plain(1, 2),
            Op::PopExcept => plain(1, 0),
            Op::CheckExcMatch => looks(2, 1, 1),
            Op::CheckEgMatch => plain(2, 2),
            Op::PrepReraiseStar => plain(2, 1),
            Op::RaiseVarargs(n) => plain(n.into(), 0),
            Op::Reraise(n) => looks(u64::from(n) + 1, 1, 0),
            Op::MatchMapping | Op::MatchSequence => looks(1, 0, 1),
            Op::MatchKeys => looks(2, 0, 1),
            Op::MatchClass(_) => plain(3, 1),
        }
    }
}

/// Depth before each instruction, `None` where it cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackDepths {
    pub before: Vec<Option<u32>>,
}

/// Follows every edge and checks every depth. `stack_size` is `co_stacksize`.
pub fn stack_depths(bytecode: &Bytecode, stack_size: u32) -> Result<StackDepths, StackError> {
    let mut walk = Walk { bytecode, before: vec![None; bytecode.instructions.len()], pending: Vec::new(), stack_size };
    walk.reach(0, 0)?;
    while let Some(index) = walk.pending.pop() {
        let instruction = &bytecode.instructions[index];
        let depth = walk.before[index].expect("only reached instructions are pending");
        let effect = instruction.op.stack_effect();
        if effect.needs > u64::from(depth) {
            return Err(StackError::Underflow { offset: instruction.offset, needs: effect.needs, depth });
        }
        if instruction.op.falls_through() {
            let depth = walk.size(index, u64::from(depth) - effect.pops + effect.pushes)?;
            walk.reach(index + 1, depth)?;
        }
        if let (Some(target), Some((pops, pushes))) = (instruction.op.jump_target(), effect.jump) {
            let depth = walk.size(index, u64::from(depth) - pops + pushes)?;
            walk.reach(bytecode.target(target), depth)?;
        }
        if instruction.op.may_raise()
            && let Some(handler) = bytecode.handler_for(instruction.opcode_offset)
        {
            let left = depth - effect.pops as u32;
            if handler.depth > left {
                return Err(StackError::Handler { offset: instruction.offset, kept: handler.depth, left });
            }
            let depth = walk.size(index, u64::from(handler.depth) + u64::from(handler.push_lasti) + 1)?;
            walk.reach(bytecode.target(handler.target), depth)?;
        }
    }
    Ok(StackDepths { before: walk.before })
}

struct Walk<'a> {
    bytecode: &'a Bytecode,
    before: Vec<Option<u32>>,
    pending: Vec<usize>,
    stack_size: u32,
}

impl Walk<'_> {
    fn size(&self, index: usize, depth: u64) -> Result<u32, StackError> {
        if depth <= u64::from(self.stack_size) {
            return Ok(depth as u32);
        }
        let offset = self.bytecode.instructions[index].offset;
        Err(StackError::Overflow { offset, depth, stack_size: self.stack_size })
    }

    fn reach(&mut self, index: usize, depth: u32) -> Result<(), StackError> {
        match self.before[index] {
            None => {
                self.before[index] = Some(depth);
                self.pending.push(index);
                Ok(())
            }
            Some(first) if first == depth => Ok(()),
            Some(first) => {
                let offset = self.bytecode.instructions[index].offset;
                Err(StackError::Inconsistent { offset, first, second: depth })
            }
        }
    }
}
