//! ITU-T H.265.

mod nal_unit;

pub use nal_unit::NalUnitType;
