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
    let late = edited(VOD, "#EXT-X-ENDLIST => #EXTINF:1.00000,\ns.mp4?n=2\n#EXT-X-ENDLIST");
    let rules: Vec<_> = media_playlists(&[VOD, &late]).into_iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["RFC 8216 §4.3.3.4", "RFC 8216 §4.3.3.5"]);
    let removed = edited(
        &grown,
        "MEDIA-SEQUENCE:0 => MEDIA-SEQUENCE:1 ;; \
         #EXT-X-PROGRAM-DATE-TIME:2023-05-17T13:48:35.994Z\n#EXTINF:2.00000,\ns.mp4?n=0\n => ",
    );
    // The discontinuity number moves too: an EVENT list cannot say so.
    let findings = media_playlists(&[&grown, &removed]);
    assert!(findings.iter().any(|f| f.message.contains("removed from a VOD or EVENT")));
    let short = edited(
        LOW,
        "MEDIA-SEQUENCE:4 => MEDIA-SEQUENCE:8 ;; DISCONTINUITY-SEQUENCE:3 => DISCONTINUITY-SEQUENCE:4",
    );
    let cut = short
        .find("#EXT-X-PROGRAM")
        .zip(short.find("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:08"));
    let (from, to) = cut.unwrap();
    let short = format!("{}{}", &short[..from], &short[to..]);
    let findings = media_playlists(&[LOW, &short]);
    let rules: Vec<_> = findings.iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["RFC 8216 §6.2.2", "Apple 8.11"], "{findings:#?}");
}

#[test]
fn growth_in_time() {
    assert_eq!(media_playlists_at(&[(0, LOW), (1000, LOW), (3000, LOW)]), []);
    let findings = media_playlists_at(&[(0, LOW), (3003, LOW)]);
    check_red(findings, "RFC 8216 §6.2.2", "unchanged for 3.00300 s", "a frozen list");
    assert_eq!(media_playlists_at(&[(0, VOD), (100_000, VOD)]), []);
}

#[test]
fn two_renditions() {
    for (edit, rule, what) in [
        (
            "DISCONTINUITY-SEQUENCE:3 => DISCONTINUITY-SEQUENCE:2",
            "RFC 8216 §6.2.4",
            "discontinuity number",
        ),
        ("MEDIA-SEQUENCE:4 => MEDIA-SEQUENCE:5", "packaging.md §5.2 rule 6", "media sequence"),
        (
            "09:00:00.000Z\n#EXTINF:2.00000 => 09:00:00.000Z\n#EXTINF:1.80000",
            "packaging.md §5.2 rule 6",
            "apart",
        ),
        (
            "TARGETDURATION:2 => TARGETDURATION:3 ;; =12.0 => =18.0 ;; =6.0 => =9.0",
            "",
            "target duration",
        ),
        (
            "PART-HOLD-BACK=3.0 => PART-HOLD-BACK=3.5",
            "bis §4.4.3.8",
            "another EXT-X-SERVER-CONTROL",
        ),
    ] {
        let findings = renditions(&[LOW, &edited(LOW, edit)]);
        if rule.is_empty() {
            assert!(findings.iter().any(|finding| finding.message.contains(what)), "{findings:#?}");
        } else {
            check_red(findings, rule, what, edit);
        }
    }
    let undated: String = VOD.split_inclusive('\n').filter(|l| !l.contains("DATE-TIME")).collect();
    check_red(renditions(&[VOD, &undated]), "RFC 8216 §6.2.4", "in one list only", "no times");
}

#[test]
fn multivariant_rules() {
    for (edit, rule, what) in [
        ("BANDWIDTH=200, => X=1,", "", "without BANDWIDTH"),
        ("CODECS=\"avc1.42c032,mp4a.40.2\", => ", "RFC 8216 §4.3.4.2", "no CODECS"),
        ("v.m3u8\n => ", "RFC 8216 §4.3.4.2", "without URI"),
        ("v.m3u8\n => v.m3u8\nw.m3u8\n", "RFC 8216 §4.3.4.2", "without EXT-X-STREAM-INF"),
        ("AUDIO=\"audio\" => AUDIO=\"sound\"", "RFC 8216 §4.3.4.2", "no EXT-X-MEDIA"),
        ("15.010 => 15.0101", "RFC 8216 §4.3.4.2", "decimals"),
        ("RESOLUTION=64x36,F => RESOLUTION=64,F", "RFC 8216 §4.2", "RESOLUTION cannot be"),
        ("AVERAGE-BANDWIDTH=100 => AVERAGE-BANDWIDTH=201", "RFC 8216 §4.3.4.2", "above"),
        ("NAME=\"audio\", => ", "", "without NAME"),
        ("TYPE=AUDIO => TYPE=SOUND", "", "TYPE cannot be"),
        ("DEFAULT=YES => FORCED=NO,DEFAULT=YES", "RFC 8216 §4.3.4.1", "FORCED"),
        ("AUTOSELECT=YES => AUTOSELECT=NO", "RFC 8216 §4.3.4.1", "AUTOSELECT=NO"),
        (",URI=\"i.m3u8\" => ", "RFC 8216 §4.3.4.3", "without URI"),
        (
            "VERSION:7\n => VERSION:7\n#EXT-X-TARGETDURATION:2\n",
            "RFC 8216 §4.3.4",
            "media playlist",
        ),
    ] {
        let findings = multivariant_playlist(&edited(MULTIVARIANT, edit));
        if rule.is_empty() {
            assert!(findings.iter().any(|finding| finding.message.contains(what)), "{findings:#?}");
        } else {
            check_red(findings, rule, what, edit);
        }
    }
    check_red(multivariant_playlist("#EXTM3U\n"), "RFC 8216 §4.3.4.2", "no EXT-X-STREAM", "empty");
}

#[test]
fn one_mpd() {
    for (edit, rule, what) in [
        (" </Period> => ", "XML 1.0 §2.1", "matches nothing"),
        ("MPD => MPF", "ISO/IEC 23009-1 §5.3.1", "not MPD"),
        ("mpd:2011\" => mpd:2012\"", "ISO/IEC 23009-1 §5.3.1.3", "namespace"),
        ("\"dynamic\" => \"live\"", "", "type"),
        (
            " publishTime=\"2026-11-20T09:00:42.000Z\" =>  ",
            "ISO/IEC 23009-1 §5.3.1.2",
            "publishTime",
        ),
        (" minBufferTime=\"PT4S\" =>  ", "ISO/IEC 23009-1 §5.3.1.2", "minBufferTime"),
        (" minimumUpdatePeriod=\"PT1S\" =>  ", "ISO/IEC 23009-1 §5.4", "minimumUpdatePeriod"),
        ("\"PT4S\" => \"4\"", "ISO/IEC 23009-1 §5.3", "cannot be"),
        ("09:00:42.000Z => 09:00:37.999Z", "packaging.md §6", "1 ms after"),
        ("Period id=\"0\" => Period", "ISO/IEC 23009-1 §5.3.2.2", "without @id"),
        (" </Period> =>  </Period><Period id=\"1\"/>", "", "without segments"),
        ("UTCTiming => Nothing", "packaging.md §6", "UTCTiming"),
        (" bandwidth=\"1500000\" =>  ", "ISO/IEC 23009-1 §5.3.5.2", "bandwidth"),
        (" mimeType=\"video/mp4\" =>  ", "ISO/IEC 23009-1 §5.3.7", "mimeType"),
        ("$Number$ => 1", "ISO/IEC 23009-1 §5.3.9.4.4", "names no segment"),
        ("timescale=\"1000\" => timescale=\"x\"", "", "no integer"),
        ("d=\"2000\"/><S t=\"34000\" => d=\"0\"/><S t=\"32000\"", "", "no duration"),
        ("t=\"34000\" => t=\"33999\"", "", "overlaps"),
        ("<S t=\"32000\" d=\"2000\"/> => <S t=\"31000\" d=\"2000\"/>", "packaging.md §6", "jumps"),
        (
            "<S t=\"32000\" d=\"2000\"/> => <S t=\"32000\"/>",
            "ISO/IEC 23009-1 §5.3.9.6",
            "without @t or @d",
        ),
        (
            "t=\"36000\" d=\"2000\" => t=\"36000\" d=\"2000\" r=\"-1\"",
            "ISO/IEC 23009-1 §5.3.9.6",
            "@r",
        ),
        ("SegmentTimeline => Other", "", "no SegmentTimeline"),
    ] {
        let findings = mpds(&[&edited(DYNAMIC, edit)]);
        if rule.is_empty() {
            assert!(findings.iter().any(|finding| finding.message.contains(what)), "{findings:#?}");
        } else {
            check_red(findings, rule, what, edit);
        }
    }
    let repeated = edited(
        DYNAMIC,
        "<S t=\"32000\" d=\"2000\"/><S t=\"34000\" d=\"2000\"/><S t=\"36000\" d=\"2000\"/> => \
         <S t=\"32000\" d=\"2000\" r=\"2\"/>",
    );
    assert_eq!(mpds(&[DYNAMIC, &repeated]), []);
    let ended = to_static("PT38S");
    assert_eq!(mpds(&[DYNAMIC, &ended]), []);
    check_red(mpds(&[&to_static("PT37S")]), "ISO/IEC 23009-1 §5.3.1.2", "ends 38000 ms", "static");
}

fn to_static(duration: &str) -> String {
    let edit = format!(
        "\"dynamic\" => \"static\" ;; minimumUpdatePeriod=\"PT1S\" => mediaPresentationDuration=\"{duration}\""
    );
    edited(DYNAMIC, &edit)
}

#[test]
fn two_mpds() {
    let first = "<S t=\"32000\" d=\"2000\"/>";
    for (edit, rule, what) in [
        (format!("startNumber=\"17\" => startNumber=\"18\" ;; {first} => "), "", ""),
        (format!("{first} => "), "ISO/IEC 23009-1 §5.4", ""),
        (
            "startNumber=\"17\" => startNumber=\"18\"".into(),
            "ISO/IEC 23009-1 §5.4",
            "segment 18 is now",
        ),
        ("startNumber=\"17\" => startNumber=\"16\"".into(), "ISO/IEC 23009-1 §5.4", "16 after 17"),
        ("<S t=\"36000\" d=\"2000\"/> => ".into(), "ISO/IEC 23009-1 §5.4", "vanish"),
        ("d=\"2000\"/></S => d=\"2001\"/></S".into(), "ISO/IEC 23009-1 §5.4", "segment 19"),
        (
            "T09:00:00.000Z => T09:00:00.001Z".into(),
            "ISO/IEC 23009-1 §5.4",
            "availabilityStartTime",
        ),
        ("09:00:42.000Z => 09:00:41.000Z".into(), "ISO/IEC 23009-1 §5.4", "publishTime"),
        (
            "startNumber => presentationTimeOffset=\"1\" startNumber".into(),
            "ISO/IEC 23009-1 §5.4",
            "Offset",
        ),
        ("AdaptationSet id=\"1\" => AdaptationSet id=\"2\"".into(), "ISO/IEC 23009-1 §5.4", "gone"),
        ("i.mp4 => j.mp4".into(), "ISO/IEC 23009-1 §5.4", "initialization"),
    ] {
        let findings = mpds(&[DYNAMIC, &edited(DYNAMIC, &edit)]);
        if rule.is_empty() {
            assert_eq!(findings, [], "{edit}");
        } else {
            check_red(findings, rule, what, &edit);
        }
    }
    let back = mpds(&[&to_static("PT38S"), DYNAMIC]);
    check_red(back, "ISO/IEC 23009-1 §5.4", "dynamic after static", "resurrection");
    let (from, to) = (DYNAMIC.find("  <Adapt").unwrap(), DYNAMIC.find(" </Period>").unwrap());
    let set = DYNAMIC[from..to].replace("id=\"1\"", "id=\"2\"").replace(first, "");
    let two = format!("{}{set}{}", &DYNAMIC[..to], &DYNAMIC[to..]);
    check_red(mpds(&[&two]), "packaging.md §6", "another number of segments", "audio differs");
}

#[test]
fn findings_are_bounded_and_read_well() {
    let text = "#EXTM3U\n".to_owned() + &"a b\n".repeat(5000);
    assert_eq!(media_playlists(&[&text]).len(), 1000);
    let findings = media_playlists(&[VOD, &edited(VOD, "s.mp4?n=1 => s.mp4?n=2")]);
    let listing: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        listing,
        ["must [RFC 8216 §6.2.1] text 1 line 14: segment 1 has another URI than before"]
    );
    assert!(utf8(3, b"\xff").is_err_and(|finding| finding.text == 3));
}

/// Every way of cutting the right texts short, and a few ways of spoiling each byte.
#[test]
fn hostile_bytes() {
    for text in [VOD, LOW, MULTIVARIANT, DYNAMIC] {
        let bytes = text.as_bytes();
        for (at, spoiled) in (0..bytes.len()).zip([b'\0', b'"', 0xff, b'9', b'\n'].iter().cycle()) {
            if at % 4 == 0 {
                crate::fuzz::checkers(&bytes[..at]);
            }
            let mut bytes = bytes.to_vec();
            bytes[at] = *spoiled;
            crate::fuzz::checkers(&bytes);
        }
    }
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
