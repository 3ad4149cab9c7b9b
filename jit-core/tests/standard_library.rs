//! The standard library of the Python 3.11 at hand, decoded and compared with what CPython says of it.
//!
//! Passes with a message when there is no such Python. `COLUMBA_TEST_PYTHON` names another interpreter. Besides a fixed
//! sample, every fortieth file of the library is taken; `COLUMBA_TEST_EVERY=1` takes each (about a minute).

use columba_jit_core::bytecode::code::{CodeObject, PythonVersion};
use columba_jit_core::bytecode::decode::{Bytecode, decode};
use columba_jit_core::bytecode::instruction::Feedback;
use columba_jit_core::bytecode::line_table::{Position, decode_line_table};
use columba_jit_core::bytecode::marshal::read_code;
use columba_jit_core::bytecode::stack_effect::stack_depths;
use columba_jit_core::flow::dominators::Dominators;
use columba_jit_core::flow::graph::{BlockId, EdgeKind, FlowGraph};
use columba_jit_core::flow::liveness::Liveness;
use columba_jit_core::flow::loops::Loops;
use std::collections::HashSet;
use std::fmt::Write;
use std::process::Command;

#[test]
fn a_sample_decodes_as_cpython_says() {
    compare_files(&["sample"], 1000);
}

#[test]
fn a_cross_section_decodes_as_cpython_says() {
    let step = std::env::var("COLUMBA_TEST_EVERY").unwrap_or_else(|_| "40".into());
    compare_files(&["every", &step], 100);
}

#[test]
fn feedback_of_warm_functions() {
    let Some(records) = records(&["live"]) else { return };
    for [code, adaptive, expected] in records.as_chunks::<3>().0 {
        let mut code = read_code(code, PythonVersion::V3_11).unwrap();
        code.adaptive = Some(adaptive.clone());
        let bytecode = decode(&code).unwrap();
        let text: Vec<String> = bytecode
            .instructions
            .iter()
            .filter(|instruction| instruction.feedback != Feedback::None)
            .map(|instruction| format!("{:?}", instruction.feedback))
            .collect();
        let expected = std::str::from_utf8(expected).unwrap();
        assert!(text.iter().any(|text| text.contains(expected)), "{}: {expected} is not in {text:#?}", code.name);
    }
    println!("{} functions", records.len() / 3);
}

fn records(mode: &[&str]) -> Option<Vec<Vec<u8>>> {
    let python = std::env::var("COLUMBA_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standard_library.py");
    let output = match Command::new(&python).args(["-X", "utf8", "-W", "ignore", script]).args(mode).output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: {python}: {error}");
            return None;
        }
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    if complaint.contains("not Python 3.11") {
        println!("skipped: {python} is {complaint}");
        return None;
    }
    assert!(output.status.success(), "{python}: {complaint}");
    let mut records = Vec::new();
    let mut rest = output.stdout.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (record, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        records.push(record.to_vec());
        rest = after;
    }
    Some(records)
}

fn compare_files(mode: &[&str], at_least: usize) {
    let Some(records) = records(mode) else { return };
    let (mut objects, mut instructions) = (0, 0);
    for [code, checksums] in records.as_chunks::<2>().0 {
        let code = read_code(code, PythonVersion::V3_11).unwrap();
        let mut checksums = checksums.as_chunks::<16>().0.iter();
        visit(&code, &mut |code| {
            objects += 1;
            instructions += compare(code, checksums.next().expect("a row of checksums per code object"));
        });
        assert!(checksums.next().is_none(), "{}: code objects are missing", code.filename);
    }
    println!("{} files, {objects} code objects, {instructions} instructions", records.len() / 2);
    assert!(objects >= at_least, "{objects} code objects are too few");
}

fn visit(code: &CodeObject, action: &mut impl FnMut(&CodeObject)) {
    action(code);
    code.nested.iter().for_each(|nested| visit(nested, action));
}

fn compare(code: &CodeObject, checksums: &[u8; 16]) -> usize {
    let place = format!("{}:{} {}", code.filename, code.first_line, code.qualname);
    let bytecode = decode(code).unwrap_or_else(|error| panic!("{place}: {error}"));
    let texts = [places(&bytecode), effects(&bytecode), rows(&bytecode), positions(code, &bytecode)];
    for ((text, expected), what) in texts.iter().zip(checksums.as_chunks::<4>().0).zip([
        "instructions",
        "stack effects",
        "exception table",
        "line table",
    ]) {
        assert_eq!(adler32(text.as_bytes()), u32::from_le_bytes(*expected), "{what} of {place}:\n{bytecode}\n{text}");
    }
    let depths =
        stack_depths(&bytecode, code.stack_size).unwrap_or_else(|error| panic!("{place}: {error}\n{bytecode}"));
    let graph = FlowGraph::build(&bytecode);
    check_graph(&bytecode, &graph);
    for id in graph.ids() {
        let block = graph.block(id);
        for instruction in block.instructions.clone() {
            assert_eq!(depths.before[instruction].is_some(), block.reachable, "{place}: {instruction}\n{graph}");
        }
    }
    let dominators = Dominators::compute(&graph);
    check_dominators(&graph, &dominators, &[FlowGraph::ENTRY]);
    let entries: Vec<BlockId> = graph.resume_blocks().chain([FlowGraph::ENTRY]).collect();
    check_dominators(&graph, &Dominators::compute_with_entries(&graph, &entries), &entries);
    check_loops(&graph, &dominators, &Loops::find(&graph, &dominators));
    check_liveness(code, &bytecode, &graph);
    bytecode.instructions.len()
}

fn places(bytecode: &Bytecode) -> String {
    let mut text = String::new();
    for instruction in &bytecode.instructions {
        let target = instruction.op.jump_target().map_or("-".into(), |target| target.to_string());
        writeln!(text, "{} {} {target}", instruction.offset, instruction.opcode_offset).unwrap();
    }
    text
}

fn effects(bytecode: &Bytecode) -> String {
    let mut text = String::new();
    for instruction in &bytecode.instructions {
        let effect = instruction.op.stack_effect();
        let next = effect.pushes as i64 - effect.pops as i64;
        let jump = effect.jump.map_or("-".into(), |(pops, pushes)| (pushes as i64 - pops as i64).to_string());
        writeln!(text, "{next} {jump}").unwrap();
    }
    text
}

fn rows(bytecode: &Bytecode) -> String {
    let mut text = String::new();
    for handler in &bytecode.handlers {
        let lasti = u8::from(handler.push_lasti);
        writeln!(text, "{} {} {} {} {lasti}", handler.start, handler.end, handler.target, handler.depth).unwrap();
    }
    text
}

fn positions(code: &CodeObject, bytecode: &Bytecode) -> String {
    let table = decode_line_table(&code.line_table, code.first_line).unwrap();
    let mut text = String::new();
    for offset in 0..bytecode.units() {
        match table.position(offset) {
            None => writeln!(text, "- - - -").unwrap(),
            Some(Position { line, end_line, column, end_column }) => {
                let [column, end_column] = [column, end_column].map(|part| part.map_or("-".into(), |c| c.to_string()));
                writeln!(text, "{line} {end_line} {column} {end_column}").unwrap();
            }
        }
    }
    text
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1u32, 0u32);
    for &byte in bytes {
        low = (low + u32::from(byte)) % 65521;
        high = (high + low) % 65521;
    }
    high << 16 | low
}

fn check_graph(bytecode: &Bytecode, graph: &FlowGraph) {
    let mut next = 0;
    for id in graph.ids() {
        let block = graph.block(id);
        assert_eq!(block.instructions.start, next);
        next = block.instructions.end;
        for index in block.instructions.clone() {
            let instruction = &bytecode.instructions[index];
            assert_eq!(graph.block_of(index), id);
            assert_eq!(bytecode.handler_for(instruction.opcode_offset), block.handler);
            let plain = instruction.op.jump_target().is_none() && instruction.op.falls_through();
            assert!(index == block.last() || (plain && !instruction.op.suspends()));
        }
        for edge in &block.successors {
            let back = &graph.block(edge.block).predecessors;
            assert!(back.iter().any(|back| back.block == id && back.kind == edge.kind));
            if edge.kind == EdgeKind::Exception {
                assert_eq!(bytecode.instructions[graph.block(edge.block).instructions.start].offset, {
                    block.handler.unwrap().target
                });
            }
        }
    }
    assert_eq!(next, bytecode.instructions.len());
    assert_eq!(graph.order[0], FlowGraph::ENTRY);
    let reachable: HashSet<BlockId> = graph.order.iter().copied().collect();
    assert_eq!(reachable, reached(graph, &[FlowGraph::ENTRY], None));
    assert_eq!(reachable.len(), graph.order.len());
}

/// Blocks that can be reached from `entries` without passing `without`.
fn reached(graph: &FlowGraph, entries: &[BlockId], without: Option<BlockId>) -> HashSet<BlockId> {
    let mut pending: Vec<BlockId> = entries.iter().copied().filter(|&entry| Some(entry) != without).collect();
    let mut seen: HashSet<BlockId> = pending.iter().copied().collect();
    while let Some(block) = pending.pop() {
        for edge in &graph.block(block).successors {
            if Some(edge.block) != without && seen.insert(edge.block) {
                pending.push(edge.block);
            }
        }
    }
    seen
}

/// By definition: `a` dominates `b` when `b` cannot be reached without it.
fn check_dominators(graph: &FlowGraph, dominators: &Dominators, entries: &[BlockId]) {
    if graph.blocks.len() > 24 {
        return;
    }
    let all = reached(graph, entries, None);
    for above in graph.ids() {
        let without = reached(graph, entries, Some(above));
        for below in graph.ids() {
            let expected = all.contains(&above) && all.contains(&below) && !without.contains(&below);
            assert_eq!(dominators.dominates(above, below), expected, "{above} {below}\n{graph}");
        }
        if let Some(immediate) = dominators.immediate(above) {
            assert!(immediate != above && dominators.dominates(immediate, above));
            let strict = graph.ids().filter(|&other| other != above && dominators.dominates(other, above));
            assert!(strict.into_iter().all(|other| dominators.dominates(other, immediate)));
        }
    }
}

fn check_loops(graph: &FlowGraph, dominators: &Dominators, loops: &Loops) {
    for (index, found) in loops.loops.iter().enumerate() {
        assert!(found.back_edges.iter().all(|&from| dominators.dominates(found.header, from)));
        let blocks: HashSet<BlockId> = found.blocks.iter().copied().collect();
        for &block in &found.blocks {
            assert!(dominators.dominates(found.header, block));
            let enters = graph.block(block).predecessors.iter().map(|edge| edge.block);
            let mut from_outside = enters.filter(|from| graph.block(*from).reachable && !blocks.contains(from));
            assert!(block == found.header || from_outside.next().is_none(), "{graph}{loops}");
        }
        if let Some(parent) = found.parent {
            assert!(parent.index() < index);
            assert_eq!(loops.get(parent).depth + 1, found.depth);
            assert!(found.blocks.iter().all(|block| loops.get(parent).blocks.contains(block)));
        }
        assert_eq!(loops.get(loops.headed_by(found.header).unwrap()).header, found.header);
    }
}

/// What is live before a block is live after each that leads to it, unless its last instruction writes it.
fn check_liveness(code: &CodeObject, bytecode: &Bytecode, graph: &FlowGraph) {
    let liveness = Liveness::compute(code, bytecode, graph);
    for id in graph.ids() {
        let block = graph.block(id);
        assert_eq!(&liveness.before(bytecode, graph, block.instructions.start), liveness.live_in(id));
        if let Some(handler) = block.exception_successor() {
            let raising =
                block.instructions.clone().find(|&index| bytecode.instructions[index].op.may_raise()).unwrap();
            let before = liveness.before(bytecode, graph, raising);
            assert!(liveness.live_in(handler).iter().all(|local| before.contains(local)));
        }
    }
}
