//! Which audio frames share a PES packet.
//!
//! A PES packet costs 14 bytes of header and, in its last transport packet, 92 bytes of stuffing on
//! average: as much as half a frame of low-rate AAC. Its one PTS counts for the first frame, the
//! others follow without a gap.

use crate::adts::{ADTS_HEADER_LEN, AdtsHeader};
use crate::error::Error;
use crate::pes::{AUDIO_PES_DATA_LEN_MAX, PesHeader, PesWriter};
use crate::segment::AudioFrame;

const FRAMES_MIN: usize = 4;
const FRAMES_MAX: usize = 8;

/// A group of more than [`FRAMES_MIN`] frames lasts at most this, 90 kHz: 8 frames at 48 kHz.
const DURATION_MAX: u64 = 16_384;

/// Consecutive frames, sent in one PES packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AudioGroup<'a> {
    /// Some of them may be empty: those are not sent.
    pub(crate) frames: &'a [AudioFrame<'a>],
    /// Of the first that is not empty.
    pub(crate) pts: u64,
    /// Of all, headers included.
    pub(crate) data_len: usize,
}

impl AudioGroup<'_> {
    pub(crate) fn pes_header(&self) -> PesHeader {
        PesHeader::audio(self.pts, self.data_len)
    }

    /// Pushes `data_len` bytes.
    pub(crate) fn write(&self, pes: &mut PesWriter<'_>) {
        for frame in self.frames.iter().filter(|frame| !frame.data.is_empty()) {
            pes.push(&frame.header);
            pes.push(frame.data);
        }
    }
}

/// Cuts a track into groups. Fails on a header that does not tell the length of its frame.
pub(crate) fn group<'a>(frames: &'a [AudioFrame<'a>]) -> Result<Vec<AudioGroup<'a>>, Error> {
    let mut groups: Vec<AudioGroup<'a>> = Vec::with_capacity(frames.len() / FRAMES_MIN + 1);
    let mut sent = 0;
    let mut start = 0;
    for (index, frame) in frames.iter().enumerate() {
        if frame.data.is_empty() {
            continue;
        }
        let frame_len = ADTS_HEADER_LEN + frame.data.len();
        let header = AdtsHeader::parse(frame.header)
            .filter(|header| header.frame_len == frame_len)
            .ok_or(Error::AdtsHeader { index })?;
        match groups.last_mut().filter(|group| joins(group, sent, frame, header)) {
            Some(group) => {
                group.frames = &frames[start..=index];
                group.data_len += frame_len;
                sent += 1;
            }
            None => {
                let frames = &frames[index..=index];
                groups.push(AudioGroup { frames, pts: frame.pts, data_len: frame_len });
                (start, sent) = (index, 1);
            }
        }
    }
    Ok(groups)
}

/// Whether `frame` may follow the `sent` frames of the group.
fn joins(group: &AudioGroup<'_>, sent: usize, frame: &AudioFrame<'_>, header: AdtsHeader) -> bool {
    let room = sent < FRAMES_MIN || sent < FRAMES_MAX && header.duration(sent + 1) <= DURATION_MAX;
    let fits = group.data_len + header.frame_len <= AUDIO_PES_DATA_LEN_MAX;
    // Beyond half a frame it is a gap or an overlap, which only a PTS of its own can tell.
    let expected_pts = group.pts.saturating_add(header.duration(sent));
    let seamless = frame.pts.abs_diff(expected_pts) <= header.duration(1) / 2;
    room && fits && seamless
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::adts_header;

    const DATA: &[u8] = &[1; 8184];

    /// Frames of so many bytes at these times, and how many share each PES packet.
    #[track_caller]
    fn check(rate_index: u8, frames: &[(u64, usize)], expected: &[usize]) {
        let frames: Vec<_> = frames
            .iter()
            .map(|(pts, len)| AudioFrame {
                pts: *pts,
                header: adts_header(rate_index, *len),
                data: &DATA[..*len],
            })
            .collect();
        let groups = group(&frames).expect("sound headers");
        let counts: Vec<_> = groups.iter().map(|group| group.frames.len()).collect();
        assert_eq!(counts, expected);
        for group in groups {
            let len: usize =
                group.frames.iter().filter(|f| !f.data.is_empty()).map(|f| 7 + f.data.len()).sum();
            assert_eq!(group.data_len, len);
        }
    }

    fn steady(count: u64, distance: u64, len: usize) -> Vec<(u64, usize)> {
        (0..count).map(|index| (index * distance, len)).collect()
    }

    #[test]
    fn by_sampling_rate() {
        check(3, &steady(18, 1920, 100), &[8, 8, 2]); // 48 kHz
        check(4, &steady(18, 2090, 100), &[7, 7, 4]); // 44.1 kHz
        check(5, &steady(18, 2880, 100), &[5, 5, 5, 3]); // 32 kHz
        check(11, &steady(9, 11_520, 100), &[4, 4, 1]); // 8 kHz
    }

    #[test]
    fn gaps_and_sizes() {
        check(3, &[], &[]);
        check(3, &[(0, 9), (1890, 9), (3870, 9), (5760, 9)], &[4]); // rounded to ms
        check(3, &[(0, 9), (1920, 9), (9000, 9), (10_920, 9)], &[2, 2]); // gap
        check(3, &[(0, 9), (1920, 9), (1920, 9)], &[2, 1]); // overlap
        check(3, &[(0, 9), (1920, 0), (3840, 9)], &[1, 1]); // an empty frame is a gap
        check(3, &steady(9, 1920, 8184), &[7, 2]); // 8 × 8191 = 65,528: one byte too many
    }

    #[test]
    fn headers_that_do_not_fit() {
        let frame = AudioFrame { pts: 0, header: adts_header(3, 5), data: &[1; 5] };
        let broken = AudioFrame { header: [0; 7], ..frame };
        let longer = AudioFrame { data: &[1; 6], ..frame };
        assert!(group(&[frame]).is_ok());
        for other in [broken, longer] {
            assert_eq!(group(&[frame, other]).err(), Some(Error::AdtsHeader { index: 1 }));
        }
    }
}
