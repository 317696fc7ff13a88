//! Audio: the records in CodecPrivate, and how long a frame lasts.

mod aac;
mod adts;
mod frame_samples;
mod opus;
mod wave_format;

pub use aac::AudioSpecificConfig;
pub use frame_samples::{AudioFormat, DeclaredAudio};
pub use opus::OpusHead;
pub use wave_format::WaveFormat;
