//! The MP4 reader on any bytes; any samples as segments and progressive files, read back.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| streamkeep_fmp4::fuzz::all(data));
