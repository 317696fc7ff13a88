//! HTTP/1.1 and HTTP/2 over TCP and TLS, with full-duplex takeover for PutMedia.
//!
//! A [`Server`] accepts on [`Listener`]s and puts each request before a [`Handler`], which decides
//! from the head ([`Admit`]) whether it wants the body whole ([`Handler::call`]) or the connection
//! itself ([`Handler::exchange`], with an [`Exchange`], which a WebSocket [`Handshake`] turns into a
//! byte stream, [`Upgraded`]). HTTP/1.x is our own loop over `httparse`
//! (see `h1`), HTTP/2 is hyper's (see `h2`), TLS is rustls with aws-lc-rs (see `tls` and
//! `transport`). What one peer may take is in [`Limits`]; what is counted in [`Counters`].
//!
//! `design/http.md` says why it is built this way and what it costs.

mod body;
mod connection;
mod counters;
mod error;
mod exchange;
#[doc(hidden)]
pub mod fuzz;
mod h1;
mod h2;
mod handler;
mod limits;
mod panics;
mod scratch;
mod server;
mod shutdown;
mod tls;
mod transport;
mod websocket;

pub use body::{Body, BodyError, BodyStream, Pieces};
pub use counters::Counters;
pub use error::{ChunkError, ChunkErrorKind, Error, ReadError, WriteError};
pub use exchange::{Exchange, Upgraded};
pub use handler::{Admit, BoxFuture, ConnectionInfo, Handler};
pub use limits::Limits;
pub use server::{Config, Listener, Server};
pub use shutdown::ShutdownSignal;
pub use tls::{LocalAuthority, chain_expires, local_authority, tls_from_pem_files};
pub use websocket::{Handshake, HandshakeError};
