//! Reads the IR's text form (`docs/ir.md`).
//!
//! *Problem*: tests of single stages are written by hand, so they need readable text in. *Method*: a tokenizer and a
//! recursive-descent parser without lookahead beyond one token. *Invariants*: the parser checks form, not meaning: what the
//! verifier rejects can still be written, so that the verifier can be tested; hostile input gives an error with its line,
//! never a panic, and cannot make it allocate more than in proportion to its length.

use super::function::{BlockData, Function, Inst, ValueData};
use super::op::{BinOp, Block, Cond, Leave, Op, OverflowOp, Status, Symbol, Target, UnOp, Value};
use super::types::{MemTy, PyTypes, Ty};
use crate::exit::{Exit, ExitId, Reason, Source};
use crate::helpers::Helper;

/// What is wrong with a text, and in which line (from 1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    pub line: usize,
    pub message: String,
}

/// Reads one function.
pub fn parse(text: &str) -> Result<Function, ParseError> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, function: Function::default(), limit: text.len() as u32 };
    parser.function()?;
    if !parser.at(&Token::End) {
        return parser.fail("text after the function");
    }
    Ok(parser.function)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    /// As written, sign included.
    Number(String),
    Text(String),
    Value(u32),
    Mark(char),
    End,
}

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, ParseError> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        let fail = |message: &str| Err(ParseError { line, message: message.to_string() });
        match c {
            '\n' => {
                line += 1;
                chars.next();
            }
            _ if c.is_whitespace() => {
                chars.next();
            }
            ';' => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                chars.next();
                let mut word = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match escape(&mut chars) {
                            Some(c) => word.push(c),
                            None => return fail("unknown escape"),
                        },
                        Some('\n') | None => return fail("text without an end"),
                        Some(c) => word.push(c),
                    }
                }
                found.push((Token::Text(word), line));
            }
            '%' => {
                chars.next();
                let mut digits = String::new();
                while let Some(c) = chars.next_if(char::is_ascii_digit) {
                    digits.push(c);
                }
                match digits.parse() {
                    Ok(number) => found.push((Token::Value(number), line)),
                    Err(_) => return fail("expected a number after %"),
                }
            }
            _ if c.is_ascii_digit() || c == '-' || c == '+' => {
                let mut number = String::from(c);
                chars.next();
                let mut last = c;
                while let Some(c) = chars.next_if(|c| {
                    c.is_ascii_alphanumeric() || *c == '.' || ((*c == '-' || *c == '+') && matches!(last, 'e' | 'E'))
                }) {
                    number.push(c);
                    last = c;
                }
                found.push((Token::Number(number), line));
            }
            _ if c.is_ascii_alphabetic() || c == '_' => {
                let mut word = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                found.push((Token::Word(word), line));
            }
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' | '=' | '|' | '@' => {
                chars.next();
                found.push((Token::Mark(c), line));
            }
            _ => return fail(&format!("unexpected {c:?}")),
        }
    }
    found.push((Token::End, line));
    Ok(found)
}

/// The rest of an escape as Rust's `Debug` writes it.
fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    Some(match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        'u' => {
            chars.next_if_eq(&'{')?;
            let mut code = String::new();
            while let Some(c) = chars.next_if(char::is_ascii_hexdigit) {
                code.push(c);
            }
            chars.next_if_eq(&'}')?;
            char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
        }
        c @ ('"' | '\'' | '\\') => c,
        _ => return None,
    })
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    function: Function,
    /// Greatest value number that is accepted.
    limit: u32,
}

type Parsed<T> = Result<T, ParseError>;

impl Parser {
    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(ParseError { line: self.tokens[self.next].1, message: message.into() })
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn take(&mut self) -> Token {
        let token = self.tokens[self.next].0.clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    fn at(&self, token: &Token) -> bool {
        self.peek() == token
    }

    fn at_mark(&self, mark: char) -> bool {
        matches!(self.peek(), Token::Mark(found) if *found == mark)
    }

    fn accept(&mut self, mark: char) -> bool {
        let found = self.at_mark(mark);
        if found {
            self.take();
        }
        found
    }

    fn mark(&mut self, mark: char) -> Parsed<()> {
        if self.accept(mark) { Ok(()) } else { self.fail(format!("expected {mark:?}")) }
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if found == word);
        if found {
            self.take();
        }
        found
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        if self.accept_word(word) { Ok(()) } else { self.fail(format!("expected {word:?}")) }
    }

    fn any_word(&mut self, what: &str) -> Parsed<String> {
        match self.peek().clone() {
            Token::Word(word) => {
                self.take();
                Ok(word)
            }
            _ => self.fail(format!("expected {what}")),
        }
    }

    /// A word that names a variant.
    fn name<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> Parsed<T> {
        if let Token::Word(word) = self.peek()
            && let Some(found) = find(word)
        {
            self.take();
            return Ok(found);
        }
        self.fail(format!("expected {what}"))
    }

    fn number<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        if let Token::Number(number) = self.peek()
            && let Ok(number) = number.parse()
        {
            self.take();
            return Ok(number);
        }
        self.fail("expected a number in range")
    }

    fn list<T>(&mut self, end: char, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        while !self.at_mark(end) {
            if !items.is_empty() {
                self.mark(',')?;
            }
            items.push(item(self)?);
        }
        self.mark(end)?;
        Ok(items)
    }

    fn value(&mut self) -> Parsed<Value> {
        match *self.peek() {
            Token::Value(number) if number <= self.limit => {
                self.take();
                let length = self.function.values.len().max(number as usize + 1);
                self.function.values.resize(length, ValueData { ty: Ty::I64, py: PyTypes::empty() });
                Ok(Value(number))
            }
            Token::Value(_) => self.fail("value number out of range"),
            _ => self.fail("expected a value"),
        }
    }

    fn definition(&mut self) -> Parsed<Value> {
        let value = self.value()?;
        self.mark(':')?;
        let ty = self.name("a type", Ty::from_text)?;
        let py = if ty != Ty::Obj {
            PyTypes::empty()
        } else if self.accept('[') {
            let py = if self.at_mark(']') { PyTypes::empty() } else { self.py_types()? };
            self.mark(']')?;
            py
        } else {
            PyTypes::all()
        };
        self.function.values[value.0 as usize] = ValueData { ty, py };
        Ok(value)
    }

    fn py_types(&mut self) -> Parsed<PyTypes> {
        let mut py = PyTypes::empty();
        loop {
            let name = self.any_word("a Python type")?;
            match PyTypes::from_name(&name.to_ascii_uppercase()) {
                Some(found) => py |= found,
                None if name == "object" => py |= PyTypes::OBJECT,
                None => return self.fail(format!("unknown Python type {name:?}")),
            }
            if !self.accept('|') {
                return Ok(py);
            }
        }
    }

    fn function(&mut self) -> Parsed<()> {
        self.word("function")?;
        match self.take() {
            Token::Text(name) => self.function.name = name,
            _ => return self.fail("expected the function's name"),
        }
        if self.accept('(') {
            let entry = self.value()?;
            self.function.entry = Some(entry);
            self.mark(')')?;
        }
        self.mark('{')?;
        while self.accept_word("exit") {
            let number: usize = self.number()?;
            if number != self.function.exits.len() {
                return self.fail("exits are numbered from 0 in order");
            }
            self.mark(':')?;
            let exit = self.exit()?;
            self.function.exits.push(exit);
        }
        let mut origin = 0;
        while !self.accept('}') {
            let block = self.block_name()?;
            if block.0 as usize != self.function.blocks.len() {
                return self.fail("blocks are numbered from b0 in order");
            }
            let params = if self.accept('(') { self.list(')', Self::definition)? } else { Vec::new() };
            let cold = self.accept_word("cold");
            self.mark(':')?;
            let mut data = BlockData { params, insts: Vec::new(), cold };
            loop {
                if self.accept('@') {
                    origin = self.number()?;
                    continue;
                }
                if self.at_mark('}') || self.at_block_head() {
                    break;
                }
                data.insts.push(self.inst(origin)?);
            }
            self.function.blocks.push(data);
        }
        Ok(())
    }

    fn at_block_head(&self) -> bool {
        matches!(self.peek(), Token::Word(word) if block_number(word).is_some())
    }

    fn block_name(&mut self) -> Parsed<Block> {
        self.name("a block", |word| block_number(word).map(Block))
    }

    fn exit(&mut self) -> Parsed<Exit> {
        self.word("at")?;
        let offset = self.number()?;
        self.word("from")?;
        let origin = self.number()?;
        let reason = self.name("a reason", Reason::from_text)?;
        self.word("values")?;
        let value_count = self.number()?;
        self.word("locals")?;
        self.mark('[')?;
        let locals = self.list(']', Self::numbered_source)?;
        let mut names = Vec::new();
        if self.accept_word("names") {
            self.mark('[')?;
            names = self.list(']', Self::numbered_source)?;
        }
        self.word("stack")?;
        self.mark('[')?;
        let stack = self.list(']', Self::source)?;
        Ok(Exit { offset, origin, reason, locals, names, stack, value_count })
    }

    fn numbered_source(&mut self) -> Parsed<(u32, Source)> {
        let number = self.number()?;
        self.mark('=')?;
        Ok((number, self.source()?))
    }

    fn source(&mut self) -> Parsed<Source> {
        let word = self.any_word("a source")?;
        Ok(match word.as_str() {
            "owned" => Source::Owned(self.number()?),
            "borrowed" => Source::Borrowed(self.number()?),
            "int" => Source::Int(self.number()?),
            "float" => Source::Float(self.number()?),
            "bool" => Source::Bool(self.number()?),
            "number" => Source::Number(self.number()?),
            "int_if" => Source::IntIf(self.number()?),
            "float_if" => Source::FloatIf(self.number()?),
            "bool_if" => Source::BoolIf(self.number()?),
            "const" => Source::Const(self.number()?),
            "null" => Source::Null,
            _ => return self.fail(format!("unknown source {word:?}")),
        })
    }

    fn inst(&mut self, origin: u32) -> Parsed<Inst> {
        let result = if matches!(self.peek(), Token::Value(_)) {
            let result = self.definition()?;
            self.mark('=')?;
            Some(result)
        } else {
            None
        };
        // What the operation's name leaves open is told by the result.
        let ty = result.map_or(Ty::Ptr, |result| self.function.ty(result));
        let op = self.operation(ty)?;
        Ok(Inst { op, result, origin })
    }

    fn comma_value(&mut self) -> Parsed<Value> {
        self.mark(',')?;
        self.value()
    }

    fn comma_leave(&mut self) -> Parsed<Leave> {
        self.mark(',')?;
        self.leave()
    }

    fn leave(&mut self) -> Parsed<Leave> {
        self.word("exit")?;
        let exit = ExitId(self.number()?);
        let values = if self.accept('(') { self.list(')', Self::value)? } else { Vec::new() };
        Ok(Leave { exit, values })
    }

    fn target(&mut self) -> Parsed<Target> {
        let block = self.block_name()?;
        let args = if self.accept('(') { self.list(')', Self::value)? } else { Vec::new() };
        Ok(Target { block, args })
    }

    fn operation(&mut self, ty: Ty) -> Parsed<Op> {
        let word = self.any_word("an operation")?;
        if let Some(op) = BinOp::from_text(&word) {
            return Ok(Op::Binary(op, self.value()?, self.comma_value()?));
        }
        if let Some(op) = UnOp::from_text(&word, ty) {
            return Ok(Op::Unary(op, self.value()?));
        }
        if let Some(op) = OverflowOp::from_text(&word) {
            return Ok(Op::BinaryOrLeave(op, self.value()?, self.comma_value()?, self.comma_leave()?));
        }
        Ok(match word.as_str() {
            "iconst" => Op::IConst(self.number()?),
            "fconst" => Op::FConst(self.float_bits()?),
            "null" => Op::Null(ty),
            "symbol" => Op::Symbol(self.symbol()?, ty),
            "compare" => {
                let cond = self.name("a condition", Cond::from_text)?;
                Op::Compare(cond, self.value()?, self.comma_value()?)
            }
            "select" => Op::Select(self.value()?, self.comma_value()?, self.comma_value()?),
            "guard" => Op::Guard(self.value()?, self.comma_leave()?),
            "load" => {
                let mem = self.name("a memory type", MemTy::from_text)?;
                let ty = mem.value_ty().unwrap_or(ty);
                Op::Load { mem, ty, base: self.value()?, offset: self.number()? }
            }
            "store" => {
                let mem = self.name("a memory type", MemTy::from_text)?;
                Op::Store { mem, base: self.value()?, offset: self.number()?, value: self.comma_value()? }
            }
            "call" => {
                let helper = self.name("a helper", Helper::by_name)?;
                self.mark('(')?;
                Op::Call(helper, self.list(')', Self::value)?)
            }
            "frame" => Op::Frame,
            "thread_state" => Op::ThreadState,
            "out" => Op::Out,
            "guard_type" => {
                let value = self.value()?;
                self.mark(',')?;
                Op::GuardType(value, self.py_types()?, self.comma_leave()?)
            }
            "is_type" => {
                let value = self.value()?;
                self.mark(',')?;
                Op::IsType(value, self.py_types()?)
            }
            "unbox_float" => Op::UnboxFloat(self.value()?),
            "unbox_int" => Op::UnboxInt(self.value()?, self.comma_leave()?),
            "unbox_bool" => Op::UnboxBool(self.value()?),
            "box_float" => Op::BoxFloat(self.value()?),
            "box_int" => Op::BoxInt(self.value()?),
            "box_bool" => Op::BoxBool(self.value()?),
            "incref" => Op::Incref(self.value()?),
            "decref" => Op::Decref(self.value()?),
            "xdecref" => Op::XDecref(self.value()?),
            "slot_get" => Op::SlotGet(self.number()?),
            "slot_set" => Op::SlotSet(self.number()?, self.comma_value()?),
            "slot_address" => Op::SlotAddress(self.number()?),
            "set_ip" => Op::SetIp(self.number()?),
            "jump" => Op::Jump(self.target()?),
            "branch" => {
                let condition = self.value()?;
                self.mark(',')?;
                let then = self.target()?;
                self.mark(',')?;
                Op::Branch(condition, then, self.target()?)
            }
            "switch" => {
                let value = self.value()?;
                self.mark(',')?;
                self.mark('[')?;
                let cases = self.list(']', Self::target)?;
                self.mark(',')?;
                Op::Switch(value, cases, self.target()?)
            }
            "return" => {
                let status = self.name("a status", Status::from_text)?;
                let value = if matches!(self.peek(), Token::Value(_)) { Some(self.value()?) } else { None };
                // `return raised` may be followed by nothing but a new block, so a value here is an operand.
                Op::Return(status, value)
            }
            "leave" => Op::Leave(self.leave()?),
            "unreachable" => Op::Unreachable,
            _ => return self.fail(format!("unknown operation {word:?}")),
        })
    }

    fn float_bits(&mut self) -> Parsed<u64> {
        if let Token::Number(number) = self.peek() {
            let bits = match number.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok(),
                None => number.parse::<f64>().ok().map(f64::to_bits),
            };
            if let Some(bits) = bits {
                self.take();
                return Ok(bits);
            }
        }
        self.fail("expected a float or its bits")
    }

    fn symbol(&mut self) -> Parsed<Symbol> {
        let word = self.any_word("a symbol")?;
        Ok(match word.as_str() {
            "const" => Symbol::Const(self.number()?),
            "name" => Symbol::Name(self.number()?),
            "type" => Symbol::Type(self.py_types()?),
            "none" => Symbol::None,
            "true" => Symbol::True,
            "false" => Symbol::False,
            "code_unit" => Symbol::CodeUnit(self.number()?),
            "eval_breaker" => Symbol::EvalBreaker,
            "small_ints" => Symbol::SmallInts,
            "address" => Symbol::Address(self.number()?),
            _ => return self.fail(format!("unknown symbol {word:?}")),
        })
    }
}

fn block_number(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('b')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"function "f \"x\"" (%0) {
  exit 0: at 12 from 10 type values 2 locals [3 = int 0, 4 = null] stack [owned 1, const 3]

b0:
  @2
    %1:obj[int|float] = slot_get 3
    %2:f64 = fconst -0.0
    %3:f64 = fconst 0x7ff8000000000000
    %4:i64 = iconst -9223372036854775808
  @10
    %5:ptr = load ptr %1+8
    store i32 %5-16, %4
    guard_type %1, int, exit 0(%4, %1)
    %6:i64 = add_or_leave %4, %4, exit 0(%4, %1)
    %7:obj[float] = call box_float(%3)
    %8:ptr = symbol type float
    branch %6, b1(%7), b2

b1(%9:obj[object]) cold:
    return returned %9

b2:
    switch %4, [b3, b3], b3

b3:
    return raised
}
"#;

    #[test]
    fn round_trip() {
        let function = parse(TEXT).unwrap();
        assert_eq!(function.to_string(), TEXT);
    }

    #[test]
    fn errors_name_the_line() {
        let error = parse("function \"f\" {\nb0:\n  jmp b1\n}").unwrap_err();
        assert_eq!(error, ParseError { line: 3, message: "unknown operation \"jmp\"".into() });
        let error = parse("function \"f\" {\nb0:\n  incref %4000000000\n}").unwrap_err();
        assert_eq!(error.line, 3);
    }

    /// Every prefix, and every text with one character removed, gives a result or an error.
    #[test]
    fn hostile_text_does_not_panic() {
        for end in 0..TEXT.len() {
            let _ = parse(&TEXT[..end]);
            let mut text = TEXT.to_string();
            text.remove(end);
            let _ = parse(&text);
        }
    }
}
