//! Reads the text form of a program (see [`super::print`]) and verifies it.
//!
//! `//` starts a comment that runs to the end of the line. Ids must be in order, as printed.

use super::{
    Array, Axis, BinaryOp, CompareOp, ConstId, Constant, DType, Data, Elem, History, HistoryId, Input, InputId,
    Literal, Location, Node, Op, OpId, Output, Program, ReduceOp, Shape, State, StateId, ThreefryWord, UnaryOp, verify,
};

/// Why a text is not a program.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// Line, from 1; 0 if the program as a whole is ill-formed.
    pub line: usize,
    /// What was expected and what was found.
    pub message: String,
}

/// Reads a program.
///
/// # Errors
/// [`ParseError`] with the line, also if the program does not verify.
pub fn parse(text: &str) -> Result<Program, ParseError> {
    let mut program = Program::default();
    for (i, line) in text.lines().enumerate() {
        let mut cursor = Cursor { rest: line };
        cursor.skip();
        if !cursor.rest.is_empty() {
            parse_line(&mut cursor, &mut program)
                .map_err(|message| ParseError { line: i + 1, message: format!("{message} in `{}`", line.trim()) })?;
        }
    }
    verify(&program).map_err(|error| ParseError { line: 0, message: error.to_string() })?;
    Ok(program)
}

type Parse<T> = Result<T, String>;

fn parse_line(c: &mut Cursor<'_>, program: &mut Program) -> Parse<()> {
    if c.rest.starts_with('%') {
        let id: OpId = OpId(c.id('%')?);
        in_order(id.index(), program.nodes.len())?;
        c.expect("=")?;
        let node = node(c, program)?;
        program.nodes.push(node);
        return c.end();
    }
    match c.word()? {
        "program" => program.name = c.name()?,
        "const" => {
            in_order(c.id('c')? as usize, program.constants.len())?;
            let (name, dtype, shape) = c.declaration()?;
            c.expect("=")?;
            let value = c.values(dtype, shape)?;
            program.constants.push(Constant { name, value });
        }
        "state" => {
            in_order(c.id('s')? as usize, program.states.len())?;
            let (name, dtype, shape) = c.declaration()?;
            c.expect("=")?;
            let init = c.values(dtype, shape)?;
            let next = if c.eat("->") { Some(OpId(c.id('%')?)) } else { None };
            program.states.push(State { name, init, next });
        }
        "history" => {
            in_order(c.id('h')? as usize, program.histories.len())?;
            let (name, dtype, shape) = c.declaration()?;
            c.expect("x")?;
            let rows = c.number()?;
            program.histories.push(History { name, elem: arithmetic(dtype)?, shape, rows });
        }
        "input" => {
            in_order(c.id('i')? as usize, program.inputs.len())?;
            let (name, dtype, shape) = c.declaration()?;
            program.inputs.push(Input { name, dtype, shape });
        }
        "output" => {
            let name = c.name()?;
            c.expect(":")?;
            let dtype = c.dtype()?;
            c.expect("=")?;
            let value = OpId(c.id('%')?);
            program.outputs.push(Output { name, dtype, value });
        }
        other => return Err(format!("unknown declaration `{other}`")),
    }
    c.end()
}

fn in_order(found: usize, expected: usize) -> Parse<()> {
    if found == expected { Ok(()) } else { Err(format!("expected number {expected}, found {found}")) }
}

fn arithmetic(dtype: DType) -> Parse<Elem> {
    let elem = dtype.elem();
    if elem.dtype() == dtype { Ok(elem) } else { Err(format!("`{dtype}` is a storage type, not an arithmetic one")) }
}

fn node(c: &mut Cursor<'_>, program: &Program) -> Parse<Node> {
    let word = c.word()?.to_string();
    let (head, tail) = word.split_once('.').unwrap_or((&word, ""));
    let mut raw_literal = None;
    let op = match head {
        "literal" => {
            raw_literal = Some(c.until(':')?.trim().to_string());
            Op::Index
        }
        "constant" => Op::Constant(ConstId(c.id('c')?)),
        "input" => Op::Input(InputId(c.id('i')?)),
        "state" => Op::State(StateId(c.id('s')?)),
        "fma" => {
            let [a, b, d] = c.operands()?;
            Op::MulAdd(a, b, d)
        }
        "select" => {
            let [a, b, d] = c.operands()?;
            Op::Select(a, b, d)
        }
        "cast" => Op::Cast(c.operand()?),
        "bitcast" => Op::Bitcast(c.operand()?),
        "regroup" => Op::Regroup(c.operand()?),
        "index" => Op::Index,
        "reduce" => {
            let op = *ReduceOp::ALL.iter().find(|op| op.name() == tail).ok_or(format!("unknown reduction `{tail}`"))?;
            let axis = c.axis()?;
            c.expect(",")?;
            Op::Reduce(op, axis, c.operand()?)
        }
        "delay" => {
            let history = HistoryId(c.id('h')?);
            c.expect(",")?;
            let value = c.operand()?;
            c.expect(",")?;
            Op::Delay { history, value, delays: ConstId(c.id('c')?) }
        }
        "threefry" => {
            let word = ThreefryWord::ALL.iter().find(|w| w.name() == tail).ok_or(format!("unknown word `{tail}`"))?;
            let [k0, k1, c0, c1] = c.operands()?;
            Op::Threefry { word: *word, key: [k0, k1], counter: [c0, c1] }
        }
        "lookup" => {
            let table = ConstId(c.id('c')?);
            c.expect(",")?;
            Op::Lookup { table, index: c.operand()? }
        }
        "gather" | "segment_sum" => {
            let source = c.operand()?;
            c.expect(",")?;
            let list = ConstId(c.id('c')?);
            if head == "gather" {
                Op::Gather { source, indices: list }
            } else {
                Op::SegmentSum { source, segments: list }
            }
        }
        "concat" => {
            let mut parts = vec![c.operand()?];
            while c.eat(",") {
                parts.push(c.operand()?);
            }
            Op::Concat(parts)
        }
        name => elementwise(name, c)?,
    };
    c.expect(":")?;
    let elem = arithmetic(c.dtype()?)?;
    let shape = c.shape()?;
    let op = match raw_literal {
        Some(text) => Op::Literal(literal(&text, elem)?),
        None => op,
    };
    let mut missing = None;
    op.operands(|id| {
        if id.index() >= program.nodes.len() {
            missing = Some(id);
        }
    });
    if let Some(id) = missing {
        return Err(format!("{id} is not defined before its use"));
    }
    let location = c.location()?;
    Ok(Node { op, elem, shape, location })
}

fn elementwise(name: &str, c: &mut Cursor<'_>) -> Parse<Op> {
    if let Some(op) = UnaryOp::ALL.iter().find(|op| op.name() == name) {
        return Ok(Op::Unary(*op, c.operand()?));
    }
    if let Some(op) = BinaryOp::ALL.iter().find(|op| op.name() == name) {
        let [a, b] = c.operands()?;
        return Ok(Op::Binary(*op, a, b));
    }
    if let Some(op) = CompareOp::ALL.iter().find(|op| op.name() == name) {
        let [a, b] = c.operands()?;
        return Ok(Op::Compare(*op, a, b));
    }
    Err(format!("unknown operation `{name}`"))
}

fn literal(text: &str, elem: Elem) -> Parse<Literal> {
    let bad = || format!("`{text}` is not a number of type {elem}");
    Ok(match elem {
        Elem::Bool => Literal::Bool(text.parse().map_err(|_| bad())?),
        Elem::I32 => Literal::I32(text.parse().map_err(|_| bad())?),
        Elem::F32 => match text.strip_prefix("nan:") {
            Some(bits) => Literal::F32(f32::from_bits(u32::from_str_radix(bits, 16).map_err(|_| bad())?)),
            None => Literal::F32(text.parse().map_err(|_| bad())?),
        },
        Elem::F64 => match text.strip_prefix("nan:") {
            Some(bits) => Literal::F64(f64::from_bits(u64::from_str_radix(bits, 16).map_err(|_| bad())?)),
            None => Literal::F64(text.parse().map_err(|_| bad())?),
        },
    })
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with("//") {
            self.rest = "";
        }
    }

    fn end(&mut self) -> Parse<()> {
        self.skip();
        if self.rest.is_empty() { Ok(()) } else { Err(format!("unexpected `{}`", self.rest)) }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Parse<()> {
        if self.eat(token) { Ok(()) } else { Err(format!("expected `{token}` at `{}`", self.rest)) }
    }

    fn take(&mut self, while_: impl Fn(char) -> bool) -> &'a str {
        self.skip();
        let end = self.rest.find(|ch| !while_(ch)).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at(end);
        self.rest = tail;
        head
    }

    fn word(&mut self) -> Parse<&'a str> {
        let word = self.take(|ch| ch.is_ascii_alphanumeric() || ch == '_' || ch == '.');
        if word.is_empty() { Err(format!("expected a word at `{}`", self.rest)) } else { Ok(word) }
    }

    fn until(&mut self, end: char) -> Parse<&'a str> {
        // `nan:` holds a colon of its own; the type's colon is the last one before a space or the end.
        self.skip();
        let from = if self.rest.starts_with("nan:") { 4 } else { 0 };
        let at = self.rest[from..].find(end).ok_or(format!("expected `{end}`"))? + from;
        let (head, tail) = self.rest.split_at(at);
        self.rest = tail;
        Ok(head)
    }

    fn number(&mut self) -> Parse<usize> {
        let digits = self.take(|ch| ch.is_ascii_digit());
        digits.parse().map_err(|_| format!("expected a number at `{digits}{}`", self.rest))
    }

    fn id(&mut self, sigil: char) -> Parse<u32> {
        if !self.eat(sigil.encode_utf8(&mut [0; 4])) {
            return Err(format!("expected `{sigil}` and a number at `{}`", self.rest));
        }
        u32::try_from(self.number()?).map_err(|_| "number too large".into())
    }

    fn operand(&mut self) -> Parse<OpId> {
        Ok(OpId(self.id('%')?))
    }

    fn operands<const N: usize>(&mut self) -> Parse<[OpId; N]> {
        let mut out = [OpId(0); N];
        for (i, slot) in out.iter_mut().enumerate() {
            if i > 0 {
                self.expect(",")?;
            }
            *slot = self.operand()?;
        }
        Ok(out)
    }

    fn name(&mut self) -> Parse<String> {
        self.expect("\"")?;
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, ch)) = chars.next() {
            match ch {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, other)) => out.push(other),
                    None => break,
                },
                _ => out.push(ch),
            }
        }
        Err("a name without closing `\"`".into())
    }

    fn dtype(&mut self) -> Parse<DType> {
        let word = self.take(|ch| ch.is_ascii_alphanumeric());
        DType::parse(word).ok_or(format!("unknown type `{word}`"))
    }

    fn axis(&mut self) -> Parse<Axis> {
        let word = self.take(|ch| ch.is_ascii_alphanumeric());
        Axis::parse(word).ok_or(format!("unknown axis `{word}`"))
    }

    fn shape(&mut self) -> Parse<Shape> {
        let mut shape = Shape::scalar();
        if !self.eat("[") {
            return Ok(shape);
        }
        loop {
            let axis = self.axis()?;
            self.expect(":")?;
            let mut dims = vec![self.number()?];
            while self.eat("x") {
                dims.push(self.number()?);
            }
            if shape.group(axis).is_some() {
                return Err(format!("axis `{axis}` occurs twice"));
            }
            shape = shape.with(axis, &dims);
            if self.eat("]") {
                return Ok(shape);
            }
            self.expect(",")?;
        }
    }

    fn declaration(&mut self) -> Parse<(String, DType, Shape)> {
        let name = self.name()?;
        self.expect(":")?;
        Ok((name, self.dtype()?, self.shape()?))
    }

    fn values(&mut self, dtype: DType, shape: Shape) -> Parse<Array> {
        let elem = dtype.elem();
        let size = shape.checked_size().filter(|&n| n <= super::MOST_ELEMENTS).ok_or("too many elements")?;
        let mut list = Vec::new();
        loop {
            let from = self.rest;
            let mut text = self.take(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '+' | '-' | '.' | ':'));
            // `-> %n` may follow the last number without a space.
            if let (Some(number), true) = (text.strip_suffix('-'), self.rest.starts_with('>')) {
                self.rest = &from[from.len() - self.rest.len() - 1..];
                text = number;
            }
            list.push(literal(text, elem)?);
            if !self.eat(",") {
                break;
            }
        }
        if list.len() != size && list.len() != 1 {
            return Err(format!("{} numbers for {size} elements of {shape}", list.len()));
        }
        let at = |i: usize| if list.len() == 1 { list[0] } else { list[i] };
        macro_rules! all {
            ($variant:ident) => {
                Data::$variant(
                    (0..size)
                        .map(|i| match at(i) {
                            Literal::$variant(v) => v,
                            _ => unreachable!("literals have the asked type"),
                        })
                        .collect(),
                )
            };
        }
        let data = match elem {
            Elem::Bool => all!(Bool),
            Elem::I32 => all!(I32),
            Elem::F32 => all!(F32),
            Elem::F64 => all!(F64),
        };
        Array::new(shape, data.convert(dtype)).map_err(|e| e.to_string())
    }

    fn location(&mut self) -> Parse<Location> {
        if !self.eat("@") {
            return Ok(Location::UNKNOWN);
        }
        let file = self.name()?;
        self.expect(":")?;
        let line = self.number()? as u32;
        self.expect(":")?;
        let column = self.number()? as u32;
        Ok(Location { file: intern(file), line, column })
    }
}

/// A text that lives as long as the process; each distinct text is kept once.
fn intern(text: String) -> &'static str {
    use std::collections::HashSet;
    use std::sync::Mutex;
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(text.as_str()) {
        return known;
    }
    let leaked: &'static str = Box::leak(text.into_boxed_str());
    names.insert(leaked);
    leaked
}
