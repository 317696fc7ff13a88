//! Media answers taken apart: documents, fragments, blocks.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use streamkeep_media::{TagGroup, Track, UnixMillis};
use streamkeep_mkv::get_media::names;
use streamkeep_mkv::{Documents, Event, Limits, Scanner};

use super::MediaBody;
use crate::Error;

/// Takes the bytes of a [`MediaBody`] apart.
#[derive(Debug)]
pub struct FragmentReader {
    body: MediaBody,
    scanner: Scanner,
    buffer: BytesMut,
    document: Document,
    /// What the service's Tags before the Cluster said.
    head: FragmentTags,
    in_fragment: bool,
}

/// What precedes the Cluster of a document: the producer's own header.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// TimestampScale in nanoseconds per tick.
    pub timestamp_scale_ns: u64,
    /// In order of declaration.
    pub tracks: Arc<Vec<Track>>,
    /// The Tracks element, verbatim.
    pub tracks_element: Bytes,
}

/// What a reader meets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MediaEvent {
    /// A fragment starts.
    Fragment {
        /// Decimal; empty when the service did not say.
        number: String,
        /// Producer time of the fragment.
        producer_timestamp: Option<UnixMillis>,
        /// Server time of the fragment.
        server_timestamp: Option<UnixMillis>,
        /// The header it goes by.
        document: Document,
        /// The Cluster's Timestamp in ticks.
        timecode: u64,
    },
    /// A SimpleBlock or BlockGroup of the fragment.
    Block {
        /// TrackNumber.
        track_number: u64,
        /// Ticks relative to the Cluster's Timestamp.
        relative_timestamp: i16,
        /// The key flag.
        key: bool,
        /// The whole element, verbatim.
        element: Bytes,
        /// Where the frame lies in `element`; to the end of it when a SimpleBlock.
        payload_offset: usize,
        /// Length of the frame, lacing included.
        payload_len: usize,
    },
    /// Tags of the producer.
    Tags(Vec<TagGroup>),
    /// Tags after the fragment say how far behind the newest data it is, and how to go on.
    Progress {
        /// Milliseconds.
        millis_behind_now: u64,
        /// For [`StartSelector::ContinuationToken`](super::StartSelector::ContinuationToken).
        continuation_token: String,
    },
    /// The service broke off (get-media.md §1.4); the answer ends.
    Failed {
        /// The fragment concerned, when told.
        fragment_number: Option<String>,
        /// ERROR_ID, or EXCEPTION_ERROR_CODE.
        id: u32,
        /// ERROR_CODE, or EXCEPTION_MESSAGE.
        message: String,
    },
}

#[derive(Clone, Debug, Default)]
struct FragmentTags {
    number: String,
    producer_timestamp: Option<UnixMillis>,
    server_timestamp: Option<UnixMillis>,
}

impl FragmentReader {
    /// Over a fresh answer.
    pub fn new(body: MediaBody) -> Self {
        Self {
            body,
            scanner: Scanner::with_documents(Limits::default(), Documents::Concatenated),
            buffer: BytesMut::new(),
            document: Document::default(),
            head: FragmentTags::default(),
            in_fragment: false,
        }
    }

    /// The next event; `None` at the end of the answer. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The connection broke, or the bytes are no Matroska. An answer that ends in the middle of a
    /// fragment is [`Error::Matroska`].
    pub async fn next(&mut self) -> Result<Option<MediaEvent>, Error> {
        loop {
            if let Some(event) = self.next_buffered()? {
                return Ok(Some(event));
            }
            match self.body.next().await? {
                Some(bytes) if self.buffer.is_empty() => self.buffer = bytes.into(),
                Some(bytes) => self.buffer.extend_from_slice(&bytes),
                None => {
                    self.scanner.finish(&self.buffer)?;
                    return Ok(None);
                }
            }
        }
    }

    fn next_buffered(&mut self) -> Result<Option<MediaEvent>, Error> {
        loop {
            let Some(item) = self.scanner.next(&self.buffer)? else {
                self.buffer.reserve(self.scanner.needed().saturating_sub(self.buffer.len()));
                return Ok(None);
            };
            let len = item.len;
            let event = match item.event {
                Event::EbmlHeader(_) => {
                    self.document = Document::default();
                    self.head = FragmentTags::default();
                    self.in_fragment = false;
                    None
                }
                Event::Info(info) => {
                    self.document.timestamp_scale_ns = info.timestamp_scale_ns;
                    None
                }
                Event::Tracks(tracks) => {
                    self.document.tracks = Arc::new(tracks);
                    self.document.tracks_element = self.buffer.split_to(len).freeze();
                    continue;
                }
                Event::Tags(groups) => self.tags(groups),
                Event::Cluster(_) => {
                    self.in_fragment = true;
                    None
                }
                Event::Timestamp(timecode) => Some(MediaEvent::Fragment {
                    number: self.head.number.clone(),
                    producer_timestamp: self.head.producer_timestamp,
                    server_timestamp: self.head.server_timestamp,
                    document: self.document.clone(),
                    timecode,
                }),
                Event::Block(block) => {
                    let (track_number, relative_timestamp, key) =
                        (block.track_number, block.relative_timestamp, block.key);
                    let (payload_offset, payload_len) = (block.payload_offset, block.payload.len());
                    let element = self.buffer.split_to(len).freeze();
                    return Ok(Some(MediaEvent::Block {
                        track_number,
                        relative_timestamp,
                        key,
                        element,
                        payload_offset,
                        payload_len,
                    }));
                }
                _ => None,
            };
            let _skipped = self.buffer.split_to(len);
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// The service's own tags are told apart by their names; a group holds either kind.
    fn tags(&mut self, groups: Vec<TagGroup>) -> Option<MediaEvent> {
        let value = |name: &str| {
            let mut tags = groups.iter().flat_map(|group| &group.tags);
            tags.find(|tag| tag.name == name).map(|tag| tag.value.clone())
        };
        let number = value(names::FRAGMENT_NUMBER);
        let error = value(names::ERROR_ID).or_else(|| value(names::EXCEPTION_ERROR_CODE));
        if let Some(id) = error {
            return Some(MediaEvent::Failed {
                fragment_number: number,
                id: id.trim().parse().unwrap_or(0),
                message: value(names::ERROR_CODE)
                    .or_else(|| value(names::EXCEPTION_MESSAGE))
                    .unwrap_or_default(),
            });
        }
        if let Some(number) = number {
            let timestamp = |plain: &str, side: &str| {
                value(plain).or_else(|| value(side)).and_then(|text| parse_timestamp(&text))
            };
            self.head = FragmentTags {
                number,
                producer_timestamp: timestamp(
                    names::PRODUCER_TIMESTAMP,
                    names::PRODUCER_SIDE_TIMESTAMP,
                ),
                server_timestamp: timestamp(names::SERVER_TIMESTAMP, names::SERVER_SIDE_TIMESTAMP),
            };
            return None;
        }
        if let Some(continuation_token) = value(names::CONTINUATION_TOKEN) {
            let behind = value(names::MILLIS_BEHIND_NOW);
            return Some(MediaEvent::Progress {
                millis_behind_now: behind.and_then(|text| text.trim().parse().ok()).unwrap_or(0),
                continuation_token,
            });
        }
        Some(MediaEvent::Tags(groups)).filter(|_| self.in_fragment)
    }
}

/// Epoch seconds with a fraction.
fn parse_timestamp(text: &str) -> Option<UnixMillis> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.0..1e13).contains(&seconds).then(|| UnixMillis((seconds * 1000.0).round() as u64))
}
