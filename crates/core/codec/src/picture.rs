//! What the trackers of both codecs tell about pictures in a sequence of NAL units.

/// What a NAL unit is to the splitting of a stream into access units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NalRole {
    /// Comes before the first slice of its picture: after a slice it belongs to what follows.
    Precedes,
    /// A slice, whose header tells to which picture it belongs.
    Slice,
    /// Belongs to the picture before it.
    Continues,
}

/// What the start of a slice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SliceStart {
    /// One more slice of the picture at hand, or the second field of its frame.
    SamePicture,
    NewPicture(PictureStart),
    /// The parameter sets it refers to have not been seen, or the header is broken.
    Unreadable,
}

/// A new picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureStart {
    /// Its order is the first of a new count: an IDR or BLA picture, or a CRA at a start.
    pub(crate) restarts_order: bool,
    /// PicOrderCnt.
    pub(crate) order: i32,
    /// By how much the order of neighbouring frames differs.
    pub(crate) order_step: i32,
    /// Decoded after its random access point, presented before it.
    pub(crate) leading: bool,
    /// Leading pictures may follow.
    pub(crate) may_have_leading: bool,
    /// Generation of the parameter sets and the SPS in use: equal values mean an equal record.
    pub(crate) parameter_sets: (u64, u8),
}

/// PicOrderCntMsb from the low bits: H.264 equation 8-3, H.265 equation 8-1.
pub(crate) fn order_msb(previous_msb: i32, previous_lsb: i32, lsb: i32, max_lsb: i32) -> i32 {
    if lsb < previous_lsb && previous_lsb - lsb >= max_lsb / 2 {
        previous_msb.saturating_add(max_lsb)
    } else if lsb > previous_lsb && lsb - previous_lsb > max_lsb / 2 {
        previous_msb.saturating_sub(max_lsb)
    } else {
        previous_msb
    }
}
