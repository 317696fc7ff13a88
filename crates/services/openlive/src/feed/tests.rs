use std::sync::atomic::Ordering;

use serde_json::Value;

use super::*;
use crate::limits::WINDOW_BYTES;
use crate::testing::{Camera, Parsed, parse};

const START: UnixMillis = UnixMillis(1_795_166_438_000);

/// A feed, a camera and the time.
struct Tile {
    feed: Feed,
    camera: Camera,
    now: Instant,
    /// Since the start.
    passed: Duration,
    texts: Vec<Value>,
    media: Vec<Parsed>,
    bytes: usize,
}

impl Tile {
    fn new(tier: Tier) -> Self {
        Self::of(Camera::new(), tier)
    }

    fn of(camera: Camera, tier: Tier) -> Self {
        let now = Instant::now();
        Self {
            feed: Feed::new(7, tier, now),
            camera,
            now,
            passed: Duration::ZERO,
            texts: Vec::new(),
            media: Vec::new(),
            bytes: 0,
        }
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis(START.0 + u64::try_from(self.passed.as_millis()).unwrap())
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.passed += Duration::from_millis(ms);
    }

    /// Steps until there is nothing to do now; gives what came, and the end if it came.
    fn settle(&mut self) -> Option<Value> {
        loop {
            let (now, wall) = (self.now, self.wall());
            let mut step = self.feed.step(&self.camera, now, wall);
            if matches!(step, Step::ReadStored) {
                let stored = self.camera.stored.lock().unwrap().clone();
                step = self.feed.show_stored(stored, now, wall);
            }
            match step {
                Step::Send { messages, .. } => self.take(messages),
                Step::Wait { until, .. } if until <= now => {}
                Step::Wait { .. } => return None,
                Step::End(text) => return Some(serde_json::from_str(&text).unwrap()),
                Step::ReadStored => panic!("asked twice"),
            }
        }
    }

    fn take(&mut self, messages: Vec<TileMessage>) {
        for message in messages {
            match message {
                TileMessage::Text(text) => self.texts.push(serde_json::from_str(&text).unwrap()),
                TileMessage::Binary(bytes) => {
                    self.bytes += bytes.len();
                    self.media.push(parse(&bytes));
                }
            }
        }
    }

    /// What came since the last call, init segments left out.
    fn taken(&mut self) -> Vec<Parsed> {
        std::mem::take(&mut self.media).into_iter().filter(|message| message.kind == 2).collect()
    }

    /// The sound among the messages that wait to be taken, and how many init segments of it.
    fn heard(&mut self) -> (Vec<Parsed>, usize) {
        let (sound, media) = std::mem::take(&mut self.media).into_iter().partition(|m| m.kind >= 4);
        self.media = media;
        let sound: Vec<Parsed> = sound;
        let inits = sound.iter().filter(|m| m.kind == 4).count();
        (sound.into_iter().filter(|m| m.kind == 5).collect(), inits)
    }

    /// So many fragments of a second, with a frame of sound every 20 ms.
    fn second_of_sound(&mut self, at: u64) {
        self.second_of(at, 20);
    }

    /// The same with frames of so many bytes.
    fn second_of(&mut self, at: u64, len: u32) {
        self.camera.begin(UnixMillis(START.0 + at));
        for index in 0..25 {
            self.camera.frame(index * 40, index == 0, 100);
            self.camera.sound(index * 40, len);
            self.camera.sound(index * 40 + 20, len);
            self.settle();
            self.pass(40);
        }
    }

    /// Kinds and reasons of the texts since the last call.
    fn told(&mut self) -> Vec<String> {
        let word = |text: Value| match text["reason"].as_str() {
            Some(reason) => format!("{} {reason}", text["is"].as_str().unwrap()),
            None => text["is"].as_str().unwrap().to_owned(),
        };
        std::mem::take(&mut self.texts).into_iter().map(word).collect()
    }
}

fn starts(media: &[Parsed]) -> Vec<(u64, usize)> {
    media.iter().map(|m| m.media.as_ref().unwrap()).map(|(at, d)| (*at, d.len())).collect()
}

#[test]
fn frames_go_out_as_they_come() {
    let mut tile = Tile::new(Tier::Full);
    tile.camera.begin(START);
    tile.camera.frame(0, true, 500);
    tile.settle();
    assert_eq!(tile.texts[0]["is"], "init-follows");
    assert_eq!(
        (&tile.texts[0]["codec"], &tile.texts[0]["tier"]),
        (&Value::from("avc1.42c00a"), &Value::from("full"),)
    );
    assert_eq!((tile.media[0].kind, tile.media[0].tile), (1, 7));
    let [first] = tile.taken().try_into().unwrap();
    assert!(first.is_key && !first.is_discontinuity);
    assert_eq!(first.wall_us, START.0 as i64 * 1000);
    // Two frames come within the time that frames are gathered.
    tile.pass(40);
    tile.camera.frame(40, false, 100);
    tile.settle();
    assert_eq!(tile.taken(), []);
    tile.pass(40);
    tile.camera.frame(80, false, 100);
    tile.settle();
    let [second] = tile.taken().try_into().unwrap();
    assert_eq!(
        (starts(std::slice::from_ref(&second)), second.duration_us),
        (vec![(40, 2)], 80_000)
    );
    assert!(!second.is_key && !second.is_discontinuity);
    // On into the next fragment, with time unbroken.
    tile.pass(80);
    tile.camera.fragment(UnixMillis(START.0 + 120), 3, 100);
    tile.settle();
    tile.pass(80);
    tile.settle();
    let third = tile.taken();
    assert_eq!(starts(&third), [(120, 3)]);
    assert!(third[0].is_key && !third[0].is_discontinuity);
    assert_eq!(tile.told(), ["init-follows"], "one is enough");
}

#[test]
fn a_tile_joins_at_the_newest_key_frame_of_what_arrives() {
    for tier in [Tier::Full, Tier::Key] {
        let mut tile = Tile::new(tier);
        tile.camera.begin(START);
        for (pts, key) in [(0, true), (40, false), (80, true), (120, false)] {
            tile.camera.frame(pts, key, 100);
        }
        tile.settle();
        let media = tile.taken();
        assert_eq!(media[0].wall_us, (START.0 as i64 + 80) * 1000, "{tier:?}");
        let frames = if tier == Tier::Full { 2 } else { 1 };
        assert_eq!(starts(&media), [(0, frames)], "{tier:?}");
    }
}

#[test]
fn the_key_tier_gives_one_key_frame_a_fragment() {
    let mut tile = Tile::new(Tier::Key);
    let mut media = Vec::new();
    for second in 0..4 {
        tile.camera.begin(UnixMillis(START.0 + second * 1000));
        for index in 0..10 {
            tile.camera.frame(index * 100, index % 5 == 0, 100);
            tile.settle();
            tile.pass(100);
        }
        media.extend(tile.taken());
    }
    assert_eq!(starts(&media), [(0, 1), (1000, 1), (2000, 1), (3000, 1)]);
    assert!(media.iter().all(|m| m.is_key && !m.is_discontinuity));
    let durations: Vec<u32> = media.iter().map(|m| m.duration_us / 1000).collect();
    assert_eq!(durations, [2000, 2000, 1000, 1000], "a guess, until fragments tell");
    assert!(
        media
            .iter()
            .enumerate()
            .all(|(n, m)| m.wall_us == (START.0 as i64 + n as i64 * 1000) * 1000)
    );
}

#[test]
fn what_is_stored_comes_first_when_nothing_arrives() {
    for tier in [Tier::Full, Tier::Key] {
        let mut tile = Tile::new(tier);
        tile.camera.begin(UnixMillis(START.0 - 60_000));
        tile.camera.frame(0, true, 100);
        let fragment = tile.camera.tail.newest().unwrap();
        let run = FrameRun::of(tile.camera.video(), fragment.clone(), Cadence::default());
        *tile.camera.stored.lock().unwrap() = Some(StoredKeyFrame {
            number: fragment.start.number,
            video: tile.camera.video(),
            picture: run.key_frame(2_000_000_000).unwrap(),
        });
        tile.camera.end();
        tile.camera.is_connected.store(false, Ordering::Relaxed);
        tile.settle();
        let [picture] = tile.taken().try_into().unwrap();
        assert_eq!(picture.wall_us, (START.0 as i64 - 60_000) * 1000);
        assert_eq!(
            (starts(std::slice::from_ref(&picture)), picture.duration_us),
            (vec![(0, 1)], 2_000_000)
        );
        assert_eq!(tile.texts[1]["from"], "2026-11-20T09:19:40.000Z", "the end of what is shown");
        assert_eq!(tile.told(), ["init-follows", "gap no-session"]);
        // The camera comes back: media time goes on, and the message says that wall time does not.
        tile.camera.is_connected.store(true, Ordering::Relaxed);
        tile.pass(500);
        tile.camera.fragment(START, 1, 100);
        tile.settle();
        let [next] = tile.taken().try_into().unwrap();
        assert!(next.is_key && next.is_discontinuity, "{tier:?}");
        assert_eq!(starts(&[next]), [(2000, 1)], "{tier:?}");
    }
}

#[test]
fn what_is_arriving_is_waited_for_a_moment() {
    for comes in [true, false] {
        let mut tile = Tile::new(Tier::Full);
        tile.camera.fragment(UnixMillis(START.0 - 60_000), 1, 100);
        let fragment = tile.camera.tail.newest().unwrap();
        let run = FrameRun::of(tile.camera.video(), fragment.clone(), Cadence::default());
        *tile.camera.stored.lock().unwrap() = Some(StoredKeyFrame {
            number: fragment.start.number,
            video: tile.camera.video(),
            picture: run.key_frame(2_000_000_000).unwrap(),
        });
        // Begun, and what has come of it is not handed on before somebody looks.
        tile.camera.begin(START);
        tile.settle();
        assert_eq!(tile.taken(), []);
        if comes {
            tile.pass(10);
            tile.camera.frame(0, true, 100);
        } else {
            tile.pass(150);
        }
        tile.settle();
        let [first] = tile.taken().try_into().unwrap();
        let at = if comes { START.0 } else { START.0 - 60_000 };
        assert_eq!((first.wall_us, first.is_discontinuity), (at as i64 * 1000, false));
    }
}

#[test]
fn silence_is_told() {
    let mut tile = Tile::new(Tier::Full);
    tile.camera.fragment(START, 25, 100);
    tile.settle();
    tile.camera.end();
    for _ in 0..50 {
        tile.pass(100);
        tile.settle();
    }
    assert_eq!(tile.told(), ["init-follows", "gap silent"]);
    tile.camera.is_connected.store(false, Ordering::Relaxed);
    tile.pass(100);
    tile.settle();
    assert_eq!(tile.told(), ["gap no-session"]);
}

#[test]
fn without_credit_frames_are_left_out_up_to_a_key_frame() {
    let mut tile = Tile::new(Tier::Full);
    let len = u32::try_from(WINDOW_BYTES / 10).unwrap();
    tile.camera.fragment(START, 25, len);
    tile.settle();
    let sent: usize = starts(&tile.taken()).iter().map(|(_, frames)| frames).sum();
    assert_eq!(sent, 9, "the window holds nine and their boxes");
    assert!(tile.bytes <= WINDOW_BYTES as usize);
    // Credit comes before another key frame does: nothing is lost.
    tile.pass(300);
    tile.feed.grant(3 * u64::from(len));
    tile.settle();
    let media = tile.taken();
    assert!(media.iter().all(|m| !m.is_discontinuity));
    let more: usize = starts(&media).iter().map(|(_, frames)| frames).sum();
    assert_eq!((starts(&media)[0].0, more), (9 * 40, 3));
    // Two fragments pass; then the page takes everything.
    for second in 1..3 {
        tile.camera.fragment(UnixMillis(START.0 + second * 1000), 3, len);
        tile.pass(1000);
        tile.settle();
    }
    assert_eq!(tile.taken(), []);
    tile.feed.grant(u64::MAX);
    tile.settle();
    let media = tile.taken();
    assert!(media[0].is_key && media[0].is_discontinuity);
    assert_eq!(media[0].wall_us, (START.0 as i64 + 2000) * 1000, "the newest");
    assert_eq!(starts(&media), [(480, 1), (520, 1), (560, 1)], "media time has no hole");
    assert_eq!(tile.feed.take_left_out(), 520 + 1000);
    assert_eq!(tile.feed.take_left_out(), 0);
}

#[test]
fn without_credit_a_key_frame_takes_the_place_of_another() {
    let mut tile = Tile::new(Tier::Key);
    let large = u32::try_from(WINDOW_BYTES * 3 / 4).unwrap();
    tile.camera.fragment(START, 1, large);
    tile.settle();
    assert_eq!(tile.taken().len(), 1);
    for second in 1..4 {
        tile.pass(1000);
        tile.camera.fragment(UnixMillis(START.0 + second * 1000), 1, large);
        tile.settle();
    }
    assert_eq!(tile.taken(), []);
    tile.feed.grant(u64::from(large) + 4096);
    tile.settle();
    let [next] = tile.taken().try_into().unwrap();
    assert!(next.is_discontinuity);
    assert_eq!(next.wall_us, (START.0 as i64 + 3000) * 1000);
}

#[test]
fn a_frame_larger_than_the_window_goes_when_nothing_is_on_the_way() {
    let mut tile = Tile::new(Tier::Full);
    let huge = u32::try_from(WINDOW_BYTES * 2).unwrap();
    tile.camera.fragment(START, 2, huge);
    tile.settle();
    assert_eq!(starts(&tile.taken()), [(0, 1)]);
    tile.feed.grant(2 << 20);
    tile.settle();
    assert_eq!(tile.taken(), []);
    tile.feed.grant(1 << 20);
    tile.settle();
    assert_eq!(starts(&tile.taken()), [(40, 1)]);
}

#[test]
fn a_blocked_socket_makes_a_tile_catch_up() {
    let mut tile = Tile::new(Tier::Full);
    tile.camera.fragment(START, 1, 100);
    tile.settle();
    tile.taken();
    for index in 1..25 {
        tile.camera.frame(index * 40, false, 100);
    }
    for second in 1..4 {
        tile.camera.fragment(UnixMillis(START.0 + second * 1000), 25, 100);
    }
    tile.feed.was_blocked();
    tile.pass(4000);
    tile.settle();
    let media = tile.taken();
    assert!(media[0].is_key && media[0].is_discontinuity);
    assert_eq!(media[0].wall_us, (START.0 as i64 + 3000) * 1000);
    assert_eq!(tile.feed.take_left_out(), 2960);
}

#[test]
fn another_tier_begins_at_a_key_frame() {
    let mut tile = Tile::new(Tier::Key);
    tile.camera.fragment(START, 3, 100);
    tile.settle();
    assert_eq!(tile.taken().len(), 1);
    tile.pass(100);
    tile.feed.set_tier(Tier::Full);
    tile.pass(100);
    tile.settle();
    let media = tile.taken();
    assert!(media[0].is_key && media[0].is_discontinuity);
    assert_eq!(starts(&media), [(2000, 3)], "behind what the key frame covers");
    assert_eq!(tile.texts[1]["tier"], "full");
    assert_eq!(tile.told(), ["init-follows", "init-follows"]);
    tile.feed.set_tier(Tier::Full);
    tile.pass(100);
    tile.settle();
    assert_eq!(tile.taken(), [], "no change");
}

#[test]
fn a_session_that_breaks_off_and_one_that_begins_elsewhere() {
    let mut tile = Tile::new(Tier::Full);
    tile.camera.fragment(START, 3, 100);
    tile.settle();
    tile.pass(100);
    let cut = tile.camera.tail.newest().unwrap();
    tile.camera.tail.abort(&cut);
    // The camera's clock was set back meanwhile.
    tile.camera.fragment(UnixMillis(START.0 - 3_600_000), 2, 100);
    tile.settle();
    tile.pass(100);
    tile.settle();
    let media = tile.taken();
    assert_eq!(starts(&media), [(0, 3), (120, 2)]);
    assert!(media[1].is_discontinuity);
    assert_eq!(media[1].wall_us, (START.0 as i64 - 3_600_000) * 1000);
}

#[test]
fn the_end_of_a_stream_ends_the_tile() {
    let mut tile = Tile::new(Tier::Full);
    assert_eq!(tile.settle(), None);
    tile.camera.tail.close();
    let end = tile.settle().unwrap();
    assert_eq!((&end["is"], &end["name"]), (&Value::from("end"), &Value::from("stream-deleted")));
}

/// AAC-LC, 48 kHz, stereo: 1,024 samples a frame.
const AAC: &[u8] = &[0x11, 0x90];

#[test]
fn sound_comes_when_it_is_asked_for() {
    let mut tile = Tile::of(Camera::with_sound("A_AAC", AAC), Tier::Full);
    tile.second_of_sound(0);
    assert_eq!(tile.texts[0]["sound"], "left-out");
    assert_eq!(tile.heard(), (vec![], 0), "nobody asked");
    tile.feed.set_sound(true);
    tile.second_of_sound(1_000);
    tile.second_of_sound(2_000);
    let (sound, inits) = tile.heard();
    assert_eq!(inits, 1);
    assert_eq!(tile.texts.last().unwrap()["codec"], "mp4a.40.2");
    assert!(sound.iter().all(|m| m.is_key && !m.is_discontinuity && m.tile == 7));
    // All of it, from about where the pictures were, and without holes.
    let frames: usize = sound.iter().map(|m| m.media.as_ref().unwrap().1.len()).sum();
    assert!((96..=100).contains(&frames), "{frames}");
    let mut at = 0;
    for message in &sound {
        let (starts, durations) = message.media.clone().unwrap();
        assert_eq!(starts, at);
        assert!(durations.iter().all(|samples| *samples == 1024));
        at += 1024 * durations.len() as u64;
    }
    assert!(sound[0].wall_us >= (START.0 as i64 + 1_000) * 1000);
    // In groups, as pictures.
    assert!(sound.len() < 40, "{}", sound.len());
    tile.feed.set_sound(false);
    tile.second_of_sound(3_000);
    assert_eq!(tile.heard(), (vec![], 0));
    tile.feed.set_sound(true);
    tile.second_of_sound(4_000);
    let (sound, inits) = tile.heard();
    assert_eq!((inits, sound[0].media.as_ref().unwrap().0), (1, 0), "begins anew");
}

/// 48 kHz, stereo, 16 bits: 20 ms.
const PCM_FRAME: u32 = 3840;

#[test]
fn plain_sound_is_encoded_as_it_comes() {
    let mut tile = Tile::of(Camera::with_sound("A_PCM/INT/LIT", &[]), Tier::Full);
    tile.feed.set_sound(true);
    for second in 0..3 {
        tile.second_of(second * 1_000, PCM_FRAME);
    }
    let (sound, inits) = tile.heard();
    assert_eq!((inits, &tile.texts[1]["codec"]), (1, &Value::from("opus")));
    let packets: usize = sound.iter().map(|m| m.media.as_ref().unwrap().1.len()).sum();
    assert!((145..=150).contains(&packets), "{packets}");
    // From about where the pictures were.
    let begin_us = sound[0].wall_us;
    assert!((0..100_000).contains(&(begin_us - START.0 as i64 * 1000)));
    let mut at = 0;
    for message in &sound {
        let (starts, durations) = message.media.clone().unwrap();
        assert!(durations.iter().all(|samples| *samples == 960) && !message.is_discontinuity);
        assert_eq!((starts, message.wall_us), (at, begin_us + at as i64 * 1000 / 48));
        at += 960 * durations.len() as u64;
    }
    // Six seconds of nothing: another run, by the clock.
    tile.second_of(9_000, PCM_FRAME);
    let (sound, inits) = tile.heard();
    let moved: Vec<_> = sound.iter().filter(|m| m.is_discontinuity).collect();
    assert_eq!((inits, moved.len()), (0, 1));
    assert_eq!(moved[0].wall_us, (START.0 as i64 + 9_000) * 1000);
    // Half samples cost themselves.
    tile.second_of(10_000, PCM_FRAME - 1);
    tile.second_of(11_000, PCM_FRAME);
    assert!(tile.heard().0.len() >= 10);
}

#[test]
fn sound_that_cannot_be_sent_is_named_once() {
    let mut tile = Tile::of(Camera::with_sound("A_AC3", &[]), Tier::Full);
    tile.feed.set_sound(true);
    tile.second_of_sound(0);
    tile.second_of_sound(1_000);
    assert_eq!(tile.heard(), (vec![], 0));
    assert_eq!(
        (&tile.texts[1]["name"], &tile.texts[1]["codec"]),
        (&Value::from("NoSound"), &Value::Null)
    );
    assert_eq!(tile.told(), ["init-follows", "sound"]);
}

#[test]
fn sound_is_of_the_full_tier_and_of_its_credit() {
    let mut tile = Tile::of(Camera::with_sound("A_AAC", AAC), Tier::Key);
    tile.feed.set_sound(true);
    tile.second_of_sound(0);
    assert_eq!(tile.heard(), (vec![], 0));
    tile.feed.set_tier(Tier::Full);
    tile.second_of_sound(1_000);
    assert_eq!(tile.heard().1, 1);
    tile.feed.set_tier(Tier::Key);
    tile.second_of_sound(2_000);
    tile.feed.set_tier(Tier::Full);
    tile.second_of_sound(3_000);
    let (sound, inits) = tile.heard();
    assert_eq!(inits, 0, "the page has it");
    assert!(sound[0].is_discontinuity && sound[0].wall_us >= (START.0 as i64 + 3_000) * 1000);
    // What is sent in all is no more than the window.
    let mut tile = Tile::of(Camera::with_sound("A_AAC", AAC), Tier::Full);
    tile.feed.set_sound(true);
    tile.camera.begin(START);
    let len = u32::try_from(WINDOW_BYTES / 40).unwrap();
    for index in 0..50 {
        tile.camera.frame(index * 40, index == 0, 100);
        tile.camera.sound(index * 40, len);
        tile.settle();
        tile.pass(80);
    }
    assert!(tile.bytes <= WINDOW_BYTES as usize && tile.bytes > WINDOW_BYTES as usize * 9 / 10);
}
