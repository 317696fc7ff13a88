//! ITU-T H.265.

mod hvcc;
mod nal_unit;
mod picture;
mod pps;
mod ref_pic_sets;
mod slice_header;
mod sps;
#[cfg(test)]
pub(crate) mod test_data;

pub use hvcc::{HevcDecoderConfigurationRecord, NalUnitArray};
pub use nal_unit::NalUnitType;
pub(crate) use picture::PictureTracker;
pub use pps::PictureParameterSet;
pub use sps::SequenceParameterSet;
