//! The order in which the blocks of the bytecode are walked, and what is known of them before the first walk.
//!
//! *Problem*: a block should be entered when everything that reaches it by a forward edge has been emitted, and whether it
//! is a merge must be known before. *Method*: blocks start where the code is entered, at jump targets, behind jumps, and
//! where protected ranges begin and end. A depth-first search from the entries, over jumps, fall-through and exception edges,
//! counts the edges to each block and gives the reverse postorder. *Invariants*:
//! - the plan depends on the request alone: every walk follows the same one;
//! - a block that is entered from outside, by an exception, or by more than one edge is a merge.

use super::examples::computing_locals;
use super::names::Names;
use super::{BuildError, BuildRequest, Entry};
use crate::bytecode::instruction::{Instruction, Offset, Op};
use crate::bytecode::stack_effect::{StackDepths, stack_depths};
use crate::flow::graph::FlowGraph;
use crate::flow::liveness::Liveness;
use crate::words::WordMap;
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// The order of the walk: fixed by the bytecode, the same for every walk.
pub(super) struct Plan {
    /// Offsets at which a block starts, in reverse postorder.
    pub order: Vec<Offset>,
    /// All block starts.
    pub starts: BTreeSet<Offset>,
    /// Blocks that are entered by more than one edge (or by an exception, or from outside).
    pub merges: BTreeSet<Offset>,
    pub entries: Vec<Entry>,
    pub depths: StackDepths,
    pub names: Names,
    /// Made when it is first asked for.
    pub liveness: OnceCell<(FlowGraph, Liveness)>,
    /// Locals that some arithmetic uses.
    pub computes: Vec<bool>,
    /// Locals that only arithmetic uses.
    pub computing: Vec<bool>,
}

impl Plan {
    pub fn new(request: &BuildRequest<'_>) -> Result<Plan, BuildError> {
        let code = &request.bytecode.instructions;
        let mut entries = Vec::new();
        let mut roots: Vec<Offset> = Vec::new();
        if let Some(entry) = &request.loop_entry {
            // A version for a loop that runs is entered there only: what is known of its state is not diluted by
            // what other entries bring.
            entries.push(Entry::Loop(entry.offset));
            roots.push(entry.offset);
        } else {
            if !request.code.makes_generator() {
                entries.push(Entry::Start);
                roots.push(0);
            }
            for instruction in code.iter().filter(|instruction| instruction.op.suspends()) {
                entries.push(Entry::Resume(instruction.opcode_offset));
                roots.push(instruction.next);
            }
            if request.options.pass_delegators {
                for (send, done) in delegations(code) {
                    entries.push(Entry::Sent { send, done });
                    roots.push(done);
                }
            }
        }
        let mut starts: BTreeSet<Offset> = roots.iter().copied().collect();
        for instruction in code {
            let (targets, falls) = successors(instruction);
            starts.extend(targets);
            if targets.is_some() || !falls {
                starts.insert(instruction.next);
            }
        }
        for handler in &request.bytecode.handlers {
            starts.insert(handler.target);
            starts.insert(handler.start);
            starts.insert(handler.end);
        }
        // Depth first over blocks; exception edges are edges of every block in the protected range.
        let mut edges: WordMap<Offset, Vec<Offset>> = WordMap::default();
        let mut incoming: WordMap<Offset, u32> = WordMap::default();
        let mut post = Vec::new();
        let mut seen = BTreeSet::new();
        for root in &roots {
            *incoming.entry(*root).or_default() += 1;
        }
        let mut merges: BTreeSet<Offset> = BTreeSet::new();
        for &root in &roots {
            if !seen.insert(root) {
                continue;
            }
            let mut path = vec![(root, 0usize)];
            while let Some((block, next)) = path.pop() {
                let out = match edges.get(&block) {
                    Some(out) => out.clone(),
                    None => {
                        let out = block_successors(request, &starts, block)?;
                        for &(target, exceptional) in &out {
                            *incoming.entry(target).or_default() += 1;
                            if exceptional {
                                merges.insert(target);
                            }
                        }
                        let out: Vec<Offset> = out.into_iter().map(|(target, _)| target).collect();
                        edges.insert(block, out.clone());
                        out
                    }
                };
                if next < out.len() {
                    path.push((block, next + 1));
                    if seen.insert(out[next]) {
                        path.push((out[next], 0));
                    }
                } else {
                    post.push(block);
                }
            }
        }
        merges.extend(incoming.iter().filter(|(_, n)| **n > 1).map(|(block, _)| *block));
        merges.extend(roots.iter().copied());
        post.reverse();
        // Several roots: later roots come first after the reversal, which keeps every forward edge forward.
        let depths = stack_depths(request.bytecode, request.code.stack_size)
            .map_err(|error| BuildError::Unsupported(error.to_string()))?;
        let (computes, computing) = computing_locals(code, &request.code.locals_plus_kinds);
        Ok(Plan {
            order: post,
            starts,
            merges,
            entries,
            depths,
            liveness: OnceCell::new(),
            computes,
            computing,
            names: Names::new(request),
        })
    }
}

/// The delegating loops (`yield from`, `await`) of exactly the shape the compiler of CPython gives them: `SEND`, `YIELD_VALUE`,
/// `RESUME`, and a jump back, of one code unit each. Where the `SEND` is, and what comes behind the loop.
pub(super) fn delegations(code: &[Instruction]) -> impl Iterator<Item = (Offset, Offset)> {
    code.windows(4).filter_map(|loop_| {
        let [send, yielding, resume, jump] = loop_ else { return None };
        let (Op::Send { done }, Op::YieldValue) = (&send.op, &yielding.op) else { return None };
        let adjacent = send.offset == send.opcode_offset && *done == send.offset + 4 && jump.next == *done;
        let again = matches!(resume.op, Op::Resume(kind) if kind >= 2)
            && matches!(jump.op, Op::JumpBackwardNoInterrupt(target) if target == send.offset);
        (adjacent && again).then_some((send.offset, *done))
    })
}

/// Where control goes after an instruction: its jump target, and whether it falls through. A yield ends its block: what
/// follows is entered from outside.
fn successors(instruction: &Instruction) -> (Option<Offset>, bool) {
    (instruction.op.jump_target(), instruction.op.falls_through() && !instruction.op.suspends())
}

/// Successor blocks of a block; true for exceptional edges.
fn block_successors(
    request: &BuildRequest<'_>,
    starts: &BTreeSet<Offset>,
    block: Offset,
) -> Result<Vec<(Offset, bool)>, BuildError> {
    let code = &request.bytecode.instructions;
    let mut index = request
        .bytecode
        .index_at(block)
        .ok_or_else(|| BuildError::Unsupported(format!("jump to {block}, which is not an instruction")))?;
    let mut out = Vec::new();
    loop {
        let instruction = &code[index];
        let (targets, falls) = successors(instruction);
        if let Some(handler) = request.bytecode.handler_for(instruction.opcode_offset)
            && !out.contains(&(handler.target, true))
        {
            out.push((handler.target, true));
        }
        // The fall-through edge is visited last in a depth-first walk, so that it follows directly in the order.
        out.extend(targets.map(|target| (target, false)));
        if !falls {
            return Ok(out);
        }
        index += 1;
        if index >= code.len() {
            return Err(BuildError::Unsupported("control falls off the end of the bytecode".into()));
        }
        if starts.contains(&code[index].offset) {
            out.push((code[index].offset, false));
            return Ok(out);
        }
    }
}
