//! The session's state machine.

mod acks;
mod exchange;
mod header;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::{Buf as _, BytesMut};
use streamkeep_media::{FragmentNumber, FrameEntry, FrameFlags, TagGroup, UnixMillis};
use streamkeep_mkv::{Block, Event, LimitKind, Scanner};

use crate::assembler::Assembler;
use crate::timing::ticks_to_ns;
use crate::{Ack, AckEvent, ErrorId, IngestLimits};
use acks::{Ending, Outstanding};
pub use exchange::{
    BodyEnd, LivePiece, LiveStart, Output, SessionConfig, StoreFailure, Stored, TimecodeType,
};
use header::{HeaderBuilder, SharedHeader};

/// Body bytes are gathered in slabs of this size; what is handed on is a slice of a slab. At
/// 1 Mbit/s a slab holds half a second, so a session keeps about one partly used slab.
const SLAB_BYTES: usize = 64 * 1024;

/// Element ID and Element Data Size, at most (RFC 8794 §5, §6).
const ELEMENT_HEADER_BYTES_MAX: usize = 4 + 8;

/// Allocates the number of a fragment that begins now, with its server timestamp.
type BeginFragment<'a> = dyn FnMut() -> Result<(FragmentNumber, UnixMillis), ErrorId> + 'a;

/// One PutMedia body and its acks.
///
/// Feed [`handle_body`](Self::handle_body) while [`wants_body`](Self::wants_body), then
/// [`handle_end`](Self::handle_end); answer each [`Output::Complete`] of a kept stream with
/// [`handle_stored`](Self::handle_stored); after each of these drain
/// [`poll_output`](Self::poll_output). [`Output::Close`] is the last output.
#[derive(Debug)]
pub struct IngestSession {
    config: SessionConfig,
    is_watched: bool,
    scanner: Scanner,
    /// Not yet handed on; the first `taken` bytes are scanned.
    buffer: BytesMut,
    taken: usize,
    header: HeaderBuilder,
    shared_header: Option<SharedHeader>,
    place: Place,
    /// Frames found since the last live piece.
    fresh_frames: Vec<FrameEntry>,
    /// Tags found after an end-of-fragment tag: they go with the next fragment.
    early_tags: (Vec<TagGroup>, usize),
    previous_timecode: Option<u64>,
    previous_end_ns: Option<i128>,
    /// Of a stream without retention: the last fragment, until its producer is released.
    unreleased: Option<(u64, FragmentNumber)>,
    /// Complete, not yet durable, oldest first.
    outstanding: VecDeque<Outstanding>,
    ending: Option<Ending>,
    outputs: VecDeque<Output>,
}

/// Where in the body the scanner is.
#[derive(Debug)]
enum Place {
    /// Before the first cluster.
    Header,
    /// A cluster began; its Timestamp has not come. Holds the fragment it ends.
    Opening(Option<Box<Assembler>>),
    /// In a fragment.
    Fragment(Box<Assembler>),
    /// After an end-of-fragment tag.
    Between,
}

/// Why a body cannot go on.
struct Fault(ErrorId);

impl IngestSession {
    /// A session that has not seen its body yet.
    pub fn new(config: SessionConfig) -> Self {
        let scanner = Scanner::new(streamkeep_mkv::Limits {
            max_element_len: config.limits.fragment_bytes_max as u64 + 64 * 1024,
            ..streamkeep_mkv::Limits::default()
        });
        Self {
            config,
            is_watched: true,
            scanner,
            buffer: BytesMut::new(),
            taken: 0,
            header: HeaderBuilder::default(),
            shared_header: None,
            place: Place::Header,
            fresh_frames: Vec::new(),
            early_tags: (Vec::new(), 0),
            previous_timecode: None,
            previous_end_ns: None,
            unreleased: None,
            outstanding: VecDeque::new(),
            ending: None,
            outputs: VecDeque::new(),
        }
    }

    /// Changes whether fragments that complete from now on are kept: the stream's retention went
    /// from or to 0.
    pub fn set_kept(&mut self, kept: bool) {
        self.config.kept = kept;
    }

    /// Says whether anyone watches live; at first, someone does. For those who watch, what is whole
    /// is handed on with each input. Else it is gathered, a slab at a time: nobody would see the
    /// difference, and it takes a twentieth of the time that a frame takes in all.
    pub fn set_watched(&mut self, is_watched: bool) {
        self.is_watched = is_watched;
        if is_watched {
            self.hand_on_taken();
        }
    }

    /// Whether body bytes are still of use. When false, stop reading.
    pub fn wants_body(&self) -> bool {
        self.ending.is_none()
    }

    /// Complete fragments that wait to become durable.
    pub fn outstanding_count(&self) -> usize {
        self.outstanding.len()
    }

    /// The last element was an end-of-fragment tag: the producer may now wait for acks with the
    /// body open (put-media.md §9).
    pub fn is_between_fragments(&self) -> bool {
        matches!(self.place, Place::Between) && self.buffer.len() == self.taken
    }

    /// Takes body bytes, in pieces of any size.
    ///
    /// `now` is the server's clock; `begin` is called once for each fragment that begins.
    pub fn handle_body(&mut self, now: UnixMillis, bytes: &[u8], begin: &mut BeginFragment<'_>) {
        if !self.wants_body() || bytes.is_empty() {
            return;
        }
        if self.buffer.capacity() - self.buffer.len() < bytes.len() {
            // So that only what is not whole moves to the next slab.
            self.hand_on_taken();
            let missing = self.scanner.needed().saturating_sub(self.buffer.len() - self.taken);
            let room = missing.min(self.config.limits.fragment_bytes_max);
            self.buffer.reserve(room.max(SLAB_BYTES).max(bytes.len()));
        }
        self.buffer.extend_from_slice(bytes);
        if let Err(Fault(error)) = self.scan(now, begin) {
            self.fail(error);
        }
    }

    /// The body ended.
    pub fn handle_end(&mut self, end: BodyEnd) {
        if !self.wants_body() {
            return;
        }
        let whole = self.scanner.finish(&self.buffer[self.taken..]).is_ok();
        self.hand_on_taken();
        match (end, whole) {
            (BodyEnd::Complete, true) => match std::mem::replace(&mut self.place, Place::Between) {
                Place::Fragment(fragment) | Place::Opening(Some(fragment)) => {
                    if let Err(Fault(error)) = self.complete(fragment, None) {
                        return self.fail(error);
                    }
                    self.end(None);
                }
                Place::Header | Place::Between | Place::Opening(None) => self.end(None),
            },
            (BodyEnd::Complete, false) => self.fail(ErrorId::InvalidMkvData),
            (BodyEnd::Cut, _) => {
                // The fragment before an opening cluster is complete: its end was seen.
                if let Place::Opening(previous) = &mut self.place
                    && let Some(fragment) = previous.take()
                {
                    // A fault here has nobody left to tell.
                    let _ = self.complete(fragment, None);
                }
                self.abort_open_fragment();
                self.end(None);
            }
        }
    }

    /// The next thing to do, or `None` when there is nothing to do until the next input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn scan(&mut self, now: UnixMillis, begin: &mut BeginFragment<'_>) -> Result<(), Fault> {
        // The buffer is taken out so that an item may borrow it while `self` changes.
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.scan_buffer(&mut buffer, now, begin);
        if result.is_ok() && self.is_watched {
            self.hand_on(&mut buffer);
        }
        self.buffer = buffer;
        result
    }

    fn scan_buffer(
        &mut self,
        buffer: &mut BytesMut,
        now: UnixMillis,
        begin: &mut BeginFragment<'_>,
    ) -> Result<(), Fault> {
        loop {
            let pending = &buffer[self.taken..];
            let item = match self.scanner.next(pending) {
                Ok(Some(item)) => item,
                Ok(None) => {
                    // Until its size is known, what comes may as well be the next cluster.
                    let needed = self.scanner.needed();
                    let known = needed > ELEMENT_HEADER_BYTES_MAX;
                    return self.check_growth(if known { needed } else { 0 });
                }
                Err(error) => {
                    self.complete_before_second_document(&error, buffer)?;
                    return Err(self.scan_fault(&error));
                }
            };
            let len = item.len;
            if !matches!(item.event, Event::Cluster(_)) {
                self.check_growth(len)?;
            }
            let mut boundary = Boundary::None;
            match item.event {
                Event::Cluster(_) => boundary = Boundary::Cluster,
                Event::Timestamp(timecode) => self.open_fragment_at(timecode, now, begin)?,
                Event::Block(block) => self.take_block(&block)?,
                Event::Tags(groups) => {
                    if self.take_tags(groups)? {
                        boundary = Boundary::EndOfFragment;
                    }
                }
                event => self.take_header_event(event)?,
            }
            match boundary {
                Boundary::None if matches!(self.place, Place::Header) => {
                    self.header.push(&buffer[self.taken..self.taken + len])?;
                    buffer.advance(len);
                }
                Boundary::None => self.taken += len,
                Boundary::Cluster => {
                    self.hand_on(buffer);
                    self.begin_cluster()?;
                    self.taken += len;
                }
                Boundary::EndOfFragment => {
                    self.taken += len;
                    self.hand_on(buffer);
                    if let Place::Fragment(fragment) =
                        std::mem::replace(&mut self.place, Place::Between)
                    {
                        self.complete(fragment, None)?;
                    }
                }
            }
        }
    }

    fn hand_on_taken(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.hand_on(&mut buffer);
        self.buffer = buffer;
    }

    /// Gives what was scanned to the open fragment and to those who watch live.
    fn hand_on(&mut self, buffer: &mut BytesMut) {
        let Place::Fragment(fragment) = &mut self.place else { return };
        if self.taken == 0 {
            return;
        }
        let bytes = buffer.split_to(self.taken).freeze();
        self.taken = 0;
        fragment.push_piece(bytes.clone());
        let frames = std::mem::take(&mut self.fresh_frames);
        self.outputs.push_back(Output::Live(LivePiece { bytes, frames }));
    }

    /// Refuses a fragment that is, or by its next element will be, too large.
    fn check_growth(&self, next_len: usize) -> Result<(), Fault> {
        let have = match &self.place {
            Place::Fragment(fragment) => fragment.media_len,
            Place::Header => return Ok(()),
            Place::Opening(_) | Place::Between => 0,
        };
        let total = have.saturating_add(self.taken).saturating_add(next_len);
        if total > self.config.limits.fragment_bytes_max {
            return Err(Fault(ErrorId::MaxFragmentSizeReached));
        }
        Ok(())
    }

    /// A second document in a body is refused; but the fragment before it is whole, and the
    /// camera must not be told to drop it.
    fn complete_before_second_document(
        &mut self,
        error: &streamkeep_mkv::Error,
        buffer: &mut BytesMut,
    ) -> Result<(), Fault> {
        use streamkeep_mkv::Error::{SecondEbmlHeader, SecondSegment};
        if !matches!(error, SecondEbmlHeader { .. } | SecondSegment { .. }) {
            return Ok(());
        }
        self.hand_on(buffer);
        match std::mem::replace(&mut self.place, Place::Between) {
            Place::Fragment(fragment) => self.complete(fragment, None),
            place => {
                self.place = place;
                Ok(())
            }
        }
    }

    fn scan_fault(&self, error: &streamkeep_mkv::Error) -> Fault {
        let in_header = matches!(self.place, Place::Header);
        Fault(match error.limit() {
            Some(LimitKind::ElementLen) if !in_header => ErrorId::MaxFragmentSizeReached,
            Some(LimitKind::TagsLen | LimitKind::TagsPerElement | LimitKind::TagDepth)
                if !in_header =>
            {
                ErrorId::FragmentMetadataLimitReached
            }
            Some(LimitKind::Tracks) => ErrorId::MoreThanAllowedTracksFound,
            _ => ErrorId::InvalidMkvData,
        })
    }

    fn begin_cluster(&mut self) -> Result<(), Fault> {
        if self.shared_header.is_none() {
            self.shared_header = Some(self.header.build()?);
        }
        let ended = match std::mem::replace(&mut self.place, Place::Between) {
            Place::Fragment(fragment) => Some(fragment),
            // A cluster without a Timestamp: the scanner refuses its blocks, not its absence.
            Place::Opening(_) => return Err(Fault(ErrorId::InvalidMkvData)),
            Place::Header | Place::Between => None,
        };
        self.place = Place::Opening(ended);
        Ok(())
    }

    fn open_fragment_at(
        &mut self,
        timecode: u64,
        now: UnixMillis,
        begin: &mut BeginFragment<'_>,
    ) -> Result<(), Fault> {
        let Place::Opening(ended) = &mut self.place else {
            return Err(Fault(ErrorId::InvalidMkvData));
        };
        if let Some(fragment) = ended.take() {
            self.complete(fragment, Some(timecode))?;
        }
        let Some(shared) = &mut self.shared_header else {
            return Err(Fault(ErrorId::InvalidMkvData));
        };
        let header = shared.next();
        let scale_ns = header.timestamp_scale_ns;
        let producer_timestamp = self.producer_timestamp(timecode, scale_ns);
        let (number, server_timestamp) = begin().map_err(Fault)?;
        let mut fragment = Box::new(Assembler::new(
            number,
            server_timestamp,
            producer_timestamp.unwrap_or_default(),
            timecode,
            header,
        ));
        (fragment.tags, fragment.tag_count) = std::mem::take(&mut self.early_tags);
        let start = LiveStart {
            number,
            server_timestamp,
            producer_timestamp: fragment.producer_timestamp,
            timecode,
            header: fragment.header.clone(),
        };
        // The fragment is named before it is judged, so that an error can name it.
        self.place = Place::Fragment(fragment);
        self.outputs.push_back(Output::LiveStart(start));
        let buffering =
            Ack { event: AckEvent::Buffering, timecode: Some(timecode), number: Some(number) };
        self.outputs.push_back(Output::Ack(buffering));
        if self.previous_timecode.is_some_and(|previous| timecode <= previous) {
            return Err(Fault(ErrorId::FragmentTimecodeLesserThanPrevious));
        }
        self.previous_timecode = Some(timecode);
        let latest = now.0.saturating_add(self.config.limits.producer_ahead_ms_max);
        if producer_timestamp.is_none_or(|timestamp| timestamp.0 > latest) {
            return Err(Fault(ErrorId::InvalidProducerTimestamp));
        }
        Ok(())
    }

    /// Absolute time of a cluster; `None` when it cannot be told in 48 bits of milliseconds.
    fn producer_timestamp(&self, timecode: u64, scale_ns: u64) -> Option<UnixMillis> {
        let offset_ms = u128::from(timecode) * u128::from(scale_ns) / 1_000_000;
        let start_ms = match self.config.timecode_type {
            TimecodeType::Absolute => 0,
            TimecodeType::Relative { producer_start } => u128::from(producer_start.0),
        };
        let total = offset_ms + start_ms;
        (total < 1 << 48).then_some(UnixMillis(total as u64))
    }

    fn take_block(&mut self, block: &Block<'_>) -> Result<(), Fault> {
        let Place::Fragment(fragment) = &mut self.place else {
            return Err(Fault(ErrorId::InvalidMkvData));
        };
        let Some(shared) = &mut self.shared_header else {
            return Err(Fault(ErrorId::InvalidMkvData));
        };
        let Some(track_index) = shared.track_index(block.track_number) else {
            return Err(Fault(ErrorId::TrackNumberMismatch));
        };
        let decoder = &mut shared.decoders[track_index];
        let item_start = fragment.media_len + self.taken;
        let pts_ticks = i32::from(block.relative_timestamp);
        let frames = block.frames().map_err(|_| Fault(ErrorId::InvalidMkvData))?;
        for (lace_index, (offset, bytes)) in frames.enumerate() {
            if fragment.frames.len() >= self.config.limits.frames_per_fragment_max {
                return Err(Fault(ErrorId::InvalidMkvData));
            }
            let key = decoder.probe.is_key(bytes).unwrap_or(block.key);
            if let Some(clock) = &mut decoder.audio_clock {
                let ticks = i128::from(fragment.timecode) + i128::from(pts_ticks);
                let position =
                    clock.advance(ticks_to_ns(ticks, fragment.header.timestamp_scale_ns), bytes);
                fragment.sample_positions[track_index].get_or_insert(position);
            }
            let offset = u32::try_from(item_start + offset);
            let frame = FrameEntry {
                track_index: track_index as u8,
                flags: FrameFlags {
                    key,
                    invisible: block.invisible,
                    discardable: block.discardable,
                },
                // Laced frames share the block's time; a default duration tells them apart.
                pts_ticks: pts_ticks
                    .saturating_add(decoder.lace_step_ticks.saturating_mul(lace_index as i32)),
                duration_ticks: block.duration.and_then(|ticks| u32::try_from(ticks).ok()),
                offset: offset.map_err(|_| Fault(ErrorId::MaxFragmentSizeReached))?,
                len: u32::try_from(bytes.len())
                    .map_err(|_| Fault(ErrorId::MaxFragmentSizeReached))?,
            };
            fragment.push_frame(frame);
            self.fresh_frames.push(frame);
        }
        if fragment.span_ms() > self.config.limits.fragment_duration_ms_max {
            return Err(Fault(ErrorId::MaxFragmentDurationReached));
        }
        Ok(())
    }

    /// Takes a Tags element; true when it marks the end of the open fragment.
    fn take_tags(&mut self, groups: Vec<TagGroup>) -> Result<bool, Fault> {
        if matches!(self.place, Place::Header) {
            self.header.saw_tags();
            return Ok(false);
        }
        let limits = &self.config.limits;
        let all = || groups.iter().flat_map(|group| &group.tags);
        let too_long = all().any(|tag| {
            tag.name.len() > limits.tag_name_bytes_max
                || tag.value.len() > limits.tag_value_bytes_max
        });
        // The service's own marks do not count against the producer's ten.
        let counted = all().filter(|tag| !tag.name.starts_with(RESERVED_PREFIX)).count();
        let ends = all().any(|tag| tag.name == END_OF_FRAGMENT);
        let (tags, tag_count) = match &mut self.place {
            Place::Fragment(fragment) => (&mut fragment.tags, &mut fragment.tag_count),
            Place::Opening(_) | Place::Between | Place::Header => {
                (&mut self.early_tags.0, &mut self.early_tags.1)
            }
        };
        *tag_count += counted;
        if too_long || *tag_count > limits.tags_per_fragment_max {
            return Err(Fault(ErrorId::FragmentMetadataLimitReached));
        }
        tags.extend(groups.into_iter().filter(|group| {
            !group.tags.is_empty() && !group.tags.iter().all(|tag| tag.name == END_OF_FRAGMENT)
        }));
        Ok(ends && matches!(self.place, Place::Fragment(_)))
    }

    fn take_header_event(&mut self, event: Event<'_>) -> Result<(), Fault> {
        if !matches!(self.place, Place::Header) {
            return Ok(());
        }
        match event {
            Event::Segment(size) => self.header.saw_segment(size),
            Event::Info(info) => self.header.saw_info(info.timestamp_scale_ns),
            Event::Tracks(tracks) => {
                let most = self.config.limits.tracks_max.min(IngestLimits::TRACKS_CEILING);
                if tracks.len() > most {
                    return Err(Fault(ErrorId::MoreThanAllowedTracksFound));
                }
                if tracks.is_empty() {
                    return Err(Fault(ErrorId::InvalidMkvData));
                }
                self.header.saw_tracks(tracks);
            }
            _ => {}
        }
        Ok(())
    }

    fn complete(
        &mut self,
        fragment: Box<Assembler>,
        next_timecode: Option<u64>,
    ) -> Result<(), Fault> {
        if fragment.misses_a_track() {
            // Put back so that the error names it.
            self.place = Place::Fragment(fragment);
            return Err(Fault(ErrorId::FramesMissingForTrack));
        }
        let (fragment, end_ns) = fragment.complete(next_timecode, self.previous_end_ns);
        self.previous_end_ns = Some(end_ns);
        let (timecode, number) = (fragment.timecode, fragment.number);
        self.outputs.push_back(Output::Complete(Box::new(fragment)));
        if self.config.kept {
            self.outstanding.push_back(Outstanding { timecode, number, stored: None });
        } else {
            self.unreleased = Some((timecode, number));
            self.push_ack(AckEvent::Received, timecode, number);
        }
        Ok(())
    }

    fn open_fragment(&self) -> Option<(u64, FragmentNumber)> {
        match &self.place {
            Place::Fragment(fragment) | Place::Opening(Some(fragment)) => {
                Some((fragment.timecode, fragment.number))
            }
            _ => None,
        }
    }

    fn abort_open_fragment(&mut self) {
        if let Some((_, number)) = self.open_fragment() {
            self.outputs.push_back(Output::LiveAbort(number));
        }
        self.place = Place::Between;
        self.fresh_frames.clear();
    }
}

/// What an element ends.
enum Boundary {
    None,
    Cluster,
    EndOfFragment,
}

/// Names the service reserves (put-media.md §5).
const RESERVED_PREFIX: &str = "AWS_KINESISVIDEO_";
/// Marks the fragment before it as complete.
const END_OF_FRAGMENT: &str = "AWS_KINESISVIDEO_END_OF_FRAGMENT";
