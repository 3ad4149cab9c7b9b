//! Prints what compiling costs per IR instruction, by size of function and effort.
//!
//! The functions are chains of a compare, a branch, checked arithmetic and guards with exits, as compiled Python has them.

use std::time::{Duration, Instant};

use columba_backend_cranelift::CraneliftBackend;
use columba_jit_core::backend::{Backend, CodeSink, CompileError, Config, Effort};
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::exit::{Exit, Reason};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::{Function, Inst};
use columba_jit_core::ir::op::{BinOp, Block, Cond, Leave, Op, OverflowOp, Symbol, Target, UnOp, Value};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::unit::{CompileUnit, Resolver};

struct Nowhere;

impl Resolver for Nowhere {
    fn symbol(&self, _: Symbol) -> u64 {
        0x7f00_0000_0000
    }

    fn helper(&self, _: Helper) -> u64 {
        0x7f00_0000_1000
    }
}

struct Chain {
    function: Function,
    at: Block,
}

impl Chain {
    fn push(&mut self, op: Op, ty: Option<Ty>) -> Value {
        let result = ty.map(|ty| self.function.new_value(ty));
        self.function.blocks[self.at.0 as usize].insts.push(Inst { op, result, origin: 0 });
        result.unwrap_or(Value(0))
    }

    fn leave(&mut self, values: &[Value]) -> Leave {
        let exit = Exit {
            offset: 0,
            origin: 0,
            reason: Reason::Type,
            locals: vec![],
            names: vec![],
            stack: vec![],
            value_count: values.len() as u32,
        };
        Leave { exit: self.function.add_exit(exit), values: values.to_vec() }
    }
}

fn chain(links: usize) -> Function {
    let mut c = Chain { function: Function::new("chain"), at: Block(0) };
    let frame = c.push(Op::Frame, Some(Ty::Ptr));
    let mut a = c.function.entry.expect("a new function has one");
    let mut f = c.push(Op::Load { mem: MemTy::F64, ty: Ty::F64, base: frame, offset: 0 }, Some(Ty::F64));
    for link in 0..links {
        let k = c.push(Op::IConst(link as i64), Some(Ty::I64));
        let test = c.push(Op::Compare(Cond::Lt, a, k), Some(Ty::I64));
        let (left, right, meet) = (c.function.new_block(), c.function.new_block(), c.function.new_block());
        let params = [Ty::I64, Ty::F64].map(|ty| c.function.add_param(meet, ty));
        let to = |block, args: &[Value]| Target { block, args: args.to_vec() };
        c.push(Op::Branch(test, to(left, &[]), to(right, &[])), None);
        c.at = left;
        let leave = c.leave(&[a, f, k]);
        let object = c.push(Op::Load { mem: MemTy::Ptr, ty: Ty::Obj, base: frame, offset: 64 }, Some(Ty::Obj));
        let result = c.push(Op::Call(Helper::IsTrueBorrowed, vec![object]), Some(Ty::I64));
        let zero = c.push(Op::IConst(0), Some(Ty::I64));
        let fine = c.push(Op::Compare(Cond::Ge, result, zero), Some(Ty::I64));
        c.push(Op::Guard(fine, leave), None);
        let leave = c.leave(&[a, f, k, object]);
        let sum = c.push(Op::BinaryOrLeave(OverflowOp::Add, a, result, leave), Some(Ty::I64));
        c.push(Op::Jump(to(meet, &[sum, f])), None);
        c.at = right;
        let g = c.push(Op::Unary(UnOp::IntToFloat, a), Some(Ty::F64));
        let g = c.push(Op::Binary(BinOp::FMul, f, g), Some(Ty::F64));
        let test = c.push(Op::Compare(Cond::FEq, g, g), Some(Ty::I64));
        let leave = c.leave(&[a, g]);
        c.push(Op::Guard(test, leave), None);
        c.push(Op::Jump(to(meet, &[a, g])), None);
        c.at = meet;
        (a, f) = (params[0], params[1]);
    }
    let leave = c.leave(&[a, f]);
    c.push(Op::Leave(leave), None);
    c.function
}

fn main() -> Result<(), CompileError> {
    let backend = CraneliftBackend::new();
    let memory = CodeMemory::new(CodeOptions::default());
    println!("{:>8} {:>7} {:>12} {:>10} {:>12} {:>10}", "effort", "insts", "us", "us/inst", "bytes", "bytes/inst");
    for effort in [Effort::Fast, Effort::Normal] {
        let config = Config { effort, verify: false, ..Config::default() };
        backend.check(&config)?;
        for links in [1, 5, 20, 100, 500, 1000, 2000, 5000] {
            let function = chain(links);
            let insts: usize = function.blocks.iter().map(|block| block.insts.len()).sum();
            let unit = CompileUnit { function: &function, resolver: &Nowhere, symbol_name: "chain" };
            let (mut best, mut size) = (Duration::MAX, 0);
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(300) {
                let mut sink = CodeSink::new(&memory, Placement::Packed);
                let before = Instant::now();
                let entry = backend.compile(&unit, &config, &mut sink)?;
                best = best.min(before.elapsed());
                size = entry.code_size();
            }
            let us = best.as_secs_f64() * 1e6;
            let per = insts as f64;
            println!("{effort:>8?} {insts:>7} {us:>12.1} {:>10.3} {size:>12} {:>10.1}", us / per, size as f64 / per);
        }
    }
    Ok(())
}
