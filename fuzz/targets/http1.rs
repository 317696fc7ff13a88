//! A request head and a chunked body, on any split.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| streamkeep_http::fuzz::check_any_split(data));
