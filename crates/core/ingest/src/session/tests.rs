//! The session seen from outside: body bytes and store answers in, outputs out.

use streamkeep_media::Fragment;

use super::*;

const BASE_MS: u64 = 1_795_166_438_000;

/// An element with an 8-byte size, as the producer SDK writes them.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_vec();
    bytes.extend_from_slice(&(body.len() as u64 | 1 << 56).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn header(track_count: u8) -> Vec<u8> {
    let mut bytes = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"matroska"));
    bytes.extend_from_slice(&[0x18, 0x53, 0x80, 0x67, 0xff]); // Segment, unknown size
    let scale = element(&[0x2a, 0xd7, 0xb1], &1_000_000u64.to_be_bytes());
    bytes.extend(element(&[0x15, 0x49, 0xa9, 0x66], &scale));
    let mut entries = Vec::new();
    for number in 1..=track_count {
        let mut entry = element(&[0xd7], &[number]);
        entry.extend(element(&[0x73, 0xc5], &[number]));
        entry.extend(element(&[0x83], &[if number == 1 { 1 } else { 2 }]));
        entry.extend(element(&[0x86], b"V_TEST"));
        entries.extend(element(&[0xae], &entry));
    }
    bytes.extend(element(&[0x16, 0x54, 0xae, 0x6b], &entries));
    bytes
}

fn cluster(timecode: u64) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x43, 0xb6, 0x75, 0xff];
    bytes.extend(element(&[0xe7], &timecode.to_be_bytes()));
    bytes
}

fn block(track: u8, relative: i16, key: bool, payload: &[u8]) -> Vec<u8> {
    let mut body = vec![0x80 | track];
    body.extend_from_slice(&relative.to_be_bytes());
    body.push(if key { 0x80 } else { 0 });
    body.extend_from_slice(payload);
    element(&[0xa3], &body)
}

fn tag(name: &str, value: &str) -> Vec<u8> {
    let mut simple = element(&[0x45, 0xa3], name.as_bytes());
    simple.extend(element(&[0x44, 0x87], value.as_bytes()));
    let tag = element(&[0x73, 0x73], &element(&[0x67, 0xc8], &simple));
    element(&[0x12, 0x54, 0xc3, 0x67], &tag)
}

fn fragment(timecode: u64) -> Vec<u8> {
    [cluster(timecode), block(1, 0, true, b"key frame"), block(1, 40, false, b"next")].concat()
}

/// A session with its store: answers are given by the test.
struct Bench {
    session: IngestSession,
    sequence: u64,
    lines: Vec<String>,
    fragments: Vec<Fragment>,
    live: Vec<u8>,
    closed: bool,
}

impl Bench {
    fn new(config: SessionConfig) -> Self {
        Self {
            session: IngestSession::new(config),
            sequence: 0,
            lines: Vec::new(),
            fragments: Vec::new(),
            live: Vec::new(),
            closed: false,
        }
    }

    fn kept() -> Self {
        Self::new(SessionConfig {
            timecode_type: TimecodeType::Absolute,
            kept: true,
            limits: IngestLimits::default(),
        })
    }

    fn body(&mut self, bytes: &[u8]) -> &mut Self {
        let sequence = &mut self.sequence;
        let mut begin = || {
            *sequence += 1;
            let at = UnixMillis(BASE_MS + *sequence);
            Ok((FragmentNumber::new(at, 1, *sequence), at))
        };
        self.session.handle_body(UnixMillis(BASE_MS), bytes, &mut begin);
        self.drain()
    }

    fn end(&mut self, end: BodyEnd) -> &mut Self {
        self.session.handle_end(end);
        self.drain()
    }

    fn stored(&mut self, index: usize) -> &mut Self {
        let number = self.fragments[index].number;
        self.session.handle_stored(number, Ok(Stored { number }));
        self.drain()
    }

    fn drain(&mut self) -> &mut Self {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.closed, "nothing follows Close, got {output:?}");
            match output {
                Output::Ack(ack) => {
                    let timecode = ack.timecode.map_or("-".into(), |t| t.to_string());
                    self.lines.push(match ack.event {
                        AckEvent::Error(error) => format!("ERROR {} {timecode}", error.wire().0),
                        event => format!("{event:?} {timecode}").to_uppercase(),
                    });
                }
                Output::LiveStart(_) => self.live.clear(),
                Output::Live(piece) => {
                    for frame in &piece.frames {
                        let start = frame.offset as usize - self.live.len();
                        assert!(start + frame.len as usize <= piece.bytes.len());
                    }
                    self.live.extend_from_slice(&piece.bytes);
                }
                Output::LiveAbort(_) => self.lines.push("abort".into()),
                Output::Complete(fragment) => {
                    assert_eq!(self.live, fragment.media.concat(), "live and stored bytes agree");
                    self.lines.push(format!("complete {}", fragment.timecode));
                    self.fragments.push(*fragment);
                }
                Output::Close => {
                    self.closed = true;
                    self.lines.push("close".into());
                }
            }
        }
        self
    }

    #[track_caller]
    fn expect(&mut self, lines: &[&str]) -> &mut Self {
        assert_eq!(self.lines, lines);
        self.lines.clear();
        self
    }
}

#[test]
fn a_fragment_is_acked_only_when_durable() {
    let mut bench = Bench::kept();
    bench.body(&header(1)).expect(&[]);
    bench.body(&fragment(1_000)).expect(&["BUFFERING 1000"]);
    bench.body(&cluster(3_000)).expect(&["complete 1000", "BUFFERING 3000"]);
    bench.stored(0).expect(&["RECEIVED 1000", "PERSISTED 1000"]);
}

#[test]
fn acks_leave_in_order_though_the_store_answers_out_of_order() {
    let mut bench = Bench::kept();
    let body = [header(1), fragment(1), fragment(2_000), fragment(4_000)].concat();
    bench.body(&body).end(BodyEnd::Complete).lines.clear();
    bench.stored(2).stored(1).expect(&[]);
    bench.stored(0).expect(&[
        "RECEIVED 1",
        "PERSISTED 1",
        "RECEIVED 2000",
        "PERSISTED 2000",
        "RECEIVED 4000",
        "PERSISTED 4000",
        "close",
    ]);
}

#[test]
fn the_end_of_fragment_tag_completes_while_the_body_stays_open() {
    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000)].concat()).expect(&["BUFFERING 1000"]);
    bench.body(&tag(END_OF_FRAGMENT, "")).expect(&["complete 1000"]);
    assert!(bench.session.is_between_fragments());
    bench.stored(0).expect(&["RECEIVED 1000", "PERSISTED 1000"]);
    assert!(bench.fragments[0].tags.is_empty(), "the mark is no tag of the producer");
    // The session goes on, and its end adds nothing.
    bench.body(&fragment(3_000)).expect(&["BUFFERING 3000"]);
    bench.body(&tag(END_OF_FRAGMENT, "")).end(BodyEnd::Complete).expect(&["complete 3000"]);
    bench.stored(1).expect(&["RECEIVED 3000", "PERSISTED 3000", "close"]);
}

#[test]
fn without_retention_received_comes_at_once_and_persisted_never() {
    let mut bench = Bench::new(SessionConfig {
        timecode_type: TimecodeType::Absolute,
        kept: false,
        limits: IngestLimits::default(),
    });
    bench.body(&[header(1), fragment(1_000)].concat()).end(BodyEnd::Complete);
    bench.expect(&["BUFFERING 1000", "complete 1000", "RECEIVED 1000", "close"]);
}

#[test]
fn a_cut_body_keeps_what_was_complete() {
    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000), fragment(3_000)].concat()).lines.clear();
    bench.end(BodyEnd::Cut).expect(&["abort"]);
    bench.stored(0).expect(&["RECEIVED 1000", "PERSISTED 1000", "close"]);
    // Cut between a cluster's header and its Timestamp: the one before was seen to end.
    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000), vec![0x1f, 0x43, 0xb6, 0x75, 0xff]].concat());
    bench.end(BodyEnd::Cut).expect(&["BUFFERING 1000", "complete 1000"]);
}

/// Feeds `body` after a good fragment at 1000 and expects the error for `about` only after the
/// good one is durable.
#[track_caller]
fn check_fault(config: SessionConfig, body: &[u8], error: u16, about: &str) {
    let mut bench = Bench::new(config);
    bench.body(&[header(1), fragment(1_000)].concat());
    bench.body(body);
    if !bench.closed && bench.session.wants_body() {
        bench.end(BodyEnd::Complete);
    }
    assert!(!bench.closed, "the good fragment is not durable yet: {:?}", bench.lines);
    assert!(!bench.session.wants_body());
    bench.lines.clear();
    bench.stored(0);
    let error = format!("ERROR {error} {about}");
    bench.expect(&["RECEIVED 1000", "PERSISTED 1000", &error, "close"]);
    assert_eq!(bench.fragments.len(), 1, "what is at fault is not stored");
}

fn kept_with(change: impl FnOnce(&mut IngestLimits)) -> SessionConfig {
    let mut limits = IngestLimits::default();
    change(&mut limits);
    SessionConfig { timecode_type: TimecodeType::Absolute, kept: true, limits }
}

#[test]
fn every_fault_of_the_media_names_the_fragment_at_fault() {
    let kept = || kept_with(|_| {});
    // 4004: equal and smaller.
    check_fault(kept(), &fragment(1_000), 4004, "1000");
    check_fault(kept(), &fragment(999), 4004, "999");
    // 4006: rubbish where an element should begin; a body that ends inside an element.
    let rubbish = [cluster(3_000), vec![0x00; 40]].concat();
    check_fault(kept(), &rubbish, 4006, "3000");
    check_fault(kept(), &fragment(3_000)[..40], 4006, "3000");
    // 4007: eleven years ahead; a time no clock shows.
    check_fault(kept(), &fragment(BASE_MS + 11 * 365 * 86_400_000), 4007, "2142062438000");
    check_fault(kept(), &fragment(u64::MAX), 4007, "18446744073709551615");
    // 4009: eleven tags; a name of 129 bytes; a value of 257.
    let tags = |count| -> Vec<u8> {
        [fragment(3_000), (0..count).flat_map(|i| tag(&format!("t{i}"), "v")).collect()].concat()
    };
    check_fault(kept(), &tags(11), 4009, "3000");
    let long_name = [fragment(3_000), tag(&"n".repeat(129), "v")].concat();
    check_fault(kept(), &long_name, 4009, "3000");
    let long_value = [fragment(3_000), tag("n", &"v".repeat(257))].concat();
    check_fault(kept(), &long_value, 4009, "3000");
    let value = [fragment(3_000), tag("n", &"v".repeat(2 << 20))].concat();
    check_fault(kept(), &value, 4009, "3000");
    // 4010: a block of an undeclared track.
    let stranger = [cluster(3_000), block(2, 0, true, b"x")].concat();
    check_fault(kept(), &stranger, 4010, "3000");
    // 4011: a cluster without frames.
    check_fault(kept(), &cluster(3_000), 4011, "3000");
    // 4002: 20,001 ms between frames.
    let long = [cluster(3_000), block(1, 0, true, b"a"), block(1, 20_001, false, b"b")].concat();
    check_fault(kept(), &long, 4002, "3000");
}

#[test]
fn each_limit_itself_is_allowed() {
    let mut bench = Bench::kept();
    let mut body = [header(1), fragment(1_000)].concat();
    body.extend((0..10).flat_map(|i| tag(&format!("{i}{}", "n".repeat(127)), &"v".repeat(256))));
    body.extend([cluster(3_000), block(1, 0, true, b"a"), block(1, 20_000, false, b"b")].concat());
    bench.body(&body).end(BodyEnd::Complete);
    bench.expect(&["BUFFERING 1000", "complete 1000", "BUFFERING 3000", "complete 3000"]);
    assert_eq!(bench.fragments[0].tags.len(), 10);
}

#[test]
fn a_fragment_too_large_is_refused_before_it_is_buffered() {
    let config = || kept_with(|limits| limits.fragment_bytes_max = 10_000);
    // The element's header alone tells: not one byte of its 64 MiB need come.
    let mut announced = [cluster(3_000), vec![0xa3]].concat();
    announced.extend_from_slice(&((64u64 << 20) | 1 << 56).to_be_bytes());
    check_fault(config(), &announced, 4001, "3000");
    // By the sum of small blocks.
    let mut many = cluster(3_000);
    for i in 0..30 {
        many.extend(block(1, i * 40, i == 0, &[7; 400]));
    }
    check_fault(config(), &many, 4001, "3000");
    // Exactly the limit is stored.
    let mut exact = cluster(3_000);
    let room = 10_000 - exact.len() - block(1, 0, true, b"").len();
    exact.extend(block(1, 0, true, &vec![7; room]));
    let mut bench = Bench::new(config());
    bench.body(&[header(1), exact].concat()).end(BodyEnd::Complete);
    bench.expect(&["BUFFERING 3000", "complete 3000"]);
    assert_eq!(bench.fragments[0].media_len(), 10_000);
}

#[test]
fn faults_before_the_first_fragment_name_none() {
    let check = |body: &[u8], error: u16| {
        let mut bench = Bench::kept();
        bench.body(body).expect(&[&format!("ERROR {error} -"), "close"]);
    };
    check(&header(4), 4012);
    check(&header(100), 4012);
    check(b"this is no Matroska", 4006);
    let no_tracks = [&header(1)[..20], &cluster(1)].concat();
    check(&no_tracks, 4006);
    let mut bench = Bench::kept();
    bench.body(&header(1)[..33]).end(BodyEnd::Complete).expect(&["ERROR 4006 -", "close"]);
    // Nothing at all is a legal session.
    Bench::kept().end(BodyEnd::Complete).expect(&["close"]);
}

#[test]
fn a_declared_track_without_frames_is_named_when_the_next_cluster_comes() {
    let mut bench = Bench::kept();
    let both = [cluster(1_000), block(1, 0, true, b"v"), block(2, 0, true, b"a")].concat();
    bench.body(&[header(2), both, fragment(3_000), fragment(5_000)].concat());
    bench.expect(&["BUFFERING 1000", "complete 1000", "BUFFERING 3000", "abort"]);
    bench.stored(0).expect(&["RECEIVED 1000", "PERSISTED 1000", "ERROR 4011 3000", "close"]);
}

#[test]
fn our_own_trouble_names_the_oldest_fragment_not_durable() {
    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000), fragment(3_000), fragment(5_000)].concat());
    bench.lines.clear();
    let failed = bench.fragments[1].number;
    bench.session.handle_stored(failed, Err(StoreFailure::Archival));
    bench.drain().expect(&["abort", "ERROR 5001 1000", "close"]);
    // Late answers change nothing.
    bench.stored(0).expect(&[]);
}

#[test]
fn giving_up_and_draining() {
    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000), fragment(3_000)].concat()).lines.clear();
    bench.session.drain(Some(ErrorId::MaxConnectionDurationReached));
    bench.drain().expect(&["abort"]);
    bench.stored(0).expect(&["RECEIVED 1000", "PERSISTED 1000", "ERROR 4003 3000", "close"]);

    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000), fragment(3_000)].concat()).lines.clear();
    bench.session.give_up(ErrorId::InternalError);
    bench.drain().expect(&["abort", "ERROR 5000 1000", "close"]);
}

#[test]
fn a_duplicate_is_acked_with_the_number_of_the_first_copy() {
    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000)].concat()).end(BodyEnd::Complete);
    let original = FragmentNumber::new(UnixMillis(5), 1, 1);
    let number = bench.fragments[0].number;
    bench.session.handle_stored(number, Ok(Stored { number: original }));
    let acked = std::iter::from_fn(|| bench.session.poll_output())
        .filter_map(|output| match output {
            Output::Ack(ack) => ack.number,
            _ => None,
        })
        .collect::<Vec<_>>();
    assert_eq!(acked, [original, original]);
}

#[test]
fn relative_time_counts_from_the_producers_start() {
    let mut bench = Bench::new(SessionConfig {
        timecode_type: TimecodeType::Relative { producer_start: UnixMillis(BASE_MS) },
        kept: true,
        limits: IngestLimits::default(),
    });
    bench.body(&[header(1), fragment(0), fragment(2_000)].concat()).end(BodyEnd::Complete);
    let times: Vec<u64> = bench.fragments.iter().map(|f| f.producer_timestamp.0).collect();
    assert_eq!(times, [BASE_MS, BASE_MS + 2_000]);
    assert_eq!(bench.fragments[1].timecode, 2_000);
}

#[test]
fn what_a_fragment_says_of_itself() {
    let mut bench = Bench::kept();
    let first = [cluster(1_000), block(1, 0, true, b"0123"), block(1, 40, false, b"45")].concat();
    let second = [cluster(1_080), block(1, 0, false, b"6789"), tag("name", "value")].concat();
    bench.body(&[header(1), first, second.clone()].concat()).end(BodyEnd::Complete);
    let [first, last] = &bench.fragments[..] else { panic!("two fragments") };
    assert_eq!((first.duration_ms, first.starts_with_key), (80, true));
    assert!(!first.continues_previous);
    assert!(last.continues_previous && !last.starts_with_key);
    assert_eq!(last.media.concat(), second);
    let frame = last.frames[0];
    let (start, end) = (frame.offset as usize, (frame.offset + frame.len) as usize);
    assert_eq!(&second[start..end], b"6789");
    assert_eq!(last.tags[0].tags[0].value, "value");
    assert_eq!(last.header.bytes, header(1));
}

#[test]
fn tags_after_an_end_of_fragment_tag_go_with_the_next_fragment() {
    let mut bench = Bench::kept();
    let early = tag("early", "1");
    let body =
        [header(1), fragment(1_000), tag(END_OF_FRAGMENT, ""), early.clone(), fragment(3_000)];
    bench.body(&body.concat()).end(BodyEnd::Complete);
    assert_eq!(bench.fragments[1].media.concat(), [early, fragment(3_000)].concat());
    assert_eq!(bench.fragments[1].tags[0].tags[0].name, "early");
    let frame = bench.fragments[1].frames[0];
    let media = bench.fragments[1].media.concat();
    assert_eq!(&media[frame.offset as usize..][..frame.len as usize], b"key frame");
}

#[test]
fn header_variants() {
    // A Segment of known size and Tags before Info, as a file muxer writes them.
    let mut whole = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"matroska"));
    let ebml_len = whole.len();
    let plain = header(1);
    let (info_tracks, clusters) =
        (&plain[ebml_len + 5..], [fragment(1_000), fragment(3_000)].concat());
    let early = tag("title", "x");
    let body = [&early[..], info_tracks, &clusters].concat();
    whole.extend(element(&[0x18, 0x53, 0x80, 0x67], &body));
    let mut bench = Bench::kept();
    bench.body(&whole).end(BodyEnd::Complete);
    let [first, second] = &bench.fragments[..] else { panic!("{:?}", bench.lines) };
    let segment = [0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255];
    assert_eq!(first.header.bytes[ebml_len..][..12], segment);
    assert_eq!(second.header.bytes[ebml_len..][..12], segment);
    assert_eq!(first.header.bytes.len(), second.header.bytes.len() + early.len());
    assert!(second.header.bytes.ends_with(info_tracks));
}

#[test]
fn any_split_of_the_body_gives_the_same_acks_and_fragments() {
    let mut body = [header(2), Vec::new()].concat();
    for i in 0..3 {
        body.extend([cluster(1_000 + i * 2_000), block(1, 0, true, &[1; 300])].concat());
        body.extend([block(2, 3, true, &[2; 30]), tag("n", "v")].concat());
    }
    body.extend(tag(END_OF_FRAGMENT, ""));
    let run = |cuts: &dyn Fn(usize) -> usize, is_watched: &dyn Fn(usize) -> bool| {
        let mut bench = Bench::kept();
        let mut rest = &body[..];
        while !rest.is_empty() {
            bench.session.set_watched(is_watched(rest.len()));
            let (piece, tail) = rest.split_at(cuts(rest.len()).clamp(1, rest.len()));
            bench.body(piece);
            rest = tail;
        }
        bench.end(BodyEnd::Complete);
        let facts: Vec<_> = bench
            .fragments
            .iter()
            .map(|f| {
                (f.number, f.media.concat(), f.frames.clone(), f.timing.clone(), f.duration_ms)
            })
            .collect();
        (bench.lines, facts)
    };
    let whole = run(&|left| left, &|_| true);
    assert_eq!(whole.1.len(), 3);
    for is_watched in [|_| true, |_| false, |left| left % 3 == 0] {
        for step in 1..=64 {
            assert_eq!(run(&|_| step, &is_watched), whole, "pieces of {step}");
        }
        for cut in 1..body.len() {
            let split = |left| if left == body.len() { cut } else { left };
            assert_eq!(run(&split, &is_watched), whole, "cut at {cut}");
        }
    }
}

#[test]
fn frames_are_handed_on_at_once_only_to_someone() {
    let mut bench = Bench::kept();
    bench.body(&[header(1), cluster(1_000), block(1, 0, true, &[1; 300])].concat());
    let seen = bench.live.len();
    assert!(seen > 300);
    bench.session.set_watched(false);
    bench.body(&block(1, 40, false, &[2; 300]));
    assert_eq!(bench.live.len(), seen, "nobody would see it");
    // Someone comes: what there is, is theirs, without another byte from the camera.
    bench.session.set_watched(true);
    bench.drain();
    assert!(bench.live.len() > seen + 300 && bench.live.ends_with(&[2; 300]));
    // Unwatched, a slab is handed on when it is full: a session holds back no more than one.
    bench.session.set_watched(false);
    let before = bench.live.len();
    for i in 2..=SLAB_BYTES / 1_000 + 3 {
        bench.body(&block(1, 40 * i as i16, false, &[3; 1_000]));
    }
    let held_back = SLAB_BYTES + 3_000 - (bench.live.len() - before);
    assert!(bench.live.len() > before && held_back < SLAB_BYTES, "{held_back}");
    bench.body(&tag(END_OF_FRAGMENT, "")).expect(&["BUFFERING 1000", "complete 1000"]);
}

/// What the real producer sent, byte for byte (`fixtures/README.md`).
#[test]
fn captured_producers() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/fixtures/kvssink");
    if !std::path::Path::new(folder).exists() {
        println!("skipped: no fixtures beside the project");
        return;
    }
    for (name, fragment_count, frame_count, tracks) in [
        ("h264-realtime", 6, 200, 1),
        ("h264-aac", 3, 381, 2),
        ("h265", 5, 120, 1),
        ("offline", 6, 300, 1),
    ] {
        let body = std::fs::read(format!("{folder}/{name}.put-media.mkv")).unwrap();
        let mut bench = Bench::kept();
        bench.body(&body);
        let frames: usize = bench.fragments.iter().map(|f| f.frames.len()).sum();
        // The last fragment is complete though the body is still open.
        assert!(bench.session.is_between_fragments(), "{name}");
        assert_eq!((bench.fragments.len(), frames), (fragment_count, frame_count), "{name}");
        let first = &bench.fragments[0];
        assert_eq!(first.header.tracks.len(), tracks, "{name}");
        assert!(bench.fragments.iter().all(|f| f.starts_with_key), "{name}");
        assert!(bench.fragments.iter().skip(1).all(|f| f.continues_previous), "{name}");
        let kept: usize = bench.fragments.iter().map(Fragment::media_len).sum();
        assert_eq!(first.header.bytes.len() + kept, body.len(), "{name}: every byte is kept");
        for index in 0..bench.fragments.len() {
            bench.stored(index);
        }
        bench.end(BodyEnd::Complete);
        assert!(bench.closed && !bench.lines.iter().any(|line| line.starts_with("ERROR")));
    }
}

#[test]
fn a_second_document_is_refused_but_the_fragment_before_it_is_kept() {
    let mut bench = Bench::kept();
    bench.body(&[header(1), fragment(1_000), header(1), fragment(3_000)].concat());
    bench.expect(&["BUFFERING 1000", "complete 1000"]);
    bench.stored(0).expect(&["RECEIVED 1000", "PERSISTED 1000", "ERROR 4006 -", "close"]);
}

#[test]
fn a_producer_that_waits_on_a_stream_without_retention_is_released_once() {
    let mut bench = Bench::new(SessionConfig {
        timecode_type: TimecodeType::Absolute,
        kept: false,
        limits: IngestLimits::default(),
    });
    bench.body(&[header(1), fragment(1_000)].concat());
    assert!(!bench.session.may_wait_for_persisted(), "it is still sending");
    bench.body(&tag(END_OF_FRAGMENT, ""));
    assert!(bench.session.may_wait_for_persisted());
    bench.session.release_waiting_producer();
    assert!(!bench.session.may_wait_for_persisted());
    bench.session.release_waiting_producer();
    bench.drain().end(BodyEnd::Complete);
    bench.expect(&["BUFFERING 1000", "complete 1000", "RECEIVED 1000", "PERSISTED 1000", "close"]);
}
