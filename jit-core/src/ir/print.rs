//! The text form of the IR; [`super::parse`] reads it back. The grammar is in `docs/ir.md`.
//!
//! *Problem*: every stage must be testable with text in and text out. *Method*: one line per instruction; whatever an
//! operation's type cannot be told from its name stands once, at the definition of its result. *Invariants*: for verified
//! functions `parse(print(f))` prints the same text; the text is the same in every run.

use super::function::{Function, Inst};
use super::op::{BinOp, Cond, Leave, Op, OverflowOp, Status, Symbol, Target, UnOp, Value};
use super::types::{MemTy, PyTypes, Ty};
use crate::exit::{Exit, Reason, Source};
use std::fmt::{Display, Formatter, Result, Write};

/// Names of an enum's variants in the text form, both ways.
macro_rules! names {
    ($ty:ty { $($variant:path => $name:literal),* $(,)? }) => {
        impl $ty {
            /// Name in the text form.
            pub fn text(&self) -> &'static str {
                match self { $($variant => $name),* }
            }

            /// The variant of a name.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($name => Some($variant),)* _ => None }
            }
        }
    };
}

names!(BinOp {
    BinOp::Add => "add", BinOp::Sub => "sub", BinOp::Mul => "mul", BinOp::And => "and", BinOp::Or => "or",
    BinOp::Xor => "xor", BinOp::Shl => "shl", BinOp::AShr => "ashr", BinOp::LShr => "lshr", BinOp::SDiv => "sdiv",
    BinOp::SRem => "srem", BinOp::FAdd => "fadd", BinOp::FSub => "fsub", BinOp::FMul => "fmul", BinOp::FDiv => "fdiv",
});
names!(Cond {
    Cond::Eq => "eq", Cond::Ne => "ne", Cond::Lt => "lt", Cond::Le => "le", Cond::Gt => "gt", Cond::Ge => "ge",
    Cond::ULt => "ult", Cond::ULe => "ule", Cond::UGt => "ugt", Cond::UGe => "uge", Cond::FEq => "feq",
    Cond::FNe => "fne", Cond::FLt => "flt", Cond::FLe => "fle", Cond::FGt => "fgt", Cond::FGe => "fge",
});
names!(OverflowOp {
    OverflowOp::Add => "add_or_leave", OverflowOp::Sub => "sub_or_leave", OverflowOp::Mul => "mul_or_leave",
});
names!(Status {
    Status::Returned => "returned", Status::Raised => "raised", Status::Yielded => "yielded", Status::Finished => "finished",
});
names!(Ty { Ty::Obj => "obj", Ty::I64 => "i64", Ty::F64 => "f64", Ty::Ptr => "ptr" });
names!(MemTy {
    MemTy::U8 => "u8", MemTy::I8 => "i8", MemTy::U16 => "u16", MemTy::I16 => "i16", MemTy::U32 => "u32",
    MemTy::I32 => "i32", MemTy::I64 => "i64", MemTy::F64 => "f64", MemTy::Ptr => "ptr",
});
names!(Reason {
    Reason::Type => "type", Reason::Number => "number", Reason::Overflow => "overflow", Reason::Range => "range", Reason::Version => "version",
    Reason::Unbound => "unbound", Reason::Unseen => "unseen", Reason::Interrupt => "interrupt",
});

impl UnOp {
    /// Name in the text form. The type of a cast is that of its result.
    pub fn text(&self) -> &'static str {
        match self {
            UnOp::Neg => "neg",
            UnOp::Not => "not",
            UnOp::FNeg => "fneg",
            UnOp::FAbs => "fabs",
            UnOp::FSqrt => "fsqrt",
            UnOp::FFloor => "ffloor",
            UnOp::IntToFloat => "int_to_float",
            UnOp::FloatToInt => "float_to_int",
            UnOp::BitsToFloat => "bits_to_float",
            UnOp::FloatToBits => "float_to_bits",
            UnOp::Cast(_) => "cast",
        }
    }

    /// The operation of a name; `ty` is the result's type.
    pub fn from_text(text: &str, ty: Ty) -> Option<Self> {
        Some(match text {
            "neg" => UnOp::Neg,
            "not" => UnOp::Not,
            "fneg" => UnOp::FNeg,
            "fabs" => UnOp::FAbs,
            "fsqrt" => UnOp::FSqrt,
            "ffloor" => UnOp::FFloor,
            "int_to_float" => UnOp::IntToFloat,
            "float_to_int" => UnOp::FloatToInt,
            "bits_to_float" => UnOp::BitsToFloat,
            "float_to_bits" => UnOp::FloatToBits,
            "cast" => UnOp::Cast(ty),
            _ => return None,
        })
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "function {:?}", self.name)?;
        if let Some(entry) = self.entry {
            write!(f, " ({entry:?})")?;
        }
        writeln!(f, " {{")?;
        for (index, exit) in self.exits.iter().enumerate() {
            writeln!(f, "  exit {index}: {exit}")?;
        }
        let mut origin = 0;
        for (index, block) in self.blocks.iter().enumerate() {
            if index > 0 || !self.exits.is_empty() {
                writeln!(f)?;
            }
            write!(f, "b{index}")?;
            if !block.params.is_empty() {
                f.write_char('(')?;
                separated(f, &block.params, |f, param| definition(f, self, *param))?;
                f.write_char(')')?;
            }
            writeln!(f, "{}", if block.cold { " cold:" } else { ":" })?;
            for inst in &block.insts {
                if inst.origin != origin {
                    origin = inst.origin;
                    writeln!(f, "  @{origin}")?;
                }
                writeln!(f, "    {}", InstText(self, inst))?;
            }
        }
        writeln!(f, "}}")
    }
}

/// One instruction of a function as text.
pub struct InstText<'a>(pub &'a Function, pub &'a Inst);

impl Display for InstText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let InstText(function, inst) = self;
        if let Some(result) = inst.result {
            definition(f, function, result)?;
            write!(f, " = ")?;
        }
        operation(f, &inst.op)
    }
}

fn separated<T>(
    f: &mut Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Formatter<'_>, T) -> Result,
) -> Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    Ok(())
}

fn definition(f: &mut Formatter<'_>, function: &Function, value: Value) -> Result {
    let Some(data) = function.values.get(value.0 as usize) else {
        return write!(f, "{value:?}:?");
    };
    write!(f, "{value:?}:{}", data.ty.text())?;
    if data.ty == Ty::Obj && data.py != PyTypes::all() {
        write!(f, "[{}]", TypesText(data.py))?;
    }
    Ok(())
}

/// A set of Python types as text: names in lower case, `object` for everything but null, `a|b` otherwise.
pub struct TypesText(pub PyTypes);

impl Display for TypesText {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.0 == PyTypes::OBJECT {
            return f.write_str("object");
        }
        for (index, (name, _)) in self.0.iter_names().enumerate() {
            if index > 0 {
                f.write_char('|')?;
            }
            f.write_str(&name.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

fn operation(f: &mut Formatter<'_>, op: &Op) -> Result {
    match op {
        Op::IConst(number) => write!(f, "iconst {number}"),
        Op::FConst(bits) => {
            let number = f64::from_bits(*bits);
            if number.is_finite() { write!(f, "fconst {number:?}") } else { write!(f, "fconst {bits:#x}") }
        }
        Op::Null(_) => f.write_str("null"),
        Op::Symbol(symbol, _) => write!(f, "symbol {symbol}"),
        Op::Binary(op, a, b) => write!(f, "{} {a:?}, {b:?}", op.text()),
        Op::Unary(op, a) => write!(f, "{} {a:?}", op.text()),
        Op::Compare(cond, a, b) => write!(f, "compare {} {a:?}, {b:?}", cond.text()),
        Op::Select(condition, a, b) => write!(f, "select {condition:?}, {a:?}, {b:?}"),
        Op::BinaryOrLeave(op, a, b, leave) => write!(f, "{} {a:?}, {b:?}, {leave}", op.text()),
        Op::Guard(a, leave) => write!(f, "guard {a:?}, {leave}"),
        Op::Load { mem, base, offset, .. } => write!(f, "load {} {base:?}{offset:+}", mem.text()),
        Op::Store { mem, base, offset, value } => write!(f, "store {} {base:?}{offset:+}, {value:?}", mem.text()),
        Op::Call(helper, args) => {
            write!(f, "call {}(", helper.name())?;
            separated(f, args, |f, arg| write!(f, "{arg:?}"))?;
            f.write_char(')')
        }
        Op::Frame => f.write_str("frame"),
        Op::ThreadState => f.write_str("thread_state"),
        Op::Out => f.write_str("out"),
        Op::GuardType(a, py, leave) => write!(f, "guard_type {a:?}, {}, {leave}", TypesText(*py)),
        Op::IsType(a, py) => write!(f, "is_type {a:?}, {}", TypesText(*py)),
        Op::UnboxFloat(a) => write!(f, "unbox_float {a:?}"),
        Op::UnboxInt(a, leave) => write!(f, "unbox_int {a:?}, {leave}"),
        Op::UnboxBool(a) => write!(f, "unbox_bool {a:?}"),
        Op::BoxFloat(a) => write!(f, "box_float {a:?}"),
        Op::BoxInt(a) => write!(f, "box_int {a:?}"),
        Op::BoxBool(a) => write!(f, "box_bool {a:?}"),
        Op::Incref(a) => write!(f, "incref {a:?}"),
        Op::Decref(a) => write!(f, "decref {a:?}"),
        Op::XDecref(a) => write!(f, "xdecref {a:?}"),
        Op::SlotGet(slot) => write!(f, "slot_get {slot}"),
        Op::SlotSet(slot, value) => write!(f, "slot_set {slot}, {value:?}"),
        Op::SlotAddress(slot) => write!(f, "slot_address {slot}"),
        Op::SetIp(offset) => write!(f, "set_ip {offset}"),
        Op::Jump(target) => write!(f, "jump {target}"),
        Op::Branch(a, then, otherwise) => write!(f, "branch {a:?}, {then}, {otherwise}"),
        Op::Switch(a, cases, default) => {
            write!(f, "switch {a:?}, [")?;
            separated(f, cases, |f, case| write!(f, "{case}"))?;
            write!(f, "], {default}")
        }
        Op::Return(status, None) => write!(f, "return {}", status.text()),
        Op::Return(status, Some(value)) => write!(f, "return {} {value:?}", status.text()),
        Op::Leave(leave) => write!(f, "leave {leave}"),
        Op::Unreachable => f.write_str("unreachable"),
    }
}

impl Display for Symbol {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Symbol::Const(index) => write!(f, "const {index}"),
            Symbol::Name(index) => write!(f, "name {index}"),
            Symbol::Type(py) => write!(f, "type {}", TypesText(*py)),
            Symbol::None => f.write_str("none"),
            Symbol::True => f.write_str("true"),
            Symbol::False => f.write_str("false"),
            Symbol::CodeUnit(offset) => write!(f, "code_unit {offset}"),
            Symbol::EvalBreaker => f.write_str("eval_breaker"),
            Symbol::SmallInts => f.write_str("small_ints"),
            Symbol::Address(index) => write!(f, "address {index}"),
        }
    }
}

impl Display for Leave {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "exit {}", self.exit.0)?;
        values_in_parentheses(f, &self.values)
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{:?}", self.block)?;
        values_in_parentheses(f, &self.args)
    }
}

fn values_in_parentheses(f: &mut Formatter<'_>, values: &[Value]) -> Result {
    if values.is_empty() {
        return Ok(());
    }
    f.write_char('(')?;
    separated(f, values, |f, value| write!(f, "{value:?}"))?;
    f.write_char(')')
}

impl Display for Exit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "at {} from {} {} values {}", self.offset, self.origin, self.reason.text(), self.value_count)?;
        write!(f, " locals [")?;
        separated(f, &self.locals, |f, (slot, source)| write!(f, "{slot} = {source}"))?;
        if !self.names.is_empty() {
            write!(f, "] names [")?;
            separated(f, &self.names, |f, (name, source)| write!(f, "{name} = {source}"))?;
        }
        write!(f, "] stack [")?;
        separated(f, &self.stack, |f, source| write!(f, "{source}"))?;
        f.write_char(']')
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Source::Owned(index) => write!(f, "owned {index}"),
            Source::Borrowed(index) => write!(f, "borrowed {index}"),
            Source::Int(index) => write!(f, "int {index}"),
            Source::Float(index) => write!(f, "float {index}"),
            Source::Bool(index) => write!(f, "bool {index}"),
            Source::Number(index) => write!(f, "number {index}"),
            Source::IntIf(index) => write!(f, "int_if {index}"),
            Source::FloatIf(index) => write!(f, "float_if {index}"),
            Source::BoolIf(index) => write!(f, "bool_if {index}"),
            Source::Const(index) => write!(f, "const {index}"),
            Source::Null => f.write_str("null"),
        }
    }
}
