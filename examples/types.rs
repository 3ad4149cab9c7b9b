//! What the compiler infers of a function: `cargo run --example types -- [FILE.pyc [FUNCTION]]`.
//!
//! Prints, for every value of the optimised IR that stands for an object, what is known of its type, and how many values
//! are raw numbers: the loop variables of `total` among them.

use columba::Pipeline;
use columba::bytecode::code::CodeObject;
use columba::bytecode::marshal::read_pyc;
use columba::ir::types::Ty;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file =
        arguments.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/kernels.pyc").into());
    let module = read_pyc(&std::fs::read(&file)?)?;
    let wanted = arguments.next();
    for code in all(&module) {
        if wanted.as_ref().is_some_and(|name| *name != code.qualname) {
            continue;
        }
        let pipeline = Pipeline::new(code)?;
        println!("{}: types at the start of each block\n{}", code.qualname, pipeline.built.types);
        let raw = |ty: Ty| pipeline.optimised.values.iter().filter(|value| value.ty == ty).count();
        println!(
            "{} objects, {} raw ints, {} raw floats; optimisations of the builder: {:?}\n",
            raw(Ty::Obj),
            raw(Ty::I64),
            raw(Ty::F64),
            pipeline.built.applied
        );
    }
    Ok(())
}

/// A code object and all below it.
fn all(code: &CodeObject) -> Vec<&CodeObject> {
    std::iter::once(code).chain(code.nested.iter().flat_map(all)).collect()
}
