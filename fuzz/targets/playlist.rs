//! Foreign playlists, manifests and delivery directives.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| streamkeep_playlist::fuzz::any(data));
