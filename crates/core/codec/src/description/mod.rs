//! What packaging has to know of a track, from its CodecID and CodecPrivate.

mod audio;
mod error;
mod video;

pub use audio::{AudioCodec, AudioDescription};
pub use error::DescriptionError;
pub use video::VideoDescription;
