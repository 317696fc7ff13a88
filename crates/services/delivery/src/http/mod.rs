//! A small HTTP/1.1 client for calls to receivers that are not trusted.
//!
//! Each call resolves its host once, asks the [`AddressPolicy`](crate::AddressPolicy), and
//! connects to a checked address. Redirects are not followed, cookies not kept, proxies not used.
//! Head, body and time of an answer are bounded; an answer counts from its head, and its body is
//! only read for the reason of an error.
//!
//! hyper frames the messages, rustls encrypts. HTTP/2 is left out: a delivery is one request.

mod client;
mod connection;
mod error;
mod url;

pub use client::{Answer, HttpClient, Timeouts};
pub use error::HttpError;
pub use url::{BadUrl, HttpUrl};

pub(crate) use client::Outgoing;
