// SPDX-License-Identifier: Apache-2.0
//! sev_judge: reads names of case directories, one a line, and writes for each one line: the name, `accepts` or
//! `refuses`, and the crate's own message. A panic of the crate is a refusal that says so. Exit: 0 all judged, 3 not.
use std::io::{BufRead, Write};
use std::panic::{catch_unwind, set_hook};
use std::path::Path;

/// re_encoded tells whether the crate writes a report back as it read it.
fn re_encoded(case: &attestbed_oracles::Case) -> Result<(), String> {
    use sev::parser::ByteParser;
    let again = attestbed_oracles::report(case)?
        .to_bytes()
        .map_err(|why| format!("report: {why}"))?;
    if again.as_ref() as &[u8] != case.report.as_slice() {
        return Err("report: re-encoded otherwise".into());
    }
    Ok(())
}

fn judge(name: &str, task: fn(&attestbed_oracles::Case) -> Result<(), String>) -> Result<Result<(), String>, String> {
    let case = attestbed_oracles::Case::read(Path::new(name))?;
    Ok(catch_unwind(move || task(&case)).unwrap_or_else(|_| Err("panicked".into())))
}

fn main() {
    let task = match std::env::args().nth(1).as_deref() {
        Some("verify") => attestbed_oracles::verify,
        Some("re-encode") => re_encoded,
        _ => {
            eprintln!("usage: sev_judge verify|re-encode <names-of-directories");
            std::process::exit(2);
        }
    };
    set_hook(Box::new(|_| {}));
    let mut out = std::io::stdout().lock();
    for name in std::io::stdin().lock().lines().map_while(Result::ok) {
        let line = match judge(&name, task) {
            Ok(Ok(())) => format!("{name}\taccepts\t"),
            Ok(Err(why)) => format!("{name}\trefuses\t{}", why.replace(['\n', '\t'], " ")),
            Err(unread) => {
                eprintln!("sev_judge: {unread}");
                std::process::exit(3);
            }
        };
        if writeln!(out, "{line}").is_err() {
            std::process::exit(3);
        }
    }
}
