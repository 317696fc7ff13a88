//! One fragment's sound to Opus packets, without memory of other fragments.

use std::ops::Range;

use bytes::Bytes;
use ropus::OpusEncoder;

use crate::frame_grid::{FrameGrid, POSITION_MAX};
use crate::opus_head::opus_head;
use crate::opus_settings::{OpusSettings, PACKET_SAMPLES_48K};
use crate::pcm::{decode, sample_count};
use crate::resampler::{Ratio, Resampler};
use crate::{Error, SoundFormat};

/// Encodes fragments of one format. Cheap to use, dear to make when the rate needs a filter (up to
/// a millisecond): keep one for each format and share it.
#[derive(Debug)]
pub struct FragmentEncoder {
    format: SoundFormat,
    pub(crate) settings: OpusSettings,
    pub(crate) grid: FrameGrid,
    /// `None` when the encoder takes the stored rate.
    resampler: Option<Resampler>,
}

/// The sound of one fragment.
#[derive(Clone, Copy, Debug)]
pub struct FragmentSound<'a> {
    /// Position of the first sample, by the sample clock of ingest (`packaging.md` §2.4): samples
    /// of one channel at the stored rate since the session began.
    pub position: u64,
    /// The fragment's audio frames in order, each a whole number of samples of all channels. They
    /// are taken as one unbroken run; if the sample clock was set anew within the fragment, each
    /// run is a call of its own.
    pub payloads: &'a [&'a [u8]],
    /// Audio frames that end right before `position`, in order: the end of the previous fragment.
    /// What is used of it is its last [`FragmentEncoder::warm_up_samples`]; more changes nothing.
    /// Empty at the start of a session and after a gap, where silence takes its place.
    pub tail: &'a [&'a [u8]],
}

/// One Opus packet of 20 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusPacket {
    /// Where the packet's sound begins, in samples at 48 kHz since sample position 0. It lasts
    /// [`PACKET_SAMPLES_48K`].
    pub start_48k: u64,
    /// The packet, [`FragmentEncoder::packet_len`] bytes.
    pub data: Bytes,
}

/// The packets that a fragment owns, known without encoding them.
///
/// A packet belongs to the fragment with the last sample that it needs, 2.5 ms past its own end
/// (and 32 samples more where the rate is converted). So the packets of a fragment begin and end
/// up to 25.5 ms *before* the fragment does, and the last 25.5 ms before a gap or the end of a
/// session may have no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketSpan {
    /// Number of the first packet, counted from sample position 0.
    pub first_packet: u64,
    /// How many. 0 for a fragment too short to end a packet.
    pub packet_count: u64,
}

impl PacketSpan {
    /// Where the first packet begins, in samples at 48 kHz since sample position 0.
    pub fn start_48k(&self) -> u64 {
        self.first_packet * PACKET_SAMPLES_48K
    }

    /// Where the last packet ends, in samples at 48 kHz since sample position 0. The span of the
    /// next fragment starts here.
    pub fn end_48k(&self) -> u64 {
        (self.first_packet + self.packet_count) * PACKET_SAMPLES_48K
    }
}

impl FragmentEncoder {
    /// An encoder for this format.
    pub fn new(format: SoundFormat) -> Self {
        let settings = OpusSettings::new(format.rate_hz(), format.channels());
        let ratio = Ratio::new(format.rate_hz(), settings.encoder_rate_hz);
        Self {
            format,
            settings,
            grid: FrameGrid::new(format.rate_hz(), &settings),
            resampler: (!ratio.is_one()).then(|| Resampler::new(ratio)),
        }
    }

    /// What it encodes.
    pub fn format(&self) -> SoundFormat {
        self.format
    }

    /// The track's identification header (RFC 7845 §5.1). Its pre-skip is
    /// [`crate::PRE_SKIP_48K`].
    pub fn opus_head(&self) -> [u8; 19] {
        opus_head(&self.format)
    }

    /// Bytes of every packet.
    pub fn packet_len(&self) -> usize {
        self.settings.packet_len()
    }

    /// Bits per second of the track, constant.
    pub fn bits_per_second(&self) -> u32 {
        self.settings.bits_per_second
    }

    /// How many samples of each channel before a fragment its encoding can use: some 420 ms. With
    /// less (at least 80 ms) packets are as good to hear, but their bytes depend on how much was
    /// there.
    pub fn warm_up_samples(&self) -> u64 {
        self.grid.warm_up_samples()
    }

    /// The packets that [`Self::encode`] returns for a fragment of `sample_count` samples of each
    /// channel at `position`.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutOfRange`] if the fragment ends past [`POSITION_MAX`].
    pub fn packet_span(&self, position: u64, sample_count: u64) -> Result<PacketSpan, Error> {
        let frames = self.grid.frames(position, sample_count)?;
        Ok(PacketSpan { first_packet: frames.start, packet_count: frames.end - frames.start })
    }

    /// Encodes one fragment. The packets depend on the fragment and its tail alone.
    ///
    /// # Errors
    ///
    /// [`Error::PartialSample`], [`Error::TooLong`] and [`Error::PositionOutOfRange`] tell what is
    /// wrong with the sound; nothing is kept, so the next fragment can be encoded.
    pub fn encode(&self, sound: &FragmentSound<'_>) -> Result<Vec<OpusPacket>, Error> {
        let sample_count = sample_count(&self.format, sound.payloads)?;
        let frames = self.grid.frames(sound.position, sample_count)?;
        if frames.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self.stored(sound)?;
        let first_encoded = self.grid.warm_up_start(frames.start, stored.begin as u64);
        let pcm = self.encoder_samples(stored, first_encoded, frames.end);

        self.encode_frames(&mut self.settings.encoder()?, &pcm, first_encoded, frames)
    }

    /// Encodes frames from `first_encoded` on, of which those of `frames` are kept.
    pub(crate) fn encode_frames(
        &self,
        encoder: &mut OpusEncoder,
        pcm: &[i16],
        first_encoded: u64,
        frames: Range<u64>,
    ) -> Result<Vec<OpusPacket>, Error> {
        let channels = usize::from(self.settings.channels);
        let frame_len = self.settings.frame_len() as usize;
        let packet_len = self.packet_len();
        let mut packets = vec![0; packet_len * (frames.end - frames.start) as usize];
        let mut warm_up = vec![0; packet_len];
        let mut owned = packets.chunks_exact_mut(packet_len);
        for (frame, samples) in (first_encoded..).zip(pcm.chunks_exact(frame_len * channels)) {
            let packet = match frame < frames.start {
                true => warm_up.as_mut_slice(),
                false => owned.next().expect("one packet for each owned frame"),
            };
            let written = encoder
                .encode(samples, frame_len as i32, packet, packet_len as i32)
                .map_err(|code| Error::Encoder { code })?;
            // The bit rate is constant: tables made from `packet_len` hold.
            if usize::try_from(written) != Ok(packet_len) {
                return Err(Error::Encoder { code: written });
            }
        }

        let packets = Bytes::from(packets);
        Ok(frames
            .enumerate()
            .map(|(index, frame)| OpusPacket {
                start_48k: frame * PACKET_SAMPLES_48K,
                data: packets.slice(index * packet_len..(index + 1) * packet_len),
            })
            .collect())
    }

    /// The end of the tail and the fragment as linear samples.
    fn stored(&self, sound: &FragmentSound<'_>) -> Result<Stored, Error> {
        let tail_count = sample_count(&self.format, sound.tail)?;
        // Nothing lies before position 0.
        let tail_used = tail_count.min(self.warm_up_samples()).min(sound.position);
        let mut unused_len = (tail_count - tail_used) as usize * self.format.block_len();
        let mut samples = Vec::new();
        for payload in sound.tail {
            match payload.split_at_checked(unused_len) {
                Some((_, used)) => {
                    decode(self.format.encoding(), used, &mut samples);
                    unused_len = 0;
                }
                None => unused_len -= payload.len(),
            }
        }
        for payload in sound.payloads {
            decode(self.format.encoding(), payload, &mut samples);
        }
        Ok(Stored { begin: (sound.position - tail_used) as i64, samples })
    }

    /// What the encoder is given for frames `[first, end)`: interleaved, whole frames.
    pub(crate) fn encoder_samples(&self, mut stored: Stored, first: u64, end: u64) -> Vec<i16> {
        let channels = usize::from(self.settings.channels);
        if let Some(resampler) = &self.resampler {
            let begin = self.grid.encoder_begin(first);
            let count = self.grid.encoder_begin(end) - begin;
            return resampler.resample(&stored.samples, stored.begin, channels, begin, count);
        }
        let begin = self.grid.samples_begin(first);
        // One of the two: sound from before the first frame, or silence where there is none.
        let surplus = usize::try_from(begin - stored.begin).unwrap_or(0) * channels;
        stored.samples.drain(..surplus.min(stored.samples.len()));
        let missing = usize::try_from(stored.begin - begin).unwrap_or(0) * channels;
        stored.samples.splice(..0, std::iter::repeat_n(0, missing));
        stored
            .samples
            .truncate((self.grid.samples_end(end - 1) as i64 - begin) as usize * channels);
        stored.samples
    }
}

/// Linear samples, interleaved.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Position of the first, in `0..=POSITION_MAX`.
    pub(crate) begin: i64,
    pub(crate) samples: Vec<i16>,
}

const _: () = assert!(POSITION_MAX <= i64::MAX as u64 / 1_000);

#[cfg(test)]
mod tests;
