//! The rules of a multivariant playlist (RFC 8216 §4.3.4).

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::finding::{Findings, cite};
use super::lines::{Line, lines};

pub(super) fn check(text: &str, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    let mut groups = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut used = Vec::new();
    let mut waiting = None;
    let mut variants = 0_usize;
    for (line, content) in lines(text, findings) {
        let (name, value) = match content {
            Line::Uri(_) => {
                if waiting.take().is_none() {
                    findings.must(line, "RFC 8216 §4.3.4.2", "a URI without EXT-X-STREAM-INF");
                }
                continue;
            }
            Line::Tag { name, value } => (name, value),
        };
        if let Some(line) = waiting.take() {
            findings.must(line, "RFC 8216 §4.3.4.2", "EXT-X-STREAM-INF without URI after it");
        }
        match name {
            "EXT-X-VERSION" | "EXT-X-INDEPENDENT-SEGMENTS" if !seen.insert(name) => {
                findings.must(line, "RFC 8216 §4.3.1.2", format!("{name} again"));
            }
            "EXT-X-MEDIA" => {
                let list = Attributes::parse("EXT-X-MEDIA", line, value, findings);
                let required = ["TYPE", "GROUP-ID", "NAME"]
                    .map(|name| list.required(name, "RFC 8216 §4.3.4.1", findings));
                if let [Some(kind), Some(group), Some(name)] = required {
                    groups.insert((kind, group));
                    if !names.insert((kind, group, name)) {
                        let message = format!("{} twice in a group", cite(name));
                        findings.must(line, "RFC 8216 §4.3.4.1.1", message);
                    }
                    if list.get("FORCED").is_some() && kind != "SUBTITLES" {
                        findings.must(line, "RFC 8216 §4.3.4.1", "FORCED without subtitles");
                    }
                    if list.get("URI").is_some() && kind == "CLOSED-CAPTIONS" {
                        findings.must(line, "RFC 8216 §4.3.4.1", "closed captions with URI");
                    }
                }
                if list.yes("DEFAULT") && list.get("AUTOSELECT") == Some("NO") {
                    let message = "DEFAULT=YES with AUTOSELECT=NO";
                    findings.must(line, "RFC 8216 §4.3.4.1", message);
                }
            }
            "EXT-X-STREAM-INF" => {
                variants += 1;
                waiting = Some(line);
                let list = Attributes::parse("EXT-X-STREAM-INF", line, value, findings);
                stream(&list, line, findings);
                for kind in ["AUDIO", "VIDEO", "SUBTITLES"] {
                    used.extend(list.get(kind).map(|group| (line, kind, group)));
                }
            }
            "EXT-X-I-FRAME-STREAM-INF" => {
                let list = Attributes::parse("EXT-X-I-FRAME-STREAM-INF", line, value, findings);
                stream(&list, line, findings);
                list.required("URI", "RFC 8216 §4.3.4.3", findings);
            }
            "EXTINF"
            | "EXT-X-TARGETDURATION"
            | "EXT-X-MEDIA-SEQUENCE"
            | "EXT-X-ENDLIST"
            | "EXT-X-MAP"
            | "EXT-X-PART"
            | "EXT-X-PLAYLIST-TYPE"
            | "EXT-X-DISCONTINUITY" => {
                let message = format!("{name} belongs into a media playlist");
                findings.must(line, "RFC 8216 §4.3.4", message);
            }
            _ => {}
        }
    }
    if let Some(line) = waiting {
        findings.must(line, "RFC 8216 §4.3.4.2", "EXT-X-STREAM-INF without URI after it");
    }
    if variants == 0 {
        findings.must(0, "RFC 8216 §4.3.4.2", "no EXT-X-STREAM-INF");
    }
    for (line, kind, group) in used {
        if !groups.contains(&(kind, group)) {
            let message = format!("no EXT-X-MEDIA of {kind} group {}", cite(group));
            findings.must(line, "RFC 8216 §4.3.4.2", message);
        }
    }
}

/// Attributes of both kinds of stream.
fn stream(list: &Attributes<'_>, line: usize, findings: &mut Findings) {
    list.required("BANDWIDTH", "RFC 8216 §4.3.4.2", findings);
    let peak = list.integer("BANDWIDTH");
    if list.integer("AVERAGE-BANDWIDTH").is_some_and(|average| Some(average) > peak) {
        findings.must(line, "RFC 8216 §4.3.4.2", "AVERAGE-BANDWIDTH above BANDWIDTH");
    }
    if list.get("CODECS").is_none_or(str::is_empty) {
        // Safari then plays nothing, and says nothing.
        findings.should(line, "RFC 8216 §4.3.4.2", "no CODECS");
    }
    let decimals = list.get("FRAME-RATE").and_then(|rate| rate.split_once('.'));
    if decimals.is_some_and(|(_, decimals)| decimals.len() > 3) {
        findings.must(line, "RFC 8216 §4.3.4.2", "FRAME-RATE with more than three decimals");
    }
}
