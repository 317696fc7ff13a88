//! The sound of a tile that was asked for it: what arrives beside the pictures that are sent.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_live::{LiveFragment, LiveTail};
use streamkeep_media::SessionHeader;
use streamkeep_playback::{LiveSound, LiveVideo, SoundEncoder, SoundRun};

use crate::credit::Credit;
use crate::feed::TileMessage;
use crate::media_header::{Kind, MediaHeader};
use crate::reply;

/// The state of one tile's sound.
#[derive(Debug, Default)]
pub(crate) struct SoundFeed {
    is_wanted: bool,
    /// What the page was told: by the session's header, the sound or that there is none.
    told: Option<(Arc<SessionHeader>, Option<LiveSound>)>,
    /// The init segment that the page has.
    announced: Option<Bytes>,
    run: Option<SoundRun>,
    /// Of what follows without a gap.
    encoder: Option<SoundEncoder>,
    /// Where the sound sent so far ends, in its ticks, without holes.
    end: u64,
    /// Where the sound taken so far ends by the producer's clock.
    end_ns: Option<i128>,
    /// Time jumped before what is sent next.
    is_moved: bool,
    sequence: u32,
}

/// Early or late by this much, sound still follows the sound before.
const TOLERANCE_NS: i128 = 100_000_000;

/// Room for boxes and header in the accounts of a message.
const OVERHEAD: usize = 1024;

impl SoundFeed {
    /// The page wants sound, or none any more.
    pub(crate) fn want(&mut self, is_wanted: bool) {
        if self.is_wanted != is_wanted {
            *self = Self { is_wanted, sequence: self.sequence, ..Self::default() };
        }
    }

    /// The pictures go on elsewhere: so does the sound, once they do.
    pub(crate) fn leave(&mut self) {
        self.run = None;
    }

    /// The messages that are due while pictures of `fragment` are sent; those of before `from_ns` have
    /// been. Spends their credit.
    pub(crate) fn messages(
        &mut self,
        tile: u16,
        video: &LiveVideo,
        fragment: &Arc<LiveFragment>,
        tail: &LiveTail,
        from_ns: i128,
        credit: &mut Credit,
    ) -> Vec<TileMessage> {
        let mut messages = Vec::new();
        if !self.is_wanted {
            return messages;
        }
        let header = &fragment.start.header;
        if self.told.as_ref().is_none_or(|(known, _)| !Arc::ptr_eq(known, header)) {
            let sound = video.sound();
            if sound.is_none() {
                messages.push(TileMessage::Text(reply::no_sound(tile)));
                (self.run, self.announced) = (None, None);
            }
            self.encoder = None;
            self.told = Some((header.clone(), sound));
        }
        let Some((_, Some(sound))) = &self.told else { return messages };
        let mut run = match self.run.take() {
            Some(run) => run,
            None => SoundRun::of(sound.clone(), fragment.clone(), from_ns),
        };
        run.look();
        if run.is_over() {
            match tail.next_after(run.fragment().start.number) {
                Some(next) if Arc::ptr_eq(&next.start.header, header) => {
                    run = SoundRun::of(sound.clone(), next, i128::MIN);
                    run.look();
                }
                // Another session begins with its pictures.
                Some(_) if run.fragment().start.number < fragment.start.number => return messages,
                Some(_) | None => {}
            }
        }
        if credit.allows(run.len() + OVERHEAD)
            && let Some(group) = run.take()
        {
            let is_away = |end_ns: i128| (group.wall_ns - end_ns).abs() > TOLERANCE_NS;
            if self.end_ns.is_none_or(is_away) {
                self.is_moved |= self.end_ns.is_some();
                self.encoder = None;
            }
            self.end_ns = Some(group.wall_ns + group.length_ns);
            let encoder = self.encoder.get_or_insert_with(|| sound.encoder());
            if let Some(group) = encoder.encode(group) {
                if self.announced.as_ref() != Some(sound.init()) {
                    messages.push(TileMessage::Text(reply::sound(tile, sound)));
                    let header = header_of(Kind::SoundInit, tile, group.wall_ns);
                    let init = sound.init();
                    messages.push(binary(&header, credit, |out| out.extend_from_slice(init)));
                    (self.announced, self.end, self.is_moved) = (Some(init.clone()), 0, false);
                }
                let media = MediaHeader {
                    is_key: true,
                    is_discontinuity: std::mem::take(&mut self.is_moved),
                    duration_us: u32::try_from(group.length_ns / 1000).unwrap_or(u32::MAX),
                    ..header_of(Kind::SoundMedia, tile, group.wall_ns)
                };
                let (sequence, at) = (self.sequence, self.end);
                let message = binary(&media, credit, |out| {
                    if let Err(error) = group.write(out, sequence, at) {
                        tracing::debug!(%error, "sound is left out");
                    }
                });
                messages.push(message);
                self.sequence = self.sequence.wrapping_add(1);
                self.end = self.end.saturating_add(group.duration);
            }
        }
        self.run = Some(run);
        messages
    }
}

fn header_of(kind: Kind, tile: u16, wall_ns: i128) -> MediaHeader {
    MediaHeader {
        kind,
        tile,
        is_key: false,
        is_discontinuity: false,
        wall_us: i64::try_from(wall_ns / 1000).unwrap_or(i64::MAX),
        duration_us: 0,
    }
}

fn binary(
    header: &MediaHeader,
    credit: &mut Credit,
    fill: impl FnOnce(&mut Vec<u8>),
) -> TileMessage {
    let mut message = Vec::with_capacity(OVERHEAD);
    header.encode(&mut message);
    fill(&mut message);
    credit.spend(message.len());
    TileMessage::Binary(message.into())
}
