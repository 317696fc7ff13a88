//! ITU-T H.264.

mod avcc;
mod codec_string;
mod nal_unit;
mod picture;
mod pps;
mod sei;
mod slice_header;
mod sps;
#[cfg(test)]
pub(crate) mod test_data;

pub use avcc::AvcDecoderConfigurationRecord;
pub use codec_string::codec_string;
pub use nal_unit::NalUnitType;
pub(crate) use picture::PictureTracker;
pub use pps::PictureParameterSet;
pub(crate) use sei::is_recovery_point_now;
pub(crate) use slice_header::starts_with_i_slice;
pub use sps::SequenceParameterSet;
pub(crate) use sps::cropped;
