//! How far a download is, on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// A line that changes on a terminal, a line now and then elsewhere.
pub(super) struct Transfer {
    begun: Instant,
    shown: Instant,
    on_terminal: bool,
    len: Option<u64>,
    done: u64,
}

impl Transfer {
    /// Of so many bytes, when known.
    pub(super) fn start(len: Option<u64>) -> Self {
        let now = Instant::now();
        let on_terminal = io::stderr().is_terminal();
        Self { begun: now, shown: now, on_terminal, len, done: 0 }
    }

    /// So many more bytes have come.
    pub(super) fn add(&mut self, len: usize) {
        self.done += len as u64;
        let interval = Duration::from_millis(if self.on_terminal { 250 } else { 10_000 });
        if self.shown.elapsed() < interval {
            return;
        }
        self.shown = Instant::now();
        let line = line(self.done, self.len);
        // A lost progress line is no loss.
        let _ = match self.on_terminal {
            true => write!(io::stderr(), "\r{line}\x1b[K"),
            false => writeln!(io::stderr(), "{line}"),
        };
    }

    /// `1.2 of 3.4 MB`.
    pub(super) fn so_far(&self) -> String {
        line(self.done, self.len)
    }

    /// Bytes, and the time they took.
    pub(super) fn total(&self) -> String {
        format!("{:.1} MB in {:.1} s", self.done as f64 / 1e6, self.begun.elapsed().as_secs_f64())
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if self.on_terminal {
            // As above.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(done: u64, len: Option<u64>) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    match len {
        Some(len) if len > 0 => format!(
            "{:.1} of {:.1} MB, {} %",
            megabytes(done),
            megabytes(len),
            done.saturating_mul(100) / len
        ),
        _ => format!("{:.1} MB", megabytes(done)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        assert_eq!(line(1_250_000, None), "1.2 MB");
        assert_eq!(line(0, Some(0)), "0.0 MB");
        assert_eq!(line(500_000, Some(2_000_000)), "0.5 of 2.0 MB, 25 %");
    }
}
