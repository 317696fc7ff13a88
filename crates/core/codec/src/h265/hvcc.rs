//! HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1: the CodecPrivate of
//! `V_MPEGH/ISO/HEVC`.

use super::{NalUnitType, SequenceParameterSet};
use crate::Error;
use crate::record_reader::RecordReader;

/// A parsed hvcC. NAL units are slices of the record, header bytes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HevcDecoderConfigurationRecord<'a> {
    /// Bytes 1 to 12: general profile, tier, compatibility, constraints and level.
    pub profile_tier_level: [u8; 12],
    /// chroma_format_idc.
    pub chroma_format_idc: u8,
    /// Bits of a luma sample.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample.
    pub bit_depth_chroma: u8,
    /// Bytes of a NAL unit length: 1, 2 or 4.
    pub length_size: u8,
    /// In the order of the record.
    pub arrays: Vec<NalUnitArray<'a>>,
}

/// The NAL units of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NalUnitArray<'a> {
    /// NAL_unit_type: VPS, SPS, PPS or SEI.
    pub nal_unit_type: NalUnitType,
    /// array_completeness: no more of them in the samples.
    pub complete: bool,
    /// The NAL units.
    pub nal_units: Vec<&'a [u8]>,
}

impl<'a> HevcDecoderConfigurationRecord<'a> {
    /// Parses a record.
    pub fn parse(record: &'a [u8]) -> Result<Self, Error> {
        if record.len() > RECORD_LEN_MAX {
            return Err(Error::LimitExceeded { what: "hvcC", limit: RECORD_LEN_MAX });
        }
        let mut reader = RecordReader::new(record, "hvcC");
        // Old muxers wrote version 0 (packaging.md §1.2); an Annex B CodecPrivate starts with 00
        // 00.
        if reader.u8()? > 1 || record.starts_with(&[0, 0]) {
            return Err(Error::NotA { structure: "hvcC" });
        }
        let profile_tier_level =
            reader.bytes(12)?.try_into().expect("the slice has the length asked for");
        reader.bytes(3)?; // min_spatial_segmentation_idc, parallelismType
        let chroma_format_idc = reader.u8()? & 3;
        let bit_depth_luma = 8 + (reader.u8()? & 7);
        let bit_depth_chroma = 8 + (reader.u8()? & 7);
        reader.bytes(2)?; // avgFrameRate
        let length_size = (reader.u8()? & 3) + 1;
        if length_size == 3 {
            return Err(Error::Unsupported { field: "lengthSizeMinusOne", value: 2 });
        }
        let mut arrays = Vec::new();
        for _ in 0..reader.u8()? {
            let head = reader.u8()?;
            let count = reader.u16()?;
            arrays.push(NalUnitArray {
                nal_unit_type: NalUnitType(head & 0x3f),
                complete: head & 0x80 != 0,
                nal_units: reader.nal_units(count.into())?,
            });
        }
        Ok(Self {
            profile_tier_level,
            chroma_format_idc,
            bit_depth_luma,
            bit_depth_chroma,
            length_size,
            arrays,
        })
    }

    /// The NAL units of one type, over all arrays.
    pub fn nal_units(&self, nal_unit_type: NalUnitType) -> impl Iterator<Item = &'a [u8]> {
        self.arrays
            .iter()
            .filter(move |array| array.nal_unit_type == nal_unit_type)
            .flat_map(|array| array.nal_units.iter().copied())
    }

    /// Builds a record for 4-byte lengths from parameter set NAL units, header bytes included, with
    /// array_completeness set.
    ///
    /// Errors: a kind is missing, one that is no such NAL unit or longer than 65,535 bytes, a
    /// first SPS that cannot be parsed.
    pub fn build(
        video_parameter_sets: &[&[u8]],
        sequence_parameter_sets: &[&[u8]],
        picture_parameter_sets: &[&[u8]],
    ) -> Result<Vec<u8>, Error> {
        let first =
            sequence_parameter_sets.first().ok_or(Error::Missing { structure: "H.265 SPS" })?;
        let sps = SequenceParameterSet::parse(first)?;
        let mut record = vec![1];
        record.extend_from_slice(&sps.profile_tier_level);
        record.extend_from_slice(&[
            0xf0,
            0x00, // min_spatial_segmentation_idc = 0, not told
            0xfc, // parallelismType = 0, not told
            0xfc | sps.chroma_format_idc,
            0xf8 | (sps.bit_depth_luma - 8).min(7),
            0xf8 | (sps.bit_depth_chroma - 8).min(7),
            0,
            0, // avgFrameRate = 0, not told
            // constantFrameRate = 0, numTemporalLayers, temporalIdNested, lengthSizeMinusOne = 3
            sps.max_sub_layers << 3 | u8::from(sps.temporal_id_nesting) << 2 | (4 - 1),
            3, // numOfArrays
        ]);
        for (kind, nals, missing) in [
            (NalUnitType::VPS, video_parameter_sets, "H.265 VPS"),
            (NalUnitType::SPS, sequence_parameter_sets, "H.265 SPS"),
            (NalUnitType::PPS, picture_parameter_sets, "H.265 PPS"),
        ] {
            if nals.is_empty() {
                return Err(Error::Missing { structure: missing });
            }
            if nals.len() > NAL_UNITS_PER_ARRAY_MAX {
                let limit = NAL_UNITS_PER_ARRAY_MAX;
                return Err(Error::LimitExceeded { what: "parameter sets in hvcC", limit });
            }
            record.push(0x80 | kind.0); // array_completeness
            record.extend_from_slice(&(nals.len() as u16).to_be_bytes());
            for nal in nals {
                if NalUnitType::of(nal) != Some(kind) {
                    return Err(Error::NotA { structure: missing });
                }
                let len = u16::try_from(nal.len()).map_err(|_| Error::LimitExceeded {
                    what: "parameter set",
                    limit: u16::MAX.into(),
                })?;
                record.extend_from_slice(&len.to_be_bytes());
                record.extend_from_slice(nal);
            }
        }
        Ok(record)
    }
}

const RECORD_LEN_MAX: usize = 64 * 1024;
/// pps_pic_parameter_set_id has 64 values (§7.4.3.3.1); no other kind has more.
const NAL_UNITS_PER_ARRAY_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::test_data::{PPS, SPS_MAIN_640X360 as SPS, VPS};
    use super::*;

    #[test]
    fn builds_what_it_parses() {
        let record = HevcDecoderConfigurationRecord::build(&[VPS], &[SPS], &[PPS]).unwrap();
        assert_eq!(record[..13], [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 63]);
        assert_eq!(record[13..23], [0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3]);
        let parsed = HevcDecoderConfigurationRecord::parse(&record).unwrap();
        assert_eq!((parsed.length_size, parsed.bit_depth_luma), (4, 8));
        for (kind, nal) in
            [(NalUnitType::VPS, VPS), (NalUnitType::SPS, SPS), (NalUnitType::PPS, PPS)]
        {
            assert_eq!(parsed.nal_units(kind).collect::<Vec<_>>(), [nal]);
        }
        assert!(parsed.arrays.iter().all(|array| array.complete));
        for len in 0..record.len() {
            assert_eq!(
                HevcDecoderConfigurationRecord::parse(&record[..len]),
                Err(Error::Truncated { structure: "hvcC" }),
                "{len}"
            );
        }
    }

    #[test]
    fn refusals() {
        let build = HevcDecoderConfigurationRecord::build;
        assert_eq!(build(&[], &[SPS], &[PPS]), Err(Error::Missing { structure: "H.265 VPS" }));
        assert_eq!(build(&[VPS], &[], &[PPS]), Err(Error::Missing { structure: "H.265 SPS" }));
        assert_eq!(build(&[VPS], &[SPS], &[]), Err(Error::Missing { structure: "H.265 PPS" }));
        assert_eq!(build(&[PPS], &[SPS], &[PPS]), Err(Error::NotA { structure: "H.265 VPS" }));
        let parse = HevcDecoderConfigurationRecord::parse;
        assert_eq!(parse(&[0, 0, 0, 1, 0x40, 1]), Err(Error::NotA { structure: "hvcC" }));
        assert_eq!(parse(&[2; 30]), Err(Error::NotA { structure: "hvcC" }));
    }
}
