//! Optimising passes over the IR.
//!
//! *Problem*: the builder writes what the bytecode says, one instruction at a time; much of that is redundant. *Method*: small
//! passes, each near-linear in the size of the function (compile time is paid by a running program), in a fixed order; each
//! has a name, can be switched off by it and counts what it changed. Every pass accepts both levels of operations; those
//! that only look for Python operations are left out on lowered functions. *Invariants*: a pass takes a verified function and
//! leaves one of the same level, whose observable behaviour is the same: same status, values of exits up to the
//! representation the exit's description names, same effects of calls in the same order. In debug builds the function is
//! verified after every pass.

mod box_elimination;
mod cold_blocks;
mod common_subexpressions;
mod constant_folding;
mod copy_propagation;
mod dead_code;
mod edges;
mod merge_blocks;
mod redundant_guards;
mod redundant_ip;
mod reference_counts;
mod substitution;

use crate::ir::dominators::FlowGraph;
use crate::ir::function::Function;
use crate::ir::verify::{Level, verify};
use std::rc::Rc;

/// A named pass.
pub struct Pass {
    pub name: &'static str,
    /// One line for manuals and `--help`.
    pub summary: &'static str,
    /// Looks for Python operations only.
    python: bool,
    run: fn(&mut Function, &mut Context) -> usize,
}

/// Every pass, in the order in which [`run`] applies them.
pub const PASSES: &[Pass] = &[
    Pass {
        name: "copy_propagation",
        summary: "block parameters that always get the same value become that value",
        python: false,
        run: copy_propagation::run,
    },
    Pass {
        name: "constant_folding",
        summary: "operations on constants, identities, branches whose condition is known",
        python: false,
        run: constant_folding::run,
    },
    Pass {
        name: "merge_blocks",
        summary: "unreachable blocks, jumps to jumps, blocks with a single predecessor",
        python: false,
        run: merge_blocks::run,
    },
    Pass {
        name: "common_subexpressions",
        summary: "the same value computed, loaded or checked again",
        python: false,
        run: common_subexpressions::run,
    },
    Pass {
        name: "box_elimination",
        summary: "unboxing what was boxed, boxing what was unboxed, boxes that only exits need",
        python: true,
        run: box_elimination::run,
    },
    Pass {
        name: "redundant_guards",
        summary: "type checks whose answer is known",
        python: false,
        run: redundant_guards::run,
    },
    Pass {
        name: "reference_counts",
        summary: "increments and decrements of the same object with nothing between that could notice",
        python: true,
        run: reference_counts::run,
    },
    Pass {
        name: "redundant_ip",
        summary: "instruction pointers that are stored already or that nobody sees",
        python: true,
        run: redundant_ip::run,
    },
    Pass {
        name: "dead_code",
        summary: "values, boxes and block parameters that nothing uses",
        python: false,
        run: dead_code::run,
    },
    Pass {
        name: "cold_blocks",
        summary: "blocks that can only lead out of compiled code stand out of line",
        python: false,
        run: cold_blocks::run,
    },
];

/// The pass of a name.
pub fn pass(name: &str) -> Option<&'static Pass> {
    PASSES.iter().find(|pass| pass.name == name)
}

/// Which passes run.
#[derive(Clone, Debug, Default)]
pub struct PassOptions {
    /// Names of passes that are switched off.
    pub disabled: Vec<String>,
    /// Verify after each pass in release builds too.
    pub verify: bool,
}

/// What a pass did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassReport {
    pub name: &'static str,
    /// How often it changed something; 0 means it left the function as it was.
    pub changes: usize,
}

/// Analyses that passes share while they hold.
#[derive(Default)]
pub(crate) struct Context {
    graph: Option<Rc<FlowGraph>>,
}

impl Context {
    fn graph(&mut self, function: &Function) -> Rc<FlowGraph> {
        self.graph.get_or_insert_with(|| Rc::new(FlowGraph::new(function))).clone()
    }

    /// Terminators or blocks have changed.
    fn edges_changed(&mut self) {
        self.graph = None;
    }
}

/// Applies every pass that is not switched off. Reports are in order, one per pass that ran.
///
/// # Panics
/// In debug builds (or with `verify`), when a pass leaves a function that the verifier rejects.
pub fn run(function: &mut Function, options: &PassOptions) -> Vec<PassReport> {
    run_and_watch(function, options, |_, _| {})
}

/// [`run`], showing the function after each pass that changed it.
pub fn run_and_watch(
    function: &mut Function,
    options: &PassOptions,
    mut watch: impl FnMut(&'static str, &Function),
) -> Vec<PassReport> {
    let level = level(function);
    let mut context = Context::default();
    let mut reports = Vec::with_capacity(PASSES.len());
    for pass in PASSES {
        if options.disabled.iter().any(|name| name == pass.name) || (pass.python && level == Level::Lowered) {
            continue;
        }
        let changes = (pass.run)(function, &mut context);
        if changes > 0 {
            check(function, pass.name, level, options.verify);
            watch(pass.name, function);
        }
        reports.push(PassReport { name: pass.name, changes });
    }
    reports
}

/// Applies one pass.
pub fn run_one(function: &mut Function, pass: &Pass) -> PassReport {
    let level = level(function);
    let changes = (pass.run)(function, &mut Context::default());
    check(function, pass.name, level, false);
    PassReport { name: pass.name, changes }
}

fn level(function: &Function) -> Level {
    let lowered = function.blocks.iter().flat_map(|block| &block.insts).all(|inst| inst.op.is_primitive());
    if lowered { Level::Lowered } else { Level::Python }
}

fn check(function: &Function, name: &str, level: Level, always: bool) {
    if (cfg!(debug_assertions) || always)
        && let Err(errors) = verify(function, level)
    {
        panic!("after {name}:\n{errors}\n{function}");
    }
}
