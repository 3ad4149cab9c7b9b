//! Decoding and flow graphs of small code objects written by hand.

use columba_jit_core::bytecode::code::{CodeObject, Constant, PythonVersion, local_kind};
use columba_jit_core::bytecode::decode::{Bytecode, DecodeError, OperandError, decode};
use columba_jit_core::bytecode::instruction::{CallKind, Feedback, Instruction, MethodKind, Op};
use columba_jit_core::bytecode::stack_effect::{StackError, stack_depths};
use columba_jit_core::bytecode::v3_11::opcode::*;
use columba_jit_core::flow::dominators::Dominators;
use columba_jit_core::flow::graph::{BlockId, FlowGraph, Resume};
use columba_jit_core::flow::liveness::Liveness;
use columba_jit_core::flow::loops::Loops;

fn code(units: &[(u8, u8)]) -> CodeObject {
    CodeObject {
        version: PythonVersion::V3_11,
        name: "f".into(),
        qualname: "f".into(),
        filename: "f.py".into(),
        first_line: 1,
        flags: 3,
        argcount: 0,
        posonly_argcount: 0,
        kwonly_argcount: 0,
        stack_size: 8,
        code: units.iter().flat_map(|&(opcode, operand)| [opcode, operand]).collect(),
        adaptive: None,
        constants: vec![Constant::None; 3],
        names: vec!["n".into(); 3],
        locals_plus_names: vec!["a".into(), "b".into(), "c".into()],
        locals_plus_kinds: vec![local_kind::LOCAL; 3],
        exception_table: Vec::new(),
        line_table: Vec::new(),
        nested: Vec::new(),
    }
}

fn decoded(units: &[(u8, u8)]) -> Bytecode {
    decode(&code(units)).unwrap()
}

/// `a = iter(x)`-like loop with a nested loop: `for b in a: while c: ...`.
const NESTED: &[(u8, u8)] = &[
    (RESUME, 0),
    (LOAD_FAST, 0),
    (GET_ITER, 0),
    (FOR_ITER, 5),                  // 3 -> 9
    (STORE_FAST, 1),                // 4
    (LOAD_FAST, 2),                 // 5
    (POP_JUMP_FORWARD_IF_FALSE, 1), // 6 -> 8
    (JUMP_BACKWARD, 3),             // 7 -> 5
    (JUMP_BACKWARD, 6),             // 8 -> 3
    (LOAD_CONST, 0),                // 9
    (RETURN_VALUE, 0),              // 10
];

#[test]
fn prefixes_are_folded_and_offsets_kept() {
    let mut given = code(&[(EXTENDED_ARG, 1), (LOAD_CONST, 2), (RETURN_VALUE, 0)]);
    given.constants = vec![Constant::None; 0x103];
    let bytecode = decode(&given).unwrap();
    assert_eq!(
        bytecode.instructions[0],
        Instruction { offset: 0, opcode_offset: 1, next: 2, op: Op::LoadConst(0x102), feedback: Feedback::None }
    );
    assert_eq!(bytecode.index_at(0), Some(0));
    assert_eq!(bytecode.index_at(1), None, "the opcode of a prefixed instruction is not where it resumes");
    assert_eq!(bytecode.index_containing(1), Some(0));
    assert_eq!(bytecode.index_at(2), Some(1));
    assert_eq!(bytecode.index_at(3), None);
}

#[test]
fn broken_code_is_named() {
    let error = |units: &[(u8, u8)]| decode(&code(units)).unwrap_err();
    assert_eq!(error(&[]), DecodeError::Empty);
    assert_eq!(error(&[(CACHE, 0)]), DecodeError::UnknownOpcode { opcode: CACHE, offset: 0 });
    assert_eq!(error(&[(BINARY_OP_ADD_INT, 0), (CACHE, 0)]).to_string(), "unknown opcode 5 at 0");
    assert_eq!(error(&[(EXTENDED_ARG, 0)]), DecodeError::Truncated { offset: 0 });
    assert_eq!(error(&[(BINARY_OP, 0)]), DecodeError::Truncated { offset: 0 });
    assert_eq!(error(&[(EXTENDED_ARG, 0); 5]), DecodeError::TooManyPrefixes { offset: 0 });
    assert_eq!(error(&[(NOP, 0)]), DecodeError::NoTerminator);
    assert_eq!(error(&[(JUMP_FORWARD, 1), (RETURN_VALUE, 0)]), DecodeError::JumpTarget { offset: 0, target: 2 });
    let into_cache = [(JUMP_FORWARD, 1), (BINARY_OP, 0), (CACHE, 0), (RETURN_VALUE, 0)];
    assert_eq!(error(&into_cache), DecodeError::JumpTarget { offset: 0, target: 2 });
    let past_prefix = [(JUMP_FORWARD, 1), (EXTENDED_ARG, 0), (LOAD_CONST, 0), (RETURN_VALUE, 0)];
    assert_eq!(error(&past_prefix), DecodeError::JumpTarget { offset: 0, target: 2 });
    assert_eq!(error(&[(JUMP_BACKWARD, 2)]), DecodeError::Operand { offset: 0, error: OperandError::Jump });
    let index = OperandError::Index { table: "localsplus", index: 3, length: 3 };
    assert_eq!(error(&[(LOAD_FAST, 3), (RETURN_VALUE, 0)]), DecodeError::Operand { offset: 0, error: index });
    let range = OperandError::Range { operand: 26 };
    assert_eq!(error(&[(BINARY_OP, 26), (CACHE, 0)]), DecodeError::Operand { offset: 0, error: range });
    let mut odd = code(&[(RETURN_VALUE, 0)]);
    odd.code.push(0);
    assert_eq!(decode(&odd).unwrap_err(), DecodeError::OddLength { bytes: 3 });
    let mut handler = code(&[(NOP, 0), (RETURN_VALUE, 0)]);
    handler.exception_table = vec![0x80, 1, 2, 0];
    assert_eq!(decode(&handler).unwrap_err(), DecodeError::HandlerTarget { row: 0, target: 2 });
    handler.exception_table = vec![0x80, 3, 1, 0];
    assert_eq!(decode(&handler).unwrap_err(), DecodeError::HandlerRange { row: 0, start: 0, end: 3 });
}

#[test]
fn wrong_stacks_are_named() {
    let error = |units: &[(u8, u8)]| stack_depths(&decoded(units), 2).unwrap_err();
    assert_eq!(error(&[(RETURN_VALUE, 0)]), StackError::Underflow { offset: 0, needs: 1, depth: 0 });
    let pushes = [(LOAD_CONST, 0), (LOAD_CONST, 0), (LOAD_CONST, 0), (RETURN_VALUE, 0)];
    assert_eq!(error(&pushes), StackError::Overflow { offset: 2, depth: 3, stack_size: 2 });
    let grows = [(LOAD_CONST, 0), (JUMP_BACKWARD, 2)];
    assert_eq!(error(&grows), StackError::Inconsistent { offset: 0, first: 0, second: 1 });
    let mut handler = code(&[(LOAD_FAST, 0), (RETURN_VALUE, 0), (RERAISE, 0)]);
    handler.exception_table = vec![0x80, 1, 2, 2];
    let error = stack_depths(&decode(&handler).unwrap(), 2).unwrap_err();
    assert_eq!(error, StackError::Handler { offset: 0, kept: 1, left: 0 });
    let popped = [(LOAD_FAST, 0), (LOAD_FAST, 0), (UNARY_NOT, 0), (RETURN_VALUE, 0), (RERAISE, 0)];
    let mut handler = code(&popped);
    handler.exception_table = vec![0x82, 1, 4, 4];
    let error = stack_depths(&decode(&handler).unwrap(), 3).unwrap_err();
    assert_eq!(error, StackError::Handler { offset: 2, kept: 2, left: 1 });
}

#[test]
fn feedback_is_read_with_its_caches() {
    let mut units = vec![
        (LOAD_GLOBAL, 1),
        (CACHE, 0),
        (CACHE, 0),
        (CACHE, 0),
        (CACHE, 0),
        (CACHE, 0),
        (LOAD_FAST, 0),
        (LOAD_METHOD, 0),
    ];
    units.extend([(CACHE, 0); 10]);
    units.extend([(PRECALL, 0), (CACHE, 0), (CALL, 0), (CACHE, 0), (CACHE, 0), (CACHE, 0), (CACHE, 0)]);
    units.extend([(BINARY_OP, 0), (CACHE, 0), (RETURN_VALUE, 0)]);
    let mut given = code(&units);
    let mut adaptive = given.code.clone();
    let mut put = |unit: usize, bytes: &[u8]| adaptive[2 * unit..2 * unit + bytes.len()].copy_from_slice(bytes);
    put(0, &[LOAD_GLOBAL_BUILTIN, 1, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8]);
    put(6, &[LOAD_FAST__LOAD_CONST, 0]);
    put(7, &[LOAD_METHOD_WITH_VALUES, 0, 9, 9, 1, 0, 0, 2, 9, 9, 3, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8]);
    put(18, &[PRECALL_PYFUNC, 0]);
    put(20, &[CALL_PY_EXACT_ARGS, 0, 9, 9, 7, 0, 0, 1]);
    put(25, &[BINARY_OP_SUBTRACT_INT, 0]);
    given.adaptive = Some(adaptive.clone());
    let feedback = |given: &CodeObject| -> Vec<Feedback> {
        decode(given).unwrap().instructions.into_iter().map(|instruction| instruction.feedback).collect()
    };
    assert_eq!(
        feedback(&given),
        [
            Feedback::GlobalBuiltin { index: 0x0201, module_keys: 0x0605_0403, builtin_keys: 0x0807 },
            Feedback::None,
            Feedback::Method {
                kind: MethodKind::WithValues,
                type_version: 0x0200_0001,
                keys_version: 0x0400_0003,
                descriptor: 0x0807_0605_0403_0201,
            },
            Feedback::Call(CallKind::PyFunction { version: 0 }),
            Feedback::Call(CallKind::PyFunction { version: 0x0100_0007 }),
            Feedback::None, // a specialisation of another operation
            Feedback::None,
        ]
    );
    adaptive[0] = LOAD_ATTR_SLOT;
    adaptive[40] = 255;
    given.adaptive = Some(adaptive.clone());
    assert_eq!(feedback(&given)[0], Feedback::None);
    adaptive.pop();
    given.adaptive = Some(adaptive);
    assert!(feedback(&given).iter().all(|feedback| *feedback == Feedback::None));
}

#[test]
fn nested_loops_as_text() {
    let bytecode = decoded(NESTED);
    let graph = FlowGraph::build(&bytecode);
    assert_eq!(
        graph.to_string(),
        "\
b0: 0..3 -> next b1
b1: 3..4 -> next b2, jump b6
b2: 4..5 -> next b3
b3: 5..7 -> next b4, jump b5
b4: 7..8 -> jump b3
b5: 8..9 -> jump b1
b6: 9..11
"
    );
    let dominators = Dominators::compute(&graph);
    let immediate: Vec<_> = graph.ids().map(|id| dominators.immediate(id).map(|id| id.0)).collect();
    assert_eq!(immediate, [None, Some(0), Some(1), Some(2), Some(3), Some(3), Some(1)]);
    let loops = Loops::find(&graph, &dominators);
    assert_eq!(
        loops.to_string(),
        "\
loop0: depth 1 header b1 blocks b1 b2 b3 b4 b5 back from b5
loop1: depth 2 header b3 blocks b3 b4 back from b4
"
    );
    assert_eq!(loops.depth(BlockId(4)), 2);
    assert_eq!(loops.headed_by(BlockId(3)), loops.innermost(BlockId(4)));
    assert_eq!(loops.innermost(BlockId(6)), None);
    let depths = stack_depths(&bytecode, 8).unwrap();
    assert_eq!(depths.before.iter().map(|depth| depth.unwrap()).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 1, 2, 1, 1, 0, 1]);
}

#[test]
fn entries_in_the_middle_change_dominators() {
    let bytecode = decoded(NESTED);
    let graph = FlowGraph::build(&bytecode);
    let dominators = Dominators::compute_with_entries(&graph, &[BlockId(0), BlockId(3)]);
    assert_eq!(dominators.immediate(BlockId(1)), None, "entered from b0 and, through b5, from b3");
    assert_eq!(dominators.immediate(BlockId(4)), Some(BlockId(3)));
    assert_eq!(dominators.immediate(BlockId(6)), Some(BlockId(1)));
    assert!(!dominators.dominates(BlockId(0), BlockId(3)));
}

#[test]
fn irreducible_cycles_are_flagged() {
    let bytecode = decoded(&[
        (LOAD_FAST, 0),
        (POP_JUMP_FORWARD_IF_TRUE, 1),  // 1 -> 3
        (NOP, 0),                       // 2
        (LOAD_FAST, 1),                 // 3
        (POP_JUMP_BACKWARD_IF_TRUE, 3), // 4 -> 2
        (LOAD_CONST, 0),
        (RETURN_VALUE, 0),
    ]);
    let graph = FlowGraph::build(&bytecode);
    let loops = Loops::find(&graph, &Dominators::compute(&graph));
    assert_eq!(loops.loops.len() + loops.irreducible.len(), 1);
    assert_eq!(loops.irreducible.len(), 1, "{graph}{loops}");
}

#[test]
fn exception_edges_split_blocks_and_keep_locals_alive() {
    let mut given = code(&[
        (LOAD_CONST, 0),    // 0
        (STORE_FAST, 0),    // 1
        (LOAD_FAST, 1),     // 2  covered
        (STORE_FAST, 0),    // 3  covered
        (LOAD_FAST, 2),     // 4  covered
        (RETURN_VALUE, 0),  // 5
        (PUSH_EXC_INFO, 0), // 6
        (LOAD_FAST, 0),     // 7
        (RETURN_VALUE, 0),  // 8
    ]);
    given.exception_table = vec![0x82, 3, 6, 1];
    let bytecode = decode(&given).unwrap();
    let graph = FlowGraph::build(&bytecode);
    assert_eq!(
        graph.to_string(),
        "\
b0: 0..2 -> next b1
b1: 2..5 -> next b2, except b3 (depth 0 lasti)
b2: 5..6
b3: 6..9
"
    );
    let depths = stack_depths(&bytecode, 8).unwrap();
    assert_eq!(depths.before[6], Some(2));
    let liveness = Liveness::compute(&given, &bytecode, &graph);
    assert_eq!(liveness.live_in(BlockId(0)).to_string(), "{1 2}");
    assert_eq!(liveness.live_in(BlockId(1)).to_string(), "{0 1 2}");
    assert_eq!(liveness.before(&bytecode, &graph, 3).to_string(), "{2}");
    assert_eq!(liveness.before(&bytecode, &graph, 4).to_string(), "{0 2}");
}

#[test]
fn yields_begin_resume_blocks() {
    let bytecode = decoded(&[
        (RETURN_GENERATOR, 0),
        (POP_TOP, 0), // 1 resume
        (RESUME, 0),
        (LOAD_CONST, 0),
        (YIELD_VALUE, 0),
        (RESUME, 1), // 5 resume
        (POP_TOP, 0),
        (LOAD_FAST, 0),
        (GET_YIELD_FROM_ITER, 0),
        (LOAD_CONST, 0),
        (SEND, 3), // 10 -> 14
        (YIELD_VALUE, 0),
        (RESUME, 2),                     // 12 resume
        (JUMP_BACKWARD_NO_INTERRUPT, 4), // 13 -> 10
        (RETURN_VALUE, 0),               // 14 resume
    ]);
    stack_depths(&bytecode, 2).unwrap();
    let graph = FlowGraph::build(&bytecode);
    let resumes: Vec<_> =
        graph.resume_blocks().map(|id| (graph.block(id).instructions.start, graph.block(id).resume.unwrap())).collect();
    assert_eq!(
        resumes,
        [(1, Resume::AfterYield), (5, Resume::AfterYield), (12, Resume::AfterYield), (14, Resume::SendDone)]
    );
    let text = graph.with_instructions(&bytecode).to_string();
    assert!(text.contains("b1: 1..5 resume after yield -> next b2\n      1  PopTop\n"), "{text}");
}
