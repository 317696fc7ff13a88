//! moof: the samples of one movie fragment (ISO/IEC 14496-12 §8.8).

use super::boxes::{Fields, broken, child, children};
use super::movie::MovieTrack;
use super::sample_table::Sample;
use crate::Error;

/// Samples with the index of their track, from the body of the moof at `moof_position`.
pub(super) fn samples(
    moof: &[u8],
    moof_position: u64,
    file_len: u64,
    tracks: &mut [MovieTrack],
) -> Result<Vec<(usize, Sample)>, Error> {
    let mut samples = Vec::new();
    for (_, traf) in children(moof).filter(|(kind, _)| *kind == b"traf") {
        let tfhd = child(traf, b"tfhd").ok_or_else(|| broken("moof/traf/tfhd", "missing"))?;
        let (mut fields, _, flags) = Fields::full(tfhd, "moof/traf/tfhd")?;
        let id = fields.u32()?;
        let Some(index) = tracks.iter().position(|track| track.id == id) else { continue };
        let track = &mut tracks[index];
        // Without base-data-offset: the moof, as all current writers do it (default-base-is-moof).
        let base = if flags & 0x01 != 0 { fields.u64()? } else { moof_position };
        let mut position = base;
        if flags & 0x02 != 0 {
            fields.u32()?; // sample_description_index
        }
        let mut defaults = track.defaults;
        if flags & 0x08 != 0 {
            defaults.duration = fields.u32()?;
        }
        if flags & 0x10 != 0 {
            defaults.len = fields.u32()?;
        }
        if flags & 0x20 != 0 {
            defaults.flags = fields.u32()?;
        }
        let mut decode_time = match child(traf, b"tfdt") {
            Some(tfdt) => {
                let (mut fields, version, _) = Fields::full(tfdt, "moof/traf/tfdt")?;
                fields.u32_or_u64(version)?
            }
            None => track.next_decode_time,
        };
        for (_, trun) in children(traf).filter(|(kind, _)| *kind == b"trun") {
            let (mut fields, _, flags) = Fields::full(trun, "moof/traf/trun")?;
            let count = fields.u32()?;
            // A run with nothing per sample is bounded by what the file holds.
            let bounded = flags & 0x0f00 != 0
                || u64::from(count) * u64::from(defaults.len.max(1)) <= file_len;
            if !bounded {
                return Err(broken("moof/traf/trun", "more samples than the file can hold"));
            }
            if flags & 0x01 != 0 {
                let offset = i64::from(fields.u32()? as i32);
                // From the base, not from the end of the run before.
                position = base
                    .checked_add_signed(offset)
                    .ok_or_else(|| broken("moof/traf/trun", "data offset"))?;
            }
            let first_flags = if flags & 0x04 != 0 { Some(fields.u32()?) } else { None };
            for number in 0..count {
                let mut optional = |flag: u32, default: u32| {
                    if flags & flag != 0 { fields.u32() } else { Ok(default) }
                };
                let duration = optional(0x100, defaults.duration)?;
                let len = optional(0x200, defaults.len)?;
                let own_flags = optional(0x400, defaults.flags)?;
                let composition_offset = optional(0x800, 0)? as i32;
                let sample_flags = match first_flags {
                    Some(first) if number == 0 => first,
                    _ => own_flags,
                };
                let end = position.checked_add(len.into()).filter(|end| *end <= file_len);
                let end =
                    end.ok_or_else(|| broken("moof/traf/trun", "a sample lies outside the file"))?;
                // sample_is_non_sync_sample
                let sync = sample_flags & 0x0001_0000 == 0;
                samples.push((
                    index,
                    Sample { offset: position, len, decode_time, composition_offset, sync },
                ));
                decode_time = decode_time.saturating_add(duration.into());
                position = end;
            }
        }
        track.next_decode_time = decode_time;
    }
    Ok(samples)
}
