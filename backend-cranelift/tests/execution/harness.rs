//! Builds functions, compiles them in every mode, runs them.

use std::ptr::null_mut;

use columba_jit_core::backend::{Backend, CodeSink, CompileError, CompiledEntry, Config, Cpu, Effort};
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::exit::{Exit, ExitId, Reason};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::{Function, Inst};
use columba_jit_core::ir::op::{Block, Leave, Op, Status, Symbol, Target, Value};
use columba_jit_core::ir::types::{MemTy, Ty};
use columba_jit_core::unit::{CompileUnit, Resolver};

use crate::TestedBackend;

/// Addresses for tests: helpers from a table, symbols by a formula.
pub struct Fake {
    pub helpers: Vec<(Helper, u64)>,
    pub symbol: fn(Symbol) -> u64,
}

pub const NONE: Fake = Fake { helpers: Vec::new(), symbol: |_| 0 };

impl Resolver for Fake {
    fn symbol(&self, symbol: Symbol) -> u64 {
        (self.symbol)(symbol)
    }

    fn helper(&self, helper: Helper) -> u64 {
        self.helpers.iter().find(|entry| entry.0 == helper).expect("helper of the test").1
    }
}

/// A function under construction, appending to one block at a time.
pub struct Build {
    pub function: Function,
    pub at: Block,
    pub origin: u32,
}

impl Build {
    pub fn new() -> Build {
        Build { function: Function::new("test"), at: Block(0), origin: 0 }
    }

    pub fn entry(&self) -> Value {
        self.function.entry.unwrap()
    }

    pub fn block(&mut self, params: &[Ty]) -> (Block, Vec<Value>) {
        let block = self.function.new_block();
        (block, params.iter().map(|&ty| self.function.add_param(block, ty)).collect())
    }

    pub fn cold(&mut self, block: Block) {
        self.function.blocks[block.0 as usize].cold = true;
    }

    pub fn op(&mut self, ty: Ty, op: Op) -> Value {
        let result = self.function.new_value(ty);
        self.push(op, Some(result));
        result
    }

    pub fn effect(&mut self, op: Op) {
        self.push(op, None);
    }

    fn push(&mut self, op: Op, result: Option<Value>) {
        let origin = self.origin;
        self.function.blocks[self.at.0 as usize].insts.push(Inst { op, result, origin });
    }

    pub fn int(&mut self, value: i64) -> Value {
        self.op(Ty::I64, Op::IConst(value))
    }

    pub fn float(&mut self, value: f64) -> Value {
        self.op(Ty::F64, Op::FConst(value.to_bits()))
    }

    /// The 8 bytes at `frame + 8 * index`.
    pub fn input(&mut self, ty: Ty, index: usize) -> Value {
        let base = self.op(Ty::Ptr, Op::Frame);
        let mem = match ty {
            Ty::I64 => MemTy::I64,
            Ty::F64 => MemTy::F64,
            Ty::Obj | Ty::Ptr => MemTy::Ptr,
        };
        self.op(ty, Op::Load { mem, ty, base, offset: index as i32 * 8 })
    }

    pub fn leave(&mut self, values: &[Value]) -> Leave {
        let exit = Exit {
            offset: 0,
            origin: 0,
            reason: Reason::Type,
            locals: vec![],
            names: vec![],
            stack: vec![],
            value_count: values.len() as u32,
        };
        let exit: ExitId = self.function.add_exit(exit);
        Leave { exit, values: values.to_vec() }
    }

    pub fn jump(&mut self, block: Block, args: &[Value]) {
        self.effect(Op::Jump(to(block, args)));
    }

    pub fn branch(&mut self, cond: Value, then: Target, otherwise: Target) {
        self.effect(Op::Branch(cond, then, otherwise));
    }

    pub fn ret(&mut self, value: Value) {
        self.effect(Op::Return(Status::Returned, Some(value)));
    }
}

pub fn to(block: Block, args: &[Value]) -> Target {
    Target { block, args: args.to_vec() }
}

/// Every mode that code is generated in.
pub fn configs() -> Vec<Config> {
    let base = Config { verify: true, ..Config::default() };
    let mut configs = vec![base, Config { effort: Effort::Fast, ..base }];
    let v3 = Config { cpu: Cpu::X86_64V3, ..base };
    if backend().check(&v3).is_ok() {
        configs.push(v3);
    }
    configs
}

pub fn backend() -> &'static TestedBackend {
    static BACKEND: std::sync::OnceLock<TestedBackend> = std::sync::OnceLock::new();
    BACKEND.get_or_init(TestedBackend::new)
}

pub fn compile(
    function: &Function,
    resolver: &Fake,
    config: &Config,
    memory: &CodeMemory,
) -> Result<CompiledEntry, CompileError> {
    let unit = CompileUnit { function, resolver, symbol_name: "test" };
    // Tests run on several threads, which is what fresh pages are for.
    backend().compile(&unit, config, &mut CodeSink::new(memory, Placement::Fresh))
}

/// A function compiled in every mode.
pub struct Compiled(pub Vec<CompiledEntry>);

pub fn compile_all(function: &Function, resolver: &Fake) -> Compiled {
    let memory = CodeMemory::new(CodeOptions::default());
    Compiled(configs().iter().map(|config| compile(function, resolver, config, &memory).unwrap()).collect())
}

impl Compiled {
    /// Runs in every mode with `frame` at these words; the results must agree. Gives status and `out`.
    pub fn run(&self, inputs: &[u64], entry: i64) -> (i64, Vec<u64>) {
        let mut results = self.0.iter().map(|compiled| {
            let mut inputs = inputs.to_vec();
            let mut out = vec![0x5555_5555_5555_5555; 80];
            // SAFETY: the functions of these tests read `frame` within `inputs` and write at most 80 words.
            let status = unsafe { compiled.call(null_mut(), inputs.as_mut_ptr().cast(), out.as_mut_ptr(), entry) };
            (status, out)
        });
        let first = results.next().unwrap();
        for other in results {
            assert_eq!(first, other, "modes disagree on {inputs:x?}");
        }
        first
    }

    /// Runs and gives the result of a function that returns.
    pub fn value(&self, inputs: &[u64]) -> u64 {
        let (status, out) = self.run(inputs, 0);
        assert_eq!(status, Status::Returned as i64);
        out[0]
    }
}
