//! Volumes, footers, rows and meta; the first byte chooses. The patched forms repair checksums, so
//! that what lies behind them is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamkeep_volume::fuzz;

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    // What was found does not matter here; a panic does.
    match choice % 6 {
        0 => {
            fuzz::volume(data);
        }
        1 => {
            fuzz::volume_patched(data);
        }
        2 => {
            fuzz::footer(data);
        }
        3 => {
            fuzz::footer_patched(data);
        }
        4 => fuzz::row(data),
        _ => fuzz::meta(data),
    }
});
