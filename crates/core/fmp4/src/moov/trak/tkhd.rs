//! Track header box: ISO/IEC 14496-12 §8.3.2.

use crate::SampleEntry;
use crate::box_writer::BoxWriter;
use crate::moov::UNITY_MATRIX;
use crate::sample_entry::Handler;

/// track_enabled and track_in_movie.
const FLAGS: u32 = 3;

/// Of a fragmented file: version 0, no times, no duration.
pub(crate) fn write_init(out: &mut Vec<u8>, track_id: u32, entry: &SampleEntry) {
    out.put_full_box(b"tkhd", 0, FLAGS, |out| {
        out.put_zeros(8); // creation_time, modification_time
        out.put_u32(track_id);
        out.put_zeros(4);
        out.put_u32(0); // duration
        write_tail(out, entry);
    });
}

/// Version 1. `duration` in ticks of the movie's timescale, edits applied.
pub(crate) fn write(
    out: &mut Vec<u8>,
    creation_time: u64,
    track_id: u32,
    duration: u64,
    entry: &SampleEntry,
) {
    out.put_full_box(b"tkhd", 1, FLAGS, |out| {
        out.put_u64(creation_time);
        out.put_u64(creation_time); // modification_time
        out.put_u32(track_id);
        out.put_zeros(4);
        out.put_u64(duration);
        write_tail(out, entry);
    });
}

fn write_tail(out: &mut Vec<u8>, entry: &SampleEntry) {
    out.put_zeros(8);
    out.put_u16(0); // layer
    out.put_u16(0); // alternate_group
    out.put_u16(match entry.handler() {
        Handler::Video => 0,
        Handler::Sound => 0x0100, // volume 1.0
    });
    out.put_zeros(2);
    UNITY_MATRIX.iter().for_each(|&value| out.put_u32(value));
    let (width, height) = entry.display_size();
    out.put_u32(u32::from(width) << 16);
    out.put_u32(u32::from(height) << 16);
}
