//! From a `.pyc` file to machine code, with no Python installed: `cargo run --example listing -- [FILE.pyc [FUNCTION]]`.
//!
//! Prints the instructions of a function, the types that were inferred, the IR and the machine code of every backend compiled
//! in; then compiles a function over raw numbers and calls it.

use columba::backend::{Backend, CodeSink, Config};
use columba::bytecode::code::CodeObject;
use columba::bytecode::marshal::read_pyc;
use columba::code::{CodeMemory, CodeOptions, Placement};
use columba::ir::parse::parse;
use columba::unit::CompileUnit;
use columba::{Pipeline, Unplaced, backends};
use std::error::Error;
use std::ptr::null_mut;

/// Sums the squares below the number in the first slot of the frame; returns the sum, as a raw float, in `out[0]`.
const SUM_OF_SQUARES: &str = r#"
function "sum of squares" (%0) {

b0:
    %1:ptr = frame
    %2:i64 = load i64 %1+0
    %3:i64 = iconst 0
    %4:f64 = fconst 0.0
    jump b1(%3, %4)

b1(%5:i64, %6:f64):
    %7:i64 = compare lt %5, %2
    branch %7, b2, b3

b2:
    %8:f64 = int_to_float %5
    %9:f64 = fmul %8, %8
    %10:f64 = fadd %6, %9
    %11:i64 = iconst 1
    %12:i64 = add %5, %11
    jump b1(%12, %10)

b3:
    return returned %6
}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file =
        arguments.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/kernels.pyc").into());
    let function = arguments.next().unwrap_or_else(|| "total".into());
    let module = read_pyc(&std::fs::read(&file)?)?;
    let code = find(&module, &function).ok_or_else(|| format!("{file} has no function {function}"))?;
    let pipeline = Pipeline::new(code)?;
    println!("; instructions\n{}\n", pipeline.bytecode);
    println!("; types at the start of each block\n{}\n", pipeline.built.types);
    println!("; IR\n{}\n", pipeline.optimised);
    for name in backends::names() {
        let backend = backends::by_name(name).expect("a name from the list");
        println!("; machine code by {name}\n{}", pipeline.listing(&*backend)?);
        println!("; sum of squares below 1000, by {name}: {}\n", call(&*backend, 1000)?);
    }
    Ok(())
}

/// A function by its qualified name.
fn find<'a>(code: &'a CodeObject, name: &str) -> Option<&'a CodeObject> {
    if code.qualname == name {
        return Some(code);
    }
    code.nested.iter().find_map(|code| find(code, name))
}

/// Compiles and calls [`SUM_OF_SQUARES`].
fn call(backend: &dyn Backend, n: i64) -> Result<f64, Box<dyn Error>> {
    let function = parse(SUM_OF_SQUARES)?;
    let memory = CodeMemory::new(CodeOptions::default());
    // The function names no symbol and calls no helper, so nothing of this is ever reached.
    let nothing = Unplaced::default();
    let unit = CompileUnit { function: &function, resolver: &nothing, symbol_name: "sum of squares" };
    let entry = backend.compile(&unit, &Config::default(), &mut CodeSink::new(&memory, Placement::Packed))?;
    let mut frame = [n];
    let mut out = [0u64; 2];
    // SAFETY: the function reads the first word of the frame and writes the first word of `out`.
    let status = unsafe { entry.call(null_mut(), frame.as_mut_ptr().cast(), out.as_mut_ptr(), 0) };
    assert_eq!(status, 0, "the function returns");
    Ok(f64::from_bits(out[0]))
}
