//! The sample clock of audio tracks (packaging.md §2.4).
//!
//! Block times are rounded to milliseconds; 1024 samples at 48 kHz are 21.33 ms. Positions that
//! come from counting samples have no such rounding, so audio can be packaged without micro-gaps.

use streamkeep_codec::{AudioFormat, DeclaredAudio};
use streamkeep_media::{Track, TrackKind};

/// Counts the samples of one audio track over a session.
#[derive(Debug)]
pub(crate) struct AudioClock {
    format: AudioFormat,
    /// Samples since the origin; `None` before the first frame.
    position: Option<u64>,
    /// Time of the first frame of the session, nanoseconds.
    origin_ns: i128,
}

/// Beyond this the block time wins over the count.
const RESYNC_NS: i128 = 20_000_000;

impl AudioClock {
    /// A clock for `track`, or `None` when the codec's frame length cannot be told.
    pub(crate) fn new(track: &Track) -> Option<Self> {
        if track.kind != TrackKind::Audio {
            return None;
        }
        let declared = track.audio.map(|audio| DeclaredAudio {
            sampling_frequency: audio.sampling_frequency,
            channels: audio.channels,
            bit_depth: audio.bit_depth,
        });
        let format = AudioFormat::new(&track.codec_id, &track.codec_private, declared)?;
        Some(Self { format, position: None, origin_ns: 0 })
    }

    /// Takes the next frame, presented at `pts_ns`, and answers the sample position at which it
    /// starts.
    pub(crate) fn advance(&mut self, pts_ns: i128, frame: &[u8]) -> u64 {
        let rate = i128::from(self.format.sampling_rate().max(1));
        let samples = u64::from(self.format.samples(frame, frame.len()).unwrap_or(0));
        let start = match self.position {
            None => {
                self.origin_ns = pts_ns;
                0
            }
            Some(counted) => {
                let half_frame = i128::from(samples) * 1_000_000_000 / rate / 2;
                let counted_ns = i128::from(counted) * 1_000_000_000 / rate;
                let offset_ns = pts_ns - self.origin_ns;
                if (counted_ns - offset_ns).abs() > RESYNC_NS.max(half_frame) {
                    u64::try_from(offset_ns.max(0) * rate / 1_000_000_000).unwrap_or(counted)
                } else {
                    counted
                }
            }
        };
        self.position = Some(start.saturating_add(samples));
        start
    }
}
