//! What the server and the decoder worker say to each other, over the worker's standard input and
//! output.
//!
//! ```text
//! worker  → Hello                      once, when it is confined and its decoder has decoded
//! server  → Job        worker → Answer again and again
//! server  closes the pipe              the worker ends
//! ```
//!
//! Each message is a frame: its length as a little-endian `u32`, then that many bytes. Numbers are
//! little-endian. Neither side trusts the other: the worker has eaten hostile video, so an
//! [`Answer`] is parsed like anything from the network, and every length is capped before it sizes
//! anything.
//!
//! This crate has no dependency, so that the worker brings its decoders into its own process only.

mod answer;
mod error;
mod fields;
mod frame;
mod hello;
mod job;

pub use answer::{Answer, FailureKind, Timing};
pub use error::Error;
pub use frame::{ANSWER_LEN_MAX, FRAME_PREFIX_LEN, HELLO_LEN_MAX, JOB_LEN_MAX, frame_len};
pub use hello::{CodecSet, Confinement, Hello, VERSION};
pub use job::{
    Codec, Format, HEIGHT_MAX, Job, JpegQuality, PictureSize, SAMPLES_MAX, Sample, WIDTH_MAX,
    Wanted,
};
