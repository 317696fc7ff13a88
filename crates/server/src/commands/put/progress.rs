//! How far a producer is, while it works: on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use streamkeep_client::producer::Status;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Shows progress until it is dropped: a line that changes on a terminal, a line now and then
/// elsewhere.
pub(super) struct Progress {
    task: JoinHandle<()>,
    on_terminal: bool,
}

impl Progress {
    pub(super) fn start(status: watch::Receiver<Status>) -> Self {
        let on_terminal = io::stderr().is_terminal();
        Self { task: tokio::spawn(show(status, on_terminal)), on_terminal }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        if self.on_terminal {
            let _nobody_looks = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

async fn show(status: watch::Receiver<Status>, on_terminal: bool) {
    let begun = Instant::now();
    let interval = Duration::from_millis(if on_terminal { 250 } else { 10_000 });
    loop {
        tokio::time::sleep(interval).await;
        let line = line(&status.borrow(), begun.elapsed());
        let shown = match on_terminal {
            true => write!(io::stderr(), "\r{line}\x1b[K"),
            false => writeln!(io::stderr(), "{line}"),
        };
        if shown.is_err() {
            return;
        }
    }
}

fn line(status: &Status, elapsed: Duration) -> String {
    let mut line = format!(
        "{:.0} s: {} fragments, {} received, {} done, {:.1} MB, {:.1} s waiting",
        elapsed.as_secs_f64(),
        status.fragments,
        status.received,
        status.done,
        status.bytes as f64 / 1e6,
        status.buffered.as_secs_f64(),
    );
    if !status.refused.is_empty() {
        line += &format!(", {} refused", status.refused.len());
    }
    if status.sessions > 1 {
        line += &format!(", session {}", status.sessions);
    }
    line
}
