//! Printing, in two dialects.

use crate::statement::{Block, Dressing, Statement};
use std::fmt::Write as _;

/// How marks are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// With the attributes.
    Marked,
    /// Without: what the program is if they are taken away.
    Plain,
}

/// Each loop's label, and whether `break` has to bring a value.
#[derive(Clone)]
struct Loop {
    label: String,
    value: bool,
}

struct Printer {
    dialect: Dialect,
    text: String,
    names: u32,
    loops: Vec<Loop>,
}

/// A function of this name and body.
#[must_use]
pub fn function(name: &str, body: &Block, dialect: Dialect) -> String {
    let mut printer = Printer { dialect, text: String::new(), names: 0, loops: Vec::new() };
    // What a stop leaves: some of either.
    let way = if body.len().is_multiple_of(2) { "break" } else { "return" };
    printer.attribute(&format!("stoppable({way})"));
    let _ = writeln!(
        printer.text,
        "fn {name}(reader: &mut Reader, writer: &End, numbers: &Numbers, log: &mut Vec<u32>, fuel: &mut u32) \
         -> io::Result<u32> {{"
    );
    printer.text.push_str("let mut byte = [0_u8; 1];\n");
    printer.block(body);
    // One mark at least, or there is nothing to stop.
    printer.statement(&Statement::Let(Dressing::Question));
    printer.text.push_str("Ok(log.len() as u32)\n}\n");
    printer.text
}

impl Printer {
    fn attribute(&mut self, name: &str) {
        if self.dialect == Dialect::Marked {
            let _ = writeln!(self.text, "#[{name}]");
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A marked call inside an expression.
    fn marked(&self, call: &str) -> String {
        match self.dialect {
            Dialect::Marked => format!("blocking!({call})"),
            Dialect::Plain => format!("({call})"),
        }
    }

    fn name(&mut self) -> u32 {
        self.names += 1;
        self.names
    }

    fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    /// The body of a loop, behind its head; each turn burns fuel.
    fn looped(&mut self, head: &str, value: Option<u32>, body: &Block) {
        let label = format!("'l{}", self.name());
        let _ = writeln!(self.text, "{label}: {head} {{");
        let out = value.map_or(String::new(), |value| format!(" {value}"));
        self.line(&format!("if *fuel == 0 {{ break{out}; }}\n*fuel -= 1;"));
        self.loops.push(Loop { label, value: value.is_some() });
        self.block(body);
        self.loops.pop();
        self.line("}");
    }

    fn statement(&mut self, statement: &Statement) {
        let read = self.marked("reader.read(&mut byte)");
        match statement {
            Statement::Plain(number) => self.line(&format!("log.push({number});")),
            Statement::Let(dressing) => {
                let name = self.name();
                self.attribute(mark(*dressing));
                self.line(&format!("let v{name} = {};", dressed(*dressing)));
                let value = if matches!(dressing, Dressing::Sleep) { "1" } else { "v as u32" };
                self.line(&format!("log.push({});", value.replace('v', &format!("v{name}"))));
            }
            Statement::Expression(dressing) => {
                self.attribute(mark(*dressing));
                // As a statement its value may not be thrown away.
                let call = dressed(*dressing).replace("is_ok()", "unwrap_or(())");
                self.line(&format!("{call};"));
                self.line("log.push(u32::from(byte[0]));");
            }
            Statement::Operand(number) => {
                self.line(&format!("let sum = {number} + {read}? as u32 * 2;"));
                self.line("log.push(sum);");
            }
            Statement::NestedOperand(number) => {
                let frame = match self.dialect {
                    Dialect::Marked => "blocking!(as_is, frame(reader))",
                    Dialect::Plain => "frame(reader)",
                };
                self.line(&format!("let sum = {number} + u32::from({frame}?);"));
                self.line("log.push(sum);");
            }
            Statement::Tails(number) => {
                let name = self.name();
                self.attribute("blocking");
                self.line(&format!(
                    "let v{name} = if log.len() % 3 == {number} {{ frame_of(1); \
                     reader.read(&mut byte) }} else {{ match numbers.recv() {{ \
                     Ok(number) => Ok(number as usize), Err(_) => return Ok(5) }} }}?;"
                ));
                self.line(&format!("log.push(v{name} as u32);"));
            }
            Statement::If(yes, no) => {
                self.line(&format!("if {read}? == 1 {{"));
                self.block(yes);
                self.line("} else {");
                self.block(no);
                self.line("}");
            }
            Statement::Match(one, other) => {
                self.line(&format!("match {read} {{\nOk(1) => {{"));
                self.block(one);
                self.line("}\nOk(_) => {");
                self.block(other);
                self.line("}\nErr(error) => return Err(error),\n}");
            }
            Statement::While(body) => self.looped(&format!("while {read}? == 1"), None, body),
            Statement::WhileLet(body) => {
                self.looped(&format!("while let Ok(1) = {read}"), None, body);
            }
            Statement::ForMarked(body) => {
                self.attribute("blocking");
                self.looped("for number in numbers.iter()", None, body);
            }
            Statement::For(times, body) => {
                self.looped(&format!("for _turn in 0..{times}"), None, body);
            }
            Statement::Checkpoint(times, body) => {
                self.attribute("checkpoint");
                self.looped(&format!("for _turn in 0..{times}"), None, body);
            }
            Statement::Loop(body) => self.looped("loop", None, body),
            Statement::ValueLoop(body, value) => {
                let name = self.name();
                let _ = write!(self.text, "let v{name} = ");
                self.looped("loop", Some(*value), body);
                self.line(&format!(";\nlog.push(v{name});"));
            }
            Statement::Unstoppable(number) => {
                self.attribute("unstoppable");
                self.line(&format!("{{ log.push({number}); }}"));
            }
            Statement::Closure(body) => self.closure(body),
            Statement::Leave { out, again } => self.leave(*out, *again),
            // Only sometimes, so that something follows.
            Statement::Return(number) => {
                self.line(&format!("if log.len() % 7 == 6 {{ return Ok({number}); }}"));
            }
        }
    }

    fn closure(&mut self, body: &Block) {
        let outside = std::mem::take(&mut self.loops);
        let name = self.name();
        self.line(&format!(
            "let v{name} = {{\nlet mut closure = |start: u32| -> io::Result<u32> {{"
        ));
        self.block(body);
        self.line("Ok(start + log.len() as u32)\n};\nclosure(3)?\n};");
        self.line(&format!("log.push(v{name});"));
        self.loops = outside;
    }

    fn leave(&mut self, out: usize, again: bool) {
        let Some(at) = self.loops.len().checked_sub(1 + out) else {
            return self.line("log.push(1_000);");
        };
        let Loop { label, value } = self.loops[at].clone();
        let word = if again { "continue" } else { "break" };
        let value = if value && !again { " 77" } else { "" };
        // Only sometimes, so that something follows.
        self.line(&format!("if log.len() % 5 == 4 {{ log.push(5); {word} {label}{value}; }}"));
    }
}

/// The mark that speaks of a call.
fn mark(dressing: Dressing) -> &'static str {
    match dressing {
        Dressing::AsIs => "blocking(as_is)",
        Dressing::Readable => "blocking(readable)",
        Dressing::ReadableOf => "blocking(readable = reader)",
        Dressing::Within => "blocking(within = LIMIT)",
        Dressing::WithinAsIs => "blocking(as_is, within = LIMIT)",
        Dressing::Foreign => "blocking(foreign)",
        Dressing::ForeignWithin => "blocking(foreign, within = LIMIT)",
        Dressing::ForeignReset => "blocking(foreign_reset)",
        Dressing::Unblock => "blocking(unblock = end(&writer))",
        _ => "blocking",
    }
}

/// A marked call and what is around it; its value casts to `u32`.
fn dressed(dressing: Dressing) -> &'static str {
    match dressing {
        Dressing::Question
        | Dressing::Readable
        | Dressing::ReadableOf
        | Dressing::Within
        | Dressing::Foreign
        | Dressing::ForeignWithin
        | Dressing::ForeignReset
        | Dressing::Unblock => "reader.read(&mut byte)?",
        Dressing::UnwrapOr => "reader.read(&mut byte).unwrap_or(9)",
        Dressing::MapErr => "reader.read(&mut byte).map_err(io::Error::other)?",
        Dressing::Parentheses => "(reader.read(&mut byte))?",
        Dressing::ThroughTrait => "Read::read(reader, &mut byte)?",
        Dressing::ReadExact => "reader.read_exact(&mut byte).is_ok()",
        Dressing::Sleep => "thread::sleep(Duration::ZERO)",
        Dressing::Recv => "numbers.recv().unwrap_or(0)",
        Dressing::Cast => "reader.read(&mut byte)? as u8",
        Dressing::AsIs | Dressing::WithinAsIs => "frame(reader)?",
    }
}
