//! From a recording to bytes.
//!
//! *Method*: one walk over the recorded instructions in order of emission. An operand is a register, a stack slot or an
//! immediate; what a machine instruction cannot take goes through a scratch register. Edges whose moves would stand in the
//! way of the usual path are emitted behind all blocks, and float constants behind those. *Invariants*: a result's register
//! is written only when all operands were read, or is none of theirs; a store of a result to its slot leaves the flags
//! alone.

use columba_jit_core::backend::{Broken, CodeOrigin, CompileError, Unsupported};
use columba_jit_core::ir::op::{BinOp, Cond, OverflowOp, UnOp};
use columba_jit_core::ir::types::MemTy;
use columba_jit_core::registers::moves::ParallelMoves;
use dynasmrt::x64::X64Relocation;
use dynasmrt::{DynamicLabel, DynasmApi, DynasmLabelApi, VecAssembler, dynasm};

use crate::abi::{self, Arguments, FLOAT, Frame, INT, Place, RAX, RCX, RDX, Source, XMM15};
use crate::values::{Code, Inst, Operand, Recording, code, is_float};

/// Up to this many cases a switch is a chain of comparisons.
const CHAIN: u32 = 4;
const SIGN: u64 = 1 << 63;
/// Code beyond this is refused; relative addresses reach twice as far.
const LARGEST: usize = 1 << 30;

/// An instruction with an operand in the frame.
macro_rules! slot {
    ($self:ident; $at:expr; ($($before:tt)*) ($($after:tt)*)) => {{
        let at: i32 = $at;
        if let Ok(at) = i8::try_from(at) {
            dynasm!($self.code ; .arch x64 ; $($before)* [BYTE rbp + at] $($after)*)
        } else {
            dynasm!($self.code ; .arch x64 ; $($before)* [DWORD rbp + at] $($after)*)
        }
    }};
}
pub(crate) use slot;

/// An instruction with an operand in memory.
macro_rules! memory {
    ($self:ident; $base:expr, $offset:expr; ($($before:tt)*) ($($after:tt)*)) => {{
        let (base, offset): (u8, i32) = ($base, $offset);
        if let Ok(offset) = i8::try_from(offset) {
            dynasm!($self.code ; .arch x64 ; $($before)* [BYTE Rq(base) + offset] $($after)*)
        } else {
            dynasm!($self.code ; .arch x64 ; $($before)* [DWORD Rq(base) + offset] $($after)*)
        }
    }};
}

/// An integer instruction of two operands.
macro_rules! with_source {
    ($self:ident, $name:ident, $d:expr, $source:expr) => {{
        let d: u8 = $d;
        match $source {
            Source::Register(s) => dynasm!($self.code ; .arch x64 ; $name Rq(d), Rq(s)),
            Source::Slot(at) => slot!($self; at; ($name Rq(d),) ()),
            Source::Immediate(value) => match i8::try_from(value) {
                Ok(value) => dynasm!($self.code ; .arch x64 ; $name Rq(d), BYTE value),
                Err(_) => dynasm!($self.code ; .arch x64 ; $name Rq(d), DWORD value),
            },
        }
    }};
}

/// A float instruction of two operands.
macro_rules! with_float {
    ($self:ident, $name:ident, $d:expr, $source:expr) => {{
        let d: u8 = $d;
        match $source {
            Place::Float(s) => dynasm!($self.code ; .arch x64 ; $name Rx(d), Rx(s)),
            Place::Slot(at) => slot!($self; at; ($name Rx(d),) ()),
            Place::Bits(bits) => {
                let label = $self.pool(bits);
                dynasm!($self.code ; .arch x64 ; $name Rx(d), [=>label])
            }
            Place::Int(_) | Place::Word(_) => $self.broken("an integer where a float belongs"),
        }
    }};
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Mul,
}

/// Finished code.
pub struct MachineCode {
    pub bytes: Vec<u8>,
    /// Empty unless they were recorded.
    pub origins: Vec<CodeOrigin>,
}

/// Allocates and encodes. `align_loops`: spend bytes on loops' starts. `check`: check the allocation.
pub fn finish(recording: &mut Recording, align_loops: bool, check: bool) -> Result<MachineCode, CompileError> {
    recording.allocate(check)?;
    let mut frame = Frame { slots: recording.slots, ..Frame::default() };
    frame.kept = recording.scan.given(INT) & abi::CLASSES[INT].kept;
    for call in &recording.calls {
        frame.saved[INT] |= call.saved[INT];
        frame.saved[FLOAT] |= call.saved[FLOAT];
        if call.args as usize > abi::ARGUMENT_REGISTERS.len() {
            let mut arguments = Arguments::of(*call, recording);
            arguments.by_ref().for_each(drop);
            frame.outgoing = frame.outgoing.max(arguments.words);
        }
    }
    let (size, blocks) = (recording.insts.len() * 8 + 64, recording.blocks.len() * 2 + 16);
    let mut encoder = Encoder {
        code: VecAssembler::new_with_capacity(0, size, 0, 0, blocks, 0, blocks),
        recording,
        frame,
        labels: Vec::new(),
        constants: Vec::new(),
        stubs: Vec::new(),
        tables: Vec::new(),
        origins: Vec::new(),
        moves: ParallelMoves::default(),
        epilogue: None,
        align_loops,
        error: None,
    };
    encoder.function();
    encoder.bytes()
}

/// The walk.
pub(crate) struct Encoder<'a> {
    pub code: VecAssembler<X64Relocation>,
    pub recording: &'a Recording,
    pub frame: Frame,
    /// By block.
    labels: Vec<DynamicLabel>,
    constants: Vec<(u64, DynamicLabel)>,
    /// Edges that are emitted behind all blocks.
    stubs: Vec<(DynamicLabel, u32)>,
    /// Offsets of the tables of jumps, and where they go.
    tables: Vec<(usize, Vec<DynamicLabel>)>,
    origins: Vec<CodeOrigin>,
    pub moves: ParallelMoves<Place>,
    epilogue: Option<DynamicLabel>,
    align_loops: bool,
    error: Option<CompileError>,
}

impl Encoder<'_> {
    pub(crate) fn broken(&mut self, what: &str) {
        self.error.get_or_insert_with(|| Broken::Backend(what.to_owned()).into());
    }

    // ---- the function ----

    fn function(&mut self) {
        let recording = self.recording;
        self.labels = recording.blocks.iter().map(|_| self.code.new_dynamic_label()).collect();
        let record = !recording.origins.is_empty();
        if record {
            self.origins.push(CodeOrigin { start: 0, origin: None });
        }
        self.prologue();
        let mut origins = recording.origins.iter().peekable();
        for (index, &block) in recording.emitted.iter().enumerate() {
            let data = recording.blocks[block as usize];
            let place = recording.order.place(block);
            let label = self.labels[block as usize];
            if place.is_none() && !data.leaves {
                // Never reached; something may still name it.
                dynasm!(self.code ; .arch x64 ; =>label ; ud2);
                continue;
            }
            if self.align_loops && !data.cold && place.is_some_and(|place| recording.order.begins_loop(place)) {
                self.align();
            }
            dynasm!(self.code ; .arch x64 ; =>label);
            let next = recording.emitted.get(index + 1).copied();
            for number in data.start..data.end {
                while let Some(&(_, origin)) = origins.next_if(|(from, _)| *from <= number) {
                    self.origins.push(CodeOrigin { start: self.code.offset().0 as u32, origin: Some(origin) });
                }
                self.inst(recording.insts[number as usize], next);
            }
            if self.code.offset().0 > LARGEST {
                self.error.get_or_insert(Unsupported::TooLarge.into());
                return;
            }
        }
        if record {
            self.origins.push(CodeOrigin { start: self.code.offset().0 as u32, origin: None });
        }
        while let Some((label, edge)) = self.stubs.pop() {
            dynasm!(self.code ; .arch x64 ; =>label);
            self.edge_moves(edge);
            let to = self.target(edge);
            dynasm!(self.code ; .arch x64 ; jmp =>to);
        }
        if !self.constants.is_empty() {
            while !self.code.offset().0.is_multiple_of(8) {
                self.code.push(0);
            }
        }
        for (bits, label) in std::mem::take(&mut self.constants) {
            dynasm!(self.code ; .arch x64 ; =>label);
            self.code.push_u64(bits);
        }
    }

    fn bytes(mut self) -> Result<MachineCode, CompileError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let failed = |error: dynasmrt::DynasmError| CompileError::from(Broken::Backend(error.to_string()));
        let mut words = Vec::new();
        for (table, labels) in std::mem::take(&mut self.tables) {
            for (index, label) in labels.into_iter().enumerate() {
                let target = self.code.labels().resolve_dynamic(label).map_err(failed)?.0;
                words.push((table + 4 * index, (target as i64 - table as i64) as i32));
            }
        }
        let mut bytes = self.code.finalize().map_err(failed)?;
        for (at, word) in words {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        // Of several at the same place the last one holds.
        self.origins.dedup_by(|later, earlier| {
            let same = later.start == earlier.start;
            if same {
                *earlier = *later;
            }
            same
        });
        Ok(MachineCode { bytes, origins: self.origins })
    }

    /// To a multiple of 16, by as few instructions as are easy.
    fn align(&mut self) {
        let mut missing = self.code.offset().0.wrapping_neg() % 16;
        while missing > 0 {
            let nop: &[u8] = match missing {
                1 => &[0x90],
                2 => &[0x66, 0x90],
                3 => &[0x0f, 0x1f, 0x00],
                4 | 5 => &[0x0f, 0x1f, 0x40, 0x00],
                _ => &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
            };
            self.code.extend(nop);
            missing -= nop.len();
        }
    }

    /// The label of a float constant.
    pub(crate) fn pool(&mut self, bits: u64) -> DynamicLabel {
        let recent = self.constants.iter().rev().take(32).find(|constant| constant.0 == bits);
        if let Some(&(_, label)) = recent {
            return label;
        }
        let label = self.code.new_dynamic_label();
        self.constants.push((bits, label));
        label
    }

    // ---- instructions ----

    fn inst(&mut self, inst: Inst, next: Option<u32>) {
        match inst {
            Inst::Nop => {}
            Inst::Binary { op, result, a, b } => self.binary(op, result, a, b),
            Inst::MultiplyHigh { result, a, b } => self.multiply_high(result, a, b),
            Inst::Unary { op, result, a } => self.unary(op, result, a),
            Inst::Compare { cond, result, a, b } => self.compare(cond, result, a, b),
            Inst::Select { result, cond, a, b } => self.select(result, cond, a, b),
            Inst::Load { mem, result, base, offset, .. } => self.load(mem, result, base, offset),
            Inst::Store { mem, base, offset, value } => self.store(mem, base, offset, value),
            Inst::AddMemory { base, offset, amount } => self.add_memory(base, offset, amount),
            Inst::Call { call } => self.call(self.recording.calls[call as usize]),
            Inst::Overflow { op, result, a, b, leaving } => {
                let op = match op {
                    OverflowOp::Add => Alu::Add,
                    OverflowOp::Sub => Alu::Sub,
                    OverflowOp::Mul => Alu::Mul,
                };
                self.alu(op, result, a, b, true);
                let label = self.labels[leaving as usize];
                dynasm!(self.code ; .arch x64 ; jo =>label);
            }
            Inst::Guard { cond, a, b, leaving } => {
                let code = self.test(cond, a, b);
                self.jump_if(code.not(), self.labels[leaving as usize]);
            }
            Inst::GuardMemory { cond, mem, base, offset, b, leaving } => {
                self.compare_memory(mem, base, offset, b);
                self.jump_if(code(cond).0.not(), self.labels[leaving as usize]);
            }
            Inst::Jump { edge } => {
                self.edge_moves(edge);
                self.jump_unless_next(edge, next);
            }
            Inst::Branch { cond, a, b, edges } => {
                let code = self.test(cond, a, b);
                self.branch(code, edges, next);
            }
            Inst::BranchMemory { cond, mem, base, offset, b, edges } => {
                self.compare_memory(mem, base, offset, b);
                self.branch(code(cond).0, edges, next);
            }
            Inst::BranchAdd { base, offset, amount, edges } => {
                self.add_memory(base, offset, amount);
                self.branch(Code::Ne, edges, next);
            }
            Inst::Switch { value, edges, cases } => self.switch(value, edges, cases),
            Inst::Return { status } => {
                self.int_into(RAX, status);
                match self.epilogue {
                    Some(label) => dynasm!(self.code ; .arch x64 ; jmp =>label),
                    None => {
                        let label = self.code.new_dynamic_label();
                        self.epilogue = Some(label);
                        dynasm!(self.code ; .arch x64 ; =>label);
                        self.epilogue();
                    }
                }
            }
            Inst::Unreachable => dynasm!(self.code ; .arch x64 ; ud2),
        }
    }

    fn binary(&mut self, op: BinOp, result: Operand, a: Operand, b: Operand) {
        match op {
            BinOp::Add => self.alu(Alu::Add, result, a, b, false),
            BinOp::Sub => self.alu(Alu::Sub, result, a, b, false),
            BinOp::Mul => self.alu(Alu::Mul, result, a, b, false),
            BinOp::And => self.alu(Alu::And, result, a, b, false),
            BinOp::Or => self.alu(Alu::Or, result, a, b, false),
            BinOp::Xor => self.alu(Alu::Xor, result, a, b, false),
            BinOp::Shl | BinOp::AShr | BinOp::LShr => self.shift(op, result, a, b),
            BinOp::SDiv | BinOp::SRem => self.divide(op, result, a, b),
            BinOp::FAdd | BinOp::FSub | BinOp::FMul | BinOp::FDiv => self.float_binary(op, result, a, b),
        }
    }

    /// `flags`: those of the operation are looked at.
    fn alu(&mut self, op: Alu, result: Operand, a: Operand, b: Operand, flags: bool) {
        let d = self.target_int(result);
        let (mut a, mut b) = (a, b);
        let commutes = op != Alu::Sub;
        if commutes && !self.is_const(b) && (self.is_const(a) || self.place(b) == Place::Int(d)) {
            (a, b) = (b, a);
        }
        let source = self.source(b);
        let first = self.place(a);
        match (op, source, first) {
            (Alu::Add, Source::Immediate(value), Place::Int(r)) if !flags && r != d => {
                memory!(self; r, value; (lea Rq(d),) ());
            }
            (Alu::Mul, Source::Immediate(value), _) => {
                let r = self.int(a, RAX);
                match i8::try_from(value) {
                    Ok(value) => dynasm!(self.code ; .arch x64 ; imul Rq(d), Rq(r), BYTE value),
                    Err(_) => dynasm!(self.code ; .arch x64 ; imul Rq(d), Rq(r), DWORD value),
                }
            }
            _ => {
                // Where the second operand sits in the target, the result is made elsewhere.
                let clash = source == Source::Register(d) && first != Place::Int(d);
                let at = if clash { RAX } else { d };
                self.mov(Place::Int(at), first);
                match op {
                    Alu::Add => with_source!(self, add, at, source),
                    Alu::Sub => with_source!(self, sub, at, source),
                    Alu::And => with_source!(self, and, at, source),
                    Alu::Or => with_source!(self, or, at, source),
                    Alu::Xor => with_source!(self, xor, at, source),
                    Alu::Mul => match source {
                        Source::Register(s) => dynasm!(self.code ; .arch x64 ; imul Rq(at), Rq(s)),
                        Source::Slot(slot) => slot!(self; slot; (imul Rq(at),) ()),
                        Source::Immediate(value) => dynasm!(self.code ; .arch x64 ; imul Rq(at), Rq(at), DWORD value),
                    },
                }
                return self.made(result, at);
            }
        }
        self.made(result, d);
    }

    fn shift(&mut self, op: BinOp, result: Operand, a: Operand, b: Operand) {
        let d = self.target_int(result);
        if let Some(count) = self.recording.immediate(b) {
            let count = (count & 63) as i8;
            self.int_into(d, a);
            match op {
                BinOp::Shl => dynasm!(self.code ; .arch x64 ; shl Rq(d), BYTE count),
                BinOp::AShr => dynasm!(self.code ; .arch x64 ; sar Rq(d), BYTE count),
                _ => dynasm!(self.code ; .arch x64 ; shr Rq(d), BYTE count),
            }
        } else {
            self.int_into(RCX, b);
            self.int_into(d, a);
            match op {
                BinOp::Shl => dynasm!(self.code ; .arch x64 ; shl Rq(d), cl),
                BinOp::AShr => dynasm!(self.code ; .arch x64 ; sar Rq(d), cl),
                _ => dynasm!(self.code ; .arch x64 ; shr Rq(d), cl),
            }
        }
        self.made(result, d);
    }

    /// An operand of the instructions that take a register or memory beside `rax`.
    fn factor(&mut self, value: Operand) -> Source {
        match self.place(value) {
            Place::Word(_) => {
                self.int_into(RCX, value);
                Source::Register(RCX)
            }
            _ => self.source(value),
        }
    }

    /// `rdx`, which is about to be written, may hold a value of somebody else.
    fn keep_rdx(&mut self, result: Operand) -> bool {
        let keep = self.place(result) != Place::Int(RDX) && self.recording.scan.given(INT) & 1 << RDX != 0;
        if keep {
            dynasm!(self.code ; .arch x64 ; push rdx);
        }
        keep
    }

    /// Brings home what stands in `rax` or `rdx`.
    fn made_beside(&mut self, result: Operand, register: u8, keep: bool) {
        if keep {
            self.copy(RAX, register);
            dynasm!(self.code ; .arch x64 ; pop rdx);
            return self.made(result, RAX);
        }
        self.made(result, register);
    }

    fn multiply_high(&mut self, result: Operand, a: Operand, b: Operand) {
        let factor = self.factor(a);
        self.int_into(RAX, b);
        let keep = self.keep_rdx(result);
        match factor {
            Source::Slot(at) => slot!(self; at; (imul QWORD) ()),
            Source::Register(r) => dynasm!(self.code ; .arch x64 ; imul Rq(r)),
            Source::Immediate(_) => self.broken("a factor that is a constant"),
        }
        self.made_beside(result, RDX, keep);
    }

    fn divide(&mut self, op: BinOp, result: Operand, a: Operand, b: Operand) {
        let mut divisor = self.factor(b);
        if divisor == Source::Register(RDX) {
            self.copy(RCX, RDX);
            divisor = Source::Register(RCX);
        }
        self.int_into(RAX, a);
        let keep = self.keep_rdx(result);
        dynasm!(self.code ; .arch x64 ; cqo);
        match divisor {
            Source::Slot(at) => slot!(self; at; (idiv QWORD) ()),
            Source::Register(r) => dynasm!(self.code ; .arch x64 ; idiv Rq(r)),
            Source::Immediate(_) => self.broken("a divisor that is a constant"),
        }
        self.made_beside(result, if op == BinOp::SRem { RDX } else { RAX }, keep);
    }

    fn float_binary(&mut self, op: BinOp, result: Operand, a: Operand, b: Operand) {
        let d = self.target_float(result);
        let (mut a, mut b) = (a, b);
        if matches!(op, BinOp::FAdd | BinOp::FMul) && self.place(b) == Place::Float(d) {
            (a, b) = (b, a);
        }
        let (first, source) = (self.place(a), self.place(b));
        let at = if source == Place::Float(d) && first != Place::Float(d) { XMM15 } else { d };
        self.mov(Place::Float(at), first);
        match op {
            BinOp::FAdd => with_float!(self, addsd, at, source),
            BinOp::FSub => with_float!(self, subsd, at, source),
            BinOp::FMul => with_float!(self, mulsd, at, source),
            _ => with_float!(self, divsd, at, source),
        }
        self.made(result, at);
    }

    fn unary(&mut self, op: UnOp, result: Operand, a: Operand) {
        match op {
            UnOp::Neg | UnOp::Not => {
                let d = self.target_int(result);
                self.int_into(d, a);
                if op == UnOp::Neg {
                    dynasm!(self.code ; .arch x64 ; neg Rq(d));
                } else {
                    dynasm!(self.code ; .arch x64 ; not Rq(d));
                }
                self.made(result, d);
            }
            UnOp::FNeg | UnOp::FAbs => {
                let (d, r) = (self.target_float(result), self.float(a));
                let mask = self.pool(if op == UnOp::FNeg { SIGN } else { !SIGN });
                // The mask goes to `xmm15` unless the operand is there.
                let (at, by) = if r == XMM15 { (XMM15, d) } else { (d, XMM15) };
                if at == by {
                    // The result goes to memory, where the operand may be as well: by way of an integer.
                    dynasm!(self.code ; .arch x64 ; movq rax, Rx(r));
                    if op == UnOp::FNeg {
                        dynasm!(self.code ; .arch x64 ; btc rax, 63);
                    } else {
                        dynasm!(self.code ; .arch x64 ; btr rax, 63);
                    }
                    let to = self.place(result);
                    return self.mov(to, Place::Int(RAX));
                }
                dynasm!(self.code ; .arch x64 ; movsd Rx(by), [=>mask]);
                self.copy_float(at, r);
                if op == UnOp::FNeg {
                    dynasm!(self.code ; .arch x64 ; xorps Rx(at), Rx(by));
                } else {
                    dynasm!(self.code ; .arch x64 ; andps Rx(at), Rx(by));
                }
                self.made(result, at);
            }
            UnOp::FSqrt => {
                let (d, r) = (self.target_float(result), self.float(a));
                dynasm!(self.code ; .arch x64 ; sqrtsd Rx(d), Rx(r));
                self.made(result, d);
            }
            UnOp::FFloor => {
                let (d, r) = (self.target_float(result), self.float(a));
                dynasm!(self.code ; .arch x64 ; roundsd Rx(d), Rx(r), BYTE 1);
                self.made(result, d);
            }
            UnOp::IntToFloat => {
                let (d, r) = (self.target_float(result), self.int(a, RAX));
                // Makes the result independent of what the register held.
                dynasm!(self.code ; .arch x64 ; xorps Rx(d), Rx(d) ; cvtsi2sd Rx(d), Rq(r));
                self.made(result, d);
            }
            UnOp::FloatToInt => {
                let (d, r) = (self.target_int(result), self.float(a));
                dynasm!(self.code ; .arch x64 ; cvttsd2si Rq(d), Rx(r));
                self.made(result, d);
            }
            UnOp::BitsToFloat => {
                let r = self.int(a, RAX);
                let to = self.place(result);
                self.mov(to, Place::Int(r));
            }
            UnOp::FloatToBits => {
                let r = self.float(a);
                let to = self.place(result);
                self.mov(to, Place::Float(r));
            }
            UnOp::Cast(_) => self.broken("a cast is no instruction"),
        }
    }

    // ---- conditions ----

    /// Sets the flags; gives the code under which the condition holds.
    fn test(&mut self, cond: Cond, a: Operand, b: Operand) -> Code {
        let (code, swap) = code(cond);
        if is_float(cond) {
            let (a, b) = if swap { (b, a) } else { (a, b) };
            let r = self.float(a);
            let source = self.place(b);
            with_float!(self, ucomisd, r, source);
            return code;
        }
        let zero = self.recording.immediate(b) == Some(0);
        match (self.place(a), self.recording.immediate(b)) {
            (Place::Int(r), _) if zero => dynasm!(self.code ; .arch x64 ; test Rq(r), Rq(r)),
            (Place::Slot(at), Some(value)) => slot!(self; at; (cmp QWORD) (, DWORD value)),
            _ => {
                let r = self.int(a, RAX);
                let source = self.source(b);
                self.compare_ints(r, source);
            }
        }
        code
    }

    fn compare_ints(&mut self, r: u8, source: Source) {
        match source {
            Source::Register(s) => dynasm!(self.code ; .arch x64 ; cmp Rq(r), Rq(s)),
            Source::Slot(at) => slot!(self; at; (cmp Rq(r),) ()),
            Source::Immediate(value) => match i8::try_from(value) {
                // `dynasm` knows only the long form.
                Ok(value) => self.code.extend([0x48 | r >> 3, 0x83, 0xf8 | r & 7, value.cast_unsigned()]),
                Err(_) => dynasm!(self.code ; .arch x64 ; cmp Rq(r), DWORD value),
            },
        }
    }

    fn jump_if(&mut self, code: Code, label: DynamicLabel) {
        match code {
            Code::B => dynasm!(self.code ; .arch x64 ; jb =>label),
            Code::Ae => dynasm!(self.code ; .arch x64 ; jae =>label),
            Code::E => dynasm!(self.code ; .arch x64 ; je =>label),
            Code::Ne => dynasm!(self.code ; .arch x64 ; jne =>label),
            Code::Be => dynasm!(self.code ; .arch x64 ; jbe =>label),
            Code::A => dynasm!(self.code ; .arch x64 ; ja =>label),
            Code::L => dynasm!(self.code ; .arch x64 ; jl =>label),
            Code::Ge => dynasm!(self.code ; .arch x64 ; jge =>label),
            Code::Le => dynasm!(self.code ; .arch x64 ; jle =>label),
            Code::G => dynasm!(self.code ; .arch x64 ; jg =>label),
            Code::FloatE => {
                let past = self.code.new_dynamic_label();
                dynasm!(self.code ; .arch x64 ; jp =>past ; je =>label ; =>past);
            }
            Code::FloatNe => dynasm!(self.code ; .arch x64 ; jne =>label ; jp =>label),
        }
    }

    fn compare(&mut self, cond: Cond, result: Operand, a: Operand, b: Operand) {
        let code = self.test(cond, a, b);
        match code {
            Code::B => dynasm!(self.code ; .arch x64 ; setb al),
            Code::Ae => dynasm!(self.code ; .arch x64 ; setae al),
            Code::E => dynasm!(self.code ; .arch x64 ; sete al),
            Code::Ne => dynasm!(self.code ; .arch x64 ; setne al),
            Code::Be => dynasm!(self.code ; .arch x64 ; setbe al),
            Code::A => dynasm!(self.code ; .arch x64 ; seta al),
            Code::L => dynasm!(self.code ; .arch x64 ; setl al),
            Code::Ge => dynasm!(self.code ; .arch x64 ; setge al),
            Code::Le => dynasm!(self.code ; .arch x64 ; setle al),
            Code::G => dynasm!(self.code ; .arch x64 ; setg al),
            Code::FloatE => dynasm!(self.code ; .arch x64 ; sete al ; setnp cl ; and al, cl),
            Code::FloatNe => dynasm!(self.code ; .arch x64 ; setne al ; setp cl ; or al, cl),
        }
        let d = self.target_int(result);
        dynasm!(self.code ; .arch x64 ; movzx Rd(d), al);
        self.made(result, d);
    }

    fn select(&mut self, result: Operand, cond: Operand, a: Operand, b: Operand) {
        let c = self.int(cond, RAX);
        dynasm!(self.code ; .arch x64 ; test Rq(c), Rq(c));
        if self.recording.data(result).kind.is_float() {
            let other = self.code.new_dynamic_label();
            let done = self.code.new_dynamic_label();
            dynasm!(self.code ; .arch x64 ; je =>other);
            self.float_into(XMM15, a);
            dynasm!(self.code ; .arch x64 ; jmp =>done ; =>other);
            self.float_into(XMM15, b);
            dynasm!(self.code ; .arch x64 ; =>done);
            return self.made(result, XMM15);
        }
        // Moves leave the flags alone.
        let a = self.int(a, RCX);
        let d = match self.place(result) {
            Place::Int(d) if d != a => d,
            _ => RAX,
        };
        self.int_into(d, b);
        dynasm!(self.code ; .arch x64 ; cmovne Rq(d), Rq(a));
        self.made(result, d);
    }

    // ---- memory ----

    fn load(&mut self, mem: MemTy, result: Operand, base: Operand, offset: i32) {
        let base = self.int(base, RAX);
        if mem == MemTy::F64 {
            let d = self.target_float(result);
            memory!(self; base, offset; (movsd Rx(d),) ());
            return self.made(result, d);
        }
        let d = self.target_int(result);
        match mem {
            MemTy::U8 => memory!(self; base, offset; (movzx Rd(d), BYTE) ()),
            MemTy::I8 => memory!(self; base, offset; (movsx Rq(d), BYTE) ()),
            MemTy::U16 => memory!(self; base, offset; (movzx Rd(d), WORD) ()),
            MemTy::I16 => memory!(self; base, offset; (movsx Rq(d), WORD) ()),
            MemTy::U32 => memory!(self; base, offset; (mov Rd(d),) ()),
            MemTy::I32 => memory!(self; base, offset; (movsxd Rq(d), DWORD) ()),
            MemTy::I64 | MemTy::Ptr | MemTy::F64 => memory!(self; base, offset; (mov Rq(d),) ()),
        }
        self.made(result, d);
    }

    fn store(&mut self, mem: MemTy, base: Operand, offset: i32, value: Operand) {
        let base = self.int(base, RAX);
        let data = self.recording.data(value);
        let word = matches!(mem, MemTy::I64 | MemTy::Ptr | MemTy::F64);
        match (self.place(value), i32::try_from(data.bits.cast_signed())) {
            (Place::Float(r), _) => memory!(self; base, offset; (movsd) (, Rx(r))),
            (Place::Word(_) | Place::Bits(_), Ok(value)) if word => {
                memory!(self; base, offset; (mov QWORD) (, DWORD value));
            }
            (place, _) => {
                let r = match place {
                    Place::Int(r) => r,
                    Place::Bits(bits) => {
                        self.int_const(RCX, bits.cast_signed());
                        RCX
                    }
                    other => {
                        self.mov(Place::Int(RCX), other);
                        RCX
                    }
                };
                match mem {
                    MemTy::U8 | MemTy::I8 => memory!(self; base, offset; (mov) (, Rb(r))),
                    MemTy::U16 | MemTy::I16 => memory!(self; base, offset; (mov) (, Rw(r))),
                    MemTy::U32 | MemTy::I32 => memory!(self; base, offset; (mov) (, Rd(r))),
                    MemTy::I64 | MemTy::Ptr | MemTy::F64 => memory!(self; base, offset; (mov) (, Rq(r))),
                }
            }
        }
    }

    fn add_memory(&mut self, base: Operand, offset: i32, amount: i32) {
        let base = self.int(base, RAX);
        match amount {
            1 => memory!(self; base, offset; (inc QWORD) ()),
            -1 => memory!(self; base, offset; (dec QWORD) ()),
            _ => memory!(self; base, offset; (add QWORD) (, DWORD amount)),
        }
    }

    fn compare_memory(&mut self, mem: MemTy, base: Operand, offset: i32, b: Operand) {
        let base = self.int(base, RAX);
        match mem {
            MemTy::U8 | MemTy::I8 => return memory!(self; base, offset; (cmp BYTE) (, BYTE 0)),
            MemTy::U16 | MemTy::I16 => return memory!(self; base, offset; (cmp WORD) (, BYTE 0)),
            MemTy::U32 | MemTy::I32 => return memory!(self; base, offset; (cmp DWORD) (, BYTE 0)),
            MemTy::I64 | MemTy::Ptr | MemTy::F64 => {}
        }
        if let Some(value) = self.recording.immediate(b) {
            return memory!(self; base, offset; (cmp QWORD) (, DWORD value));
        }
        let r = self.int(b, RCX);
        memory!(self; base, offset; (cmp) (, Rq(r)));
    }

    // ---- control ----

    fn target(&self, edge: u32) -> DynamicLabel {
        self.labels[self.recording.edges[edge as usize].block as usize]
    }

    fn collect_moves(&mut self, edge: u32) -> ParallelMoves<Place> {
        let recording = self.recording;
        let mut moves = std::mem::take(&mut self.moves);
        for (param, arg) in recording.edge_args(edge) {
            if recording.data(param).uses > 0 {
                moves.add(self.place(param), self.place(arg));
            }
        }
        moves
    }

    fn edge_moves(&mut self, edge: u32) {
        let mut moves = self.collect_moves(edge);
        self.resolve(&mut moves);
        self.moves = moves;
    }

    fn has_moves(&mut self, edge: u32) -> bool {
        let recording = self.recording;
        recording
            .edge_args(edge)
            .any(|(param, arg)| recording.data(param).uses > 0 && self.place(param) != self.place(arg))
    }

    fn jump_unless_next(&mut self, edge: u32, next: Option<u32>) {
        if next != Some(self.recording.edges[edge as usize].block) {
            let label = self.target(edge);
            dynasm!(self.code ; .arch x64 ; jmp =>label);
        }
    }

    /// Where an edge that is taken by a jump begins: at its block, or at a stub with its moves.
    fn entrance(&mut self, edge: u32) -> DynamicLabel {
        if !self.has_moves(edge) {
            return self.target(edge);
        }
        let label = self.code.new_dynamic_label();
        self.stubs.push((label, edge));
        label
    }

    fn branch(&mut self, code: Code, edges: u32, next: Option<u32>) {
        let recording = self.recording;
        let block = |edge: u32| recording.edges[edge as usize].block;
        let cold = |edge: u32| recording.blocks[block(edge) as usize].cold;
        let (then, otherwise) = (edges, edges + 1);
        // The edge that follows in line: what comes next, else the likelier one, else the one with moves.
        let then_in_line = if next == Some(block(otherwise)) {
            false
        } else if next == Some(block(then)) || cold(otherwise) && !cold(then) {
            true
        } else {
            self.has_moves(then) && !cold(then)
        };
        let (code, away, in_line) = if then_in_line { (code.not(), otherwise, then) } else { (code, then, otherwise) };
        if self.has_moves(away) && !cold(away) {
            // Both are likely: the moves stand here, and are jumped over.
            let past = self.code.new_dynamic_label();
            self.jump_if(code.not(), past);
            self.edge_moves(away);
            let label = self.target(away);
            dynasm!(self.code ; .arch x64 ; jmp =>label ; =>past);
        } else {
            let label = self.entrance(away);
            self.jump_if(code, label);
        }
        self.edge_moves(in_line);
        self.jump_unless_next(in_line, next);
    }

    fn switch(&mut self, value: Operand, edges: u32, cases: u32) {
        let r = self.int(value, RAX);
        if cases <= CHAIN {
            for case in 0..cases {
                let label = self.entrance(edges + case);
                self.compare_ints(r, Source::Immediate(case.cast_signed()));
                dynasm!(self.code ; .arch x64 ; je =>label);
            }
            let label = self.entrance(edges + cases);
            return dynasm!(self.code ; .arch x64 ; jmp =>label);
        }
        let default = self.entrance(edges + cases);
        let table = self.code.new_dynamic_label();
        dynasm!(self.code
            ; .arch x64
            ; cmp Rq(r), DWORD cases.cast_signed()
            ; jae =>default
            ; lea rcx, [=>table]
            ; movsxd rax, DWORD [rcx + 4 * Rq(r)]
            ; add rax, rcx
            ; jmp rax
            ; =>table
        );
        let at = self.code.offset().0;
        let targets = (0..cases).map(|case| self.entrance(edges + case)).collect();
        for _ in 0..cases {
            self.code.push_i32(0);
        }
        self.tables.push((at, targets));
    }
}
