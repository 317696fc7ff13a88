//! HLS: playlists, segments, parts (playback.md §5, packaging.md §5).

mod media_list;
mod multivariant;
mod part;
mod uris;
mod window;

pub(crate) use media_list::{InitVersion, media};
pub(crate) use multivariant::{codecs, multivariant};
pub(crate) use part::part;
pub(crate) use uris::{
    INIT, MEDIA_PLAYLIST, MP4_PART, MP4_SEGMENT, TS_SEGMENT, fragment_number, plain,
};
pub(crate) use window::{listed, wall_time};
