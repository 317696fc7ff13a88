//! Sample entries of `stsd` (ISO/IEC 14496-12 §12, 14496-14, 14496-15): codecs as Matroska names
//! them.

use streamkeep_codec::AudioSpecificConfig;
use streamkeep_media::TrackKind;

use super::boxes::{Fields, broken, child};
use crate::Error;

/// A codec that can be carried.
#[derive(Debug)]
pub(super) struct SampleEntry {
    /// Matroska CodecID.
    pub(super) codec_id: &'static str,
    /// Matroska CodecPrivate.
    pub(super) codec_private: Vec<u8>,
    /// Width and height of video.
    pub(super) size: Option<(u32, u32)>,
    /// Rate in Hz and channels of audio.
    pub(super) audio: Option<(f64, u32)>,
}

impl SampleEntry {
    /// `None`: the codec has no place here.
    pub(super) fn parse(
        entry_type: [u8; 4],
        entry: &[u8],
        kind: TrackKind,
    ) -> Result<Option<Self>, Error> {
        match kind {
            TrackKind::Video => video(entry_type, entry),
            _ => audio(entry_type, entry),
        }
    }
}

fn video(entry_type: [u8; 4], entry: &[u8]) -> Result<Option<SampleEntry>, Error> {
    let mut fields = Fields::new(entry, "stsd/video entry");
    fields.bytes(24)?; // reserved, data_reference_index, pre_defined
    let size = (fields.u16()?.into(), fields.u16()?.into());
    fields.bytes(50)?; // resolution, frame_count, compressorname, depth
    let (codec_id, record) = match &entry_type {
        b"avc1" | b"avc3" => ("V_MPEG4/ISO/AVC", b"avcC"),
        b"hvc1" | b"hev1" => ("V_MPEGH/ISO/HEVC", b"hvcC"),
        _ => return Ok(None),
    };
    let record = child(fields.rest(), record)
        .ok_or_else(|| broken("stsd/video entry", "no decoder configuration record"))?;
    let codec_private = record.to_vec();
    Ok(Some(SampleEntry { codec_id, codec_private, size: Some(size), audio: None }))
}

fn audio(entry_type: [u8; 4], entry: &[u8]) -> Result<Option<SampleEntry>, Error> {
    let mut fields = Fields::new(entry, "stsd/audio entry");
    fields.bytes(8)?; // reserved, data_reference_index
    let version = fields.u16()?; // of QuickTime
    fields.bytes(6)?;
    let channels = u32::from(fields.u16()?);
    fields.bytes(6)?; // samplesize, pre_defined, reserved
    let rate = fields.u32()? >> 16;
    fields.bytes(match version {
        1 => 16,
        2 => 36,
        _ => 0,
    })?;
    let boxes = fields.rest();
    let entry = |codec_id, codec_private, rate: u32, channels| SampleEntry {
        codec_id,
        codec_private,
        size: None,
        audio: Some((f64::from(rate), channels)),
    };
    Ok(match &entry_type {
        b"mp4a" => {
            // QuickTime puts it into a `wave` box.
            let esds = child(boxes, b"esds")
                .or_else(|| child(boxes, b"wave").and_then(|wave| child(wave, b"esds")));
            let Some(record) = esds.and_then(audio_specific_config) else { return Ok(None) };
            let config = AudioSpecificConfig::parse(record)
                .map_err(|_| broken("mp4a/esds", "no usable AudioSpecificConfig"))?;
            let channels = match config.channels() {
                0 => channels,
                told => told.into(),
            };
            Some(entry("A_AAC", record.to_vec(), config.sampling_frequency, channels))
        }
        b"Opus" => {
            let dops = child(boxes, b"dOps").ok_or_else(|| broken("Opus/dOps", "missing"))?;
            Some(entry("A_OPUS", opus_head(dops)?, 48_000, channels))
        }
        b"alaw" => Some(entry("A_MS/ACM", wave_format(6, channels, rate), rate, channels)),
        b"ulaw" => Some(entry("A_MS/ACM", wave_format(7, channels, rate), rate, channels)),
        _ => None,
    })
}

/// The DecoderSpecificInfo of MPEG-4 audio (ISO/IEC 14496-1 §7.2.6): ES descriptor 3, in it the
/// decoder configuration 4, in it the specific info 5.
fn audio_specific_config(esds: &[u8]) -> Option<&[u8]> {
    let es = descriptor(esds.get(4..)?, 3)?;
    let flags = *es.get(2)?;
    let mut skip = 3;
    skip += if flags & 0x80 != 0 { 2 } else { 0 }; // dependsOn_ES_ID
    if flags & 0x40 != 0 {
        skip += 1 + usize::from(*es.get(skip)?); // URL
    }
    skip += if flags & 0x20 != 0 { 2 } else { 0 }; // OCR_ES_Id
    let config = descriptor(es.get(skip..)?, 4)?;
    // objectTypeIndication 0x40: MPEG-4 audio. Others (MP3 is 0x6B) have no specific info.
    if config.first() != Some(&0x40) {
        return None;
    }
    descriptor(config.get(13..)?, 5)
}

/// The body of a descriptor with this tag at the start of `bytes`.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (&found, mut rest) = bytes.split_first()?;
    let mut len = 0usize;
    for _ in 0..4 {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        len = len << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    (found == tag).then(|| rest.get(..len))?
}

/// `dOps` is big-endian and has version 0 (packaging.md §1.5); OpusHead is little-endian with
/// version 1.
fn opus_head(dops: &[u8]) -> Result<Vec<u8>, Error> {
    let mut fields = Fields::new(dops, "Opus/dOps");
    fields.u8()?; // Version
    let channels = fields.u8()?;
    let (pre_skip, rate, gain) = (fields.u16()?, fields.u32()?, fields.u16()?);
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend_from_slice(&pre_skip.to_le_bytes());
    head.extend_from_slice(&rate.to_le_bytes());
    head.extend_from_slice(&gain.to_le_bytes());
    head.extend_from_slice(fields.rest()); // ChannelMappingFamily and its table
    Ok(head)
}

/// WAVEFORMATEX of G.711, without the extension size.
fn wave_format(tag: u16, channels: u32, rate: u32) -> Vec<u8> {
    let channels = channels as u16; // it came from 16 bits
    let mut format = Vec::with_capacity(18);
    format.extend_from_slice(&tag.to_le_bytes());
    format.extend_from_slice(&channels.to_le_bytes());
    format.extend_from_slice(&rate.to_le_bytes());
    format.extend_from_slice(&rate.saturating_mul(channels.into()).to_le_bytes());
    format.extend_from_slice(&channels.to_le_bytes()); // nBlockAlign
    format.extend_from_slice(&8u16.to_le_bytes()); // wBitsPerSample
    format.extend_from_slice(&0u16.to_le_bytes()); // cbSize
    format
}
