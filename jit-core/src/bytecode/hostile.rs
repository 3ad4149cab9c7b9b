//! Entry points for fuzzing: any bytes through every stage that reads bytes or depends on what they say.
//!
//! *Problem*: decoding must give an error, never a panic, whatever the bytes are. *Method*: one function per kind of input,
//! called by the fuzz targets in `jit-core/fuzz` and, on random bytes, by the tests. Each returns how much of the input
//! got past decoding, so that a run can tell whether it tested anything. *Invariants*: none of them panics.

use super::code::{CodeObject, Constant, PythonVersion, local_kind};
use super::decode::decode;
use super::line_table::decode_line_table;
use super::marshal::read_pyc;
use super::stack_effect::stack_depths;
use crate::flow::dominators::Dominators;
use crate::flow::graph::FlowGraph;
use crate::flow::liveness::Liveness;
use crate::flow::loops::Loops;

/// A `.pyc` file. Returns the number of its code objects that could be decoded.
pub fn try_pyc(bytes: &[u8]) -> usize {
    read_pyc(bytes).map_or(0, |code| try_code(&code))
}

/// A code object made of the bytes: a length of the exception table, the table, then code units, each followed by the
/// opcode that the quickened copy has in its place.
pub fn try_units(bytes: &[u8]) -> usize {
    let Some((&length, rest)) = bytes.split_first() else {
        return 0;
    };
    let (exception_table, units) = rest.split_at(usize::from(length).min(rest.len()));
    let units = units.as_chunks::<3>().0;
    let few = |name: &str| vec![name.to_owned(); 4];
    try_code(&CodeObject {
        version: PythonVersion::V3_11,
        name: "f".to_owned(),
        qualname: "f".to_owned(),
        filename: "f.py".to_owned(),
        first_line: 1,
        flags: 0,
        argcount: 0,
        posonly_argcount: 0,
        kwonly_argcount: 0,
        stack_size: 100,
        code: units.iter().flat_map(|&[opcode, operand, _]| [opcode, operand]).collect(),
        adaptive: Some(units.iter().flat_map(|&[_, operand, quickened]| [quickened, operand]).collect()),
        constants: vec![Constant::None; 4],
        names: few("name"),
        locals_plus_names: few("local"),
        locals_plus_kinds: vec![local_kind::LOCAL; 4],
        exception_table: exception_table.to_vec(),
        line_table: bytes.to_vec(),
        nested: Vec::new(),
    })
}

fn try_code(code: &CodeObject) -> usize {
    // Tables without a program are read all the same.
    let _ = decode_line_table(&code.line_table, code.first_line);
    let mut decoded = 0;
    if let Ok(bytecode) = decode(code) {
        decoded = 1;
        let graph = FlowGraph::build(&bytecode);
        let loops = Loops::find(&graph, &Dominators::compute(&graph));
        let entries: Vec<_> = graph.resume_blocks().chain([FlowGraph::ENTRY]).collect();
        Dominators::compute_with_entries(&graph, &entries);
        Liveness::compute(code, &bytecode, &graph);
        let _ = stack_depths(&bytecode, code.stack_size);
        let _ = format!("{bytecode}{}{loops}", graph.with_instructions(&bytecode));
    }
    decoded + code.nested.iter().map(try_code).sum::<usize>()
}
