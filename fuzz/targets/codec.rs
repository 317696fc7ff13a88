//! Decoder configuration records, frames and raw streams.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamkeep_codec::VideoCodec;

fuzz_target!(|data: &[u8]| {
    streamkeep_codec::fuzz::records(data);
    let (private, frame) = data.split_at(data.len() / 3);
    streamkeep_codec::fuzz::frame(private, frame);
    streamkeep_codec::fuzz::descriptions(private, frame);
    streamkeep_codec::fuzz::access_units(VideoCodec::H264, data);
    streamkeep_codec::fuzz::access_units(VideoCodec::H265, data);
});
