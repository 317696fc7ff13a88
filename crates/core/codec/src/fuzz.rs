//! Entry points for fuzzing: any input may come in, none may panic, what holds for every input is
//! asserted. Not part of the public interface.

use bytes::Bytes;

use crate::{
    AccessUnitSplitter, AudioDescription, AudioFormat, AudioSpecificConfig, FrameNalUnits,
    KeyFrameProbe, NalFraming, NalUnits, OpusHead, VideoCodec, VideoDescription, WaveFormat, h264,
    h265,
};

/// Every parser of records and parameter sets.
pub fn records(input: &[u8]) {
    let _ = AudioSpecificConfig::parse(input);
    let _ = WaveFormat::parse(input);
    let _ = OpusHead::parse(input);
    for codec_id in ["A_AAC", "A_MS/ACM", "A_OPUS"] {
        if let Some(format) = AudioFormat::new(codec_id, input, None) {
            assert!(format.sampling_rate() > 0);
            let _ = format.samples(input, input.len());
        }
    }
    let _ = h264::PictureParameterSet::parse(input);
    let _ = h265::PictureParameterSet::parse(input);
    if let Ok(sps) = h264::SequenceParameterSet::parse(input) {
        assert!(sps.width > 0 && sps.height > 0);
    }
    if let Ok(sps) = h265::SequenceParameterSet::parse(input) {
        assert!(sps.width > 0 && sps.height > 0);
    }
    if let Ok(avcc) = h264::AvcDecoderConfigurationRecord::parse(input) {
        let sps = &avcc.sequence_parameter_sets;
        let pps = &avcc.picture_parameter_sets;
        if let Ok(record) = h264::AvcDecoderConfigurationRecord::build(sps, pps) {
            let again = h264::AvcDecoderConfigurationRecord::parse(&record)
                .expect("what was built can be parsed");
            assert_eq!((&again.sequence_parameter_sets, &again.picture_parameter_sets), (sps, pps));
        }
    }
    let _ = h265::HevcDecoderConfigurationRecord::parse(input);
}

/// Descriptions of tracks with this CodecPrivate, and a frame as those tracks have it.
pub fn descriptions(codec_private: &[u8], frame: &[u8]) {
    let private = Bytes::copy_from_slice(codec_private);
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        let Ok(description) = VideoDescription::new(codec.codec_id(), &private) else { continue };
        assert!(description.width > 0 && description.height > 0 && description.display_width > 0);
        assert!(description.reorder_depth_max <= 16);
        let entry = &description.sample_entry_record;
        let again = VideoDescription::new(codec.codec_id(), entry).expect("a record of our own");
        assert_eq!(
            (&again.sample_entry_record, &again.codec_string),
            (entry, &description.codec_string)
        );
        assert_eq!(again.parameter_sets, description.parameter_sets);
        let _ = description.is_rasl(frame);
        if let Ok(unit) = description.annex_b_key_frame(frame) {
            let nal_units = description.nal_units(frame).expect("they were read a moment ago");
            let sets_len: usize = description.parameter_sets.iter().map(|nal| 4 + nal.len()).sum();
            assert!(unit.len() <= sets_len + nal_units.annex_b_len);
        }
    }
    for codec_id in ["A_AAC", "A_OPUS", "A_MS/ACM"] {
        if let Ok(description) = AudioDescription::new(codec_id, &private, None) {
            assert!(description.sampling_rate > 0 && description.channels > 0);
        }
    }
    if let Ok(config) = AudioSpecificConfig::parse(codec_private) {
        let _ = config.adts_header(frame.len());
    }
    for length_size in [1, 2, 4] {
        for codec in [VideoCodec::H264, VideoCodec::H265] {
            if let Ok(nal_units) = FrameNalUnits::parse(codec, length_size, frame) {
                let mut out = Vec::new();
                nal_units.annex_b(&mut out);
                assert_eq!(out.len(), nal_units.annex_b_len);
            }
        }
    }
}

/// A frame of a track with this CodecPrivate.
pub fn frame(codec_private: &[u8], frame: &[u8]) {
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        let probe = KeyFrameProbe::new(codec.codec_id(), codec_private);
        let _ = probe.is_key(frame);
        let _ = probe.is_key_by_prefix(&frame[..frame.len() / 2], frame.len());
    }
    for framing in [NalFraming::AnnexB, NalFraming::LengthPrefixed(4)] {
        let len: usize = NalUnits::new(frame, framing).map(<[u8]>::len).sum();
        assert!(len <= frame.len());
    }
}

/// A raw stream, whole and in pieces.
pub fn access_units(codec: VideoCodec, stream: &[u8]) {
    let split = |piece_len: usize| {
        let mut splitter = AccessUnitSplitter::new(codec);
        for piece in stream.chunks(piece_len.max(1)) {
            if splitter.push(piece).is_err() {
                break;
            }
        }
        splitter.finish();
        std::iter::from_fn(move || splitter.next_access_unit()).collect::<Vec<_>>()
    };
    let whole = split(stream.len());
    for unit in &whole {
        let mut nals = NalUnits::new(&unit.data, NalFraming::LengthPrefixed(4));
        assert!(nals.by_ref().count() > 0 && !nals.is_broken());
    }
    assert_eq!(split(7), whole, "the split of the input must not matter");
}
