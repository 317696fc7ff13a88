//! Each rule is broken once, on purpose, in a text that is otherwise right.

use super::*;

const VOD: &str = r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="i.mp4?v=0"
#EXT-X-PROGRAM-DATE-TIME:2023-05-17T13:48:35.994Z
#EXTINF:2.00000,
s.mp4?n=0
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2023-05-17T13:48:45.994Z
#EXTINF:1.00000,
s.mp4?n=1
#EXT-X-ENDLIST
"#;

/// Segments 4..=9 of a low-latency list, two parts each, then one part of segment 10.
const LOW: &str = r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=1.0
#EXT-X-MEDIA-SEQUENCE:4
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="i.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:00.000Z
#EXTINF:2.00000,
s.mp4?n=4
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:02.000Z
#EXTINF:2.00000,
s.mp4?n=5
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:04.000Z
#EXTINF:2.00000,
s.mp4?n=6
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:06.000Z
#EXTINF:2.00000,
s.mp4?n=7
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:08.000Z
#EXT-X-PART:DURATION=1.00000,URI="p.mp4?n=8&p=0",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.95000,URI="p.mp4?n=8&p=1"
#EXTINF:1.95000,
s.mp4?n=8
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:10.000Z
#EXT-X-PART:DURATION=0.90000,URI="p.mp4?n=9&p=0"
#EXT-X-PART:DURATION=0.70000,URI="p.mp4?n=9&p=1"
#EXTINF:1.60000,
s.mp4?n=9
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:12.000Z
#EXT-X-PART:DURATION=0.20000,URI="p.mp4?n=10&p=0"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p.mp4?n=10&p=1"
#EXT-X-RENDITION-REPORT:URI="a.m3u8",LAST-MSN=10,LAST-PART=0
"#;

const MULTIVARIANT: &str = r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,URI="a.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=200,AVERAGE-BANDWIDTH=100,CODECS="avc1.42c032,mp4a.40.2",RESOLUTION=64x36,FRAME-RATE=15.010,AUDIO="audio"
v.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,CODECS="avc1.42c032",RESOLUTION=64x36,URI="i.m3u8"
"#;

const DYNAMIC: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="p" type="dynamic" availabilityStartTime="2026-11-20T09:00:00.000Z" publishTime="2026-11-20T09:00:42.000Z" minimumUpdatePeriod="PT1S" minBufferTime="PT4S">
 <Period id="0" start="PT0S">
  <AdaptationSet id="1" mimeType="video/mp4">
   <SegmentTemplate timescale="1000" startNumber="17" initialization="i.mp4" media="s.mp4?n=$Number$">
    <SegmentTimeline><S t="32000" d="2000"/><S t="34000" d="2000"/><S t="36000" d="2000"/></SegmentTimeline>
   </SegmentTemplate>
   <Representation id="1" codecs="avc1.4d401e" bandwidth="1500000"/>
  </AdaptationSet>
 </Period>
 <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-head:2014" value="/time"/>
</MPD>
"#;

/// `edit` is `from => to`, or several joined by ` ;; `. `\n` stands for a new line.
fn edited(base: &str, edit: &str) -> String {
    let mut text = base.to_owned();
    for edit in edit.split(" ;; ").filter(|edit| !edit.is_empty()) {
        let (from, to) = edit.split_once(" => ").expect("an edit");
        let (from, to) = (from.replace("\\n", "\n"), to.replace("\\n", "\n"));
        assert!(text.contains(&from), "{from:?} is not in the text");
        text = text.replace(&from, &to);
    }
    text
}

/// Exactly one rule is broken, the one named.
fn check_red(findings: Vec<Finding>, rule: &str, what: &str, edit: &str) {
    let listing: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(!findings.is_empty(), "nothing found after {edit}");
    for finding in &findings {
        assert!(finding.rule == rule && finding.message.contains(what), "{edit}: {listing:#?}");
    }
}

#[test]
fn nothing_is_found_in_right_texts() {
    assert_eq!(media_playlists(&[VOD, VOD]), []);
    assert_eq!(media_playlists(&[LOW, LOW]), []);
    assert_eq!(media_playlists(&[&VOD.replace('\n', "\r\n")]), []);
    assert_eq!(multivariant_playlist(MULTIVARIANT), []);
    assert_eq!(mpds(&[DYNAMIC, DYNAMIC]), []);
    assert_eq!(renditions(&[LOW, LOW]), []);
    assert_eq!(media_playlists(&[]), []);
}

#[test]
fn one_list() {
    for (edit, rule, what) in [
        ("#EXTM3U => #EXTM3U8", "RFC 8216 §4.3.1.1", "begins with"),
        ("#EXTM3U => \u{feff}#EXTM3U", "RFC 8216 §4.1", "byte order mark"),
        ("VERSION:7\n => VERSION:7\n#EXTM3U\n", "RFC 8216 §4.3.1.1", "again"),
        ("s.mp4?n=0 => s.mp4?n=0\u{7}", "RFC 8216 §4.1", "control character"),
        ("s.mp4?n=0 => s.mp4 n=0", "RFC 8216 §4.1", "no URI"),
        (
            "#EXT-X-VERSION:7\n => #EXT-X-VERSION:7\n#EXT-X-VERSION:7\n",
            "RFC 8216 §4.3.1.2",
            "again",
        ),
        (
            "VERSION:7 => VERSION:7.0 ;; #EXT-X-MAP:URI=\"i.mp4?v=0\"\n =>  ;; s.mp4 => s.ts ;; .00000 => ",
            "RFC 8216 §4.3.1.2",
            "cannot be",
        ),
        ("VERSION:7 => VERSION:5", "RFC 8216 §7", "EXT-X-MAP needs version 6"),
        (
            "VERSION:7 => VERSION:2 ;; #EXT-X-MAP:URI=\"i.mp4?v=0\"\n =>  ;; s.mp4 => s.ts",
            "RFC 8216 §7",
            "decimal",
        ),
        (
            "VERSION:7 => VERSION:3 ;; #EXT-X-MAP:URI=\"i.mp4?v=0\"\n => #EXT-X-I-FRAMES-ONLY\n ;; s.mp4 => s.ts",
            "RFC 8216 §7",
            "I-FRAMES-ONLY",
        ),
        ("#EXT-X-TARGETDURATION:2\n => ", "RFC 8216 §4.3.3.1", "no EXT-X-TARGETDURATION"),
        (
            "EXTINF:2.00000 => EXTINF:2.50000",
            "RFC 8216 §4.3.3.1",
            "2.50000 s in a list of target 2 s",
        ),
        ("EXTINF:2.00000 => EXTINF:0.00000", "packaging.md §5.2 rule 7", "without duration"),
        ("EXTINF:2.00000, => EXTINF:2.00000", "RFC 8216 §4.3.2.1", "comma"),
        ("EXTINF:2.00000 => EXTINF:+2.00000", "RFC 8216 §4.3.2.1", "no duration"),
        ("#EXTINF:2.00000,\n => ", "RFC 8216 §4.3.2.1", "without EXTINF"),
        ("s.mp4?n=0\n => ", "RFC 8216 §4.3.2.1", "without a URI"),
        (
            "#EXTINF:2.00000,\n => #EXTINF:2.00000,\n#EXTINF:2.00000,\n",
            "RFC 8216 §4.3.2.1",
            "without a URI",
        ),
        (
            "#EXT-X-ENDLIST\n => #EXT-X-DISCONTINUITY\n#EXT-X-ENDLIST\n",
            "RFC 8216 §4.3.2",
            "no segment",
        ),
        ("#EXT-X-ENDLIST\n => ", "RFC 8216 §4.3.3.5", "without EXT-X-ENDLIST"),
        ("TYPE:VOD => TYPE:vod", "RFC 8216 §4.3.3.5", "\"vod\""),
        (
            "#EXT-X-DISCONTINUITY\n => #EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n",
            "RFC 8216 §4.3.2.3",
            "twice",
        ),
        (
            "#EXT-X-MEDIA-SEQUENCE:0\n =>  ;; s.mp4?n=0\n => s.mp4?n=0\n#EXT-X-MEDIA-SEQUENCE:0\n",
            "RFC 8216 §4.3.3.2",
            "after a segment",
        ),
        (
            "#EXT-X-MAP:URI => #EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-MAP:URI",
            "RFC 8216 §4.3.3.3",
            "after EXT-X-DISCONTINUITY",
        ),
        (
            "#EXT-X-PLAYLIST-TYPE:VOD\n =>  ;; #EXT-X-ENDLIST\n => ",
            "Apple 8.17",
            "DISCONTINUITY-SEQUENCE",
        ),
        ("#EXT-X-MAP:URI=\"i.mp4?v=0\"\n => ", "RFC 8216 §3.3", "without EXT-X-MAP"),
        (
            "#EXT-X-DISCONTINUITY\n => #EXT-X-MAP:URI=\"i.mp4?v=1\"\n",
            "RFC 8216 §4.3.2.3",
            "changes",
        ),
        ("URI=\"i.mp4?v=0\" => URI=i.mp4?v=0", "RFC 8216 §4.2", "not quoted"),
        ("URI=\"i.mp4?v=0\" => URI=\"i.mp4?v=0\",URI=\"i.mp4?v=0\"", "RFC 8216 §4.2", "twice"),
        ("URI=\"i.mp4?v=0\" => URI=\"i.mp4?v=0\",", "RFC 8216 §4.2", "no attribute"),
        ("URI=\"i.mp4?v=0\" => URI=\"i.mp4?v=0\" ,A=1", "RFC 8216 §4.2", "no comma"),
        ("13:48:35.994Z => 13:48:35.994", "RFC 8216 §4.3.2.6", "no instant"),
        (
            "#EXT-X-PROGRAM-DATE-TIME:2023-05-17T13:48:45.994Z\n => ",
            "Apple 8.4",
            "without EXT-X-PROGRAM",
        ),
        (
            "#EXT-X-MEDIA-SEQUENCE:0\n => #EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-STREAM-INF:BANDWIDTH=1\n",
            "RFC 8216 §4.3.4",
            "multivariant",
        ),
    ] {
        check_red(media_playlists(&[&edited(VOD, edit)]), rule, what, edit);
    }
}

#[test]
fn one_low_latency_list() {
    for (edit, rule, what) in [
        ("HOLD-BACK=3.0 => HOLD-BACK=1.9", "bis §4.4.3.8", "less than 2"),
        ("HOLD-BACK=3.0 => HOLD-BACK=2.9", "bis §4.4.3.8", "less than three times"),
        ("PART-HOLD-BACK=3.0, => ", "bis §4.4.3.8", "without PART-HOLD-BACK"),
        ("HOLD-BACK=6.0 => HOLD-BACK=5.9", "bis §4.4.3.8", "less than 3"),
        ("CAN-SKIP-UNTIL=12.0 => CAN-SKIP-UNTIL=11.9", "bis §4.4.3.8", "less than 6"),
        ("CAN-BLOCK-RELOAD=YES, => ", "bis §B.1", "CAN-BLOCK-RELOAD"),
        ("HOLD-BACK=6.0 => HOLD-BACK=6.0,CAN-SKIP-DATERANGES=yes", "RFC 8216 §4.2", "cannot be"),
        ("#EXT-X-PART-INF:PART-TARGET=1.0\n => ", "bis §4.4.3.7", "without EXT-X-PART-INF"),
        ("PART-TARGET=1.0 => PART-TARGET=\"1.0\"", "RFC 8216 §4.2", "is quoted"),
        ("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4?n=10&p=1\"\n => ", "bis §B.1", "PRELOAD-HINT"),
        (
            "#EXT-X-RENDITION => #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"x\"\n#EXT-X-RENDITION",
            "bis §4.4.5.3",
            "more than one",
        ),
        (
            "DURATION=1.00000,URI=\"p.mp4?n=8 => DURATION=1.10000,URI=\"p.mp4?n=8 ;; :1.95000, => :2.05000,",
            "bis §4.4.4.9",
            "above the target",
        ),
        ("0.90000 => 0.80000 ;; 1.60000 => 1.50000", "bis §4.4.4.9", "below 85 %"),
        ("EXTINF:1.60000 => EXTINF:1.70000", "bis §4.4.4.9", "parts of 1.60000 s"),
        (
            "#EXT-X-PART:DURATION=0.70000 => #EXT-X-MAP:URI=\"i.mp4\"\n#EXT-X-PART:DURATION=0.70000",
            "bis §4.4.4.9",
            "between the parts",
        ),
        (
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:02.000Z => #EXT-X-PART:DURATION=1.00000,URI=\"p?0\"\n\
          #EXT-X-PART:DURATION=1.00000,URI=\"p?1\"",
            "bis §6.2.2",
            "three target durations",
        ),
        ("LAST-MSN=10, => ", "bis §4.4.5.4", "without LAST-MSN"),
        ("URI=\"a.m3u8\" => URI=\"http://h/a.m3u8\"", "bis §4.4.5.4", "not relative"),
        (
            "#EXT-X-MAP => #EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXT-X-MAP",
            "bis §6.2.5.1",
            "kept of a skip boundary",
        ),
        (
            "EXT-X-SERVER-CONTROL: => EXT-X-NOTHING: ;; #EXT-X-MAP => #EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXT-X-MAP",
            "",
            "",
        ),
    ] {
        // The skip boundary is above what is kept.
        let base = match what {
            "kept of a skip boundary" => edited(LOW, "UNTIL=12.0 => UNTIL=120.0"),
            _ => LOW.to_owned(),
        };
        let findings = media_playlists(&[&edited(&base, edit)]);
        if rule.is_empty() {
            let rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
            assert_eq!(rules, ["bis §4.4.3.8", "bis §B.1", "bis §6.2.5.1"], "{findings:#?}");
        } else {
            check_red(findings, rule, what, edit);
        }
    }
}

/// The second list is the first one, edited.
#[test]
fn two_reloads() {
    let first_gone = "MEDIA-SEQUENCE:4 => MEDIA-SEQUENCE:5 ;; \
        #EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:00.000Z\n#EXTINF:2.00000,\ns.mp4?n=4\n => ";
    for (edit, rule, what) in [
        ("", "", ""),
        // A part comes as it was hinted; what was the last one is now too short.
        (
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4?n=10&p=1\" => #EXT-X-PART:DURATION=0.9,URI=\"p.mp4?n=10&p=1\"\n\
          #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4?n=10&p=2\"",
            "bis §4.4.4.9",
            "below 85 %",
        ),
        (
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4?n=10&p=1\" => #EXT-X-PART:DURATION=0.9,URI=\"other\"\n\
          #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p.mp4?n=10&p=2\" ;; p.mp4?n=10&p=0\" => p.mp4?n=10&p=0\",INDEPENDENT=YES",
            "",
            "hinted",
        ),
        ("s.mp4?n=5 => s.mp4?n=55", "RFC 8216 §6.2.1", "URI"),
        (
            "09:00:02.000Z\n#EXTINF:2.00000 => 09:00:02.000Z\n#EXTINF:1.90000",
            "RFC 8216 §6.2.1",
            "EXTINF",
        ),
        ("#EXT-X-DISCONTINUITY\n => ", "RFC 8216 §6.2.1", "discontinuity"),
        ("#EXT-X-DISCONTINUITY\n => ", "", "another discontinuity flag"),
        ("#EXT-X-DISCONTINUITY\n => ", "", "another discontinuity flag"),
        (
            "DISCONTINUITY-SEQUENCE:3 => DISCONTINUITY-SEQUENCE:4",
            "RFC 8216 §6.2.1",
            "discontinuity sequence number",
        ),
        ("i.mp4 => j.mp4", "RFC 8216 §6.2.1", "EXT-X-MAP"),
        ("09:00:02.000Z => 09:00:02.001Z", "RFC 8216 §6.2.1", "PROGRAM-DATE-TIME"),
        ("n=9&p=1\" => n=9&p=7\"", "RFC 8216 §6.2.1", "part"),
        ("TARGETDURATION:2 => TARGETDURATION:1 ;; CONTROL:CAN => CONTROL:X=1,CAN", "", "target"),
        (
            "PART-TARGET=1.0 => PART-TARGET=1.01 ;; PART-HOLD-BACK=3.0 => PART-HOLD-BACK=3.1",
            "bis §4.4.3.7",
            "PART-TARGET changes",
        ),
        (
            "#EXT-X-TARGET => #EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-TARGET",
            "RFC 8216 §4.3.3.5",
            "type changes",
        ),
        ("MEDIA-SEQUENCE:4 => MEDIA-SEQUENCE:3", "", "media sequence"),
        ("#EXT-X-PART:DURATION=0.20000,URI=\"p.mp4?n=10&p=0\"\n => ", "RFC 8216 §6.2.1", "vanish"),
        ("#EXT-X-DISCONTINUITY-SEQUENCE:3\n => ", "", "comes or goes"),
        (first_gone, "Apple 8.11", "5 kept"),
    ] {
        let second = edited(LOW, edit);
        let mut findings = media_playlists(&[LOW, &second]);
        findings.retain(|finding| finding.text == 1);
        if rule.is_empty() {
            let any = findings.iter().any(|finding| finding.message.contains(what));
            assert_eq!(any, !what.is_empty(), "{edit}: {findings:#?}");
        } else {
            check_red(findings, rule, what, edit);
        }
    }
}

#[test]
fn lists_that_must_not_change() {
    let event = edited(VOD, "TYPE:VOD => TYPE:EVENT ;; #EXT-X-ENDLIST\n => ");
    let more = "#EXTINF:1.00000,\ns.mp4?n=2\n";
    let grown = event.clone() + more;
    assert_eq!(media_playlists(&[&event, &grown, &(grown.clone() + "#EXT-X-ENDLIST\n")]), []);
    let late = edited(
        VOD,
        "MEDIA-SEQUENCE:0 => MEDIA-SEQUENCE:1 ;; s.mp4?n=0\n => s.mp4?n=0\n#EXT-X-MEDIA-SEQUENCE:0\n",
    );
    crate::fuzz::checkers(late.as_bytes());
    // A sequence number in the wrong place does not renumber what stands before it.
    let late = edited(
        VOD,
        "MEDIA-SEQUENCE:0 => MEDIA-SEQUENCE:1 ;; s.mp4?n=0\n => s.mp4?n=0\n#EXT-X-MEDIA-SEQUENCE:0\n",
    );
    crate::fuzz::checkers(late.as_bytes());
    for edit in ["SEQUENCE:4 => SEQUENCE:18446744073709551615", "=1.0 => =18446744073.0"] {
        crate::fuzz::checkers(edited(LOW, edit).as_bytes());
    }
}
