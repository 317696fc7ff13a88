//! The rules between the media playlists of one presentation (packaging.md §5.2 rule 6, §5.3).

use super::finding::{Findings, secs};
use super::parse_list::{List, parse};
use super::{Finding, list};

/// How far the starts of segments of one number may be apart: what hls.js jumps at once.
const APART_NS_MAX: u64 = 100_000_000;

pub(super) fn check(texts: &[&str]) -> Vec<Finding> {
    let mut findings = Findings::default();
    let mut first: Option<List<'_>> = None;
    for (index, text) in texts.iter().enumerate() {
        findings.text = index;
        let list = parse(text, &mut findings);
        list::check(&list, &mut findings);
        match &first {
            Some(first) => compare(first, &list, &mut findings),
            None => first = Some(list),
        }
    }
    findings.into_vec()
}

fn compare(first: &List<'_>, other: &List<'_>, findings: &mut Findings) {
    if first.target_secs != other.target_secs {
        findings.must(0, "bis §6.2.4", "another target duration");
    }
    if first.kind != other.kind {
        findings.must(0, "RFC 8216 §6.2.4", "another playlist type");
    }
    if first.ended != other.ended {
        findings.should(0, "RFC 8216 §6.2.4", "EXT-X-ENDLIST in one list only");
    }
    let i_frames = first.i_frames_only || other.i_frames_only;
    if !i_frames {
        if first.has_parts() != other.has_parts() {
            findings.must(other.control.line, "bis §B.1", "parts in one list only");
        }
        let (mut one, mut two) = (first.control, other.control);
        (one.line, two.line) = (0, 0);
        if one != two {
            findings.must(other.control.line, "bis §4.4.3.8", "another EXT-X-SERVER-CONTROL");
        }
        segments(first, other, findings);
    }
    let dated = |list: &List<'_>| list.segments.iter().any(|s| s.date_time_ms.is_some());
    if dated(first) != dated(other) && !first.segments.is_empty() && !other.segments.is_empty() {
        findings.must(0, "RFC 8216 §6.2.4", "EXT-X-PROGRAM-DATE-TIME in one list only");
    }
}

/// Same number, same place and same discontinuity number.
fn segments(first: &List<'_>, other: &List<'_>, findings: &mut Findings) {
    if first.media_sequence != other.media_sequence {
        let message =
            format!("media sequence {}, not {}", other.media_sequence, first.media_sequence);
        findings.should(0, "packaging.md §5.2 rule 6", message);
        return;
    }
    if first.skip.is_some() || other.skip.is_some() {
        return;
    }
    let numbers = [first, other].map(|list| list.discontinuity_sequence.unwrap_or(0));
    let mut starts: [u64; 2] = [0, 0];
    for (one, two) in first.segments.iter().zip(&other.segments) {
        let discontinuity = numbers[0].saturating_add(one.discontinuities)
            != numbers[1].saturating_add(two.discontinuities);
        if discontinuity {
            let message = format!("segment {} has another discontinuity number", two.msn);
            findings.must(two.line, "RFC 8216 §6.2.4", message);
            return;
        }
        let apart = starts[0].abs_diff(starts[1]);
        if apart > APART_NS_MAX {
            let message = format!("segment {} begins {} apart", two.msn, secs(apart));
            findings.should(two.line, "packaging.md §5.2 rule 6", message);
            return;
        }
        starts[0] = starts[0].saturating_add(one.duration_ns);
        starts[1] = starts[1].saturating_add(two.duration_ns);
    }
}
