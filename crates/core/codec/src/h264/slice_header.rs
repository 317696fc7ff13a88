//! The first fields of the slice header, H.264 §7.3.3.

use crate::rbsp::RbspReader;

/// The NAL unit, a coded slice, is an I or SI slice. `None` when its header is broken.
pub(crate) fn starts_with_i_slice(nal: &[u8]) -> Option<bool> {
    let mut reader = RbspReader::new(nal.get(1..)?, "slice_header");
    reader.ue().ok()?; // first_mb_in_slice
    let slice_type = reader.ue().ok()?;
    // Table 7-6: 2 and 7 are I, 4 and 9 are SI; 5..=9 promise the same type for the whole picture.
    match slice_type {
        2 | 4 | 7 | 9 => Some(true),
        0..=9 => Some(false),
        _ => None,
    }
}
