//! AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1: the CodecPrivate of
//! `V_MPEG4/ISO/AVC`.

use super::sps::has_chroma_fields;
use super::{NalUnitType, SequenceParameterSet};
use crate::Error;
use crate::record_reader::RecordReader;

/// A parsed avcC. NAL units are slices of the record, header byte included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvcDecoderConfigurationRecord<'a> {
    /// AVCProfileIndication.
    pub profile_idc: u8,
    /// profile_compatibility: the constraint flags.
    pub constraint_flags: u8,
    /// AVCLevelIndication.
    pub level_idc: u8,
    /// Bytes of a NAL unit length: 1, 2 or 4.
    pub length_size: u8,
    /// Sequence parameter sets, at least one.
    pub sequence_parameter_sets: Vec<&'a [u8]>,
    /// Picture parameter sets.
    pub picture_parameter_sets: Vec<&'a [u8]>,
}

impl<'a> AvcDecoderConfigurationRecord<'a> {
    /// Parses a record. The chroma fields of the high profiles at its end are not needed, and
    /// many cameras leave them out.
    pub fn parse(record: &'a [u8]) -> Result<Self, Error> {
        if record.len() > RECORD_LEN_MAX {
            return Err(Error::LimitExceeded { what: "avcC", limit: RECORD_LEN_MAX });
        }
        let mut reader = RecordReader::new(record, "avcC");
        // Also what an Annex B CodecPrivate gives: it starts with 00.
        if reader.u8()? != 1 {
            return Err(Error::NotA { structure: "avcC" });
        }
        let [profile_idc, constraint_flags, level_idc] = [reader.u8()?, reader.u8()?, reader.u8()?];
        let length_size = (reader.u8()? & 3) + 1;
        if length_size == 3 {
            return Err(Error::Unsupported { field: "lengthSizeMinusOne", value: 2 });
        }
        let sps_count = reader.u8()? & 0x1f;
        let sequence_parameter_sets = reader.nal_units(sps_count.into())?;
        if sequence_parameter_sets.is_empty() {
            return Err(Error::Missing { structure: "H.264 SPS" });
        }
        let pps_count = reader.u8()?;
        let picture_parameter_sets = reader.nal_units(pps_count.into())?;
        Ok(Self {
            profile_idc,
            constraint_flags,
            level_idc,
            length_size,
            sequence_parameter_sets,
            picture_parameter_sets,
        })
    }

    /// Builds a record for 4-byte lengths from parameter set NAL units, header byte included.
    ///
    /// Errors: no SPS or PPS, more than fit (31 and 255), one that is no such NAL unit or longer
    /// than 65,535 bytes, a first SPS that cannot be parsed.
    pub fn build(
        sequence_parameter_sets: &[&[u8]],
        picture_parameter_sets: &[&[u8]],
    ) -> Result<Vec<u8>, Error> {
        let first =
            sequence_parameter_sets.first().ok_or(Error::Missing { structure: "H.264 SPS" })?;
        if picture_parameter_sets.is_empty() {
            return Err(Error::Missing { structure: "H.264 PPS" });
        }
        let sps = SequenceParameterSet::parse(first)?;
        let mut record =
            vec![1, sps.profile_idc, sps.constraint_flags, sps.level_idc, 0xfc | (4 - 1)];
        for (kind, nals, max, reserved) in [
            (NalUnitType::SPS, sequence_parameter_sets, SPS_COUNT_MAX, 0xe0),
            (NalUnitType::PPS, picture_parameter_sets, PPS_COUNT_MAX, 0),
        ] {
            if nals.len() > max {
                return Err(Error::LimitExceeded { what: "parameter sets in avcC", limit: max });
            }
            record.push(reserved | nals.len() as u8);
            for nal in nals {
                if NalUnitType::of(nal) != Some(kind) {
                    return Err(Error::NotA { structure: "H.264 parameter set" });
                }
                let len = u16::try_from(nal.len()).map_err(|_| Error::LimitExceeded {
                    what: "parameter set",
                    limit: u16::MAX.into(),
                })?;
                record.extend_from_slice(&len.to_be_bytes());
                record.extend_from_slice(nal);
            }
        }
        if has_chroma_fields(sps.profile_idc) {
            record.extend_from_slice(&[
                0xfc | sps.chroma_format_idc,
                0xf8 | (sps.bit_depth_luma - 8),
                0xf8 | (sps.bit_depth_chroma - 8),
                0, // numOfSequenceParameterSetExt
            ]);
        }
        Ok(record)
    }
}

/// packaging.md §1.1.
const RECORD_LEN_MAX: usize = 64 * 1024;
const SPS_COUNT_MAX: usize = 31;
const PPS_COUNT_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = super::super::test_data::SPS_HIGH_1280X720;
    const PPS: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];

    #[test]
    fn builds_what_it_parses() {
        let record = AvcDecoderConfigurationRecord::build(&[SPS], &[PPS]).unwrap();
        assert_eq!(record[..6], [1, 0x64, 0, 0x1f, 0xff, 0xe1]);
        assert_eq!(record[record.len() - 4..], [0xfd, 0xf8, 0xf8, 0]);
        let parsed = AvcDecoderConfigurationRecord::parse(&record).unwrap();
        assert_eq!(parsed.length_size, 4);
        assert_eq!(parsed.sequence_parameter_sets, [SPS]);
        assert_eq!(parsed.picture_parameter_sets, [PPS]);
        // Without the chroma fields, as many cameras send it.
        let short = &record[..record.len() - 4];
        assert_eq!(AvcDecoderConfigurationRecord::parse(short), Ok(parsed));
    }

    #[test]
    fn refusals() {
        let record = AvcDecoderConfigurationRecord::build(&[SPS], &[PPS]).unwrap();
        for len in 0..record.len() - 4 {
            assert_eq!(
                AvcDecoderConfigurationRecord::parse(&record[..len]),
                Err(Error::Truncated { structure: "avcC" }),
                "{len}"
            );
        }
        let refused = |at: usize, value: u8| {
            let mut changed = record.clone();
            changed[at] = value;
            AvcDecoderConfigurationRecord::parse(&changed).unwrap_err()
        };
        assert_eq!(refused(0, 0), Error::NotA { structure: "avcC" });
        assert_eq!(refused(4, 0xfe), Error::Unsupported { field: "lengthSizeMinusOne", value: 2 });
        assert_eq!(refused(5, 0xe0), Error::Missing { structure: "H.264 SPS" });
        let build = AvcDecoderConfigurationRecord::build;
        assert_eq!(build(&[], &[PPS]), Err(Error::Missing { structure: "H.264 SPS" }));
        assert_eq!(build(&[SPS], &[]), Err(Error::Missing { structure: "H.264 PPS" }));
        assert_eq!(build(&[SPS], &[SPS]), Err(Error::NotA { structure: "H.264 parameter set" }));
        assert!(matches!(build(&[SPS; 32], &[PPS]), Err(Error::LimitExceeded { .. })));
    }
}
