//! Sound that is heard as it arrives to Opus packets.

use std::fmt;
use std::sync::Arc;

use ropus::OpusEncoder;

use crate::fragment_encoder::Stored;
use crate::pcm::{decode, sample_count};
use crate::{Error, FragmentEncoder, OpusPacket};

/// Encodes unbroken sound piece by piece. The packets are those that [`FragmentEncoder`] makes of the
/// whole, from position 0; each comes with the last sample that it needs, 2.5 ms past its own end (and
/// 32 samples more where the rate is converted).
///
/// Holds the encoder and at most 22.5 ms of samples, and 64 more where the rate is converted.
pub struct StreamEncoder {
    format: Arc<FragmentEncoder>,
    opus: OpusEncoder,
    /// What packets to come need.
    stored: Stored,
    position: u64,
}

impl StreamEncoder {
    /// An encoder for what `format` encodes.
    ///
    /// # Errors
    /// [`Error::Encoder`].
    pub fn new(format: Arc<FragmentEncoder>) -> Result<Self, Error> {
        let opus = format.settings.encoder()?;
        Ok(Self { format, opus, stored: Stored { begin: 0, samples: Vec::new() }, position: 0 })
    }

    /// Samples of each channel that were taken so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Encodes what follows: frames in order, each a whole number of samples of all channels.
    ///
    /// # Errors
    /// As [`FragmentEncoder::encode`]. What was pushed is not taken then.
    pub fn push(&mut self, payloads: &[&[u8]]) -> Result<Vec<OpusPacket>, Error> {
        let format = self.format.format();
        let count = sample_count(&format, payloads)?;
        let frames = self.format.grid.frames(self.position, count)?;
        for payload in payloads {
            decode(format.encoding(), payload, &mut self.stored.samples);
        }
        self.position += count;
        if frames.is_empty() {
            return Ok(Vec::new());
        }
        let pcm = self.format.encoder_samples(self.stored.clone(), frames.start, frames.end);
        let kept_from = self.format.grid.samples_begin(frames.end).max(self.stored.begin);
        let past = usize::try_from(kept_from - self.stored.begin).unwrap_or(0);
        let past = past * usize::from(format.channels());
        self.stored.samples.drain(..past.min(self.stored.samples.len()));
        self.stored.begin = kept_from;
        self.format.encode_frames(&mut self.opus, &pcm, frames.start, frames)
    }
}

impl fmt::Debug for StreamEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = self.format.format();
        f.debug_struct("StreamEncoder")
            .field("format", &format)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{FragmentSound, RATES_HZ, SampleEncoding, SoundFormat};

    /// Some sound: two tones, a level that moves.
    fn bytes(format: &SoundFormat, count: u64) -> Vec<u8> {
        let rate = f64::from(format.rate_hz());
        let mut out = Vec::new();
        for position in 0..count {
            let t = position as f64 / rate;
            let level = 12_000.0 * (1.0 + (t * 9.0).sin());
            for channel in 0..u32::from(format.channels()) {
                let tone = 440.0 * f64::from(1 + channel);
                let sample = level * (std::f64::consts::TAU * tone * t).sin();
                out.extend_from_slice(&(sample as i16).to_le_bytes());
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// However it comes, it is what it would be at once.
        #[test]
        fn every_split_gives_the_packets_of_the_whole(
            rate in prop::sample::select(&RATES_HZ[..]),
            channels in 1u32..=2,
            cuts in prop::collection::vec(0u64..4_000, 1..12),
        ) {
            let format = SoundFormat::new(SampleEncoding::PcmS16Le, rate, channels).unwrap();
            let encoder = Arc::new(FragmentEncoder::new(format));
            let count: u64 = cuts.iter().sum();
            let sound = bytes(&format, count);
            let whole = encoder
                .encode(&FragmentSound { position: 0, payloads: &[&sound], tail: &[] })
                .unwrap();
            let mut stream = StreamEncoder::new(encoder.clone()).unwrap();
            let mut packets = Vec::new();
            let mut rest = &sound[..];
            for cut in cuts {
                let (piece, after) = rest.split_at(cut as usize * format.block_len());
                // A piece in two frames, as a group holds some.
                let (one, two) = piece.split_at(piece.len() / 2 / format.block_len() * format.block_len());
                packets.extend(stream.push(&[one, two]).unwrap());
                rest = after;
                let held = stream.stored.samples.len() / usize::from(format.channels());
                prop_assert!(held as u64 * 1_000 <= u64::from(rate) * 23 + 65_000, "{} held", held);
            }
            prop_assert_eq!(packets, whole);
            prop_assert_eq!(stream.position(), count);
        }
    }

    #[test]
    fn what_is_wrong_is_not_taken() {
        let format = SoundFormat::new(SampleEncoding::PcmS16Le, 8_000, 2).unwrap();
        let mut stream = StreamEncoder::new(Arc::new(FragmentEncoder::new(format))).unwrap();
        assert_eq!(stream.push(&[&[0; 720]]).unwrap().len(), 1);
        let error = stream.push(&[&[0; 640], &[0; 3]]).unwrap_err();
        assert_eq!(error, Error::PartialSample { payload_index: 1, payload_len: 3, block_len: 4 });
        assert_eq!(stream.position(), 180);
        let next = stream.push(&[&[0; 640]]).unwrap();
        assert_eq!(next[0].start_48k, 960);
    }
}
