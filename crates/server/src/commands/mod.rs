//! The commands that are clients of a server.

pub(crate) mod bench;
mod connect_args;
mod units;
