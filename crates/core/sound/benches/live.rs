//! Microseconds of processor time that a second of live sound takes to encode, in groups of 80 ms.
//! `cargo bench -p streamkeep-sound`; prints the best of ten rounds, the figure least disturbed by
//! other work on the machine.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use streamkeep_sound::{FragmentEncoder, SampleEncoding, SoundFormat, StreamEncoder};

const ROUNDS: u32 = 10;
const SECONDS: usize = 4;

fn main() {
    for (name, encoding, rate_hz, channels) in [
        ("G.711, 8 kHz", SampleEncoding::MuLaw, 8_000, 1),
        ("PCM, 16 kHz", SampleEncoding::PcmS16Le, 16_000, 1),
        ("PCM, 44.1 kHz, stereo", SampleEncoding::PcmS16Le, 44_100, 2),
        ("PCM, 48 kHz, stereo", SampleEncoding::PcmS16Le, 48_000, 2),
    ] {
        let format = SoundFormat::new(encoding, rate_hz, channels).expect("can be encoded");
        let encoder = Arc::new(FragmentEncoder::new(format));
        let samples = rate_hz as usize * SECONDS;
        let sound = noise(samples * format.block_len());
        let group = rate_hz as usize * 80 / 1_000 * format.block_len();
        let best = (0..ROUNDS)
            .map(|_| {
                let mut stream = StreamEncoder::new(encoder.clone()).expect("an encoder");
                let begun = Instant::now();
                for piece in sound.chunks_exact(group) {
                    black_box(stream.push(&[piece]).expect("whole samples"));
                }
                begun.elapsed()
            })
            .min()
            .expect("there are rounds");
        let micros = best.as_micros() as usize / SECONDS;
        writeln!(std::io::stdout(), "{name}: {micros} us a second").expect("stdout");
    }
}

/// Bytes that an encoder has work with.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}
