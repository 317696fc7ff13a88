//! ITU-T H.264.

mod nal_unit;
mod sei;
mod slice_header;

pub use nal_unit::NalUnitType;
pub(crate) use sei::is_recovery_point_now;
pub(crate) use slice_header::starts_with_i_slice;
