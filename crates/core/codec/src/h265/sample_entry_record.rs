//! The hvcC of an `hvc1` sample entry: ISO/IEC 14496-15 §8.3.3.1.

use super::{HevcDecoderConfigurationRecord, NalUnitType, SequenceParameterSet};
use crate::Error;
use crate::rbsp::RbspReader;

/// Makes the hvcC of an `hvc1` sample entry from the record of a producer:
///
/// * one array for each of VPS, SPS, PPS, prefix and suffix SEI, in this order;
/// * array_completeness set for the parameter sets, as `hvc1` demands;
/// * without user data SEI: x265 writes 2 KB of settings there (packaging.md §1.2);
/// * configurationVersion 1, and profile, tier and level as the first SPS has them. Chromium looks
///   at these bytes closely, and old muxers left them wrong.
///
/// Errors: the record cannot be parsed, no SPS, or the first SPS cannot be parsed.
pub fn sample_entry_record(record: &[u8]) -> Result<Vec<u8>, Error> {
    let parsed = HevcDecoderConfigurationRecord::parse(record)?;
    let sps = parsed
        .nal_units(NalUnitType::SPS)
        .next()
        .ok_or(Error::Missing { structure: "H.265 SPS" })?;
    let sps = SequenceParameterSet::parse(sps)?;
    let mut out = Vec::with_capacity(record.len());
    out.push(1); // configurationVersion
    out.extend_from_slice(&sps.profile_tier_level);
    // min_spatial_segmentation_idc to lengthSizeMinusOne stay as they are.
    out.extend_from_slice(record.get(13..22).ok_or(Error::Truncated { structure: "hvcC" })?);
    let count_at = out.len();
    out.push(0);
    for kind in ARRAYS {
        let nal_units: Vec<_> =
            parsed.nal_units(kind).filter(|nal| !is_user_data_sei(nal)).collect();
        if nal_units.is_empty() {
            continue;
        }
        let count = u16::try_from(nal_units.len()).map_err(|_| Error::LimitExceeded {
            what: "NAL units in hvcC",
            limit: u16::MAX.into(),
        })?;
        let complete = matches!(kind, NalUnitType::VPS | NalUnitType::SPS | NalUnitType::PPS);
        out.push(u8::from(complete) << 7 | kind.0);
        out.extend_from_slice(&count.to_be_bytes());
        for nal in nal_units {
            let len = u16::try_from(nal.len()).expect("it stood behind a 16-bit length");
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(nal);
        }
        out[count_at] += 1;
    }
    Ok(out)
}

/// An SEI NAL unit whose first message is user_data_registered_itu_t_t35 or
/// user_data_unregistered (§D.2.1: payloadType 4 and 5). Encoders put such messages into NAL units
/// of their own.
fn is_user_data_sei(nal: &[u8]) -> bool {
    let sei =
        matches!(NalUnitType::of(nal), Some(NalUnitType::PREFIX_SEI | NalUnitType::SUFFIX_SEI));
    let payload = nal.get(2..).unwrap_or_default();
    sei && matches!(RbspReader::new(payload, "SEI").byte(), Ok(4 | 5))
}

const ARRAYS: [NalUnitType; 5] = [
    NalUnitType::VPS,
    NalUnitType::SPS,
    NalUnitType::PPS,
    NalUnitType::PREFIX_SEI,
    NalUnitType::SUFFIX_SEI,
];

#[cfg(test)]
mod tests {
    use super::super::test_data::{PPS, SPS_MAIN_640X360 as SPS, VPS};
    use super::*;

    /// A record with these arrays, array_completeness as given.
    fn record(arrays: &[(u8, &[&[u8]])]) -> Vec<u8> {
        let mut record =
            HevcDecoderConfigurationRecord::build(&[VPS], &[SPS], &[PPS]).unwrap()[..22].to_vec();
        record.push(arrays.len() as u8);
        for (head, nals) in arrays {
            record.push(*head);
            record.extend_from_slice(&(nals.len() as u16).to_be_bytes());
            for nal in *nals {
                record.extend_from_slice(&(nal.len() as u16).to_be_bytes());
                record.extend_from_slice(nal);
            }
        }
        record
    }

    const SETTINGS: &[u8] = &[0x4e, 1, 5, 4, b'x', b'2', b'6', b'5', 0x80];
    const MASTERING_DISPLAY: &[u8] = &[0x4e, 1, 137, 2, 1, 2, 0x80];

    #[test]
    fn canonical_records_are_kept() {
        let built = HevcDecoderConfigurationRecord::build(&[VPS], &[SPS], &[PPS]).unwrap();
        assert_eq!(sample_entry_record(&built).unwrap(), built);
    }

    #[test]
    fn what_producers_write() {
        // As FFmpeg and x265 do: not complete, settings as SEI; here also out of order, in two
        // arrays, with a type that does not belong here.
        let mut sent = record(&[
            (39, &[SETTINGS, MASTERING_DISPLAY]),
            (33, &[SPS]),
            (32, &[VPS]),
            (34, &[PPS]),
            (34, &[PPS]),
            (35, &[&[0x46, 1, 0x50]]),
        ]);
        let expected = record(&[
            (0xa0, &[VPS]),
            (0xa1, &[SPS]),
            (0xa2, &[PPS, PPS]),
            (39, &[MASTERING_DISPLAY]),
        ]);
        assert_eq!(sample_entry_record(&sent).unwrap(), expected);
        // Version 0, profile bytes left out.
        sent[0] = 0;
        sent[1] = 1;
        sent[2..13].fill(0);
        assert_eq!(sample_entry_record(&sent).unwrap(), expected);
    }

    #[test]
    fn refusals() {
        assert_eq!(
            sample_entry_record(&record(&[(32, &[VPS])])),
            Err(Error::Missing { structure: "H.265 SPS" })
        );
        let whole = record(&[(33, &[SPS])]);
        for len in 0..whole.len() {
            assert_eq!(
                sample_entry_record(&whole[..len]),
                Err(Error::Truncated { structure: "hvcC" })
            );
        }
    }
}
