// SPDX-License-Identifier: Apache-2.0
//! sev_bench DIRECTORY…: times the `sev` crate on cases, in process, each question for at least a second, and writes
//! Google Benchmark's JSON. Exit: 0 measured, 1 a case was refused, 2 usage.
use attestbed_oracles::{chain, report, verify, Case};
use sev::certs::snp::Verifiable;
use std::path::Path;
use std::process::exit;
use std::time::{Duration, Instant};

#[cfg(feature = "openssl")]
const BACK_END: &str = "openssl";
#[cfg(feature = "nossl")]
const BACK_END: &str = "rustcrypto";

const LEAST: Duration = Duration::from_millis(1100);

/// timed repeats `once` over all cases until `LEAST` has passed: nanoseconds for one, and how many.
fn timed(cases: usize, mut once: impl FnMut(usize) -> Result<(), String>) -> Result<(f64, usize), String> {
    let mut done = 0;
    let began = Instant::now();
    while began.elapsed() < LEAST {
        for at in 0..cases {
            once(at)?;
        }
        done += cases;
    }
    Ok((began.elapsed().as_nanos() as f64 / done as f64, done))
}

fn measure(cases: &[Case]) -> Result<Vec<(&'static str, f64, usize)>, String> {
    for case in cases {
        verify(case)?;
    }
    let whole = timed(cases.len(), |at| verify(&cases[at]))?;
    let held: Vec<_> = cases.iter().map(|case| chain(case).map(|chain| chain.vek)).collect::<Result<_, _>>()?;
    let alone = timed(cases.len(), |at| {
        (&held[at], &report(&cases[at])?)
            .verify()
            .map_err(|why| why.to_string())
    })?;
    Ok(vec![("from octets", whole.0, whole.1), ("chain held", alone.0, alone.1)])
}

fn main() {
    let directories: Vec<_> = std::env::args().skip(1).collect();
    if directories.is_empty() {
        eprintln!("usage: sev_bench DIRECTORY…");
        exit(2);
    }
    let cases: Result<Vec<_>, _> = directories.iter().map(|name| Case::read(Path::new(name))).collect();
    match cases.and_then(|cases| measure(&cases)) {
        Ok(figures) => {
            let rows: Vec<_> = figures
                .iter()
                .map(|(question, nanoseconds, iterations)| {
                    format!(
                        r#"    {{"name": "sev {BACK_END}/{question}", "run_type": "iteration", "iterations": {iterations}, "real_time": {nanoseconds:.1}, "cpu_time": {nanoseconds:.1}, "time_unit": "ns"}}"#
                    )
                })
                .collect();
            println!("{{\n  \"context\": {{}},\n  \"benchmarks\": [\n{}\n  ]\n}}", rows.join(",\n"));
        }
        Err(why) => {
            eprintln!("sev_bench: {why}");
            exit(1);
        }
    }
}
