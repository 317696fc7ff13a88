//! Producer and consumer library for Kinesis Video Streams and servers that speak its protocol.
//!
//! [`Client`] signs and makes calls ([`Client::call`]), finds data endpoints, opens
//! [`PutMedia`] sessions and media readers ([`MediaBody`], [`FragmentReader`]). [`Settings`] finds
//! endpoint, credentials, region and certificate authorities where the AWS tools look for them.
//!
//! Above these: [`source`] reads media files and raw streams as frames, and a [`Producer`] cuts
//! frames into fragments, sends them, follows the acks and sends again what a broken connection
//! lost. [`playback`] makes session URLs, and takes clips and images out.
//!
//! HTTP/1.1 is our own, small and full-duplex, over httparse; TLS is rustls. HTTP/2, proxies and
//! redirects are left out: PutMedia works over none of them.

mod client;
mod endpoint;
mod error;
mod http1;
mod transport;
mod url;

pub mod media;
pub mod playback;
pub mod producer;
pub mod put_media;
pub mod settings;
pub mod source;

pub use client::{Client, DataApi};
pub use endpoint::{Endpoint, Scheme};
pub use error::{CallError, Error};
pub use media::{FragmentReader, MediaBody};
pub use producer::Producer;
pub use put_media::PutMedia;
pub use settings::{Credentials, Settings};
pub use url::Url;
