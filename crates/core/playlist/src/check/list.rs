//! The rules of one media playlist by itself (packaging.md §§5.2, 5.3).

use super::finding::{Findings, cite, secs};
use super::parse_list::{List, Segment};

const SECOND: u64 = 1_000_000_000;

/// Checks what `parse` has read.
pub(super) fn check(list: &List<'_>, findings: &mut Findings) {
    let Some(target_secs) = list.target_secs else {
        findings.must(0, "RFC 8216 §4.3.3.1", "no EXT-X-TARGETDURATION");
        return;
    };
    let target_ns = target_secs.saturating_mul(SECOND);
    version(list, findings);
    durations(list, target_secs, findings);
    maps(list, findings);
    date_times(list, findings);
    if list.is_live() && list.discontinuity_sequence.is_none() {
        let tagged = list.segments.iter().find(|segment| segment.discontinuity);
        if let Some(segment) = tagged {
            let message = "a live list with discontinuities, without EXT-X-DISCONTINUITY-SEQUENCE";
            findings.should(segment.line, "Apple 8.17", message);
        }
    }
    if list.kind == Some("VOD") && !list.ended {
        findings.should(0, "RFC 8216 §4.3.3.5", "a VOD list without EXT-X-ENDLIST");
    }
    control(list, target_ns, findings);
    parts(list, target_ns, findings);
    skip(list, findings);
}

/// RFC 8216 §7, bis §8.
fn version(list: &List<'_>, findings: &mut Findings) {
    let map = if list.i_frames_only { 5 } else { 6 };
    let decimal = list.segments.iter().any(|segment| segment.decimal);
    for (used, least, what) in [
        (decimal, 3, "decimal EXTINF"),
        (list.any_byte_range, 4, "EXT-X-BYTERANGE"),
        (list.i_frames_only, 4, "EXT-X-I-FRAMES-ONLY"),
        (list.any_map, map, "EXT-X-MAP"),
        (list.skip.is_some(), 9, "EXT-X-SKIP"),
    ] {
        if used && list.version < least {
            let message = format!("{what} needs version {least}, not {}", list.version);
            findings.must(0, "RFC 8216 §7", message);
        }
    }
}

fn durations(list: &List<'_>, target_secs: u64, findings: &mut Findings) {
    for Segment { line, duration_ns, timed, .. } in &list.segments {
        let rounded = duration_ns / SECOND + u64::from(duration_ns % SECOND >= SECOND / 2);
        if rounded > target_secs {
            let message = format!("{} in a list of target {target_secs} s", secs(*duration_ns));
            findings.must(*line, "RFC 8216 §4.3.3.1", message);
        }
        if *timed && *duration_ns < SECOND / 1000 {
            // Less than a frame: shaka-packager#1496.
            findings.should(*line, "packaging.md §5.2 rule 7", "a segment without duration");
        }
    }
}

fn maps(list: &List<'_>, findings: &mut Findings) {
    let mut previous: Option<&Segment<'_>> = None;
    for segment in &list.segments {
        let path = segment.uri.split(['?', '#']).next().unwrap_or_default();
        let movie_fragment = path.ends_with(".mp4") || path.ends_with(".m4s");
        // A delta update may rely on a skipped EXT-X-MAP.
        if movie_fragment && segment.map.is_none() && list.skip.is_none() {
            findings.must(segment.line, "RFC 8216 §3.3", "fragmented MP4 without EXT-X-MAP");
        }
        if let Some(previous) = previous
            && previous.map.is_some()
            && previous.map != segment.map
            && !segment.discontinuity
        {
            let message = "EXT-X-MAP changes without EXT-X-DISCONTINUITY";
            findings.should(segment.line, "RFC 8216 §4.3.2.3", message);
        }
        previous = Some(segment);
    }
}

fn date_times(list: &List<'_>, findings: &mut Findings) {
    let dated = list.segments.iter().filter(|segment| segment.date_time_ms.is_some()).count();
    let discontinuity = list.segments.iter().find(|s| s.discontinuity && s.date_time_ms.is_none());
    if let Some(segment) = discontinuity
        && dated > 0
    {
        // ExoPlayer and shaka place what follows by it (packaging.md §7).
        let message = "a discontinuity without EXT-X-PROGRAM-DATE-TIME in a list that has it";
        findings.should(segment.line, "Apple 8.4", message);
    }
}

fn control(list: &List<'_>, target_ns: u64, findings: &mut Findings) {
    let control = &list.control;
    for (name, value, base, factor, rule) in [
        ("HOLD-BACK", control.hold_back_ns, target_ns, 3, "bis §4.4.3.8"),
        ("CAN-SKIP-UNTIL", control.can_skip_until_ns, target_ns, 6, "bis §4.4.3.8"),
        (
            "PART-HOLD-BACK",
            control.part_hold_back_ns,
            list.part_target_ns.unwrap_or(0),
            2,
            "bis §4.4.3.8",
        ),
    ] {
        if let Some(value) = value
            && value < base.saturating_mul(factor)
        {
            let message = format!("{name} {} is less than {factor} × {}", secs(value), secs(base));
            findings.must(control.line, rule, message);
        }
    }
    let Some(part_target_ns) = list.part_target_ns else { return };
    match control.part_hold_back_ns {
        None => findings.must(control.line, "bis §4.4.3.8", "parts without PART-HOLD-BACK"),
        Some(value)
            if value < 3 * part_target_ns.min(u64::MAX / 3) && value / 2 >= part_target_ns =>
        {
            let message = format!(
                "PART-HOLD-BACK {} is less than three times the part target {}",
                secs(value),
                secs(part_target_ns)
            );
            findings.should(control.line, "bis §4.4.3.8", message);
        }
        Some(_) => {}
    }
    if part_target_ns > target_ns {
        findings.must(0, "bis §4.4.3.7", "PART-TARGET above EXT-X-TARGETDURATION");
    }
    if list.ended {
        return;
    }
    if !control.can_block_reload {
        findings.must(control.line, "bis §B.1", "low latency without CAN-BLOCK-RELOAD=YES");
    }
    if !list.all_segments().any(|segment| segment.date_time_ms.is_some())
        && !list.segments.is_empty()
    {
        findings.must(0, "bis §B.1", "low latency without EXT-X-PROGRAM-DATE-TIME");
    }
    if list.hint.is_none() {
        findings.must(0, "bis §B.1", "low latency without EXT-X-PRELOAD-HINT");
    }
}

fn parts(list: &List<'_>, target_ns: u64, findings: &mut Findings) {
    if list.ended
        && let Some((line, _)) = list.hint
    {
        findings.should(line, "bis §4.4.5.3", "a hint in a list that has ended");
    }
    let first = list.all_segments().flat_map(|segment| &segment.parts).next();
    let Some(first) = first else { return };
    if list.i_frames_only {
        findings.must(first.line, "packaging.md §5.5", "parts in an I-frame list");
    }
    let Some(part_target_ns) = list.part_target_ns else {
        findings.must(first.line, "bis §4.4.3.7", "EXT-X-PART without EXT-X-PART-INF");
        return;
    };
    let mut after_ns = list.duration_ns();
    for segment in list.all_segments() {
        after_ns = after_ns.saturating_sub(segment.duration_ns);
        segment_parts(segment, part_target_ns, findings);
        if let Some(part) = segment.parts.first()
            && segment.line != 0
            && after_ns > target_ns.saturating_mul(3)
        {
            let message = "parts more than three target durations before the end";
            findings.should(part.line, "bis §6.2.2", message);
        }
    }
}

fn segment_parts(segment: &Segment<'_>, part_target_ns: u64, findings: &mut Findings) {
    // Printed decimals may cut the last digit of both.
    let slack = SECOND / 50_000;
    let mut sum: u64 = 0;
    for (index, part) in segment.parts.iter().enumerate() {
        sum = sum.saturating_add(part.duration_ns);
        let at = secs(part.duration_ns);
        if part.duration_ns > part_target_ns.saturating_add(slack) {
            let message = format!("a part of {at} above the target {}", secs(part_target_ns));
            findings.must(part.line, "bis §4.4.4.9", message);
        }
        let next = segment.parts.get(index + 1);
        // The newest part of an open segment may turn out to be its last.
        let exempt =
            next.is_none() || part.independent || part.gap || next.is_some_and(|next| next.gap);
        if !exempt && part.duration_ns.saturating_add(slack) < part_target_ns / 100 * 85 {
            let message = format!("a part of {at} below 85 % of {}", secs(part_target_ns));
            findings.must(part.line, "bis §4.4.4.9", message);
        }
    }
    let slack = slack.saturating_mul(segment.parts.len() as u64);
    if segment.line != 0 && !segment.parts.is_empty() && sum.abs_diff(segment.duration_ns) > slack {
        let message =
            format!("parts of {} in a segment of {}", secs(sum), secs(segment.duration_ns));
        findings.must(segment.line, "bis §4.4.4.9", message);
    }
}

fn skip(list: &List<'_>, findings: &mut Findings) {
    let Some((line, count)) = list.skip else { return };
    if count == 0 {
        findings.must(line, "bis §4.4.5.2", "EXT-X-SKIP of 0 segments");
    }
    if list.ended {
        findings.should(line, "packaging.md §5.3", "EXT-X-SKIP in a list that has ended");
    }
    match list.control.can_skip_until_ns {
        None => findings.must(line, "bis §6.2.5.1", "EXT-X-SKIP without CAN-SKIP-UNTIL"),
        Some(until) if list.duration_ns() < until => {
            let message =
                format!("{} kept of a skip boundary of {}", secs(list.duration_ns()), secs(until));
            findings.must(line, "bis §6.2.5.1", message);
        }
        Some(_) => {}
    }
    if let Some(segment) = list.segments.first()
        && segment.map.is_none()
        && list.any_map
    {
        let message = format!("{} has no EXT-X-MAP, a later one has", cite(segment.uri));
        findings.should(segment.line, "packaging.md §5.3", message);
    }
}
