//! The rules between the reloads of one media playlist (RFC 8216 §6.2, packaging.md §5.2).

use std::collections::BTreeMap;

use super::finding::{Findings, cite, secs};
use super::parse_list::{List, Part, Segment, parse};
use super::{Finding, list};

const NS_PER_MS: u64 = 1_000_000;

pub(super) fn check<'a>(series: impl Iterator<Item = (Option<u64>, &'a str)>) -> Vec<Finding> {
    let mut findings = Findings::default();
    let mut state = Series::default();
    for (index, (at_ms, text)) in series.enumerate() {
        findings.text = index;
        let list = parse(text, &mut findings);
        list::check(&list, &mut findings);
        state.add(at_ms, list, &mut findings);
    }
    findings.into_vec()
}

/// What the texts so far have promised.
#[derive(Default)]
struct Series<'a> {
    previous: Option<List<'a>>,
    /// By Media Sequence Number, also those removed.
    known: BTreeMap<u64, Known<'a>>,
    /// When something new was first seen, and where the list ended then.
    grown: Option<(u64, End)>,
}

struct Known<'a> {
    segment: Segment<'a>,
    /// `None`: seen in delta updates only.
    discontinuity_number: Option<u64>,
}

/// Complete segments and parts after them.
type End = (u64, usize);

impl<'a> Series<'a> {
    fn add(&mut self, at_ms: Option<u64>, list: List<'a>, findings: &mut Findings) {
        if let Some(previous) = &self.previous {
            constants(previous, &list, findings);
            window(previous, &list, findings);
            hint(previous, &list, findings);
        }
        self.segments(&list, findings);
        self.growth(at_ms, &list, findings);
        self.previous = Some(list);
    }

    /// packaging.md §5.2 rule 2: a number means the same segment for ever.
    fn segments(&mut self, list: &List<'a>, findings: &mut Findings) {
        let all = list.segments.iter().chain(&list.open);
        // The last number stands for all that 64 bits cannot hold.
        for segment in all.filter(|segment| segment.msn < u64::MAX) {
            let discontinuity_number = match list.skip {
                None => {
                    let first = list.discontinuity_sequence.unwrap_or(0);
                    Some(first.saturating_add(segment.discontinuities))
                }
                Some(_) => None,
            };
            match self.known.get_mut(&segment.msn) {
                None => {
                    let segment = segment.clone();
                    self.known.insert(segment.msn, Known { segment, discontinuity_number });
                }
                Some(known) => known.meet(segment, discontinuity_number, findings),
            }
        }
    }

    /// A list that has not ended grows within 1.5 target durations, or AVPlayer gives up (−12888).
    /// How fast parts come is the producer's pace, and not judged.
    fn growth(&mut self, at_ms: Option<u64>, list: &List<'_>, findings: &mut Findings) {
        let Some(at_ms) = at_ms else { return };
        let end = end(list);
        match self.grown {
            Some((since_ms, last)) if last == end => {
                let target_ms = list.target_secs.unwrap_or(u64::MAX).saturating_mul(1000);
                let waited_ms = at_ms.saturating_sub(since_ms);
                if !list.ended && list.kind != Some("VOD") && waited_ms / 3 > target_ms / 2 {
                    let message = format!("unchanged for {}", secs(waited_ms * NS_PER_MS));
                    findings.must(0, "RFC 8216 §6.2.2", message);
                }
            }
            _ => self.grown = Some((at_ms, end)),
        }
    }
}

fn end(list: &List<'_>) -> End {
    let skipped = list.skip.map_or(0, |(_, count)| count);
    let complete = list.media_sequence.saturating_add(skipped);
    let complete = complete.saturating_add(list.segments.len() as u64);
    (complete, list.open.as_ref().map_or(0, |segment| segment.parts.len()))
}

/// What never changes (RFC 8216 §6.2.1, packaging.md §5.3).
fn constants(old: &List<'_>, new: &List<'_>, findings: &mut Findings) {
    if old.target_secs != new.target_secs {
        let message = format!("target duration {:?} after {:?}", new.target_secs, old.target_secs);
        findings.must(0, "RFC 8216 §6.2.1", message);
    }
    if old.part_target_ns != new.part_target_ns && !new.ended {
        findings.must(0, "bis §4.4.3.7", "PART-TARGET changes");
    }
    if old.kind != new.kind && !(new.kind == Some("VOD") && new.ended) {
        findings.must(0, "RFC 8216 §4.3.3.5", "the playlist type changes");
    }
    if old.discontinuity_sequence.is_some() != new.discontinuity_sequence.is_some() {
        findings.must(0, "Apple 8.17", "EXT-X-DISCONTINUITY-SEQUENCE comes or goes");
    }
}

/// What may come and go: at the front and at the end, in order.
fn window(old: &List<'_>, new: &List<'_>, findings: &mut Findings) {
    if new.media_sequence < old.media_sequence {
        let message = format!("media sequence {} after {}", new.media_sequence, old.media_sequence);
        findings.must(0, "RFC 8216 §6.2.2", message);
    }
    if new.discontinuity_sequence < old.discontinuity_sequence {
        findings.must(0, "RFC 8216 §6.2.2", "EXT-X-DISCONTINUITY-SEQUENCE goes back");
    }
    if end(new) < end(old) {
        let message = "segments or parts vanish from the end";
        findings.must(0, "RFC 8216 §6.2.1", message);
    }
    if old.ended && (!new.ended || end(new) != end(old)) {
        findings.must(0, "RFC 8216 §4.3.3.4", "changed after EXT-X-ENDLIST");
    }
    if new.media_sequence > old.media_sequence {
        match old.kind {
            Some(_) => {
                findings.must(0, "RFC 8216 §4.3.3.5", "segments removed from a VOD or EVENT list");
            }
            None => removal(new, findings),
        }
    } else if old.kind == Some("VOD") && end(new) != end(old) {
        findings.must(0, "RFC 8216 §4.3.3.5", "a VOD list changes");
    }
}

/// A list that removes must keep enough.
fn removal(new: &List<'_>, findings: &mut Findings) {
    if new.ended || new.skip.is_some() {
        return;
    }
    let kept = new.duration_ns();
    let least = new.target_secs.unwrap_or(0).saturating_mul(3_000_000_000);
    if kept < least {
        let message = format!("segments removed, {} kept of {}", secs(kept), secs(least));
        findings.must(0, "RFC 8216 §6.2.2", message);
    }
    if new.segments.len() < 6 {
        let message = format!("segments removed, {} kept of 6", new.segments.len());
        findings.should(0, "Apple 8.11", message);
    }
}

/// A hinted part comes as it was hinted.
fn hint(old: &List<'_>, new: &List<'_>, findings: &mut Findings) {
    let Some((_, hinted)) = old.hint else { return };
    let (msn, index) = end(old);
    let segment = new.all_segments().find(|segment| segment.msn == msn);
    if let Some(part) = segment.and_then(|segment| segment.parts.get(index))
        && part.uri != hinted
    {
        let message = format!("hinted was {}, came {}", cite(hinted), cite(part.uri));
        findings.should(part.line, "bis §4.4.5.3", message);
    }
}

impl<'a> Known<'a> {
    /// Compares with what was promised, then keeps what is new.
    fn meet(&mut self, new: &Segment<'a>, number: Option<u64>, findings: &mut Findings) {
        let old = &self.segment;
        let mut differs = |what: &str| {
            let message = format!("segment {} has another {what} than before", new.msn);
            findings.must(new.line, "RFC 8216 §6.2.1", message);
        };
        if old.line != 0 && new.line != 0 {
            if old.uri != new.uri {
                differs("URI");
            }
            if old.duration_ns != new.duration_ns {
                differs("EXTINF");
            }
        }
        // An open segment without parts may not have all its tags yet.
        let begun = |segment: &Segment<'_>| segment.line != 0 || !segment.parts.is_empty();
        if begun(old) {
            // AVPlayer −12312.
            if old.discontinuity != new.discontinuity {
                differs("discontinuity flag");
            } else if let (Some(old), Some(new)) = (self.discontinuity_number, number)
                && old != new
            {
                differs("discontinuity sequence number");
            }
            if old.date_time_ms != new.date_time_ms {
                differs("EXT-X-PROGRAM-DATE-TIME");
            }
            if old.map != new.map && old.map.is_some() && new.map.is_some() {
                differs("EXT-X-MAP");
            }
        }
        // Parts are dropped together when the segment grows old.
        let same = |(old, new): (&Part<'_>, &Part<'_>)| {
            (old.uri, old.duration_ns, old.independent)
                == (new.uri, new.duration_ns, new.independent)
        };
        if !old.parts.is_empty() && !new.parts.is_empty() {
            if !old.parts.iter().zip(&new.parts).all(same) {
                differs("part");
            }
            if new.parts.len() < old.parts.len()
                || (old.line != 0 && old.parts.len() != new.parts.len())
            {
                differs("number of parts");
            }
        }
        let map = new.map.or(old.map);
        let parts = if new.parts.is_empty() { old.parts.clone() } else { new.parts.clone() };
        self.segment = Segment { map, parts, ..new.clone() };
        self.discontinuity_number = number.or(self.discontinuity_number);
    }
}
