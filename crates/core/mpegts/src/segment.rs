//! Writing a segment.

use crate::access_unit::AccessUnit;
use crate::audio_group::group;
use crate::elementary::{CONTINUITY_CYCLE, Elementary};
use crate::error::{Error, Track};
use crate::packet::{PACKET_LEN, Pid};
use crate::program_clock::ProgramClock;
use crate::psi::{Program, put_tables};

/// Longest segment, from the first decoding time to the last, 90 kHz: ten minutes, thirty times the
/// longest fragment. A frame a day would otherwise be filled up with 864,000 clock packets.
const SPAN_MAX: u64 = 600 * 90_000;

/// What is the same for every segment between two discontinuities.
#[derive(Clone, Copy, Debug)]
pub struct SegmentConfig<'a> {
    /// The tracks.
    pub program: Program,
    /// SPS and PPS NAL units without start codes, written before every key frame that has not both
    /// of its own. Empty without video.
    pub parameter_sets: &'a [&'a [u8]],
}

/// A video frame, in decoding order.
#[derive(Clone, Copy, Debug)]
pub struct VideoUnit<'a> {
    /// Presentation time, 90 kHz, not wrapped.
    pub pts: u64,
    /// Decoding time, 90 kHz, not wrapped: not after `pts`, not before that of the frame before.
    pub dts: u64,
    /// Whether decoding can start here.
    pub is_key: bool,
    /// Without start codes. Delimiters, filler and empty units are left out of the segment; a frame
    /// of nothing else is left out whole.
    pub nal_units: &'a [&'a [u8]],
}

/// An AAC frame.
#[derive(Clone, Copy, Debug)]
pub struct AudioFrame<'a> {
    /// Presentation time, 90 kHz, not wrapped.
    pub pts: u64,
    /// ADTS header, without CRC; its frame length is 7 + that of `data`.
    pub header: [u8; 7],
    /// raw_data_block. An empty frame is left out.
    pub data: &'a [u8],
}

/// Writes one segment: tables, then both tracks by decoding time.
///
/// `number` is that of the segment in its playlist; segments with consecutive numbers and the same
/// `config` can be joined without a continuity error. Each track is in decoding order, its times on
/// one timeline with the other's and with those of the segments around it, moved by
/// [`TIME_OFFSET_90K`](crate::TIME_OFFSET_90K). A track may have no frames.
///
/// Payload is copied once, into memory allocated once.
pub fn write_segment(
    config: &SegmentConfig<'_>,
    number: u64,
    video: &[VideoUnit<'_>],
    audio: &[AudioFrame<'_>],
) -> Result<Vec<u8>, Error> {
    let span = check_times(config.program, video, audio)?;
    let units: Vec<_> =
        video.iter().filter_map(|unit| AccessUnit::new(unit, config.parameter_sets)).collect();
    let groups = group(audio)?;

    let mut clock = ProgramClock::new(config.program.pcr_pid());
    let unit_lens = units.iter().map(|unit| unit.pes_header().len() + unit.len);
    let mut video = Elementary::new(Pid::VIDEO, &clock, unit_lens);
    let group_lens = groups.iter().map(|group| group.pes_header().len() + group.data_len);
    let mut audio = Elementary::new(Pid::AUDIO, &clock, group_lens);

    let packets = TABLE_PACKETS + video.packets() + audio.packets() + clock.packets_max(span);
    let mut out = Vec::with_capacity(packets * PACKET_LEN);
    put_tables(&mut out, config.program, (number % CONTINUITY_CYCLE as u64) as u8);
    let (mut units, mut groups) = (units.iter().peekable(), groups.iter().peekable());
    loop {
        // At the same time video goes first: it is the larger and needs decoding longer.
        let until = groups.peek().map_or(u64::MAX, |group| group.pts);
        if let Some(unit) = units.next_if(|unit| unit.dts <= until) {
            let field = clock.field(&mut out, video.last_continuity(), unit.dts, unit.is_key);
            video.write_pes(&mut out, Some(field), &unit.pes_header(), unit.len, |pes| {
                unit.write(pes);
            });
        } else if let Some(group) = groups.next() {
            let field = if audio.carries_clock() {
                Some(clock.field(&mut out, audio.last_continuity(), group.pts, true))
            } else {
                clock.advance(&mut out, video.last_continuity(), group.pts);
                None
            };
            audio.write_pes(&mut out, field, &group.pes_header(), group.data_len, |pes| {
                group.write(pes);
            });
        } else {
            break;
        }
    }
    debug_assert!(out.len() <= packets * PACKET_LEN, "allocated once");
    Ok(out)
}

/// PAT and PMT.
const TABLE_PACKETS: usize = 2;

/// From the first decoding time to the last. Fails unless the frames are in order.
fn check_times(
    program: Program,
    video: &[VideoUnit<'_>],
    audio: &[AudioFrame<'_>],
) -> Result<u64, Error> {
    for (track, present) in [
        (Track::Video, program.has_video() || video.is_empty()),
        (Track::Audio, program.has_audio() || audio.is_empty()),
    ] {
        if !present {
            return Err(Error::NotInProgram { track });
        }
    }
    let backwards = |track, index, previous, dts| match dts < previous {
        true => Err(Error::DtsBackwards { track, index: index + 1, dts, previous }),
        false => Ok(()),
    };
    for (index, pair) in video.windows(2).enumerate() {
        backwards(Track::Video, index, pair[0].dts, pair[1].dts)?;
    }
    for (index, pair) in audio.windows(2).enumerate() {
        backwards(Track::Audio, index, pair[0].pts, pair[1].pts)?;
    }
    for (index, VideoUnit { pts, dts, .. }) in video.iter().enumerate() {
        if pts < dts {
            return Err(Error::PtsBeforeDts { index, pts: *pts, dts: *dts });
        }
    }
    let ends = [
        video.first().map(|unit| unit.dts),
        video.last().map(|unit| unit.dts),
        audio.first().map(|frame| frame.pts),
        audio.last().map(|frame| frame.pts),
    ];
    let ends = ends.into_iter().flatten();
    let span = ends.clone().max().unwrap_or(0) - ends.min().unwrap_or(0);
    match span > SPAN_MAX {
        true => Err(Error::SpanTooLong { span, max: SPAN_MAX }),
        false => Ok(span),
    }
}

#[cfg(test)]
mod tests;
