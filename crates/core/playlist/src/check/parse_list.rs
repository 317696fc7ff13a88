//! Reads one media playlist, reporting what breaks the syntax or the order of tags.

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::finding::{Findings, cite};
use super::instant::{date_time_ms, integer, seconds_ns};
use super::lines::{Line, lines};

/// A media playlist as its text says.
#[derive(Debug, Default)]
pub(super) struct List<'a> {
    pub(super) version: u64,
    pub(super) target_secs: Option<u64>,
    pub(super) media_sequence: u64,
    pub(super) discontinuity_sequence: Option<u64>,
    pub(super) kind: Option<&'a str>,
    pub(super) ended: bool,
    pub(super) i_frames_only: bool,
    pub(super) control: Control,
    pub(super) part_target_ns: Option<u64>,
    /// EXT-X-SKIP: line and number of segments left out.
    pub(super) skip: Option<(usize, u64)>,
    pub(super) segments: Vec<Segment<'a>>,
    /// The last segment, still without URI.
    pub(super) open: Option<Segment<'a>>,
    /// EXT-X-PRELOAD-HINT of a part: line and URI.
    pub(super) hint: Option<(usize, &'a str)>,
    /// Lines of EXT-X-RENDITION-REPORT.
    pub(super) reports: Vec<usize>,
    pub(super) any_map: bool,
    pub(super) any_byte_range: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) line: usize,
    pub(super) can_block_reload: bool,
    pub(super) part_hold_back_ns: Option<u64>,
    pub(super) hold_back_ns: Option<u64>,
    pub(super) can_skip_until_ns: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Segment<'a> {
    /// Of the URI; 0 while open.
    pub(super) line: usize,
    pub(super) msn: u64,
    pub(super) uri: &'a str,
    pub(super) duration_ns: u64,
    /// There is an EXTINF that can be read.
    pub(super) timed: bool,
    /// EXTINF is no integer.
    pub(super) decimal: bool,
    pub(super) discontinuity: bool,
    /// Discontinuities up to and with this segment, those skipped not counted.
    pub(super) discontinuities: u64,
    /// Valid for this segment, however far above it stands.
    pub(super) map: Option<&'a str>,
    pub(super) date_time_ms: Option<i64>,
    pub(super) gap: bool,
    pub(super) parts: Vec<Part<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) line: usize,
    pub(super) uri: &'a str,
    pub(super) duration_ns: u64,
    pub(super) independent: bool,
    pub(super) gap: bool,
}

impl List<'_> {
    /// May segments be removed?
    pub(super) fn is_live(&self) -> bool {
        self.kind.is_none() && !self.ended
    }

    pub(super) fn has_parts(&self) -> bool {
        self.part_target_ns.is_some() || self.all_segments().any(|s| !s.parts.is_empty())
    }

    /// The complete ones and the open one.
    pub(super) fn all_segments(&self) -> impl Iterator<Item = &Segment<'_>> {
        self.segments.iter().chain(&self.open)
    }

    /// Length of all that is listed, parts of the open segment included.
    pub(super) fn duration_ns(&self) -> u64 {
        let open = self.open.iter().flat_map(|s| &s.parts).map(|part| part.duration_ns);
        let all = self.segments.iter().map(|s| s.duration_ns).chain(open);
        all.fold(0, u64::saturating_add)
    }
}

/// Reads `text`.
pub(super) fn parse<'a>(text: &'a str, findings: &mut Findings) -> List<'a> {
    let list = List { version: 1, ..List::default() };
    let mut reader = Reader {
        list,
        findings,
        seen: BTreeSet::new(),
        pending: Segment::default(),
        pending_tag: None,
        extinf: None,
        map: None,
        discontinuities: 0,
    };
    for (number, line) in lines(text, reader.findings) {
        match line {
            Line::Tag { name, value } => reader.tag(number, name, value),
            Line::Uri(uri) => reader.uri(number, uri),
        }
    }
    reader.finish()
}

struct Reader<'a, 'f> {
    list: List<'a>,
    findings: &'f mut Findings,
    /// Tags that may be there once.
    seen: BTreeSet<&'a str>,
    /// What was said of the segment to come.
    pending: Segment<'a>,
    /// Line and name of the last tag that waits for a segment.
    pending_tag: Option<(usize, &'a str)>,
    extinf: Option<usize>,
    map: Option<&'a str>,
    discontinuities: u64,
}

impl<'a> Reader<'a, '_> {
    fn tag(&mut self, line: usize, name: &'a str, value: Option<&'a str>) {
        match name {
            "EXT-X-VERSION" => {
                self.once(line, name, "RFC 8216 §4.3.1.2");
                let version = self.integer(line, name, value, "RFC 8216 §4.3.1.2");
                self.list.version = version.unwrap_or(1);
            }
            "EXT-X-TARGETDURATION" => {
                self.once(line, name, "RFC 8216 §4.3.3.1");
                self.list.target_secs = self.integer(line, name, value, "RFC 8216 §4.3.3.1");
                if self.list.target_secs == Some(0) {
                    self.findings.must(line, "RFC 8216 §4.3.3.1", "target duration of 0");
                }
            }
            "EXT-X-MEDIA-SEQUENCE" => {
                self.once(line, name, "RFC 8216 §4.3.3.2");
                let in_place = self.before_segments(line, name, "RFC 8216 §4.3.3.2");
                let number = self.integer(line, name, value, "RFC 8216 §4.3.3.2");
                // Numbers already given stay what they are.
                if in_place {
                    self.list.media_sequence = number.unwrap_or(0);
                }
            }
            "EXT-X-DISCONTINUITY-SEQUENCE" => {
                self.once(line, name, "RFC 8216 §4.3.3.3");
                self.before_segments(line, name, "RFC 8216 §4.3.3.3");
                if self.discontinuities > 0 || self.pending.discontinuity {
                    let message = "EXT-X-DISCONTINUITY-SEQUENCE after EXT-X-DISCONTINUITY";
                    self.findings.must(line, "RFC 8216 §4.3.3.3", message);
                }
                self.list.discontinuity_sequence =
                    self.integer(line, name, value, "RFC 8216 §4.3.3.3");
            }
            "EXT-X-PLAYLIST-TYPE" => {
                self.once(line, name, "RFC 8216 §4.3.3.5");
                self.list.kind = value;
                if !matches!(value, Some("VOD" | "EVENT")) {
                    let message = format!("playlist type {}", cite(value.unwrap_or_default()));
                    self.findings.must(line, "RFC 8216 §4.3.3.5", message);
                }
            }
            "EXT-X-ENDLIST" => {
                self.once(line, name, "RFC 8216 §4.3.3.4");
                self.list.ended = true;
            }
            "EXT-X-I-FRAMES-ONLY" => {
                self.once(line, name, "RFC 8216 §4.3.3.6");
                self.list.i_frames_only = true;
            }
            "EXT-X-INDEPENDENT-SEGMENTS" => self.once(line, name, "RFC 8216 §4.3.5.1"),
            "EXT-X-SERVER-CONTROL" => {
                self.once(line, name, "bis §4.4.3.8");
                let list = Attributes::parse("EXT-X-SERVER-CONTROL", line, value, self.findings);
                self.list.control = Control {
                    line,
                    can_block_reload: list.yes("CAN-BLOCK-RELOAD"),
                    part_hold_back_ns: list.seconds_ns("PART-HOLD-BACK"),
                    hold_back_ns: list.seconds_ns("HOLD-BACK"),
                    can_skip_until_ns: list.seconds_ns("CAN-SKIP-UNTIL"),
                };
            }
            "EXT-X-PART-INF" => {
                self.once(line, name, "bis §4.4.3.7");
                let list = Attributes::parse("EXT-X-PART-INF", line, value, self.findings);
                list.required("PART-TARGET", "bis §4.4.3.7", self.findings);
                self.list.part_target_ns = list.seconds_ns("PART-TARGET");
            }
            "EXT-X-SKIP" => {
                self.once(line, name, "bis §4.4.5.2");
                let in_place = self.before_segments(line, name, "bis §4.4.5.2");
                let list = Attributes::parse("EXT-X-SKIP", line, value, self.findings);
                list.required("SKIPPED-SEGMENTS", "bis §4.4.5.2", self.findings);
                if in_place {
                    self.list.skip = list.integer("SKIPPED-SEGMENTS").map(|count| (line, count));
                }
            }
            "EXT-X-DISCONTINUITY" => {
                self.of_segment(line, name);
                if std::mem::replace(&mut self.pending.discontinuity, true) {
                    let message = "EXT-X-DISCONTINUITY twice before one segment";
                    self.findings.must(line, "RFC 8216 §4.3.2.3", message);
                }
                self.discontinuities += 1;
            }
            "EXT-X-MAP" => {
                self.of_segment(line, name);
                let list = Attributes::parse("EXT-X-MAP", line, value, self.findings);
                self.map = list.required("URI", "RFC 8216 §4.3.2.5", self.findings);
                self.list.any_map = true;
            }
            "EXT-X-PROGRAM-DATE-TIME" => {
                self.of_segment(line, name);
                self.pending.date_time_ms = value.and_then(date_time_ms);
                if self.pending.date_time_ms.is_none() {
                    let message = format!("{} is no instant", cite(value.unwrap_or_default()));
                    self.findings.must(line, "RFC 8216 §4.3.2.6", message);
                }
            }
            "EXT-X-GAP" => self.pending.gap = true,
            "EXT-X-BYTERANGE" => self.list.any_byte_range = true,
            "EXTINF" => self.extinf(line, value),
            "EXT-X-PART" => self.part(line, value),
            "EXT-X-PRELOAD-HINT" => {
                let list = Attributes::parse("EXT-X-PRELOAD-HINT", line, value, self.findings);
                let kind = list.required("TYPE", "bis §4.4.5.3", self.findings);
                let uri = list.required("URI", "bis §4.4.5.3", self.findings);
                if let (Some("PART"), Some(uri)) = (kind, uri)
                    && self.list.hint.replace((line, uri)).is_some()
                {
                    self.findings.must(line, "bis §4.4.5.3", "more than one hint of a part");
                }
            }
            "EXT-X-RENDITION-REPORT" => {
                let list = Attributes::parse("EXT-X-RENDITION-REPORT", line, value, self.findings);
                list.required("LAST-MSN", "bis §4.4.5.4", self.findings);
                let uri = list.required("URI", "bis §4.4.5.4", self.findings);
                if uri.is_some_and(|uri| uri.contains("://")) {
                    self.findings.must(line, "bis §4.4.5.4", "the URI of a report is not relative");
                }
                self.list.reports.push(line);
            }
            "EXT-X-MEDIA" | "EXT-X-STREAM-INF" | "EXT-X-I-FRAME-STREAM-INF" => {
                let message = format!("{name} belongs into a multivariant playlist");
                self.findings.must(line, "RFC 8216 §4.3.4", message);
            }
            _ => {}
        }
    }

    fn extinf(&mut self, line: usize, value: Option<&'a str>) {
        self.pending_tag = Some((line, "EXTINF"));
        if self.extinf.replace(line).is_some() {
            self.findings.must(line, "RFC 8216 §4.3.2.1", "EXTINF without a URI after it");
        }
        let text = value.unwrap_or_default();
        let (seconds, comma) = match text.split_once(',') {
            Some((seconds, _title)) => (seconds, true),
            None => (text, false),
        };
        if !comma {
            self.findings.must(line, "RFC 8216 §4.3.2.1", "EXTINF without a comma");
        }
        self.pending.decimal = seconds.contains('.');
        match seconds_ns(seconds) {
            Some(ns) => {
                self.pending.duration_ns = ns;
                self.pending.timed = true;
            }
            None => {
                let message = format!("{} is no duration", cite(seconds));
                self.findings.must(line, "RFC 8216 §4.3.2.1", message);
            }
        }
    }

    fn part(&mut self, line: usize, value: Option<&'a str>) {
        let list = Attributes::parse("EXT-X-PART", line, value, self.findings);
        if self.extinf.is_some() {
            self.findings.must(line, "bis §4.4.4.9", "EXT-X-PART after the EXTINF of its segment");
        }
        let uri = list.required("URI", "bis §4.4.4.9", self.findings);
        list.required("DURATION", "bis §4.4.4.9", self.findings);
        self.pending.parts.push(Part {
            line,
            uri: uri.unwrap_or_default(),
            duration_ns: list.seconds_ns("DURATION").unwrap_or(0),
            independent: list.yes("INDEPENDENT"),
            gap: list.yes("GAP"),
        });
    }

    fn uri(&mut self, line: usize, uri: &'a str) {
        if self.extinf.take().is_none() {
            self.findings.must(line, "RFC 8216 §4.3.2.1", "a segment without EXTINF");
        }
        self.pending_tag = None;
        let mut segment = std::mem::take(&mut self.pending);
        segment.line = line;
        segment.uri = uri;
        self.place(&mut segment);
        self.list.segments.push(segment);
    }

    /// Of the first segment that is not skipped.
    fn first_msn(&self) -> u64 {
        let skipped = self.list.skip.map_or(0, |(_, count)| count);
        self.list.media_sequence.saturating_add(skipped)
    }

    fn place(&self, segment: &mut Segment<'a>) {
        segment.msn = self.first_msn().saturating_add(self.list.segments.len() as u64);
        segment.discontinuities = self.discontinuities;
        segment.map = self.map;
    }

    fn finish(mut self) -> List<'a> {
        let count = self.list.segments.len() as u64;
        if self.first_msn().checked_add(count).is_none() {
            let message = "Media Sequence Numbers beyond 64 bits";
            self.findings.must(0, "RFC 8216 §4.2", message);
        }
        if let Some(line) = self.extinf {
            self.findings.must(line, "RFC 8216 §4.3.2.1", "EXTINF without a URI after it");
        } else if !self.pending.parts.is_empty() || self.list.hint.is_some() {
            let mut segment = std::mem::take(&mut self.pending);
            self.place(&mut segment);
            self.list.open = Some(segment);
        } else if let Some((line, name)) = self.pending_tag {
            let message = format!("{name} applies to no segment");
            self.findings.should(line, "RFC 8216 §4.3.2", message);
        }
        self.list
    }

    /// A tag that applies to the segment after it, and so stands before its parts (bis §4.4.4.9).
    fn of_segment(&mut self, line: usize, name: &'a str) {
        self.pending_tag = Some((line, name));
        if !self.pending.parts.is_empty() {
            let message = format!("{name} between the parts of a segment");
            self.findings.must(line, "bis §4.4.4.9", message);
        }
    }

    fn once(&mut self, line: usize, name: &'a str, rule: &'static str) {
        if !self.seen.insert(name) {
            self.findings.must(line, rule, format!("{name} again"));
        }
    }

    fn before_segments(&mut self, line: usize, name: &str, rule: &'static str) -> bool {
        let before = self.list.segments.is_empty() && self.pending.parts.is_empty();
        if !before {
            self.findings.must(line, rule, format!("{name} after a segment"));
        }
        before
    }

    fn integer(
        &mut self,
        line: usize,
        name: &str,
        value: Option<&str>,
        rule: &'static str,
    ) -> Option<u64> {
        let number = value.and_then(integer);
        if number.is_none() {
            let message = format!("{name} cannot be {}", cite(value.unwrap_or_default()));
            self.findings.must(line, rule, message);
        }
        number
    }
}
