//! Runs the text files under `tests/ir`.
//!
//! Each file has commands in comments at its head, a function in the IR's text form, and the expected output in comments
//! that start with `;>`. `BLESS=1 cargo test -p columba-jit-core --test filetests` writes the output into the files.
//! Commands, applied in order to the function as it is then:
//! - `; verify: python|lowered` prints `ok` or the broken rules.
//! - `; balance` the same for the balance of references.
//! - `; pass: NAME...` applies passes and prints how often each changed something; `all` applies the pipeline.
//! - `; lower`, `; lower: stress` lowers with the example layout.
//! - `; print` prints the function.
//! - `; run: entry N (CONTENT, ...)` lowers what is not lowered and runs the simulated interpreter with objects in slots
//!   0.., and prints status, values and what is alive afterwards. Contents are `null`, `none`, `true`, `false`, `int N`,
//!   `float X`, `other N`, and `same N` for another reference to slot N's object.

use columba_jit_core::exit::Source;
use columba_jit_core::ir::balance::balance;
use columba_jit_core::ir::function::Function;
use columba_jit_core::ir::interpret::{Arguments, interpret, show};
use columba_jit_core::ir::op::FIRST_EXIT;
use columba_jit_core::ir::parse::parse;
use columba_jit_core::ir::simulate::{Content, FRAME, Heap, OUT, THREAD_STATE};
use columba_jit_core::ir::types::Ty;
use columba_jit_core::ir::verify::{Level, verify};
use columba_jit_core::layout::Layout;
use columba_jit_core::lower::{LowerOptions, lower};
use columba_jit_core::passes::{PassOptions, pass, run, run_one};
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[test]
fn files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ir");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 30, "tests/ir has only {} files", paths.len());
    let bless = std::env::var_os("BLESS").is_some();
    let mut failures = Vec::new();
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        let (source, expected) = match text.find("\n;>") {
            Some(at) => text.split_at(at + 1),
            None => (text.as_str(), ""),
        };
        let mut found = String::new();
        for line in output(source).lines() {
            writeln!(found, "{}", format!(";> {line}").trim_end()).unwrap();
        }
        if found != expected {
            if bless {
                std::fs::write(path, format!("{}\n{found}", source.trim_end())).unwrap();
            } else {
                failures.push(format!("{}:\nexpected:\n{expected}\nfound:\n{found}", path.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}\n(BLESS=1 refreshes them)", failures.join("\n"));
}

fn output(source: &str) -> String {
    let mut out = String::new();
    let mut function = match parse(source) {
        Ok(function) => function,
        Err(error) => return format!("{error}\n"),
    };
    // What is printed can be read, and prints the same.
    let printed = function.to_string();
    match parse(&printed) {
        Ok(again) if again.to_string() == printed => {}
        Ok(again) => return format!("printed once:\n{printed}printed twice:\n{again}"),
        Err(error) => return format!("printed text cannot be read: {error}\n{printed}"),
    }
    for line in source.lines() {
        let Some(command) = line.strip_prefix("; ") else { continue };
        let (name, rest) = command.split_once(':').unwrap_or((command, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        match name {
            "verify" => {
                let level = if words == ["lowered"] { Level::Lowered } else { Level::Python };
                match verify(&function, level) {
                    Ok(()) => out.push_str("ok\n"),
                    Err(errors) => writeln!(out, "{errors}").unwrap(),
                }
            }
            "balance" => match balance(&function) {
                Ok(()) => out.push_str("balanced\n"),
                Err(errors) => writeln!(out, "{errors}").unwrap(),
            },
            "pass" if words == ["all"] => {
                for report in run(&mut function, &PassOptions { verify: true, ..Default::default() }) {
                    if report.changes > 0 {
                        writeln!(out, "{}: {}", report.name, report.changes).unwrap();
                    }
                }
            }
            "pass" => {
                for word in words {
                    let pass = pass(word).unwrap_or_else(|| panic!("no pass {word}"));
                    let report = run_one(&mut function, pass);
                    writeln!(out, "{}: {}", report.name, report.changes).unwrap();
                }
            }
            "lower" => {
                let stress_exits = (words == ["stress"]).then_some(0);
                function = lower(&function, &Layout::EXAMPLE, &LowerOptions { stress_exits });
                if let Err(errors) = verify(&function, Level::Lowered) {
                    writeln!(out, "{errors}").unwrap();
                }
            }
            "print" => write!(out, "{function}").unwrap(),
            "run" => run_command(&function, rest.trim(), &mut out),
            _ => {}
        }
    }
    out
}

fn run_command(function: &Function, command: &str, out: &mut String) {
    let lowered = match verify(function, Level::Lowered) {
        Ok(()) => function.clone(),
        Err(_) => lower(function, &Layout::EXAMPLE, &LowerOptions::default()),
    };
    verify(&lowered, Level::Lowered).unwrap();
    let (entry, contents) = command.strip_prefix("entry ").unwrap().split_once(" (").unwrap();
    let mut heap = Heap::new(Layout::EXAMPLE);
    let contents = contents.trim_end_matches(')');
    for (slot, content) in contents.split(',').map(str::trim).filter(|content| !content.is_empty()).enumerate() {
        let object = match content.split_once(' ') {
            Some(("same", slot)) => {
                let object = heap.slot(slot.parse().unwrap());
                heap.incref(object).unwrap();
                object
            }
            Some(("int", number)) => heap.make(Content::Int(number.parse().unwrap())),
            Some(("float", number)) => heap.make(Content::Float(number.parse().unwrap())),
            Some(("other", number)) => heap.make(Content::Other(number.parse().unwrap())),
            _ => heap.make(match content {
                "null" => Content::Null,
                "none" => Content::None,
                "true" => Content::Bool(true),
                "false" => Content::Bool(false),
                _ => panic!("content {content:?}"),
            }),
        };
        heap.set_slot(slot as u32, object);
    }
    let arguments =
        Arguments { thread_state: THREAD_STATE, frame: FRAME, out: OUT, entry: entry.trim().parse().unwrap() };
    writeln!(out, "run {command}").unwrap();
    let outcome = match interpret(&lowered, &mut heap, arguments, 100_000) {
        Ok(outcome) => outcome,
        Err(trap) => return writeln!(out, "  trap: {trap}").unwrap(),
    };
    match outcome.exit() {
        None => {
            write!(out, "  status {}", outcome.status).unwrap();
            for object in &outcome.values {
                write!(out, " {}", heap.content(*object).unwrap()).unwrap();
                heap.decref(*object).unwrap();
            }
        }
        Some(exit) => {
            write!(out, "  exit {}", outcome.status - FIRST_EXIT).unwrap();
            let exit = &lowered.exits[exit.0 as usize];
            let mut owned = Vec::new();
            let mut describe = |source: &Source| match source {
                Source::Owned(index) => {
                    let object = outcome.values[*index as usize];
                    owned.push(object);
                    format!("owned {}", heap.content(object).unwrap())
                }
                Source::Borrowed(index) => {
                    format!("borrowed {}", heap.content(outcome.values[*index as usize]).unwrap())
                }
                Source::Int(index) => format!("raw int {}", show(Ty::I64, outcome.values[*index as usize])),
                Source::Float(index) => format!("raw float {}", show(Ty::F64, outcome.values[*index as usize])),
                Source::Bool(index) => format!("raw bool {}", show(Ty::I64, outcome.values[*index as usize])),
                other => other.to_string(),
            };
            for (slot, source) in &exit.locals {
                write!(out, "; slot {slot} {}", describe(source)).unwrap();
            }
            for (name, source) in &exit.names {
                write!(out, "; name {name} {}", describe(source)).unwrap();
            }
            for source in &exit.stack {
                write!(out, "; stack {}", describe(source)).unwrap();
            }
            for object in owned {
                heap.decref(object).unwrap();
            }
        }
    }
    if let Some(ip) = heap.ip() {
        write!(out, "; ip {ip}").unwrap();
    }
    write!(out, "; allocated {}; alive", heap.allocated).unwrap();
    for (object, count) in heap.live() {
        write!(out, " [{} x{count}]", heap.content(object).unwrap()).unwrap();
    }
    out.push('\n');
}
