//! Still images out of video, decoded by sandboxed workers.
//!
//! [`Pictures`] is a pool of processes, each an executable `streamkeep-decoder` that may read jobs,
//! write answers and nothing else. A worker that crashes, loops, hoards or lies costs one job one
//! error; it is killed and replaced, and no other job notices. Workers stay, so that a picture
//! costs a decode and not the start of a process.
//!
//! * [`Pictures::picture`]: coded frames in, an image out.
//! * [`SizeRequest`], [`resolve_size`]: the size rules of GetImages; [`source_size`]: what a
//!   track's configuration record says of its size.
//! * [`Stats`]: what happened so far.
//!
//! One thread per worker takes jobs from a bounded queue and talks to its process over pipes, with
//! a deadline on every read and write. The futures need no particular runtime.

mod backoff;
mod error;
mod executable;
mod job;
mod pipe;
mod pool;
mod queue;
mod settings;
mod size;
mod stats;
mod worker;

pub use error::PictureError;
pub use job::{CodedFrame, Picture, PictureJob};
pub use pool::Pictures;
pub use settings::Settings;
pub use size::{SizeError, SizeRequest, resolve_size, source_size};
pub use stats::Stats;
pub use streamkeep_decoder_protocol::{
    Codec, Format, HEIGHT_MAX, JpegQuality, PictureSize, WIDTH_MAX, Wanted,
};
