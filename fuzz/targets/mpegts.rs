//! Transport stream segments: any bytes into the reader, any frames through writer and reader.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    streamkeep_mpegts::fuzz::read(data);
    streamkeep_mpegts::fuzz::write(data);
});
