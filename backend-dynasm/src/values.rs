//! What is recorded, and where its values live.
//!
//! *Method*: three walks over the recording. The first joins neighbours: a load with the comparison that is its only use; a
//! load, an addition and a store of the same word, with the branch on the sum. The second goes through the blocks in linear
//! order and finds each value's interval, weight and hint; the third gives homes. A block that only stores values and leaves
//! has no place in the order: what it reads counts as read by the guards that go to it. *Invariants*: an instruction's
//! operands are read at the even position of its number and its result is written at the odd one, so that a result may take
//! an operand's register; what a guard's leaving reads lives beyond that.

use columba_jit_core::backend::{Broken, CompileError};
use columba_jit_core::bytecode::instruction::Offset;
use columba_jit_core::ir::op::{BinOp, Cond, OverflowOp, UnOp};
use columba_jit_core::ir::types::MemTy;
use columba_jit_core::registers::order::{Graph, Order};
use columba_jit_core::registers::scan::{Hint, Interval, Scan};

use crate::abi;

/// A value during emission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand(pub(crate) u32);

impl Operand {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Float,
    /// Made anew at each use.
    IntConst,
    FloatConst,
}

impl Kind {
    pub(crate) fn is_const(self) -> bool {
        matches!(self, Kind::IntConst | Kind::FloatConst)
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Kind::Float | Kind::FloatConst)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueData {
    pub kind: Kind,
    pub uses: u32,
    /// Of a constant.
    pub bits: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Inst {
    /// Joined with a later one, or not needed.
    Nop,
    Binary {
        op: BinOp,
        result: Operand,
        a: Operand,
        b: Operand,
    },
    /// The upper 64 bits of the signed product.
    MultiplyHigh {
        result: Operand,
        a: Operand,
        b: Operand,
    },
    Unary {
        op: UnOp,
        result: Operand,
        a: Operand,
    },
    Compare {
        cond: Cond,
        result: Operand,
        a: Operand,
        b: Operand,
    },
    Select {
        result: Operand,
        cond: Operand,
        a: Operand,
        b: Operand,
    },
    Load {
        mem: MemTy,
        volatile: bool,
        result: Operand,
        base: Operand,
        offset: i32,
    },
    Store {
        mem: MemTy,
        base: Operand,
        offset: i32,
        value: Operand,
    },
    /// Adds to a word of memory.
    AddMemory {
        base: Operand,
        offset: i32,
        amount: i32,
    },
    Call {
        call: u32,
    },
    Overflow {
        op: OverflowOp,
        result: Operand,
        a: Operand,
        b: Operand,
        leaving: u32,
    },
    Guard {
        cond: Cond,
        a: Operand,
        b: Operand,
        leaving: u32,
    },
    /// A guard on a word of memory; narrower ones are compared with 0 only.
    GuardMemory {
        cond: Cond,
        mem: MemTy,
        base: Operand,
        offset: i32,
        b: Operand,
        leaving: u32,
    },
    Jump {
        edge: u32,
    },
    /// To the first edge if the condition holds, else to the one behind it.
    Branch {
        cond: Cond,
        a: Operand,
        b: Operand,
        edges: u32,
    },
    BranchMemory {
        cond: Cond,
        mem: MemTy,
        base: Operand,
        offset: i32,
        b: Operand,
        edges: u32,
    },
    /// Adds to a word of memory; to the first edge if the sum is not 0.
    BranchAdd {
        base: Operand,
        offset: i32,
        amount: i32,
        edges: u32,
    },
    Switch {
        value: Operand,
        edges: u32,
        cases: u32,
    },
    Return {
        status: Operand,
    },
    Unreachable,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BlockData {
    /// Parameters are consecutive values.
    pub first_param: u32,
    pub params: u32,
    pub cold: bool,
    pub filled: bool,
    /// An edge goes here.
    pub entered: bool,
    /// A guard goes here.
    pub left_to: bool,
    /// Stores, then goes away: only guards come here, and no value is made.
    pub leaves: bool,
    /// Range of instructions.
    pub start: u32,
    pub end: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgeData {
    pub block: u32,
    /// Where its arguments start.
    pub args: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CallData {
    pub callee: u64,
    pub first_arg: u32,
    pub args: u32,
    pub result: Option<Operand>,
    /// Bits of the registers, by class, that a rarely executed call saves.
    pub saved: [u32; 2],
}

/// A recorded function; kept to be used again.
pub struct Recording {
    pub(crate) values: Vec<ValueData>,
    pub(crate) insts: Vec<Inst>,
    pub(crate) blocks: Vec<BlockData>,
    pub(crate) edges: Vec<EdgeData>,
    pub(crate) args: Vec<Operand>,
    pub(crate) calls: Vec<CallData>,
    /// Instruction numbers from which on an origin holds.
    pub(crate) origins: Vec<(u32, Offset)>,
    pub(crate) parameters: [Option<Operand>; abi::PARAMETERS],
    /// Blocks in order of emission.
    pub(crate) emitted: Vec<u32>,
    /// The block being filled.
    pub(crate) current: Option<u32>,
    graph: Graph,
    pub(crate) order: Order,
    pub(crate) scan: Scan,
    /// Stack slots of values.
    pub(crate) slots: u32,
    /// By place: number of the block's first position.
    starts: Vec<u32>,
    /// By instruction number: how many calls that clobber were executed before it.
    calls_before: Vec<u32>,
}

impl Default for Recording {
    fn default() -> Self {
        Recording {
            values: Vec::new(),
            insts: Vec::new(),
            blocks: Vec::new(),
            edges: Vec::new(),
            args: Vec::new(),
            calls: Vec::new(),
            origins: Vec::new(),
            parameters: [None; abi::PARAMETERS],
            emitted: Vec::new(),
            current: None,
            graph: Graph::default(),
            order: Order::default(),
            scan: Scan::new(abi::CLASSES),
            slots: 0,
            starts: Vec::new(),
            calls_before: Vec::new(),
        }
    }
}

/// How much a use counts, by the number of loops around it.
const WEIGHTS: [u32; 5] = [4, 32, 256, 2048, 16384];

impl Recording {
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.insts.clear();
        self.blocks.clear();
        self.edges.clear();
        self.args.clear();
        self.calls.clear();
        self.origins.clear();
        self.parameters = [None; abi::PARAMETERS];
        self.emitted.clear();
        self.current = None;
    }

    /// Recorded instructions.
    pub fn size(&self) -> usize {
        self.insts.len()
    }

    pub(crate) fn value(&mut self, kind: Kind, bits: u64) -> Operand {
        let index = self.values.len() as u32;
        self.values.push(ValueData { kind, uses: 0, bits });
        Operand(index)
    }

    pub(crate) fn data(&self, value: Operand) -> ValueData {
        self.values[value.index()]
    }

    /// The constant, if it fits an immediate operand.
    pub(crate) fn immediate(&self, value: Operand) -> Option<i32> {
        let data = self.data(value);
        if data.kind != Kind::IntConst {
            return None;
        }
        i32::try_from(data.bits.cast_signed()).ok()
    }

    pub(crate) fn edge_args(&self, edge: u32) -> impl Iterator<Item = (Operand, Operand)> + use<'_> {
        let data = self.edges[edge as usize];
        let block = self.blocks[data.block as usize];
        let args = &self.args[data.args as usize..(data.args + block.params) as usize];
        args.iter().enumerate().map(move |(i, &arg)| (Operand(block.first_param + i as u32), arg))
    }

    pub(crate) fn call_args(&self, call: CallData) -> &[Operand] {
        &self.args[call.first_arg as usize..(call.first_arg + call.args) as usize]
    }

    /// Gives every value a home. `check`: make sure that no two share one.
    pub(crate) fn allocate(&mut self, check: bool) -> Result<(), CompileError> {
        self.join();
        self.sort_blocks();
        self.scan.clear(self.values.len());
        self.find_intervals();
        self.place();
        self.slots = self.scan.place_spilled();
        let conflict = if check { self.scan.conflict() } else { None };
        match conflict {
            Some((a, b)) => Err(Broken::Backend(format!("values {a} and {b} share a home")).into()),
            None => Ok(()),
        }
    }

    // ---- first walk ----

    fn uses(&self, value: Operand) -> u32 {
        self.values[value.index()].uses
    }

    /// Joins neighbours, and leaves out what is not used. A terminator follows in any block, so looking ahead stays in it.
    fn join(&mut self) {
        for index in 0..self.insts.len() {
            match self.insts[index] {
                Inst::Load { mem, volatile, result, base, offset } => {
                    if self.uses(result) == 1 {
                        self.join_load(index, mem, result, base, offset);
                    } else if self.uses(result) == 0 && !volatile {
                        self.drop_inst(index);
                    }
                }
                Inst::Binary { result, .. }
                | Inst::MultiplyHigh { result, .. }
                | Inst::Unary { result, .. }
                | Inst::Compare { result, .. }
                | Inst::Select { result, .. }
                    if self.uses(result) == 0 =>
                {
                    self.drop_inst(index);
                }
                _ => {}
            }
        }
    }

    fn drop_inst(&mut self, index: usize) {
        self.insts[index] = Inst::Nop;
    }

    fn join_load(&mut self, index: usize, mem: MemTy, result: Operand, base: Operand, offset: i32) {
        let word = matches!(mem, MemTy::I64 | MemTy::Ptr);
        let comparable = |cond: Cond, b: Operand| {
            b != result
                && (word || mem != MemTy::F64 && matches!(cond, Cond::Eq | Cond::Ne) && self.immediate(b) == Some(0))
        };
        match self.insts[index + 1] {
            Inst::Guard { cond, a, b, leaving } if a == result && comparable(cond, b) => {
                self.drop_inst(index);
                self.insts[index + 1] = Inst::GuardMemory { cond, mem, base, offset, b, leaving };
            }
            Inst::Branch { cond, a, b, edges } if a == result && comparable(cond, b) => {
                self.drop_inst(index);
                self.insts[index + 1] = Inst::BranchMemory { cond, mem, base, offset, b, edges };
            }
            Inst::Binary { op, result: sum, a, b } if word && a == result => {
                let Inst::Store { mem: MemTy::I64 | MemTy::Ptr, base: to, offset: at, value } = self.insts[index + 2]
                else {
                    return;
                };
                let amount = match (op, self.immediate(b)) {
                    (BinOp::Add, Some(amount)) => Some(amount),
                    (BinOp::Sub, Some(amount)) => amount.checked_neg(),
                    _ => None,
                };
                let Some(amount) = amount else { return };
                if (to, at, value) != (base, offset, sum) || sum == base {
                    return;
                }
                let place = match (self.uses(sum), self.insts[index + 3]) {
                    (1, _) => {
                        self.insts[index + 2] = Inst::AddMemory { base, offset, amount };
                        2
                    }
                    (2, Inst::Branch { cond: Cond::Ne, a, b, edges }) if a == sum && self.immediate(b) == Some(0) => {
                        self.insts[index + 3] = Inst::BranchAdd { base, offset, amount, edges };
                        3
                    }
                    _ => return,
                };
                for joined in index..index + place {
                    self.drop_inst(joined);
                }
            }
            _ => {}
        }
    }

    // ---- the order ----

    fn sort_blocks(&mut self) {
        for index in 0..self.blocks.len() {
            let block = self.blocks[index];
            let away = |inst: &Inst| {
                matches!(
                    inst,
                    Inst::Nop | Inst::Store { .. } | Inst::Jump { .. } | Inst::Return { .. } | Inst::Unreachable
                )
            };
            self.blocks[index].leaves = block.left_to
                && !block.entered
                && self.insts[block.start as usize..block.end as usize].iter().all(away);
        }
        self.graph.clear();
        let mut hot = Vec::new();
        for block in 0..self.blocks.len() {
            let data = self.blocks[block];
            hot.clear();
            if data.filled && !data.leaves {
                for index in data.start..data.end {
                    match self.insts[index as usize] {
                        Inst::Guard { leaving, .. }
                        | Inst::GuardMemory { leaving, .. }
                        | Inst::Overflow { leaving, .. } => self.successor_by_guard(leaving, &mut hot),
                        _ => {}
                    }
                }
                let (edges, count) = self.edges_of(data);
                for edge in edges..edges + count {
                    self.successor(self.edges[edge as usize].block, &mut hot);
                }
                for &next in &hot {
                    self.graph.add_successor(next);
                }
            }
            self.graph.end_block();
        }
        self.order.compute(&self.graph, self.emitted[0]);
    }

    /// The edges of a block's terminator.
    fn edges_of(&self, block: BlockData) -> (u32, u32) {
        match self.insts[block.end as usize - 1] {
            Inst::Jump { edge } => (edge, 1),
            Inst::Branch { edges, .. } | Inst::BranchMemory { edges, .. } | Inst::BranchAdd { edges, .. } => (edges, 2),
            Inst::Switch { edges, cases, .. } => (edges, cases + 1),
            _ => (0, 0),
        }
    }

    /// Cold successors come first, so that they stand right behind the block that goes there and nothing else has to live on
    /// for them.
    fn successor(&mut self, block: u32, hot: &mut Vec<u32>) {
        if self.blocks[block as usize].cold {
            self.graph.add_successor(block);
        } else {
            hot.push(block);
        }
    }

    fn successor_by_guard(&mut self, leaving: u32, hot: &mut Vec<u32>) {
        let data = self.blocks[leaving as usize];
        if !data.leaves {
            return self.successor(leaving, hot);
        }
        if let Inst::Jump { edge } = self.insts[data.end as usize - 1] {
            self.successor(self.edges[edge as usize].block, hot);
        }
    }

    // ---- second walk ----

    fn find_intervals(&mut self) {
        let Recording { order, blocks, starts, .. } = self;
        starts.clear();
        starts.push(0);
        let mut next = 1;
        for &block in &order.blocks {
            starts.push(next);
            let data = &blocks[block as usize];
            next += data.end - data.start + 1;
        }
        starts.push(next);
        self.calls_before.clear();
        self.calls_before.push(0);
        let mut walk = Walk { recording: self, place: 0, weight: 0, at: 0, calls: 0 };
        for index in 0..abi::PARAMETERS {
            if let Some(value) = walk.recording.parameters[index] {
                walk.define(value);
                walk.recording.scan.intervals[value.index()].hint = Hint::Register(abi::PARAMETER_REGISTERS[index]);
            }
        }
        for index in 0..walk.recording.order.blocks.len() {
            walk.block(index as u32 + 1);
        }
        let calls = walk.calls;
        self.calls_before.push(calls);
        self.calls_before.push(calls);
    }

    // ---- third walk ----

    fn place(&mut self) {
        for index in 0..abi::PARAMETERS {
            if let Some(value) = self.parameters[index].filter(|value| self.uses(*value) > 0) {
                self.place_one(value, None);
            }
        }
        for place in 1..=self.order.blocks.len() {
            let data = self.blocks[self.order.blocks[place - 1] as usize];
            for param in data.first_param..data.first_param + data.params {
                if self.values[param as usize].uses > 0 {
                    self.place_one(Operand(param), None);
                }
            }
            let first = self.starts[place] + 1;
            for index in data.start..data.end {
                match self.insts[index as usize] {
                    Inst::Binary { result, a, .. } | Inst::Unary { result, a, .. } => self.place_one(result, Some(a)),
                    Inst::Overflow { result, a, .. } => self.place_one(result, Some(a)),
                    Inst::Select { result, b, .. } => self.place_one(result, Some(b)),
                    Inst::Compare { result, .. } | Inst::Load { result, .. } | Inst::MultiplyHigh { result, .. } => {
                        self.place_one(result, None);
                    }
                    Inst::Call { call } => {
                        if data.cold {
                            let after = (first + index - data.start) * 2 + 1;
                            for class in [abi::INT, abi::FLOAT] {
                                let kept = abi::CLASSES[class].kept;
                                self.calls[call as usize].saved[class] = self.scan.in_use(class, after) & !kept;
                            }
                        }
                        let result = self.calls[call as usize].result;
                        if let Some(result) = result.filter(|value| self.uses(*value) > 0) {
                            self.place_one(result, None);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn place_one(&mut self, value: Operand, with: Option<Operand>) {
        let Interval { start, end, .. } = self.scan.intervals[value.index()];
        let crosses = self.calls_before[end as usize / 2] > self.calls_before[start.div_ceil(2) as usize];
        self.scan.place(value.0, crosses, with.map(|value| value.0));
    }
}

/// The second walk, at one instruction.
struct Walk<'a> {
    recording: &'a mut Recording,
    place: u32,
    /// What a use counts here.
    weight: u32,
    /// Number of the instruction.
    at: u32,
    /// Clobbering calls so far.
    calls: u32,
}

impl Walk<'_> {
    fn define(&mut self, value: Operand) {
        let start = if self.recording.starts.get(self.place as usize) == Some(&self.at) {
            self.at * 2
        } else {
            self.at * 2 + 1
        };
        let class = if self.recording.data(value).kind.is_float() { abi::FLOAT } else { abi::INT };
        let interval = &mut self.recording.scan.intervals[value.index()];
        (interval.start, interval.end) = (start, start + 1);
        (interval.weight, interval.place, interval.class) = (self.weight, self.place, class as u8);
    }

    /// Read at `beyond` 0; still needed when the result is written at 1.
    fn read_until(&mut self, value: Operand, beyond: u32) {
        let recording = &mut *self.recording;
        if recording.values[value.index()].kind.is_const() {
            return;
        }
        let interval = &mut recording.scan.intervals[value.index()];
        let mut end = self.at * 2 + 1 + beyond;
        if interval.place != self.place
            && let Some(last) = recording.order.live_until(interval.place, self.place)
        {
            end = end.max(recording.starts[last as usize + 1] * 2);
        }
        interval.end = interval.end.max(end);
        interval.weight = interval.weight.saturating_add(self.weight);
    }

    fn read(&mut self, value: Operand) {
        self.read_until(value, 0);
    }

    fn hint(&mut self, value: Operand, hint: Hint) {
        let interval = &mut self.recording.scan.intervals[value.index()];
        if interval.hint == Hint::None {
            interval.hint = hint;
        }
    }

    /// What the block of a guard reads lives until the guard was passed.
    fn leave(&mut self, leaving: u32) {
        let data = self.recording.blocks[leaving as usize];
        if !data.leaves {
            return;
        }
        let weight = std::mem::replace(&mut self.weight, 0);
        for index in data.start..data.end {
            match self.recording.insts[index as usize] {
                Inst::Store { base, value, .. } => {
                    self.read_until(base, 1);
                    self.read_until(value, 1);
                }
                Inst::Return { status } => self.read_until(status, 1),
                Inst::Jump { edge } => {
                    let data = self.recording.edges[edge as usize];
                    let params = self.recording.blocks[data.block as usize].params;
                    for arg in data.args..data.args + params {
                        self.read_until(self.recording.args[arg as usize], 1);
                    }
                }
                _ => {}
            }
        }
        self.weight = weight;
    }

    fn edges(&mut self, first: u32, count: u32) {
        for edge in first..first + count {
            let data = self.recording.edges[edge as usize];
            let block = self.recording.blocks[data.block as usize];
            for index in 0..block.params {
                let arg = self.recording.args[(data.args + index) as usize];
                let param = Operand(block.first_param + index);
                self.read(arg);
                if !self.recording.data(arg).kind.is_const() {
                    self.hint(arg, Hint::Value(param.0));
                    self.hint(param, Hint::Value(arg.0));
                }
            }
        }
    }

    fn block(&mut self, place: u32) {
        let block = self.recording.order.blocks[place as usize - 1];
        let data = self.recording.blocks[block as usize];
        (self.place, self.at) = (place, self.recording.starts[place as usize]);
        let depth = self.recording.order.depth(place) as usize;
        self.weight = if data.cold { 0 } else { WEIGHTS[depth.min(WEIGHTS.len() - 1)] };
        self.recording.calls_before.push(self.calls);
        for param in data.first_param..data.first_param + data.params {
            // Parameters may have got their hints from edges already.
            self.define(Operand(param));
        }
        for index in data.start..data.end {
            self.at += 1;
            self.recording.calls_before.push(self.calls);
            self.inst(self.recording.insts[index as usize], data.cold);
        }
    }

    fn inst(&mut self, inst: Inst, cold: bool) {
        match inst {
            Inst::Nop | Inst::Unreachable => {}
            Inst::Binary { result, a, b, .. }
            | Inst::MultiplyHigh { result, a, b }
            | Inst::Compare { result, a, b, .. } => {
                self.read(a);
                self.read(b);
                self.define(result);
            }
            Inst::Unary { result, a, .. } => {
                self.read(a);
                self.define(result);
            }
            Inst::Select { result, cond, a, b } => {
                for value in [cond, a, b] {
                    self.read(value);
                }
                self.define(result);
            }
            Inst::Load { result, base, .. } => {
                self.read(base);
                self.define(result);
            }
            Inst::Store { base, value, .. } => {
                self.read(base);
                self.read(value);
            }
            Inst::AddMemory { base, .. } => self.read(base),
            Inst::Call { call } => {
                let data = self.recording.calls[call as usize];
                let (mut ints, mut floats) = (0, 0);
                for index in data.first_arg..data.first_arg + data.args {
                    let arg = self.recording.args[index as usize];
                    self.read(arg);
                    let register = if self.recording.data(arg).kind.is_float() {
                        floats += 1;
                        Some(floats as u8 - 1).filter(|&r| r < 8)
                    } else {
                        ints += 1;
                        abi::ARGUMENT_REGISTERS.get(ints - 1).copied()
                    };
                    if let Some(register) = register {
                        self.hint(arg, Hint::Register(register));
                    }
                }
                if !cold {
                    self.calls += 1;
                }
                if let Some(result) = data.result {
                    self.define(result);
                }
            }
            Inst::Overflow { result, a, b, leaving, .. } => {
                self.read(a);
                self.read(b);
                self.leave(leaving);
                self.define(result);
            }
            Inst::Guard { a, b, leaving, .. } => {
                self.read(a);
                self.read(b);
                self.leave(leaving);
            }
            Inst::GuardMemory { base, b, leaving, .. } => {
                self.read(base);
                self.read(b);
                self.leave(leaving);
            }
            Inst::Jump { edge } => self.edges(edge, 1),
            Inst::Branch { a, b, edges, .. } => {
                self.read(a);
                self.read(b);
                self.edges(edges, 2);
            }
            Inst::BranchMemory { base, b, edges, .. } => {
                self.read(base);
                self.read(b);
                self.edges(edges, 2);
            }
            Inst::BranchAdd { base, edges, .. } => {
                self.read(base);
                self.edges(edges, 2);
            }
            Inst::Switch { value, edges, cases } => {
                self.read(value);
                self.edges(edges, cases + 1);
            }
            Inst::Return { status } => self.read(status),
        }
    }
}

/// The processor's condition codes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    B,
    Ae,
    E,
    Ne,
    Be,
    A,
    L,
    Ge,
    Le,
    G,
    /// Equal and ordered.
    FloatE,
    /// Not equal or not ordered.
    FloatNe,
}

impl Code {
    pub(crate) fn not(self) -> Code {
        match self {
            Code::B => Code::Ae,
            Code::Ae => Code::B,
            Code::E => Code::Ne,
            Code::Ne => Code::E,
            Code::Be => Code::A,
            Code::A => Code::Be,
            Code::L => Code::Ge,
            Code::Ge => Code::L,
            Code::Le => Code::G,
            Code::G => Code::Le,
            Code::FloatE => Code::FloatNe,
            Code::FloatNe => Code::FloatE,
        }
    }
}

/// How a condition is tested: with the operands swapped or not.
pub(crate) fn code(cond: Cond) -> (Code, bool) {
    match cond {
        Cond::Eq => (Code::E, false),
        Cond::Ne => (Code::Ne, false),
        Cond::Lt => (Code::L, false),
        Cond::Le => (Code::Le, false),
        Cond::Gt => (Code::G, false),
        Cond::Ge => (Code::Ge, false),
        Cond::ULt => (Code::B, false),
        Cond::ULe => (Code::Be, false),
        Cond::UGt => (Code::A, false),
        Cond::UGe => (Code::Ae, false),
        Cond::FEq => (Code::FloatE, false),
        Cond::FNe => (Code::FloatNe, false),
        // "Above" is false for NaN, "below" is true.
        Cond::FGt => (Code::A, false),
        Cond::FGe => (Code::Ae, false),
        Cond::FLt => (Code::A, true),
        Cond::FLe => (Code::Ae, true),
    }
}

pub(crate) fn is_float(cond: Cond) -> bool {
    matches!(cond, Cond::FEq | Cond::FNe | Cond::FLt | Cond::FLe | Cond::FGt | Cond::FGe)
}
