//! Log lines on standard error: for people or for programs.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging for a command that has an output of its own: warnings only.
pub(crate) fn start_quiet() {
    start_at("warn", LogFormat::Text);
}

/// Starts logging. `STREAMKEEP_LOG` takes a filter such as `info,streamkeep_http=debug`.
pub(crate) fn start(format: LogFormat) {
    start_at("info", format);
}

fn start_at(default: &str, format: LogFormat) {
    let filter = std::env::var("STREAMKEEP_LOG").unwrap_or_else(|_| default.into());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|error| {
        eprintln!("streamkeep: STREAMKEEP_LOG={filter}: {error}; logging at {default}");
        EnvFilter::new(default)
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let result = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().with_current_span(true).try_init(),
    };
    if let Err(error) = result {
        eprintln!("streamkeep: logging was started twice: {error}");
    }
}
