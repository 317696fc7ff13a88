//! Audio sample entries: ISO/IEC 14496-12 §12.2.3, version 0.

use super::{dops, esds, pcmc, write_start};
use crate::box_writer::BoxWriter;
use crate::{AudioCodec, AudioSampleEntry};

pub(super) fn write(out: &mut Vec<u8>, entry: &AudioSampleEntry) {
    let kind = match &entry.codec {
        AudioCodec::Aac { .. } => b"mp4a",
        AudioCodec::Opus { .. } => b"Opus",
        AudioCodec::Alaw => b"alaw",
        AudioCodec::Mulaw => b"ulaw",
        AudioCodec::Pcm { .. } => b"ipcm",
    };
    // samplesize: 16 whatever the codec; `pcmC` tells the truth for `ipcm`.
    out.put_box(kind, |out| {
        write_start(out);
        out.put_zeros(8);
        out.put_u16(entry.channels);
        out.put_u16(16);
        out.put_u32(0);
        // 16.16; a rate that does not fit is told by the codec's record only.
        out.put_u32(u16::try_from(entry.sampling_rate).map_or(0, |rate| u32::from(rate) << 16));
        match &entry.codec {
            AudioCodec::Aac { config } => esds::write(out, config),
            AudioCodec::Opus { head } => dops::write(out, head),
            AudioCodec::Pcm { bits } => pcmc::write(out, *bits),
            AudioCodec::Alaw | AudioCodec::Mulaw => {}
        }
    });
}
