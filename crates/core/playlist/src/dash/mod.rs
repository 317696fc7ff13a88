//! MPEG-DASH: the media presentation description.

mod escape;
mod mpd;

pub use mpd::{
    AdaptationSet, Content, KVS_NAMESPACE, Mpd, MpdWriter, Presentation, TimelineSegment, UtcTiming,
};
