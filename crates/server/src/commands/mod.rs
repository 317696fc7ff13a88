//! The commands that are clients of a server.

pub(crate) mod bench;
mod connect_args;
pub(crate) mod get;
pub(crate) mod put;
mod time_spec;
mod units;
