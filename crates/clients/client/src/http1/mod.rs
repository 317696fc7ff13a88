//! HTTP/1.1 for a client (RFC 9112): request heads, response heads, bodies both ways at once.

mod body_decoder;
mod connection;
mod request_head;
mod response_head;

pub(crate) use body_decoder::{BodyDecoder, Decoded};
pub(crate) use connection::{Connection, Receiver, Sender};
pub(crate) use request_head::RequestHead;
pub(crate) use response_head::ResponseHead;
