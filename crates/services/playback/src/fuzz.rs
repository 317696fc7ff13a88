//! Entry point for fuzzing: any fragments may come in, packaging them must not panic, and what comes
//! out is read back. Not part of the public interface.

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use streamkeep_fmp4::reader::{read_init, read_media_segment};
use streamkeep_media::Fragment;
use streamkeep_packaging::{AudioScale, Axis, Numbering, Origin, Timeline};
use streamkeep_volume::{FragmentRow, RunningCounters};

use crate::claims::PartRule;
use crate::edge::Parted;
use crate::facts::facts_of;
use crate::fragments::Loaded;
use crate::init::track_init_segment;
use crate::segment::{SegmentWish, media_segment};
use crate::tracks::{TrackRole, TrackSets};
use crate::transport;

/// The fragments of a stream, in order, as segments and parts of each kind.
pub fn package(fragments: &[Arc<Fragment>], rule_frames: u16) {
    let track_sets = TrackSets::new();
    let mut timeline: Option<Timeline> = None;
    let mut previous: Option<Arc<Loaded>> = None;
    for (index, fragment) in fragments.iter().enumerate() {
        let Ok(tracks) = track_sets.get(&fragment.header.bytes) else { continue };
        let counters = RunningCounters { ordinal: index as u64, ..RunningCounters::default() };
        let row = Arc::new(FragmentRow::describe(fragment, counters));
        let facts = facts_of(&row);
        let mut media = BytesMut::new();
        fragment.media.iter().for_each(|piece| media.extend_from_slice(piece));
        let (frames, media) = (fragment.frames.clone(), media.freeze());
        let loaded = Arc::new(Loaded { row, frames, tracks, media });
        let timeline = timeline.get_or_insert_with(|| {
            let audio = loaded.tracks.audio.as_ref();
            let scale = AudioScale {
                rate: audio.map_or(1, |audio| audio.description.sampling_rate),
                timescale: audio.map_or(1, |audio| audio.timescale),
            };
            let origin = Origin {
                ordinal: 0,
                discontinuities: 0,
                description: 0,
                zero_ms: facts.producer_start().0,
            };
            Timeline::new(origin, Axis::Producer, Numbering::Ordinal, scale)
        });
        timeline.push(facts);
        let Some(segment) = timeline.last().copied() else { continue };
        assert!(segment.end > segment.start, "a segment has a length");
        for role in [TrackRole::Video, TrackRole::Audio] {
            if let Ok(Some(init)) = track_init_segment(&loaded.tracks, role) {
                read_init(&init).expect("an initialisation segment can be read");
            }
            let at = match role {
                TrackRole::Video => segment.start,
                TrackRole::Audio => segment.audio_start,
            };
            for (is_join, key_frame_only) in [(false, false), (true, false), (false, true)] {
                let wish = SegmentWish { role, at, sequence: 1, is_join, key_frame_only };
                if let Ok(mut made) = media_segment(&loaded, previous.as_ref(), &wish) {
                    let bytes = made.copy_to_bytes(made.remaining());
                    read_media_segment(&bytes).expect("a media segment can be read");
                }
                let _ = transport::segment(&loaded, &wish);
            }
        }
        let rule = PartRule { frames: rule_frames, target_ms: 200, reorder: 0 };
        if let Ok(parted) = Parted::stored(&segment, &loaded, rule) {
            for role in [TrackRole::Video, TrackRole::Audio] {
                for (index, span) in parted.spans(role).iter().enumerate() {
                    assert!(!span.samples.is_empty(), "a part has samples");
                    let at = parted.start(role);
                    if let Ok(bytes) = parted.part(role, index as u32, at, 1) {
                        read_media_segment(&bytes).expect("a part can be read");
                    }
                }
            }
        }
        previous = Some(loaded);
    }
}
