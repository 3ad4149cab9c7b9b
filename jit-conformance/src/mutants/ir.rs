//! Mistakes that can be said in IR: the backend emits something else than it was given.
//!
//! *Method*: the function is copied and changed before the backend compiles it; what the backend then emits rightly is what
//! a wrong one would have emitted for the original. *Invariant*: a function that was well formed stays so.

use std::collections::HashMap;

use columba_jit_core::backend::{Backend, Caps, CodeSink, CompileError, CompiledEntry, Config};
use columba_jit_core::ir::function::{Function, Inst};
use columba_jit_core::ir::op::{BinOp, Cond, Op, OverflowOp, Status, Symbol, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::ir::verify::{Level, verify};
use columba_jit_core::unit::CompileUnit;

use crate::Section::{self, Abi, Edges, Texts};

/// Part of the message of a mutant that is itself broken.
pub(crate) const ILL_FORMED: &str = "the mutant is ill-formed";

type Entry = (&'static str, (Section, &'static str), fn(&mut Function));

pub(super) const MUTANTS: &[Entry] = &[
    ("operands of sub swapped", (Edges, "int operations"), |f| {
        each(f, |op| {
            if let Op::Binary(BinOp::Sub, a, b) = op {
                std::mem::swap(a, b);
            }
        });
    }),
    ("operands of fdiv swapped", (Edges, "float operations"), |f| {
        each(f, |op| {
            if let Op::Binary(BinOp::FDiv, a, b) = op {
                std::mem::swap(a, b);
            }
        });
    }),
    ("unsigned compare is signed", (Texts, "unsigned"), |f| conditions(f, Cond::ULt, Cond::Lt)),
    ("signed compare is unsigned", (Edges, "int conditions"), |f| conditions(f, Cond::Gt, Cond::UGt)),
    ("le is lt", (Edges, "int conditions"), |f| conditions(f, Cond::Le, Cond::Lt)),
    ("float lt holds for NaN", (Edges, "float conditions"), |f| negated(f, Cond::FLt, Cond::FGe)),
    ("float ge holds for NaN", (Texts, "guard nan"), |f| negated(f, Cond::FGe, Cond::FLt)),
    ("float ne fails for NaN", (Texts, "compare nan"), |f| either(f, Cond::FNe, false)),
    ("float eq holds for NaN", (Texts, "compare nan"), |f| either(f, Cond::FEq, true)),
    ("narrow load does not extend the sign", (Texts, "narrow loads"), |f| widths(f, MemTy::I8, MemTy::U8)),
    ("32-bit load extends the sign", (Edges, "widths"), |f| widths(f, MemTy::U32, MemTy::I32)),
    ("store is too wide", (Texts, "narrow stores"), |f| stores(f, MemTy::U8, MemTy::U16)),
    ("store is too narrow", (Edges, "widths"), |f| stores(f, MemTy::I64, MemTy::I32)),
    ("shift amounts have five bits", (Texts, "shifts"), |f| masked_shifts(f)),
    ("arithmetic shift is logical", (Edges, "int operations"), |f| binaries(f, BinOp::AShr, BinOp::LShr)),
    ("remainder for quotient", (Texts, "division"), |f| binaries(f, BinOp::SDiv, BinOp::SRem)),
    ("fneg subtracts from 0", (Texts, "negative zero"), |f| {
        rewrite(f, |f, mut inst, out| {
            if let Op::Unary(UnOp::FNeg, a) = inst.op {
                let zero = define(f, out, Op::FConst(0));
                inst.op = Op::Binary(BinOp::FSub, zero, a);
            }
            out.push(inst);
        });
    }),
    ("float to int rounds", (Texts, "conversions"), |f| {
        rewrite(f, |f, mut inst, out| {
            if let Op::Unary(UnOp::FloatToInt, a) = &mut inst.op {
                let half = define(f, out, Op::FConst(0.25f64.to_bits()));
                let moved = define(f, out, Op::Binary(BinOp::FAdd, *a, half));
                *a = define(f, out, Op::Unary(UnOp::FFloor, moved));
            }
            out.push(inst);
        });
    }),
    ("constants have 32 bits", (Texts, "constants"), |f| {
        each(f, |op| {
            if let Op::IConst(number) = op {
                *number = i64::from(*number as i32);
            }
        });
    }),
    ("overflow check of mul dropped", (Texts, "mul or leave"), |f| unchecked(f, OverflowOp::Mul, BinOp::Mul)),
    ("overflow check of add dropped", (Edges, "overflow leaves"), |f| unchecked(f, OverflowOp::Add, BinOp::Add)),
    ("overflow check of sub is of the carry", (Texts, "sub or leave"), |f| {
        rewrite(f, |f, mut inst, out| {
            if let Op::BinaryOrLeave(OverflowOp::Sub, a, b, leave) = &inst.op {
                let test = define(f, out, Op::Compare(Cond::UGe, *a, *b));
                out.push(Inst { op: Op::Guard(test, leave.clone()), result: None, origin: inst.origin });
                inst.op = Op::Binary(BinOp::Sub, *a, *b);
            }
            out.push(inst);
        });
    }),
    ("guards never fail", (Texts, "guard nan"), |f| {
        rewrite(f, |_, inst, out| {
            if !matches!(inst.op, Op::Guard(..)) {
                out.push(inst);
            }
        });
    }),
    ("select swapped", (Edges, "selects of every type"), |f| {
        each(f, |op| {
            if let Op::Select(_, a, b) = op {
                std::mem::swap(a, b);
            }
        });
    }),
    ("branch looks at 32 bits", (Edges, "conditions are whole words"), |f| {
        masked_conditions(f, 0xffff_ffff, |op| match op {
            Op::Branch(cond, ..) => Some(cond),
            _ => None,
        });
    }),
    ("guard looks at one byte", (Edges, "conditions are whole words"), |f| {
        masked_conditions(f, 0xff, |op| match op {
            Op::Guard(cond, _) => Some(cond),
            _ => None,
        });
    }),
    ("select looks at one bit", (Texts, "select"), |f| {
        masked_conditions(f, 1, |op| match op {
            Op::Select(cond, ..) => Some(cond),
            _ => None,
        });
    }),
    ("switch looks at 32 bits", (Texts, "switch"), |f| {
        masked_conditions(f, 0xffff_ffff, |op| match op {
            Op::Switch(value, ..) => Some(value),
            _ => None,
        });
    }),
    ("last case of a switch lost", (Edges, "switches"), |f| {
        each(f, |op| {
            if let Op::Switch(_, cases, _) = op {
                cases.pop();
            }
        });
    }),
    ("block parameter swap lost", (Texts, "swap in a loop"), ordered_moves),
    ("edges of a branch swapped", (Texts, "cold path rejoins"), |f| {
        each(f, |op| {
            if let Op::Branch(_, then, otherwise) = op {
                std::mem::swap(then, otherwise);
            }
        });
    }),
    ("wrong exit number", (Texts, "shared exit"), |f| {
        // A copy of every exit stands behind the last.
        let count = f.exits.len() as u32;
        f.exits.extend_from_within(..);
        each(f, |op| {
            if let Op::Guard(_, leave) = op {
                leave.exit.0 += count;
            }
        });
    }),
    ("first two values of an exit swapped", (Edges, "guards write their values"), |f| {
        let types: Vec<Ty> = f.values.iter().map(|value| value.ty).collect();
        each(f, |op| {
            let leave = match op {
                Op::Guard(_, leave) | Op::Leave(leave) | Op::BinaryOrLeave(.., leave) => leave,
                _ => return,
            };
            if let [a, b, ..] = &mut leave.values[..]
                && types[a.0 as usize] == types[b.0 as usize]
            {
                std::mem::swap(a, b);
            }
        });
    }),
    ("yielded for raised", (Texts, "statuses"), |f| {
        each(f, |op| {
            if let Op::Return(status @ Status::Yielded, _) = op {
                *status = Status::Returned;
            }
        });
    }),
    ("negative offsets are unsigned", (Edges, "offsets"), |f| {
        each(f, |op| {
            if let Op::Load { offset, .. } | Op::Store { offset, .. } = op {
                *offset = offset.abs();
            }
        });
    }),
    ("loads merged across stores", (Edges, "loads see stores and calls"), |f| {
        merged_loads(f, |op| matches!(op, Op::Call(..)), false);
    }),
    ("loads merged across calls", (Edges, "loads see stores and calls"), |f| {
        merged_loads(f, |op| matches!(op, Op::Store { .. }), false);
    }),
    ("volatile loads merged", (Edges, "eval breaker is read in every turn"), |f| {
        merged_loads(f, |_| false, true);
    }),
    ("wrong helper argument", (Abi, "helpers by resolver"), |f| {
        let types: Vec<Ty> = f.values.iter().map(|value| value.ty).collect();
        each(f, |op| {
            if let Op::Call(_, args) = op
                && let [a, b, ..] = &mut args[..]
                && types[a.0 as usize] == types[b.0 as usize]
            {
                std::mem::swap(a, b);
            }
        });
    }),
    ("entry number has 32 bits", (Abi, "entry numbers"), |f| {
        let Some(entry) = f.entry else { return };
        let mut start = Vec::new();
        let mask = define(f, &mut start, Op::IConst(0xffff_ffff));
        let low = define(f, &mut start, Op::Binary(BinOp::And, entry, mask));
        each(f, |op| {
            op.for_each_value_mut(|value| {
                if *value == entry {
                    *value = low;
                }
            })
        });
        f.blocks[0].insts.splice(0..0, start);
    }),
];

/// Changes functions on their way to a backend.
pub(super) struct Changing<'b> {
    pub backend: &'b dyn Backend,
    pub change: fn(&mut Function),
}

impl Backend for Changing<'_> {
    fn name(&self) -> &'static str {
        self.backend.name()
    }

    fn caps(&self) -> Caps {
        self.backend.caps()
    }

    fn check(&self, config: &Config) -> Result<(), CompileError> {
        self.backend.check(config)
    }

    fn compile(
        &self,
        unit: &CompileUnit<'_>,
        config: &Config,
        sink: &mut CodeSink<'_>,
    ) -> Result<CompiledEntry, CompileError> {
        let mut function = unit.function.clone();
        (self.change)(&mut function);
        if verify(unit.function, Level::Lowered).is_ok()
            && let Err(errors) = verify(&function, Level::Lowered)
        {
            panic!("{ILL_FORMED}: {errors}");
        }
        self.backend.compile(&CompileUnit { function: &function, ..*unit }, config, sink)
    }
}

/// Changes operations in place.
fn each(function: &mut Function, mut change: impl FnMut(&mut Op)) {
    function.blocks.iter_mut().flat_map(|block| &mut block.insts).for_each(|inst| change(&mut inst.op));
}

/// Replaces each instruction by what `write` appends.
fn rewrite(function: &mut Function, mut write: impl FnMut(&mut Function, Inst, &mut Vec<Inst>)) {
    for index in 0..function.blocks.len() {
        let mut out = Vec::new();
        for inst in std::mem::take(&mut function.blocks[index].insts) {
            write(function, inst, &mut out);
        }
        function.blocks[index].insts = out;
    }
}

fn define(function: &mut Function, out: &mut Vec<Inst>, op: Op) -> Value {
    let ty = op.result_ty(function).expect("an operation with a result");
    let value = function.new_value(ty);
    out.push(Inst { op, result: Some(value), origin: 0 });
    value
}

fn conditions(function: &mut Function, from: Cond, to: Cond) {
    each(function, |op| {
        if let Op::Compare(cond, ..) = op
            && *cond == from
        {
            *cond = to;
        }
    });
}

fn binaries(function: &mut Function, from: BinOp, to: BinOp) {
    each(function, |op| {
        if let Op::Binary(op, ..) = op
            && *op == from
        {
            *op = to;
        }
    });
}

/// A condition becomes "not the opposite one".
fn negated(function: &mut Function, from: Cond, opposite: Cond) {
    rewrite(function, |function, mut inst, out| {
        if let Op::Compare(cond, a, b) = inst.op
            && cond == from
        {
            let one = define(function, out, Op::IConst(1));
            let test = define(function, out, Op::Compare(opposite, a, b));
            inst.op = Op::Binary(BinOp::Xor, test, one);
        }
        out.push(inst);
    });
}

/// A condition becomes "less or greater", or its negation.
fn either(function: &mut Function, from: Cond, negate: bool) {
    rewrite(function, |function, mut inst, out| {
        if let Op::Compare(cond, a, b) = inst.op
            && cond == from
        {
            let less = define(function, out, Op::Compare(Cond::FLt, a, b));
            let greater = define(function, out, Op::Compare(Cond::FGt, a, b));
            let flip = define(function, out, Op::IConst(i64::from(negate)));
            let differs = define(function, out, Op::Binary(BinOp::Or, less, greater));
            inst.op = Op::Binary(BinOp::Xor, differs, flip);
        }
        out.push(inst);
    });
}

fn widths(function: &mut Function, from: MemTy, to: MemTy) {
    each(function, |op| {
        if let Op::Load { mem, .. } = op
            && *mem == from
        {
            *mem = to;
        }
    });
}

fn stores(function: &mut Function, from: MemTy, to: MemTy) {
    each(function, |op| {
        if let Op::Store { mem, .. } = op
            && *mem == from
        {
            *mem = to;
        }
    });
}

fn masked_shifts(function: &mut Function) {
    rewrite(function, |function, mut inst, out| {
        if let Op::Binary(BinOp::Shl | BinOp::AShr | BinOp::LShr, _, amount) = &mut inst.op {
            let mask = define(function, out, Op::IConst(31));
            *amount = define(function, out, Op::Binary(BinOp::And, *amount, mask));
        }
        out.push(inst);
    });
}

fn masked_conditions(function: &mut Function, mask: i64, condition: fn(&mut Op) -> Option<&mut Value>) {
    rewrite(function, |function, mut inst, out| {
        if let Some(cond) = condition(&mut inst.op) {
            let mask = define(function, out, Op::IConst(mask));
            *cond = define(function, out, Op::Binary(BinOp::And, *cond, mask));
        }
        out.push(inst);
    });
}

fn unchecked(function: &mut Function, checked: OverflowOp, plain: BinOp) {
    each(function, |op| {
        if let Op::BinaryOrLeave(kind, a, b, _) = op
            && *kind == checked
        {
            *op = Op::Binary(plain, *a, *b);
        }
    });
}

/// As if parameters were written one after another: an argument that is an earlier parameter of the same target reads what
/// was just written there.
fn ordered_moves(function: &mut Function) {
    let params: Vec<Vec<Value>> = function.blocks.iter().map(|block| block.params.clone()).collect();
    each(function, |op| {
        op.for_each_target_mut(|target| {
            let params = &params[target.block.0 as usize];
            for index in 0..target.args.len() {
                if let Some(earlier) = params[..index].iter().position(|&param| param == target.args[index]) {
                    target.args[index] = target.args[earlier];
                }
            }
        });
    });
}

/// Loads of the same place become copies of the first, unless an operation lies between that `forgets` all. With `shared`
/// only loads of the evaluation breaker, and in all blocks.
fn merged_loads(function: &mut Function, forgets: fn(&Op) -> bool, shared: bool) {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    let breaker: Vec<Value> = insts
        .filter(|inst| matches!(inst.op, Op::Symbol(Symbol::EvalBreaker, _)))
        .filter_map(|inst| inst.result)
        .collect();
    for block in &mut function.blocks {
        let mut known: HashMap<(Value, i32, MemTy), Value> = HashMap::new();
        if shared {
            continue;
        }
        for inst in &mut block.insts {
            if forgets(&inst.op) {
                known.clear();
            }
            if let (&Op::Load { mem, base, offset, .. }, Some(result)) = (&inst.op, inst.result)
                && mem == MemTy::I64
            {
                match known.get(&(base, offset, mem)) {
                    Some(&first) => inst.op = Op::Binary(BinOp::Or, first, first),
                    None => {
                        known.insert((base, offset, mem), result);
                    }
                }
            }
        }
    }
    if shared {
        let mut first = None;
        for inst in function.blocks.iter_mut().flat_map(|block| &mut block.insts) {
            if let (Op::Load { base, .. }, Some(result)) = (&inst.op, inst.result)
                && breaker.contains(base)
            {
                match first {
                    Some(first) => inst.op = Op::Binary(BinOp::Or, first, first),
                    None => first = Some(result),
                }
            }
        }
    }
}
