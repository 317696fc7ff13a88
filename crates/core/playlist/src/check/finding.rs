//! What a checker reports.

use std::fmt;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which text of the input, the first is 0.
    pub text: usize,
    /// Line in it, the first is 1; 0 when the whole text is meant.
    pub line: usize,
    /// How bad it is.
    pub level: Level,
    /// The rule: standard and section.
    pub rule: &'static str,
    /// What is wrong, with the values found.
    pub message: String,
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Advice, or a known trap of a player.
    Should,
    /// The standard demands it.
    Must,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Must => "must",
            Level::Should => "should",
        };
        write!(f, "{level} [{}]", self.rule)?;
        match self.line {
            0 => write!(f, " text {}: {}", self.text, self.message),
            line => write!(f, " text {} line {line}: {}", self.text, self.message),
        }
    }
}

/// Reads bytes as text.
///
/// # Errors
/// A finding when they are no UTF-8.
pub fn utf8(text: usize, bytes: &[u8]) -> Result<&str, Finding> {
    std::str::from_utf8(bytes).map_err(|error| Finding {
        text,
        line: 0,
        level: Level::Must,
        rule: "RFC 8216 §4.1",
        message: format!("byte {} is not UTF-8", error.valid_up_to()),
    })
}

/// Collects findings while checking.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Index of the text being checked.
    pub(super) text: usize,
    all: Vec<Finding>,
}

/// A text broken in every line says nothing more in its thousandth finding.
const FINDINGS_MAX: usize = 1000;
/// Foreign values are cited up to here, in characters.
const CITED_MAX: usize = 80;

impl Findings {
    pub(super) fn must(&mut self, line: usize, rule: &'static str, message: impl Into<String>) {
        self.push(Level::Must, line, rule, message.into());
    }

    pub(super) fn should(&mut self, line: usize, rule: &'static str, message: impl Into<String>) {
        self.push(Level::Should, line, rule, message.into());
    }

    fn push(&mut self, level: Level, line: usize, rule: &'static str, message: String) {
        if self.all.len() < FINDINGS_MAX {
            self.all.push(Finding { text: self.text, line, level, rule, message });
        }
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.all
    }
}

/// The start of a foreign value, quoted, with control characters escaped.
pub(super) fn cite(value: &str) -> String {
    match value.char_indices().nth(CITED_MAX) {
        None => format!("{value:?}"),
        Some((at, _)) => format!("{:?}…", &value[..at]),
    }
}

/// Nanoseconds as seconds.
pub(super) fn secs(ns: u64) -> String {
    format!("{}.{:05} s", ns / 1_000_000_000, ns % 1_000_000_000 / 10_000)
}
