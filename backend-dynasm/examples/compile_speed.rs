//! Compile speed beside Cranelift's: from lowered IR to published code, over every function of some `.pyc` files.
//!
//!     cargo run --release -p columba-backend-dynasm --example compile_speed -- FILE.pyc...
//!
//! The backends take turns, function by function, and each function counts with the fastest of a few tries.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use columba_backend_cranelift::CraneliftBackend;
use columba_backend_dynasm::DynasmBackend;
use columba_jit_core::backend::{Backend, CodeSink, Config, Effort};
use columba_jit_core::build::{BuildOptions, BuildRequest, NoEnvironment, build};
use columba_jit_core::bytecode::code::CodeObject;
use columba_jit_core::bytecode::decode::decode;
use columba_jit_core::bytecode::marshal::read_pyc;
use columba_jit_core::code::{CodeMemory, CodeOptions, Placement};
use columba_jit_core::helpers::Helper;
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::op::Symbol;
use columba_jit_core::layout::Layout;
use columba_jit_core::lower::{LowerOptions, lower};
use columba_jit_core::passes::{self, PassOptions};
use columba_jit_core::unit::{CompileUnit, Resolver};

/// Addresses as far away as those of a shared library.
struct Far;

impl Resolver for Far {
    fn symbol(&self, symbol: Symbol) -> u64 {
        match symbol {
            Symbol::Const(i) | Symbol::Name(i) => 0x7fff_1234_0000 + u64::from(i) * 32,
            _ => 0x7fff_4321_0000,
        }
    }

    fn helper(&self, helper: Helper) -> u64 {
        0x7fff_5678_0000 + helper as u64 * 64
    }
}

fn main() {
    let mut functions = Vec::new();
    for path in std::env::args().skip(1) {
        match std::fs::read(&path).map_err(|e| e.to_string()).and_then(|b| read_pyc(&b).map_err(|e| e.to_string())) {
            Ok(code) => lower_all(&code, &mut functions),
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
    let fast = Config { verify: false, effort: Effort::Fast, ..Config::default() };
    let normal = Config { verify: false, ..Config::default() };
    let (cranelift, dynasm) = (CraneliftBackend::new(), DynasmBackend::new());
    let columns: [(&str, &dyn Backend, Config); 4] = [
        ("cranelift", &cranelift, normal),
        ("cranelift fast", &cranelift, fast),
        ("dynasm", &dynasm, normal),
        ("dynasm fast", &dynasm, fast),
    ];
    let memory = CodeMemory::new(CodeOptions::default());
    let mut times = vec![Vec::new(); columns.len()];
    let mut bytes = vec![0; columns.len()];
    for function in &functions {
        for (column, (_, backend, config)) in columns.iter().enumerate() {
            let mut best = Duration::MAX;
            for _ in 0..3 {
                let unit = CompileUnit { function, resolver: &Far, symbol_name: "f" };
                let start = Instant::now();
                let compiled = backend.compile(&unit, config, &mut CodeSink::new(&memory, Placement::Packed));
                best = best.min(start.elapsed());
                match compiled {
                    Ok(entry) => bytes[column] += entry.code_size() / 3,
                    Err(error) => panic!("{}: {error}", function.name),
                }
            }
            times[column].push(best);
        }
    }
    let insts: usize = functions.iter().flat_map(|f| &f.blocks).map(|block| block.insts.len()).sum();
    println!("{} functions, {insts} instructions of lowered IR", functions.len());
    let totals: Vec<Duration> = times.iter().map(|times| times.iter().sum()).collect();
    for (column, (name, ..)) in columns.iter().enumerate() {
        let mut ratios: Vec<f64> =
            times[0].iter().zip(&times[column]).map(|(first, this)| first.as_secs_f64() / this.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        times[column].sort();
        println!(
            "{name:15} median {:7.1} us, total {:8.1} ms, {:6.0} ns per instruction, {:8} bytes; \
             faster than the first: {:.1} median, {:.1} in total",
            times[column][times[column].len() / 2].as_secs_f64() * 1e6,
            totals[column].as_secs_f64() * 1e3,
            totals[column].as_secs_f64() * 1e9 / insts as f64,
            bytes[column],
            ratios[ratios.len() / 2],
            totals[0].as_secs_f64() / totals[column].as_secs_f64(),
        );
    }
}

/// The code object and all inside it.
fn lower_all(code: &CodeObject, functions: &mut Vec<Function>) {
    let layout = &Layout::EXAMPLE;
    if let Ok(bytecode) = decode(code) {
        let built = build(&BuildRequest {
            code,
            bytecode: &bytecode,
            layout,
            environment: &NoEnvironment,
            argument_types: None,
            loop_entry: None,
            local_examples: Vec::new(),
            generalised: &HashSet::new(),
            receivers: &HashMap::new(),
            options: BuildOptions::without(&[]),
            describe: false,
        });
        if let Ok(mut built) = built {
            passes::run(&mut built.function, &PassOptions::default());
            functions.push(lower(&built.function, layout, &LowerOptions::default()));
        }
    }
    for inner in &code.nested {
        lower_all(inner, functions);
    }
}
