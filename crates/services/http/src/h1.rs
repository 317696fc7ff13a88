//! HTTP/1.1 and HTTP/1.0 (RFC 9112): our own loop, because the PutMedia exchange needs what
//! general servers hide — which bytes share a write, when `100 Continue` goes out, and a write
//! side that outlives the peer's half-close.

pub(crate) mod body_reader;
pub(crate) mod chunked;
pub(crate) mod head;
pub(crate) mod head_reader;
pub(crate) mod response;

mod connection;
mod request_head;
mod write_response;

pub(crate) use connection::{Served, close, internal_error, plain_response, serve};
