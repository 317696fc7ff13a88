//! Codec facts: NAL units, parameter sets, decoder configuration records, key frames, audio frame
//! lengths.
//!
//! Standards: H.264 (ITU-T H.264), H.265 (ITU-T H.265), their carriage in files (ISO/IEC
//! 14496-15), AAC (ISO/IEC 14496-3), Opus (RFC 6716, RFC 7845). The tolerances and where they come
//! from are in the modules. Nothing here decodes pictures or sound, does I/O or reads a clock;
//! payload is only looked at where a header lies.
//!
//! * [`KeyFrameProbe`]: is this frame a random access point, by its own slices?
//! * [`AudioFormat`]: how many samples does this audio frame last?
//! * [`VideoDescription`], [`AudioDescription`]: all that packaging asks of a track.
//! * [`FrameNalUnits`]: a stored frame → Annex B.
//! * [`AccessUnitSplitter`]: raw Annex B byte stream → frames with 4-byte length prefixes.
//! * [`h264`], [`h265`]: parameter sets, the avcC and hvcC records.

mod access_unit;
mod annex_b;
mod audio;
mod description;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod key_frame;
mod nal_units;
mod picture;
mod rbsp;
mod record_reader;
mod vui;

pub mod h264;
pub mod h265;

pub use access_unit::{AccessUnit, AccessUnitSplitter, CodecParameters, PictureOrder};
pub use annex_b::FrameNalUnits;
pub use audio::{AudioFormat, AudioSpecificConfig, DeclaredAudio, OpusHead, WaveFormat};
pub use description::{AudioCodec, AudioDescription, DescriptionError, VideoDescription};
pub use error::Error;
pub use key_frame::{KeyFrameProbe, is_key_frame};
pub use nal_units::{NalFraming, NalUnits, VideoCodec};
pub use vui::{ColourDescription, SampleAspectRatio, TickRate};
