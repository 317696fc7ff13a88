//! The commands that are clients of a server.

pub(crate) mod bench;
mod connect_args;
#[allow(dead_code)] // until the command line offers it
pub(crate) mod get;
#[allow(dead_code)] // until the command line offers it
pub(crate) mod put;
#[allow(dead_code)]
mod time_spec;
mod units;
