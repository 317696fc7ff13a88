//! Any bytes as a request head and body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| streamkeep_sigv4::fuzz::request(data));
