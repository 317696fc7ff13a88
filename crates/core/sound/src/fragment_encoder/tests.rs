use std::f64::consts::TAU;

use proptest::prelude::*;
use ropus::OpusDecoder;

use super::*;
use crate::{POSITION_MAX, RATES_HZ, SampleEncoding};

/// Sound by time in seconds, full scale at ±1.
type Sound<'a> = &'a dyn Fn(f64) -> f64;

fn format(rate_hz: u32, channels: u32) -> SoundFormat {
    SoundFormat::new(SampleEncoding::PcmS16Le, rate_hz, channels).unwrap()
}

/// Stored samples `[begin, end)`; the right channel is the left one at half the level.
fn stored(format: &SoundFormat, sound: Sound<'_>, begin: u64, end: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for position in begin..end {
        let value = sound(position as f64 / f64::from(format.rate_hz())) * 32_767.0;
        for channel in 1..=format.channels() {
            let sample = (value / f64::from(channel)).round() as i16;
            bytes.extend_from_slice(&sample.to_le_bytes());
        }
    }
    bytes
}

/// Encodes fragments that end at these positions, each with the tail of the one before.
fn encode(format: SoundFormat, sound: Sound<'_>, ends: &[u64]) -> Vec<OpusPacket> {
    let encoder = FragmentEncoder::new(format);
    let mut packets: Vec<OpusPacket> = Vec::new();
    let mut position = 0;
    for &end in ends {
        let tail_begin = position - position.min(encoder.warm_up_samples());
        let fragment = FragmentSound {
            position,
            payloads: &[&stored(&format, sound, position, end)],
            tail: &[&stored(&format, sound, tail_begin, position)],
        };
        let encoded = encoder.encode(&fragment).unwrap();
        let span = encoder.packet_span(position, end - position).unwrap();
        assert_eq!(encoded.len() as u64, span.packet_count);
        for packet in encoded {
            assert_eq!(packet.start_48k, packets.len() as u64 * PACKET_SAMPLES_48K, "tiling");
            assert_eq!(packet.data.len(), encoder.packet_len());
            packets.push(packet);
        }
        assert_eq!(span.end_48k(), packets.len() as u64 * PACKET_SAMPLES_48K);
        position = end;
    }
    packets
}

/// Decodes as one stream at 48 kHz; the left channel at full scale ±1.
fn decoded(packets: &[OpusPacket], channels: u8) -> Vec<f64> {
    let channels = usize::from(channels);
    let mut decoder = OpusDecoder::new(48_000, channels as i32).unwrap();
    let mut out = Vec::new();
    let mut pcm = vec![0; 960 * channels];
    for packet in packets {
        assert_eq!(decoder.decode(Some(&packet.data), &mut pcm, 960, false), Ok(960));
        out.extend(pcm.iter().step_by(channels).map(|&sample| f64::from(sample) / 32_767.0));
    }
    out
}

/// Signal to noise in dB over windows of 5 ms that begin at multiples of 5 ms: clicks are short.
fn snr_db(out: &[f64], sound: Sound<'_>) -> Vec<f64> {
    const WINDOW: usize = 240;
    out.chunks_exact(WINDOW)
        .enumerate()
        .map(|(index, window)| {
            let (mut signal, mut noise) = (1e-9, 1e-9);
            for (n, &got) in window.iter().enumerate() {
                let wanted = sound((index * WINDOW + n) as f64 / 48_000.0);
                signal += wanted * wanted;
                noise += (got - wanted) * (got - wanted);
            }
            10.0 * f64::log10(signal / noise)
        })
        .collect()
}

/// A sine over 20 fragments: where fragments meet it sounds as it does elsewhere.
fn check_boundaries(rate_hz: u32, channels: u32, fragment_len: u64, tone_hz: f64, dc: f64) {
    let sound = move |t: f64| 0.25 * (t * tone_hz * TAU).sin() + dc;
    // The encoder takes DC away; the sound to compare with has none.
    let wanted = move |t: f64| sound(t) - dc;
    let format = format(rate_hz, channels);
    let ends: Vec<u64> = (1..=20).map(|n| n * fragment_len).collect();
    let packets = encode(format, &sound, &ends);
    let snr = snr_db(&decoded(&packets, format.channels()), &wanted);

    let encoder = FragmentEncoder::new(format);
    // Past the first fragment: its start is the session's, where the DC filter settles.
    let boundaries: Vec<usize> = (1..20)
        .map(|n| {
            let span = encoder.packet_span(n * fragment_len, fragment_len).unwrap();
            (span.start_48k() / 240) as usize
        })
        .collect();
    let settled = boundaries[0].max(40) + 8..snr.len();
    let near = |window: usize| boundaries.iter().any(|&b| (b - 1..b + 4).contains(&window));
    let mut elsewhere: Vec<f64> =
        settled.clone().filter(|&window| !near(window)).map(|window| snr[window]).collect();
    elsewhere.sort_by(f64::total_cmp);
    let median = elsewhere[elsewhere.len() / 2];
    let low = elsewhere[elsewhere.len() / 100];
    let worst_near =
        settled.filter(|&window| near(window)).map(|window| snr[window]).fold(f64::MAX, f64::min);
    let case = format!(
        "{rate_hz} Hz × {channels}, tone {tone_hz} Hz, DC {dc}: median {median:.1} dB, low \
         {low:.1} dB, near boundaries at worst {worst_near:.1} dB"
    );
    if std::env::var_os("SOUND_FIGURES").is_some() {
        println!("{case}");
    }
    assert!(median > 20.0, "{case}");
    assert!(worst_near > low - 6.0, "{case}");
    // A fault at every boundary would pull down what is low elsewhere too.
    assert!(worst_near > median - 10.0, "{case}");
}

#[test]
fn boundaries_do_not_click() {
    check_boundaries(8_000, 1, 4_000, 440.0, 0.0);
    check_boundaries(8_000, 1, 4_000, 1_234.5, 0.0);
    check_boundaries(8_000, 1, 3_777, 200.0, 0.0); // off the grid of 20 ms
    check_boundaries(8_000, 2, 3_777, 440.0, 0.0);
    check_boundaries(16_000, 1, 8_191, 440.0, 0.0);
    check_boundaries(11_025, 1, 6_007, 440.0, 0.0);
    check_boundaries(44_100, 2, 22_050, 997.0, 0.0);
    check_boundaries(48_000, 1, 24_000, 997.0, 0.0);
}

/// Cheap microphones have an offset; the filter against it must not step where fragments meet.
#[test]
fn an_offset_does_not_click() {
    check_boundaries(8_000, 1, 4_000, 440.0, 0.1);
    check_boundaries(16_000, 1, 8_000, 440.0, -0.1);
}

/// A click in the sound comes out at its place: the picture's offset is right to the millisecond,
/// whichever fragment it falls into.
#[test]
fn sound_stands_where_it_stood() {
    for rate_hz in RATES_HZ {
        let format = format(rate_hz, 1);
        let second = u64::from(rate_hz);
        for at_ms in [333.0, 500.0, 777.0] {
            // One period of a raised cosine, 2 ms.
            let sound = move |t: f64| {
                let x = (t * 1_000.0 - at_ms) / 2.0;
                if x.abs() < 0.5 { 0.4 * (0.5 + 0.5 * (x * TAU).cos()) } else { 0.0 }
            };
            let out = decoded(&encode(format, &sound, &[second / 2, second]), 1);
            let peak = (0..out.len()).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
            let peak_ms = peak as f64 / 48.0;
            assert!((peak_ms - at_ms).abs() < 0.5, "{rate_hz} Hz: {at_ms} came at {peak_ms:.2}");
        }
    }
}

/// Voice-like sound: a pitch that moves, harmonics, pauses.
fn voice(t: f64) -> f64 {
    let pitch = 140.0 * t + 3.0 * (t * 9.0).sin();
    let loudness = (t * 2.3 * TAU).sin().max(0.0);
    let harmonics = (1..12).map(|n| (f64::from(n) * pitch * TAU).sin() / f64::from(n));
    0.15 * loudness * harmonics.sum::<f64>()
}

/// The packets of fragments are, but for a few bits, those of one unbroken encoding: nothing that
/// matters is lost between calls.
#[test]
fn fragments_equal_one_encoding() {
    let format = format(8_000, 1);
    let whole = encode(format, &voice, &[80_000]);
    let cut = encode(format, &voice, &[9_999, 20_000, 31_234, 48_000, 64_111, 80_000]);
    assert_eq!(whole.len(), cut.len());
    let equal = whole.iter().zip(&cut).filter(|(a, b)| a == b).count();
    if std::env::var_os("SOUND_FIGURES").is_some() {
        println!("{equal} of {} packets equal", whole.len());
    }
    assert!(equal * 100 > whole.len() * 50, "{equal} of {}", whole.len());
    let (whole, cut) = (decoded(&whole, 1), decoded(&cut, 1));
    let difference: f64 = whole.iter().zip(&cut).map(|(a, b)| (a - b).powi(2)).sum();
    let signal: f64 = whole.iter().map(|a| a * a).sum();
    let ratio_db = 10.0 * (signal / (difference + 1e-12)).log10();
    assert!(ratio_db > 20.0, "{ratio_db:.1} dB");
}

/// The same input gives the same bytes, however its payloads are cut, and a longer tail than is
/// asked for changes nothing.
#[test]
fn the_same_input_gives_the_same_bytes() {
    for rate_hz in [8_000, 44_100] {
        let format = format(rate_hz, 2);
        let position = 10 * u64::from(rate_hz);
        let sound = |t: f64| voice(t) + 0.1; // the offset makes the length of the warm-up matter
        let payload = stored(&format, &sound, position, position + 2 * u64::from(rate_hz));
        let long = stored(&format, &sound, position - u64::from(rate_hz), position);
        let encode = |payloads: &[&[u8]], tail: &[&[u8]]| {
            // A fresh encoder each time: nothing may be kept in one.
            let encoder = FragmentEncoder::new(format);
            encoder.encode(&FragmentSound { position, payloads, tail }).unwrap()
        };
        let tail_len = FragmentEncoder::new(format).warm_up_samples() as usize * format.block_len();
        let exact = &long[long.len() - tail_len..];
        let first = encode(&[&payload], &[exact]);
        // `assert!` throughout: the packets are too long to print.
        assert!(first == encode(&[&payload], &[exact]));
        assert!(first == encode(&[&payload], &[&long]));
        let pieces: Vec<&[u8]> = payload.chunks(640).collect();
        let tail_pieces: Vec<&[u8]> = long.chunks(636).collect();
        assert!(first == encode(&pieces, &tail_pieces));
        // With less than is asked for they are others: the comparisons above can fail.
        let short = &exact[tail_len - 800 * format.block_len()..];
        assert!(first != encode(&[&payload], &[short]));
    }
}

/// Bytes must not change between releases and machines: caches and entity tags go by them.
#[test]
fn bytes_are_pinned() {
    let format = SoundFormat::new(SampleEncoding::MuLaw, 8_000, 1).unwrap();
    let encoder = FragmentEncoder::new(format);
    // A sequence of octets without any floating point.
    let octets: Vec<u8> = (0..2_000u32).map(|n| (n * n / 97 + n * 3) as u8).collect();
    let packets = encoder
        .encode(&FragmentSound { position: 4_000, payloads: &[&octets], tail: &[&octets] })
        .unwrap();
    assert_eq!(packets.len(), 13);
    let digest = packets.iter().flat_map(|packet| packet.data.iter()).fold(
        0xcbf2_9ce4_8422_2325_u64, // FNV-1a
        |digest, &byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3),
    );
    assert_eq!(digest, 0x553d_33c2_e15a_290a, "{digest:#x}");
}

/// After a gap there is no tail: sound comes at once, and nothing from before it.
#[test]
fn a_fragment_without_tail() {
    let format = format(8_000, 1);
    let encoder = FragmentEncoder::new(format);
    let sound = |t: f64| 0.25 * (t * 440.0 * TAU).sin();
    let position = 8_050;
    let payload = stored(&format, &sound, position, position + 8_000);
    let packets =
        encoder.encode(&FragmentSound { position, payloads: &[&payload], tail: &[] }).unwrap();
    let span = encoder.packet_span(position, 8_000).unwrap();
    assert_eq!(packets[0].start_48k, span.start_48k());
    assert_eq!(span.start_48k(), 8_000 * 6); // the frame that the fragment's first sample is in
    let snr = snr_db(&decoded(&packets, 1), &sound);
    assert!(snr[8..].iter().all(|&snr| snr > 15.0), "{snr:?}");
}

#[test]
fn what_is_refused() {
    let encoder = FragmentEncoder::new(format(8_000, 2));
    let check = |position, payload: &[u8], tail: &[u8], expected: Error| {
        let sound = FragmentSound { position, payloads: &[payload], tail: &[tail] };
        assert_eq!(encoder.encode(&sound), Err(expected));
    };
    let partial = Error::PartialSample { payload_index: 0, payload_len: 3, block_len: 4 };
    check(0, &[0; 3], &[], partial);
    check(0, &[0; 4_000], &[0; 3], partial);
    let minutes = vec![0; 8_000 * 4 * 61];
    check(0, &minutes, &[], Error::TooLong { samples_max: 480_000 });
    check(0, &[0; 4_000], &minutes, Error::TooLong { samples_max: 480_000 });
    for position in [POSITION_MAX, u64::MAX] {
        check(position, &[0; 4], &[], Error::PositionOutOfRange { position });
    }
    let nothing = FragmentSound { position: 0, payloads: &[], tail: &[] };
    assert_eq!(encoder.encode(&nothing), Ok(Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any bytes at any place make as many packets as the span says, or an error; never a panic.
    #[test]
    fn any_bytes_are_sound(
        rate_hz in prop::sample::select(&RATES_HZ[..]),
        channels in 1u32..=2,
        encoding in prop::sample::select(vec![
            SampleEncoding::ALaw,
            SampleEncoding::MuLaw,
            SampleEncoding::PcmU8,
            SampleEncoding::PcmS16Be,
            SampleEncoding::PcmS24Le,
            SampleEncoding::PcmF32Le,
        ]),
        position in prop_oneof![0u64..3_000, 0..POSITION_MAX],
        payload in prop::collection::vec(any::<u8>(), 0..6_000),
        tail in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        let format = SoundFormat::new(encoding, rate_hz, channels).unwrap();
        let encoder = FragmentEncoder::new(format);
        let whole = |bytes: &[u8]| bytes.len() / format.block_len() * format.block_len();
        let payload = &payload[..whole(&payload)];
        let sound = FragmentSound {
            position,
            payloads: &[payload],
            tail: &[&tail[..whole(&tail)]],
        };
        let samples = (payload.len() / format.block_len()) as u64;
        let packets = encoder.encode(&sound).map(|packets| packets.len() as u64);
        let span = encoder.packet_span(position, samples).map(|span| span.packet_count);
        prop_assert_eq!(packets, span);
    }
}

/// What a second of sound costs: `SOUND_FIGURES=1 cargo test --release -p streamkeep-sound -- \
/// --ignored --nocapture cost`.
#[test]
#[ignore = "a measurement"]
fn cost() {
    for (rate_hz, channels) in [(8_000, 1), (16_000, 1), (44_100, 2), (48_000, 2)] {
        let format = format(rate_hz, channels);
        let encoder = FragmentEncoder::new(format);
        let second = u64::from(rate_hz);
        let payload = stored(&format, &voice, second, second * 3);
        let tail = stored(&format, &voice, 0, second);
        let sound = FragmentSound { position: second, payloads: &[&payload], tail: &[&tail] };
        let mut runs: Vec<u128> = (0..20)
            .map(|_| {
                let begun = std::time::Instant::now();
                encoder.encode(&sound).unwrap();
                begun.elapsed().as_micros()
            })
            .collect();
        runs.sort_unstable();
        println!("{rate_hz} Hz × {channels}: {} µs for 2 s, warm-up included", runs[10]);
    }
}
