// SPDX-License-Identifier: Apache-2.0
//! What the programs here have in common: a case on disk, and the verdict of the `sev` crate on it.
use sev::certs::snp::{ca, Certificate, Chain, Verifiable};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;
use std::path::Path;

/// Case is what a relying party holds, as octets: DER certificates and a report.
pub struct Case {
    pub report: Vec<u8>,
    pub vek: Vec<u8>,
    pub ask: Vec<u8>,
    pub ark: Vec<u8>,
}

impl Case {
    /// read takes `report.bin` and `ark.der` of a directory, and `vlek.der` with `asvk.der`, or `vcek.der` with `ask.der`.
    pub fn read(directory: &Path) -> Result<Self, String> {
        let (vek, ask) = if directory.join("vlek.der").exists() {
            ("vlek.der", "asvk.der")
        } else {
            ("vcek.der", "ask.der")
        };
        let octets = |name: &str| {
            let path = directory.join(name);
            std::fs::read(&path).map_err(|why| format!("{}: {why}", path.display()))
        };
        Ok(Case {
            report: octets("report.bin")?,
            vek: octets(vek)?,
            ask: octets(ask)?,
            ark: octets("ark.der")?,
        })
    }
}

/// chain reads the three certificates and verifies them down to the VEK.
pub fn chain(case: &Case) -> Result<Chain, String> {
    let certificate =
        |der: &[u8], whose: &str| Certificate::from_der(der).map_err(|why| format!("{whose}: {why}"));
    let chain = Chain {
        ca: ca::Chain {
            ark: certificate(&case.ark, "ARK")?,
            ask: certificate(&case.ask, "ASK")?,
        },
        vek: certificate(&case.vek, "VEK")?,
    };
    (&chain).verify().map_err(|why| format!("chain: {why}"))?;
    Ok(chain)
}

/// report reads the report.
pub fn report(case: &Case) -> Result<AttestationReport, String> {
    AttestationReport::from_bytes(&case.report).map_err(|why| format!("report: {why}"))
}

/// verify judges a case from its octets; ours to choose is only that both of the crate's checks are asked.
pub fn verify(case: &Case) -> Result<(), String> {
    let report = report(case)?;
    let chain = chain(case)?;
    (&chain.vek, &report)
        .verify()
        .map_err(|why| format!("signature: {why}"))
}
