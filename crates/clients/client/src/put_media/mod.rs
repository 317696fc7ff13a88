//! PutMedia: media out, acks in, both at once on one HTTP/1.1 connection (put-media.md §§2, 3).

mod ack;
mod ack_parser;
mod session;

pub use ack::{Ack, AckEvent, ack_error};
pub use ack_parser::AckParser;
pub use session::{Acks, PutMedia, PutMediaBody, PutMediaOptions, TimecodeType};
