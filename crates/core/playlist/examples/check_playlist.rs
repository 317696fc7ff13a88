//! Checks recorded playlists or manifests and prints what breaks a rule.
//!
//! ```text
//! check_playlist [--must] [--renditions] FILE…
//! ```
//!
//! The files are the reloads of one list in order; what they are is told from their text. With
//! `--renditions` they are the lists of one presentation at one moment. With `--must` advice is
//! left out. Exit status 0: nothing found; 1: something found; 2: a file cannot be read.

#![allow(clippy::print_stdout, reason = "the findings are what it is for")]

use std::process::ExitCode;

use streamkeep_playlist::check::{self, Finding, Level};

fn main() -> ExitCode {
    let (mut must, mut renditions, mut names) = (false, false, Vec::new());
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--must" => must = true,
            "--renditions" => renditions = true,
            _ => names.push(argument),
        }
    }
    if names.is_empty() {
        eprintln!("usage: check_playlist [--must] [--renditions] FILE…");
        return ExitCode::from(2);
    }
    let mut files = Vec::new();
    for name in &names {
        match std::fs::read(name) {
            Ok(bytes) => files.push(bytes),
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    let texts: Result<Vec<&str>, Finding> =
        files.iter().enumerate().map(|(index, bytes)| check::utf8(index, bytes)).collect();
    let mut findings = match texts {
        Ok(texts) => check_texts(&texts, renditions),
        Err(finding) => vec![finding],
    };
    findings.retain(|finding| !must || finding.level == Level::Must);
    for finding in &findings {
        let name = names.get(finding.text).map_or("", String::as_str);
        println!("{name}: {finding}");
    }
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check_texts(texts: &[&str], renditions: bool) -> Vec<Finding> {
    if renditions {
        return check::renditions(texts);
    }
    match texts.first() {
        Some(first) if first.trim_start_matches('\u{feff}').trim_start().starts_with('<') => {
            check::mpds(texts)
        }
        Some(first) if first.contains("#EXT-X-STREAM-INF") => {
            let of = |(index, text): (usize, &&str)| {
                let mut findings = check::multivariant_playlist(text);
                findings.iter_mut().for_each(|finding| finding.text = index);
                findings
            };
            texts.iter().enumerate().flat_map(of).collect()
        }
        _ => check::media_playlists(texts),
    }
}
