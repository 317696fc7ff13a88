//! How the Opus encoder is set, and why.
//!
//! * *Restricted low delay*: CELT only. SILK would predict from past excitation and filter states,
//!   which a warmed-up encoder only comes near to; a transform frame needs nothing of the past but
//!   the samples under its window.
//! * *Prediction disabled* (`OPUS_SET_PREDICTION_DISABLED`): band energies are coded absolutely
//!   and the pitch filter is off. It costs some 5 % of the bits and makes each frame a place to
//!   join at.
//! * *Constant bit rate*: all packets of a track have one length, known before anything is encoded.
//! * *Fixed bandwidth and channel count*: the automatic choices have memory.
//! * *Complexity 5*: everything but the analyser, which looks for speech and music.

use ropus::{
    OPUS_APPLICATION_RESTRICTED_LOWDELAY, OPUS_BANDWIDTH_FULLBAND, OPUS_BANDWIDTH_NARROWBAND,
    OPUS_BANDWIDTH_SUPERWIDEBAND, OPUS_BANDWIDTH_WIDEBAND, OPUS_OK, OpusEncoder,
};

use crate::Error;

/// Length of every packet in samples at 48 kHz: 20 ms.
pub const PACKET_SAMPLES_48K: u64 = 960;

/// The pre-skip of the tracks in samples at 48 kHz: none. The encoder is fed its look-ahead early
/// (see [`crate::PacketSpan`]), so that a packet's sound comes out where the packet stands.
pub const PRE_SKIP_48K: u16 = 0;

const COMPLEXITY: i32 = 5;

/// What the encoder runs at for a rate and channel count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpusSettings {
    /// 8, 12, 16, 24 or 48 kHz.
    pub(crate) encoder_rate_hz: u32,
    pub(crate) channels: u8,
    pub(crate) bits_per_second: u32,
    bandwidth: i32,
}

impl OpusSettings {
    /// For samples at a rate of [`crate::RATES_HZ`]; rates between the encoder's own take the next
    /// above, so no sound is lost.
    pub(crate) fn new(rate_hz: u32, channels: u8) -> Self {
        // The rates keep G.711's own noise (38 dB below the signal) the larger one in ordinary
        // sound. At most half of what G.711 itself takes.
        let (encoder_rate_hz, mono, stereo, bandwidth) = match rate_hz {
            ..=8_000 => (8_000, 32_000, 48_000, OPUS_BANDWIDTH_NARROWBAND),
            // CELT has no medium band (RFC 6716 §2.1.3).
            8_001..=12_000 => (12_000, 40_000, 64_000, OPUS_BANDWIDTH_WIDEBAND),
            12_001..=16_000 => (16_000, 40_000, 64_000, OPUS_BANDWIDTH_WIDEBAND),
            16_001..=24_000 => (24_000, 48_000, 80_000, OPUS_BANDWIDTH_SUPERWIDEBAND),
            _ => (48_000, 64_000, 96_000, OPUS_BANDWIDTH_FULLBAND),
        };
        let bits_per_second = if channels == 1 { mono } else { stereo };
        Self { encoder_rate_hz, channels, bits_per_second, bandwidth }
    }

    /// Samples of each channel in a frame, at the encoder's rate.
    pub(crate) fn frame_len(&self) -> u32 {
        self.encoder_rate_hz / 50
    }

    /// How much later than it went in the sound comes out, in samples at the encoder's rate: the
    /// overlap of the windows, 2.5 ms.
    pub(crate) fn look_ahead(&self) -> u32 {
        self.encoder_rate_hz / 400
    }

    /// Bytes of every packet.
    pub(crate) fn packet_len(&self) -> usize {
        (self.bits_per_second / 50 / 8) as usize
    }

    /// A fresh encoder.
    pub(crate) fn encoder(&self) -> Result<OpusEncoder, Error> {
        let channels = i32::from(self.channels);
        let rate_hz = self.encoder_rate_hz as i32; // at most 48,000
        let mut encoder = OpusEncoder::new(rate_hz, channels, OPUS_APPLICATION_RESTRICTED_LOWDELAY)
            .map_err(|code| Error::Encoder { code })?;
        for code in [
            encoder.set_bitrate(self.bits_per_second as i32), // at most 96,000
            encoder.set_vbr(0),
            encoder.set_complexity(COMPLEXITY),
            encoder.set_bandwidth(self.bandwidth),
            encoder.set_force_channels(channels),
            encoder.set_prediction_disabled(1),
            // A player that mixes stereo down must not cancel sound.
            encoder.set_phase_inversion_disabled(1),
            encoder.set_lsb_depth(16),
        ] {
            if code != OPUS_OK {
                return Err(Error::Encoder { code });
            }
        }
        Ok(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RATES_HZ;

    #[test]
    fn every_rate_and_channel_count_makes_packets_of_the_stated_length() {
        for rate_hz in RATES_HZ {
            for channels in [1, 2] {
                let settings = OpusSettings::new(rate_hz, channels);
                let mut encoder = settings.encoder().unwrap();
                assert_eq!(encoder.get_lookahead(), settings.look_ahead() as i32);
                let frame = vec![0; settings.frame_len() as usize * usize::from(channels)];
                let mut packet = [0; 1_275];
                let packet_len = settings.packet_len();
                let written = encoder
                    .encode(&frame, settings.frame_len() as i32, &mut packet, packet_len as i32)
                    .unwrap();
                assert_eq!(written as usize, packet_len, "{settings:?}");
                // RFC 6716 §3.1: configurations 16 to 31 are CELT-only, every fourth 20 ms long;
                // the third bit is stereo, code 0 is one frame.
                let toc = packet[0];
                assert!(toc >> 3 >= 16 && (toc >> 3) % 4 == 3, "{toc:08b}");
                assert_eq!(toc & 7, (channels - 1) << 2, "{toc:08b}");
            }
        }
    }
}
