//! The listener over loopback, by raw sockets: what a client sees, byte by byte.

#![expect(
    clippy::unwrap_used,
    reason = "a test's failure is its panic; the lint only knows of test functions"
)]

mod support;

mod curl;
mod exchange;
mod framing;
mod limits;
mod requests;
mod shutdown;
mod tls;
mod upgrade;
