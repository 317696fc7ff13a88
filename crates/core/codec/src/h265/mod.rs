//! ITU-T H.265.

mod codec_string;
mod hvcc;
mod nal_unit;
mod picture;
mod pps;
mod ref_pic_sets;
mod sample_entry_record;
mod slice_header;
mod sps;
#[cfg(test)]
pub(crate) mod test_data;

pub use codec_string::codec_string;
pub use hvcc::{HevcDecoderConfigurationRecord, NalUnitArray};
pub use nal_unit::NalUnitType;
pub(crate) use picture::PictureTracker;
pub use pps::PictureParameterSet;
pub use sample_entry_record::sample_entry_record;
pub use sps::SequenceParameterSet;
