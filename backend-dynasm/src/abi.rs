//! Registers, the frame, operands, moves between places, and calls, by the System V convention.
//!
//! *Method*: `rbp` stands at the frame's top; below it are the saved registers, the values' slots, the places of what rarely
//! executed calls save, and at the bottom the outgoing arguments. `rax`, `rcx` and `xmm15` are never given to a value: they
//! carry what one instruction needs. *Invariants*: nothing is kept below `rsp`; `rsp` is a multiple of 16 at every call; flags
//! survive no move.

use columba_jit_core::emitter::Parameter;
use columba_jit_core::registers::moves::ParallelMoves;
use columba_jit_core::registers::scan::{Class, Home};
use dynasmrt::{DynasmApi, DynasmLabelApi, dynasm};

use crate::finish::{Encoder, slot};
use crate::values::{CallData, Kind, Operand, Recording};

/// Number of parameters of a compiled function.
pub(crate) const PARAMETERS: usize = 5;

pub(crate) fn parameter_index(parameter: Parameter) -> usize {
    match parameter {
        Parameter::Ctx => 0,
        Parameter::ThreadState => 1,
        Parameter::Frame => 2,
        Parameter::Out => 3,
        Parameter::Entry => 4,
    }
}

pub(crate) const RAX: u8 = 0;
pub(crate) const RCX: u8 = 1;
pub(crate) const RDX: u8 = 2;
pub(crate) const XMM15: u8 = 15;

/// `rdi rsi rdx rcx r8 r9`.
pub(crate) const ARGUMENT_REGISTERS: [u8; 6] = [7, 6, 2, 1, 8, 9];
/// So many floats go in registers, the first ones in order.
pub(crate) const FLOAT_ARGUMENTS: u8 = 8;
pub(crate) const PARAMETER_REGISTERS: [u8; PARAMETERS] = [7, 6, 2, 1, 8];

/// Classes of registers.
pub(crate) const INT: usize = 0;
pub(crate) const FLOAT: usize = 1;

pub(crate) const CLASSES: [Class; 2] = [
    Class {
        registers: &[6, 7, 8, 9, 10, 11, 2, 3, 14, 15, 13, 12],
        kept: 1 << 3 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15,
    },
    Class { registers: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], kept: 0 },
];

/// Where something stands, or what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Int(u8),
    Float(u8),
    /// In memory, relative to `rbp`.
    Slot(i32),
    /// Constants.
    Word(i64),
    Bits(u64),
}

/// The second operand of an integer instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Register(u8),
    Slot(i32),
    Immediate(i32),
}

/// What saves a place's content while a cycle of moves is cut.
fn temporary(place: Place) -> Place {
    match place {
        Place::Float(_) => Place::Float(XMM15),
        _ => Place::Int(RAX),
    }
}

/// How the frame is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Frame {
    /// Bits of the registers to be restored.
    pub kept: u32,
    /// Values' slots.
    pub slots: u32,
    /// Bits of the registers, by class, that some rarely executed call saves.
    pub saved: [u32; 2],
    /// Most words of outgoing arguments.
    pub outgoing: u32,
}

impl Frame {
    pub(crate) fn slot(&self, slot: u32) -> i32 {
        -8 * (self.kept.count_ones() + slot + 1) as i32
    }

    fn save(&self, class: usize, register: u8) -> i32 {
        let below = (self.saved[class] & ((1 << register) - 1)).count_ones();
        let before = if class == FLOAT { self.saved[INT].count_ones() } else { 0 };
        self.slot(self.slots + before + below)
    }

    pub(crate) fn size(&self) -> u32 {
        let saved = self.saved[INT].count_ones() + self.saved[FLOAT].count_ones();
        (8 * (self.kept.count_ones() + self.slots + saved + self.outgoing)).next_multiple_of(16)
    }
}

fn registers(bits: u32) -> impl Iterator<Item = u8> {
    (0..32u8).filter(move |r| bits & (1 << r) != 0)
}

impl Encoder<'_> {
    pub(crate) fn prologue(&mut self) {
        dynasm!(self.code ; .arch x64 ; push rbp ; mov rbp, rsp);
        let size = self.frame.size().cast_signed();
        if size > 0 {
            dynasm!(self.code ; .arch x64 ; sub rsp, size);
        }
        for (index, r) in registers(self.frame.kept).enumerate() {
            self.store_slot(-8 * (index as i32 + 1), r);
        }
        let mut moves = std::mem::take(&mut self.moves);
        for (index, value) in self.recording.parameters.iter().enumerate() {
            if let Some(value) = value.filter(|value| self.recording.data(*value).uses > 0) {
                moves.add(self.place(value), Place::Int(PARAMETER_REGISTERS[index]));
            }
        }
        self.resolve(&mut moves);
        self.moves = moves;
    }

    pub(crate) fn epilogue(&mut self) {
        for (index, r) in registers(self.frame.kept).enumerate() {
            self.load_slot(r, -8 * (index as i32 + 1));
        }
        dynasm!(self.code ; .arch x64 ; leave ; ret);
    }

    pub(crate) fn call(&mut self, call: CallData) {
        let recording = self.recording;
        for r in registers(call.saved[INT]) {
            self.store_slot(self.frame.save(INT, r), r);
        }
        for r in registers(call.saved[FLOAT]) {
            self.mov(Place::Slot(self.frame.save(FLOAT, r)), Place::Float(r));
        }
        let mut moves = std::mem::take(&mut self.moves);
        // What goes on the stack first: it may use the registers between.
        for (at, arg) in Arguments::of(call, recording) {
            if let Passed::Stack(index) = at {
                self.pass_on_stack(index, arg);
            }
        }
        for (at, arg) in Arguments::of(call, recording) {
            match at {
                Passed::Int(r) => moves.add(Place::Int(r), self.place(arg)),
                Passed::Float(r) => moves.add(Place::Float(r), self.place(arg)),
                Passed::Stack(_) => {}
            }
        }
        self.resolve(&mut moves);
        self.moves = moves;
        self.int_const(RAX, call.callee.cast_signed());
        dynasm!(self.code ; .arch x64 ; call rax);
        if let Some(result) = call.result.filter(|&value| recording.data(value).uses > 0) {
            let from = if recording.data(result).kind.is_float() { Place::Float(0) } else { Place::Int(RAX) };
            let to = self.place(result);
            self.mov(to, from);
        }
        for r in registers(call.saved[INT]) {
            self.load_slot(r, self.frame.save(INT, r));
        }
        for r in registers(call.saved[FLOAT]) {
            self.mov(Place::Float(r), Place::Slot(self.frame.save(FLOAT, r)));
        }
    }

    fn pass_on_stack(&mut self, index: u32, arg: Operand) {
        let at = 8 * index.cast_signed();
        match self.place(arg) {
            Place::Int(r) => dynasm!(self.code ; .arch x64 ; mov [rsp + at], Rq(r)),
            Place::Float(r) => dynasm!(self.code ; .arch x64 ; movsd [rsp + at], Rx(r)),
            other => {
                self.mov(
                    Place::Int(RAX),
                    if let Place::Bits(bits) = other { Place::Word(bits.cast_signed()) } else { other },
                );
                dynasm!(self.code ; .arch x64 ; mov [rsp + at], rax);
            }
        }
    }

    // ---- operands ----

    pub(crate) fn place(&mut self, value: Operand) -> Place {
        let data = self.recording.data(value);
        match (data.kind, self.recording.scan.home(value.0)) {
            (Kind::IntConst, _) => Place::Word(data.bits.cast_signed()),
            (Kind::FloatConst, _) => Place::Bits(data.bits),
            (_, Home::Slot(slot)) => Place::Slot(self.frame.slot(slot)),
            (Kind::Int, Home::Register(r)) => Place::Int(r),
            (Kind::Float, Home::Register(r)) => Place::Float(r),
            (_, Home::None) => {
                self.broken("a value that is used where its definition does not dominate");
                Place::Word(0)
            }
        }
    }

    /// A register that holds an integer: its own or `scratch`.
    pub(crate) fn int(&mut self, value: Operand, scratch: u8) -> u8 {
        match self.place(value) {
            Place::Int(r) => r,
            other => {
                self.mov(Place::Int(scratch), other);
                scratch
            }
        }
    }

    pub(crate) fn int_into(&mut self, register: u8, value: Operand) {
        let place = self.place(value);
        self.mov(Place::Int(register), place);
    }

    pub(crate) fn float_into(&mut self, register: u8, value: Operand) {
        let place = self.place(value);
        self.mov(Place::Float(register), place);
    }

    /// A register that holds a float: its own or `xmm15`.
    pub(crate) fn float(&mut self, value: Operand) -> u8 {
        match self.place(value) {
            Place::Float(r) => r,
            other => {
                self.mov(Place::Float(XMM15), other);
                XMM15
            }
        }
    }

    /// An operand as it may stand in an instruction; large constants go through `rcx`.
    pub(crate) fn source(&mut self, value: Operand) -> Source {
        match self.place(value) {
            Place::Int(r) => Source::Register(r),
            Place::Slot(at) => Source::Slot(at),
            other => match self.recording.immediate(value) {
                Some(value) => Source::Immediate(value),
                None => {
                    self.mov(Place::Int(RCX), other);
                    Source::Register(RCX)
                }
            },
        }
    }

    pub(crate) fn is_const(&self, value: Operand) -> bool {
        self.recording.data(value).kind.is_const()
    }

    /// The register in which a result is made; [`Encoder::made`] brings it home.
    pub(crate) fn target_int(&mut self, result: Operand) -> u8 {
        match self.place(result) {
            Place::Int(r) => r,
            _ => RAX,
        }
    }

    pub(crate) fn target_float(&mut self, result: Operand) -> u8 {
        match self.place(result) {
            Place::Float(r) => r,
            _ => XMM15,
        }
    }

    /// Leaves the flags alone.
    pub(crate) fn made(&mut self, result: Operand, register: u8) {
        let to = self.place(result);
        self.mov(
            to,
            if self.recording.data(result).kind.is_float() { Place::Float(register) } else { Place::Int(register) },
        );
    }

    // ---- moves ----

    pub(crate) fn resolve(&mut self, moves: &mut ParallelMoves<Place>) {
        if !moves.is_empty() {
            moves.resolve(temporary, |to, from| self.mov(to, from));
        }
    }

    /// Moves 8 bytes.
    pub(crate) fn mov(&mut self, to: Place, from: Place) {
        match (to, from) {
            (Place::Int(d), Place::Int(s)) => self.copy(d, s),
            (Place::Int(d), Place::Slot(at)) => self.load_slot(d, at),
            (Place::Int(d), Place::Word(value)) => self.int_const(d, value),
            (Place::Int(d), Place::Float(s)) => dynasm!(self.code ; .arch x64 ; movq Rq(d), Rx(s)),
            (Place::Float(d), Place::Float(s)) => self.copy_float(d, s),
            (Place::Float(d), Place::Slot(at)) => slot!(self; at; (movsd Rx(d),) ()),
            (Place::Float(d), Place::Bits(0)) => dynasm!(self.code ; .arch x64 ; xorps Rx(d), Rx(d)),
            (Place::Float(d), Place::Bits(bits)) => {
                let label = self.pool(bits);
                dynasm!(self.code ; .arch x64 ; movsd Rx(d), [=>label]);
            }
            (Place::Float(d), Place::Int(s)) => dynasm!(self.code ; .arch x64 ; movq Rx(d), Rq(s)),
            (Place::Slot(at), Place::Int(s)) => self.store_slot(at, s),
            (Place::Slot(at), Place::Float(s)) => slot!(self; at; (movsd) (, Rx(s))),
            (Place::Slot(at), Place::Slot(from)) => {
                self.load_slot(RCX, from);
                self.store_slot(at, RCX);
            }
            (Place::Slot(at), Place::Word(value)) => self.store_slot_const(at, value),
            (Place::Slot(at), Place::Bits(bits)) => self.store_slot_const(at, bits.cast_signed()),
            (Place::Int(_), Place::Bits(_)) | (Place::Float(_), Place::Word(_)) => {
                self.broken("a value of the wrong class");
            }
            (Place::Word(_) | Place::Bits(_), _) => self.broken("a move to a constant"),
        }
    }

    pub(crate) fn copy(&mut self, d: u8, s: u8) {
        if d != s {
            dynasm!(self.code ; .arch x64 ; mov Rq(d), Rq(s));
        }
    }

    pub(crate) fn copy_float(&mut self, d: u8, s: u8) {
        if d != s {
            dynasm!(self.code ; .arch x64 ; movaps Rx(d), Rx(s));
        }
    }

    /// Leaves the flags alone, unlike the usual way to make 0.
    pub(crate) fn int_const(&mut self, d: u8, value: i64) {
        if let Ok(value) = u32::try_from(value) {
            dynasm!(self.code ; .arch x64 ; mov Rd(d), DWORD value.cast_signed());
        } else if let Ok(value) = i32::try_from(value) {
            dynasm!(self.code ; .arch x64 ; mov Rq(d), DWORD value);
        } else {
            dynasm!(self.code ; .arch x64 ; mov Rq(d), QWORD value);
        }
    }

    fn store_slot_const(&mut self, at: i32, value: i64) {
        match i32::try_from(value) {
            Ok(value) => slot!(self; at; (mov QWORD) (, DWORD value)),
            Err(_) => {
                self.int_const(RCX, value);
                self.store_slot(at, RCX);
            }
        }
    }

    pub(crate) fn load_slot(&mut self, d: u8, at: i32) {
        slot!(self; at; (mov Rq(d),) ());
    }

    pub(crate) fn store_slot(&mut self, at: i32, s: u8) {
        slot!(self; at; (mov) (, Rq(s)));
    }
}

/// Where an argument is passed.
pub(crate) enum Passed {
    Int(u8),
    Float(u8),
    /// The word at this index from the stack pointer.
    Stack(u32),
}

/// The arguments of a call with their places.
pub(crate) struct Arguments<'a> {
    args: std::slice::Iter<'a, Operand>,
    recording: &'a Recording,
    ints: usize,
    floats: u8,
    pub words: u32,
}

impl<'a> Arguments<'a> {
    pub(crate) fn of(call: CallData, recording: &'a Recording) -> Self {
        Arguments { args: recording.call_args(call).iter(), recording, ints: 0, floats: 0, words: 0 }
    }
}

impl Iterator for Arguments<'_> {
    type Item = (Passed, Operand);

    fn next(&mut self) -> Option<(Passed, Operand)> {
        let arg = *self.args.next()?;
        if self.recording.data(arg).kind.is_float() {
            if self.floats < FLOAT_ARGUMENTS {
                self.floats += 1;
                return Some((Passed::Float(self.floats - 1), arg));
            }
        } else if let Some(&r) = ARGUMENT_REGISTERS.get(self.ints) {
            self.ints += 1;
            return Some((Passed::Int(r), arg));
        }
        self.words += 1;
        Some((Passed::Stack(self.words - 1), arg))
    }
}
