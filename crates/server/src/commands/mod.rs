//! The commands beside `serve` and `demo`: clients of a server, and offline tools.

mod axis;
pub(crate) mod bench;
mod connect_args;
pub(crate) mod get;
pub(crate) mod offline;
pub(crate) mod put;
mod session;
mod time_spec;
mod units;
pub(crate) mod url;
