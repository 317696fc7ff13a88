//! Sample description box: ISO/IEC 14496-12 §8.5.2.

mod audio;
mod colr;
mod dops;
mod esds;
mod pasp;
mod pcmc;
mod visual;

use crate::box_writer::BoxWriter;
use crate::sample_entry::AudioCodec;
use crate::{Error, SampleEntry};

/// The entries must have passed [`SampleEntry::check`].
pub(crate) fn write(out: &mut Vec<u8>, entries: &[SampleEntry]) {
    super::write_table(out, b"stsd", 0, entries.len(), |out| {
        for entry in entries {
            match entry {
                SampleEntry::Visual(entry) => visual::write(out, entry),
                SampleEntry::Audio(entry) => audio::write(out, entry),
            }
        }
    });
}

impl SampleEntry {
    /// Nothing in it stands against writing it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Visual(entry) => visual::check(entry),
            Self::Audio(entry) => match &entry.codec {
                AudioCodec::Aac { config } => esds::check(config),
                AudioCodec::Opus { head } => dops::check(head),
                AudioCodec::Pcm { bits } => pcmc::check(*bits),
                AudioCodec::Alaw | AudioCodec::Mulaw => Ok(()),
            },
        }
    }
}

/// SampleEntry: six reserved bytes and data_reference_index.
fn write_start(out: &mut Vec<u8>) {
    out.put_zeros(6);
    out.put_u16(1);
}
