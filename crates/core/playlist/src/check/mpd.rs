//! The rules of an MPD and of its reloads (ISO/IEC 23009-1 §5.3, packaging.md §6).
//!
//! Only what lists segments by SegmentTemplate with SegmentTimeline is understood.

use std::collections::BTreeMap;

use super::Finding;
use super::finding::{Findings, cite};
use super::instant::{date_time_ms, duration_ms, integer};
use super::xml::{Document, Element};

/// Repetitions of one `S` beyond this are not followed.
const REPEAT_MAX: u64 = 100_000;
/// Segments of one manifest beyond this are not followed: a month of seconds.
const SEGMENTS_MAX: usize = 3_000_000;

pub(super) fn check(series: &[&str]) -> Vec<Finding> {
    let mut findings = Findings::default();
    let mut previous: Option<Facts> = None;
    for (index, text) in series.iter().enumerate() {
        findings.text = index;
        let Some(document) = Document::parse(text, &mut findings) else { continue };
        let Some(facts) = facts(&document, &mut findings) else { continue };
        if let Some(previous) = &previous {
            reload(previous, &facts, &mut findings);
        }
        previous = Some(facts);
    }
    findings.into_vec()
}

/// What reloads are compared by.
struct Facts {
    dynamic: bool,
    availability_start_ms: Option<i64>,
    publish_ms: Option<i64>,
    /// By Period and AdaptationSet: their ids, or their places.
    sets: BTreeMap<(String, String), Set>,
}

struct Set {
    line: usize,
    timescale: u64,
    offset: u64,
    initialization: String,
    media: String,
    start_number: u64,
    /// @t and @d.
    segments: Vec<(u64, u64)>,
}

impl Set {
    fn end(&self) -> u64 {
        self.segments.last().map_or(0, |(t, d)| t.saturating_add(*d))
    }

    /// Milliseconds from the start of the Period to the end of the last segment, rounded down.
    fn end_ms(&self) -> u64 {
        let ticks = u128::from(self.end().saturating_sub(self.offset));
        let millis = ticks * 1000 / u128::from(self.timescale.max(1));
        u64::try_from(millis).unwrap_or(u64::MAX)
    }
}

fn facts(document: &Document<'_>, findings: &mut Findings) -> Option<Facts> {
    let root = document.root()?;
    if root.name != "MPD" {
        let message = format!("the root is {}, not MPD", cite(root.name));
        findings.must(root.line, "ISO/IEC 23009-1 §5.3.1", message);
        return None;
    }
    if root.get("xmlns") != Some("urn:mpeg:dash:schema:mpd:2011") {
        findings.must(root.line, "ISO/IEC 23009-1 §5.3.1.3", "another namespace");
    }
    let dynamic = match root.get("type") {
        None | Some("static") => false,
        Some("dynamic") => true,
        Some(other) => {
            let message = format!("type {}", cite(other));
            findings.must(root.line, "ISO/IEC 23009-1 §5.3.1.2", message);
            false
        }
    };
    let required: &[&str] = match dynamic {
        true => &["profiles", "minBufferTime", "availabilityStartTime", "publishTime"],
        false => &["profiles", "minBufferTime", "mediaPresentationDuration"],
    };
    for name in required.iter().filter(|name| root.get(name).is_none()) {
        findings.must(root.line, "ISO/IEC 23009-1 §5.3.1.2", format!("MPD without @{name}"));
    }
    if dynamic && root.get("minimumUpdatePeriod").is_none() {
        findings.must(root.line, "ISO/IEC 23009-1 §5.4", "dynamic without @minimumUpdatePeriod");
    }
    if !dynamic && root.get("minimumUpdatePeriod").is_some() {
        let message = "static with @minimumUpdatePeriod";
        findings.must(root.line, "ISO/IEC 23009-1 §5.3.1.2", message);
    }
    if dynamic && document.children(root, "UTCTiming").next().is_none() {
        findings.should(root.line, "packaging.md §6", "dynamic without UTCTiming");
    }
    let instants = ["availabilityStartTime", "publishTime"]
        .map(|name| value(root, name, date_time_ms, findings));
    let durations = [
        "mediaPresentationDuration",
        "minBufferTime",
        "minimumUpdatePeriod",
        "timeShiftBufferDepth",
        "suggestedPresentationDelay",
        "maxSegmentDuration",
    ]
    .map(|name| value(root, name, duration_ms, findings));
    let mut facts = Facts {
        dynamic,
        availability_start_ms: instants[0],
        publish_ms: instants[1],
        sets: BTreeMap::new(),
    };
    periods(document, root, &mut facts, durations[0], findings);
    Some(facts)
}

/// An attribute of the root; a value that cannot be read is reported.
fn value<T>(
    element: &Element<'_>,
    name: &str,
    parse: impl Fn(&str) -> Option<T>,
    findings: &mut Findings,
) -> Option<T> {
    let text = element.get(name)?;
    let value = parse(text);
    if value.is_none() {
        let message = format!("@{name} cannot be {}", cite(text));
        findings.must(element.line, "ISO/IEC 23009-1 §5.3", message);
    }
    value
}

fn periods(
    document: &Document<'_>,
    root: &Element<'_>,
    facts: &mut Facts,
    presentation_ms: Option<u64>,
    findings: &mut Findings,
) {
    let mut period_count = 0;
    for (place, period) in document.children(root, "Period").enumerate() {
        period_count += 1;
        if facts.dynamic && period.get("id").is_none() {
            let message = "a Period of a dynamic MPD without @id";
            findings.must(period.line, "ISO/IEC 23009-1 §5.3.2.2", message);
        }
        let start_ms = value(period, "start", duration_ms, findings);
        let period_id = period.get("id").map_or_else(|| format!("#{place}"), String::from);
        let mut first: Option<(u64, usize)> = None;
        for (place, set) in document.children(period, "AdaptationSet").enumerate() {
            let Some(read) = adaptation_set(document, set, findings) else { continue };
            let shape = (read.start_number, read.segments.len());
            if *first.get_or_insert(shape) != shape {
                let message =
                    "another number of segments, or another first one, than in the set before";
                findings.should(read.line, "packaging.md §6", message);
            }
            let end_ms = start_ms.unwrap_or(0).saturating_add(read.end_ms());
            if let (true, Some(start), Some(published)) =
                (facts.dynamic, facts.availability_start_ms, facts.publish_ms)
            {
                let end = start.saturating_add(i64::try_from(end_ms).unwrap_or(i64::MAX));
                if end > published {
                    let ahead = end.saturating_sub(published);
                    let message = format!("the last segment ends {ahead} ms after @publishTime");
                    findings.should(read.line, "packaging.md §6", message);
                }
            }
            if let (false, Some(presentation_ms)) = (facts.dynamic, presentation_ms)
                && end_ms > presentation_ms.saturating_add(1)
            {
                let message = format!("the last segment ends {end_ms} ms after the start");
                findings.must(read.line, "ISO/IEC 23009-1 §5.3.1.2", message);
            }
            let id = set.get("id").map_or_else(|| format!("#{place}"), String::from);
            if facts.sets.insert((period_id.clone(), id), read).is_some() {
                let message = "@id of another AdaptationSet";
                findings.must(set.line, "ISO/IEC 23009-1 §5.3.3.2", message);
            }
        }
        if first.is_none() {
            findings.must(period.line, "ISO/IEC 23009-1 §5.3.2", "a Period without segments");
        }
    }
    match period_count {
        0 => findings.must(root.line, "ISO/IEC 23009-1 §5.3.1", "MPD without Period"),
        1 => {}
        _ => findings.should(root.line, "packaging.md §6", "more than one Period"),
    }
}

fn adaptation_set(
    document: &Document<'_>,
    set: &Element<'_>,
    findings: &mut Findings,
) -> Option<Set> {
    let mut representation_count = 0;
    let mut template = document.children(set, "SegmentTemplate").next();
    for representation in document.children(set, "Representation") {
        representation_count += 1;
        for name in ["id", "bandwidth"] {
            if representation.get(name).is_none() {
                let message = format!("Representation without @{name}");
                findings.must(representation.line, "ISO/IEC 23009-1 §5.3.5.2", message);
            }
        }
        for name in ["codecs", "mimeType"] {
            if representation.get(name).or(set.get(name)).is_none() {
                let message = format!("neither set nor representation has @{name}");
                findings.must(representation.line, "ISO/IEC 23009-1 §5.3.7", message);
            }
        }
        template = template.or(document.children(representation, "SegmentTemplate").next());
    }
    if representation_count == 0 {
        let message = "AdaptationSet without Representation";
        findings.must(set.line, "ISO/IEC 23009-1 §5.3.3", message);
    }
    let Some(template) = template else {
        findings.should(set.line, "packaging.md §6", "no SegmentTemplate: not looked at");
        return None;
    };
    let mut number = |name, default| {
        let number = template.integer(name, default);
        if number.is_none() {
            let message = format!("@{name} is no integer");
            findings.must(template.line, "ISO/IEC 23009-1 §5.3.9", message);
        }
        number.unwrap_or(default)
    };
    let mut read = Set {
        line: template.line,
        timescale: number("timescale", 1),
        offset: number("presentationTimeOffset", 0),
        start_number: number("startNumber", 1),
        initialization: template.get("initialization").unwrap_or_default().into(),
        media: template.get("media").unwrap_or_default().into(),
        segments: Vec::new(),
    };
    if read.timescale == 0 {
        findings.must(template.line, "ISO/IEC 23009-1 §5.3.9.2", "@timescale of 0");
    }
    if !["$Number", "$Time"].iter().any(|name| read.media.contains(name)) {
        let message = format!("@media {} names no segment", cite(&read.media));
        findings.must(template.line, "ISO/IEC 23009-1 §5.3.9.4.4", message);
    }
    match document.children(template, "SegmentTimeline").next() {
        Some(timeline) => read.segments = segments(document, timeline, findings),
        None => {
            findings.should(template.line, "packaging.md §6", "no SegmentTimeline: not looked at");
            return None;
        }
    }
    Some(read)
}

fn segments(
    document: &Document<'_>,
    timeline: &Element<'_>,
    findings: &mut Findings,
) -> Vec<(u64, u64)> {
    const RULE: &str = "ISO/IEC 23009-1 §5.3.9.6";
    let mut segments = Vec::new();
    let mut next: Option<u64> = None;
    for s in document.children(timeline, "S") {
        let time = s.get("t").map(integer);
        let duration = s.get("d").and_then(integer);
        let (Some(duration), false) = (duration, time == Some(None)) else {
            findings.must(s.line, RULE, "S without @t or @d that are integers");
            return segments;
        };
        if duration == 0 {
            findings.must(s.line, RULE, "S of no duration");
        }
        let expected = next.unwrap_or(0);
        let mut at = time.flatten().unwrap_or(expected);
        if next.is_some() && at < expected {
            findings.must(s.line, RULE, format!("@t {at} overlaps, {expected} was due"));
        }
        if next.is_some() && at > expected {
            // dash.js ends there or freezes.
            findings.should(s.line, "packaging.md §6", format!("@t {at} jumps from {expected}"));
        }
        let repeat = match s.get("r").map_or(Some(0), integer) {
            Some(repeat) if repeat <= REPEAT_MAX => repeat,
            _ => {
                findings.should(s.line, RULE, "@r is not followed");
                return segments;
            }
        };
        for _ in 0..=repeat {
            if segments.len() == SEGMENTS_MAX {
                findings.should(s.line, RULE, "too many segments to follow");
                return segments;
            }
            segments.push((at, duration));
            let Some(after) = at.checked_add(duration) else {
                findings.must(s.line, RULE, "the end of S is no 64-bit integer");
                return segments;
            };
            at = after;
        }
        next = Some(at);
    }
    segments
}

fn reload(old: &Facts, new: &Facts, findings: &mut Findings) {
    if new.dynamic && !old.dynamic {
        findings.must(0, "ISO/IEC 23009-1 §5.4", "dynamic after static");
    }
    if !old.dynamic && !new.dynamic && ends(old) != ends(new) {
        findings.must(0, "ISO/IEC 23009-1 §5.4", "a static MPD changes");
    }
    if new.availability_start_ms != old.availability_start_ms
        && (new.dynamic || new.availability_start_ms.is_some())
    {
        // dash.js does not follow.
        findings.must(0, "ISO/IEC 23009-1 §5.4", "@availabilityStartTime changes");
    }
    if new.publish_ms.is_some() && new.publish_ms < old.publish_ms {
        findings.must(0, "ISO/IEC 23009-1 §5.4", "@publishTime goes back");
    }
    for (id, old) in &old.sets {
        match new.sets.get(id) {
            Some(new) => reload_set(old, new, findings),
            None => {
                let message = format!("Period {}, set {} is gone", cite(&id.0), cite(&id.1));
                findings.must(0, "ISO/IEC 23009-1 §5.4", message);
            }
        }
    }
}

fn ends(facts: &Facts) -> Vec<u64> {
    facts.sets.values().map(Set::end).collect()
}

fn reload_set(old: &Set, new: &Set, findings: &mut Findings) {
    const RULE: &str = "ISO/IEC 23009-1 §5.4";
    let line = new.line;
    if (old.timescale, old.offset) != (new.timescale, new.offset) {
        findings.must(line, RULE, "@timescale or @presentationTimeOffset changes");
        return;
    }
    if (&old.initialization, &old.media) != (&new.initialization, &new.media) {
        findings.should(line, RULE, "@initialization or @media changes");
    }
    if new.start_number < old.start_number {
        let message = format!("@startNumber {} after {}", new.start_number, old.start_number);
        findings.must(line, RULE, message);
        return;
    }
    // The same number must mean the same segment.
    let removed = new.start_number - old.start_number;
    let removed = usize::try_from(removed).unwrap_or(usize::MAX).min(old.segments.len());
    let first = new.start_number;
    let kept = old.segments.get(removed..).unwrap_or_default();
    if new.segments.len() < kept.len() {
        findings.must(line, RULE, "segments vanish from the end");
    }
    for (index, (old, new)) in kept.iter().zip(&new.segments).enumerate() {
        if old != new {
            let message = format!(
                "segment {} is now t={} d={}, was t={} d={}",
                first.saturating_add(index as u64),
                new.0,
                new.1,
                old.0,
                old.1
            );
            findings.must(line, RULE, message);
            return;
        }
    }
}
