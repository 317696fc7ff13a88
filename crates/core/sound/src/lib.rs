//! G.711 and PCM sound to Opus: by the fragment, deterministic, or as it arrives.
//!
//! Browsers refuse µ-law, A-law and PCM in MSE (`packaging.md` §1.5), so sound in these forms is
//! encoded once per fragment, cached, and served as Opus (RFC 6716) in fMP4. Standards: ITU-T
//! G.711, RFC 6716, RFC 7845 §5.1 (the identification header).
//!
//! * [`SoundFormat`]: what the stored samples are: [`SampleEncoding`], rate, channels.
//! * [`FragmentEncoder`]: one for each format, holds no state between calls. Given a fragment's
//!   audio frames, their position by the sample clock of ingest and the tail of the fragment
//!   before, it returns the fragment's [`OpusPacket`]s.
//!
//! * [`StreamEncoder`]: one for each live listener. Given the frames as they come, it returns the
//!   packets that are complete.
//!
//! # Why encoding by fragment does not click
//!
//! An encoder that starts anew at each fragment adds its start-up sound to each, and the decoder,
//! which goes on, adds what the new encoder does not know of it. Three rules take that away:
//!
//! 1. *Frames lie on one grid* of 20 ms, counted from sample position 0, and each belongs to one
//!    fragment ([`FragmentEncoder::packet_span`]). Packets of neighbours tile without gap or
//!    overlap, and the overlapping windows of neighbouring frames see the same samples whichever
//!    call encodes them.
//! 2. *Frames are coded by transform* (CELT), *without prediction from frame to frame*. What is
//!    left of the encoder's past are choices that no decoder shares, and a filter against DC.
//! 3. *The encoder is warmed up* with the 400 ms before, so that this filter has settled.
//!
//! The encoder is fixed-point: the same samples give the same bytes on every machine.
//!
//! Left out: AAC (no encoder fits our licences and speed), more than two channels, G.726.
//! Nothing here does I/O or reads a clock.

mod error;
mod format;
mod fragment_encoder;
mod frame_grid;
mod g711;
mod opus_head;
mod opus_settings;
mod pcm;
mod resampler;
mod stream_encoder;

pub use error::Error;
pub use format::{RATES_HZ, SampleEncoding, SoundFormat};
pub use fragment_encoder::{FragmentEncoder, FragmentSound, OpusPacket, PacketSpan};
pub use frame_grid::POSITION_MAX;
pub use opus_settings::{PACKET_SAMPLES_48K, PRE_SKIP_48K};
pub use pcm::DURATION_MAX_SECONDS;
pub use stream_encoder::StreamEncoder;
