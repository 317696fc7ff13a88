//! Coded pictures by time: what a decoder needs to show what was to be seen at an instant.

use bytes::Bytes;
use streamkeep_codec::VideoCodec;
use streamkeep_engine::{IndexedRow, RowQuery, RowRange, TimeAxis};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};
use streamkeep_packaging::Axis;
use tokio::task::spawn_blocking;

use crate::PlaybackError;
use crate::facts::facts_of;
use crate::service::Service;

/// Frames to decode for one picture.
#[derive(Clone, Debug)]
pub struct CodedPicture {
    /// The codec.
    pub codec: VideoCodec,
    /// avcC or hvcC, as the producer sent it.
    pub configuration: Bytes,
    /// In decode order, from a key frame on; time in ticks of the fragment's session, and bytes.
    pub frames: Vec<(i64, Bytes)>,
    /// The picture that is presented at or last before this time.
    pub wanted: i64,
    /// The fragment that holds it.
    pub number: FragmentNumber,
    /// Its timestamps.
    pub producer_timestamp: UnixMillis,
    /// Its timestamps.
    pub server_timestamp: UnixMillis,
}

/// How exactly a picture is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// The very picture that was to be seen.
    Picture,
    /// The key frame before it: one frame to decode.
    KeyFrame,
}

impl Service {
    /// The coded picture of an instant; `None` when nothing was recorded then.
    ///
    /// # Errors
    /// What is wrong with the media, and what the store says.
    pub async fn coded_picture(
        &self,
        stream: StreamId,
        axis: Axis,
        at: UnixMillis,
        exactness: Exactness,
    ) -> Result<Option<CodedPicture>, PlaybackError> {
        let engine = self.engine.clone();
        let time_axis = match axis {
            Axis::Producer => TimeAxis::Producer,
            Axis::Server => TimeAxis::Server,
        };
        let found = spawn_blocking(move || engine.containing(stream, time_axis, at))
            .await
            .map_err(|_| PlaybackError::Stopping)??;
        let Some(row) = found else { return Ok(None) };
        self.picture_of(stream, axis, at, exactness, row).await
    }

    /// The coded picture of an instant that lies in or behind a fragment.
    pub(crate) async fn picture_of(
        &self,
        stream: StreamId,
        axis: Axis,
        at: UnixMillis,
        exactness: Exactness,
        row: IndexedRow,
    ) -> Result<Option<CodedPicture>, PlaybackError> {
        let start = match axis {
            Axis::Producer => row.producer_timestamp,
            Axis::Server => row.server_timestamp,
        };
        if start > at {
            return Ok(None);
        }
        let rows = self.rows_since_key(stream, row).await?;
        let Some(last) = rows.last().cloned() else { return Ok(None) };
        let mut picture: Option<CodedPicture> = None;
        let facts = facts_of(&last);
        let after_ns = i128::from(at.since(start)) * 1_000_000;
        let scale = i128::from(last.timestamp_scale_ns.max(1));
        let after_ticks = i64::try_from(after_ns / scale).unwrap_or(i64::MAX);
        let base = i64::try_from(last.timecode).unwrap_or(i64::MAX);
        // A fragment's time is that of its first block; the first picture stands in until it is shown.
        let wanted = base.saturating_add(after_ticks.max(i64::from(facts.lead.earliest_ticks)));
        for row in rows {
            let loaded = self.fragments.get_row(stream, row).await?;
            let Some(video) = &loaded.tracks.video else { return Ok(None) };
            let picture = picture.get_or_insert_with(|| CodedPicture {
                codec: video.description.codec,
                configuration: loaded
                    .tracks
                    .header
                    .tracks
                    .get(usize::from(video.index))
                    .map_or_else(Bytes::new, |track| track.codec_private.clone()),
                frames: Vec::new(),
                wanted,
                number: last.number,
                producer_timestamp: last.producer_timestamp,
                server_timestamp: last.server_timestamp,
            });
            let timecode = i64::try_from(loaded.row.timecode).unwrap_or(i64::MAX);
            let own = loaded.frames.iter().filter(|f| f.track_index == video.index && f.len > 0);
            for frame in own {
                let start = frame.offset as usize;
                let bytes = loaded.media.slice(start..start + frame.len as usize);
                let pts = timecode.saturating_add(i64::from(frame.pts_ticks));
                if frame.flags.key && pts <= wanted {
                    // Decoding can start here.
                    picture.frames.clear();
                }
                picture.frames.push((pts, bytes));
            }
        }
        let Some(mut picture) = picture else { return Ok(None) };
        match exactness {
            Exactness::KeyFrame => picture.frames.truncate(1),
            Exactness::Picture => {
                // Nothing that is decoded after the wanted picture and presented after it.
                let needed = picture.frames.iter().rposition(|(pts, _)| *pts <= wanted);
                picture.frames.truncate(needed.map_or(1, |index| index + 1));
            }
        }
        Ok(Some(picture))
    }

    /// A fragment, with those before it from the last that begins with a key frame on.
    async fn rows_since_key(
        &self,
        stream: StreamId,
        row: IndexedRow,
    ) -> Result<Vec<IndexedRow>, PlaybackError> {
        if row.starts_with_key {
            return Ok(vec![row]);
        }
        let Some(key) = row.counters.last_key_number else { return Ok(vec![row]) };
        let engine = self.engine.clone();
        let query = RowQuery {
            range: RowRange::Number(key..=row.number),
            after: None,
            limit: KEY_DISTANCE_MAX,
        };
        let rows = spawn_blocking(move || engine.rows(stream, &query))
            .await
            .map_err(|_| PlaybackError::Stopping)??;
        let is_whole = rows.last().is_some_and(|last| last.number == row.number);
        Ok(if is_whole { rows } else { vec![row] })
    }
}

/// Fragments from a key frame to a picture, at most: more than a minute of 2 s fragments.
const KEY_DISTANCE_MAX: usize = 32;
