//! Fragments that are sent again.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use streamkeep_engine::Engine;
use streamkeep_io::sim::{Effect, Fault, IoFault, OpKind};
use streamkeep_media::{Fragment, FrameFlags, StreamId, UnixMillis};

use support::*;

/// The same fragment under a new number, as a camera sends it after it lost its connection.
fn again(engine: &Engine, id: StreamId, sent: &Fragment) -> Fragment {
    let (number, server) = engine.begin_fragment(id).unwrap();
    Fragment { number, server_timestamp: server, ..sent.clone() }
}

fn store() -> SimStore {
    let mut store = SimStore::new(1).with_streams(2, 24);
    store.options.volume_len = 32 << 10;
    store
}

#[test]
fn a_repeated_fragment_gets_the_first_number() {
    let mut store = store();
    let engine = store.open();
    let (sent, first) = put(&engine, stream(0), 1, 2_000);
    engine.drive();
    let second = try_append(&engine, stream(0), again(&engine, stream(0), &sent)).unwrap();
    engine.drive();
    assert!(!first.appended().duplicate);
    assert!(second.appended().duplicate);
    assert_eq!(second.appended().number, sent.number);
    assert_eq!(all_rows(&engine, stream(0)).len(), 1);
    assert_eq!((engine.stats().duplicates, engine.stats().fragments), (1, 1));
}

/// What makes two fragments the same is what the camera recorded, not how it was packed.
#[test]
fn what_is_the_same_and_what_is_not() {
    let mut store = store();
    let engine = store.open();
    let (sent, _) = put(&engine, stream(0), 1, 2_000);
    put(&engine, stream(1), 9, 2_000);
    engine.drive();
    let check = |change: &dyn Fn(&mut Fragment), is_same: bool, what: &str| {
        let mut again = again(&engine, stream(0), &sent);
        change(&mut again);
        let outcome = try_append(&engine, stream(0), again).unwrap();
        engine.drive();
        assert_eq!(outcome.appended().duplicate, is_same, "{what}");
    };
    check(&|_| {}, true, "nothing changed");
    check(&|again| again.media = vec![media_of(again).into()], true, "other pieces");
    check(
        &|again| {
            let media = media_of(again);
            again.media = vec![[&[0; 100][..], &media].concat().into()];
            again.frames.iter_mut().for_each(|frame| frame.offset += 100);
        },
        true,
        "muxed anew, with other elements before the frames",
    );
    check(&|again| again.tags.clear(), true, "other tags");
    check(&|again| again.header = header(b"other"), true, "another session header");
    check(&|again| again.frames[1].flags = FrameFlags::default(), true, "other flags");
    check(&|again| again.frames[1].pts_ticks += 1, false, "another time");
    check(&|again| again.frames[2].len -= 1, false, "a shorter frame");
    check(
        &|again| {
            again.frames.pop();
        },
        false,
        "a frame less",
    );
    check(
        &|again| again.producer_timestamp = UnixMillis(again.producer_timestamp.0 + 1),
        false,
        "another producer timestamp",
    );
    check(
        &|again| {
            let mut media = media_of(again);
            media[5] ^= 1;
            again.media = vec![media.into()];
        },
        false,
        "other bytes",
    );
    // The same content on another stream is another fragment.
    let (number, server) = engine.begin_fragment(stream(1)).unwrap();
    let other = Fragment { number, server_timestamp: server, ..sent.clone() };
    let outcome = try_append(&engine, stream(1), other).unwrap();
    engine.drive();
    assert!(!outcome.appended().duplicate);
}

#[test]
fn newest_of_one_producer_timestamp_is_stored_beside_the_others() {
    let mut store = store();
    let engine = store.open();
    let (sent, _) = put(&engine, stream(0), 1, 2_000);
    engine.drive();
    let (number, _) = engine.begin_fragment(stream(0)).unwrap();
    let other = fragment(number, sent.producer_timestamp, 2, 2_000);
    let outcome = try_append(&engine, stream(0), other.clone()).unwrap();
    engine.drive();
    assert!(!outcome.appended().duplicate);
    assert_stored(&engine, stream(0), &sent);
    assert_stored(&engine, stream(0), &other);
}

/// The first copy is still queued: the second waits for it.
#[test]
fn a_repeat_is_answered_after_its_first_copy() {
    let mut store = store();
    let engine = store.open();
    let order = Arc::new(Mutex::new(Vec::new()));
    let (number, server) = engine.begin_fragment(stream(0)).unwrap();
    let sent = fragment(number, server, 1, 2_000);
    for name in ["first", "second"] {
        let order = order.clone();
        let fragment = again(&engine, stream(0), &sent);
        let done = Box::new(move |result: Result<streamkeep_engine::Appended, _>| {
            order.lock().unwrap().push((name, result.unwrap().duplicate));
        });
        engine.append(stream(0), fragment, done).unwrap();
    }
    assert!(order.lock().unwrap().is_empty());
    engine.drive();
    assert_eq!(*order.lock().unwrap(), [("first", false), ("second", true)]);
}

/// The first copy is lost: a repeat must not be answered with its number.
#[test]
fn a_repeat_of_a_lost_copy_fails_and_can_be_sent_again() {
    let mut store = store();
    let engine = store.open();
    store.disk.inject(Fault { times: 2, ..Fault::every(OpKind::Sync, Effect::Fail(IoFault::Io)) });
    let (sent, first) = put(&engine, stream(0), 1, 2_000);
    let second = try_append(&engine, stream(0), again(&engine, stream(0), &sent)).unwrap();
    engine.drive();
    assert!(first.get().unwrap().is_err());
    assert!(second.get().unwrap().is_err());
    store.clock.advance(Duration::from_secs(10));
    engine.drive();
    let third = again(&engine, stream(0), &sent);
    let outcome = try_append(&engine, stream(0), third.clone()).unwrap();
    engine.drive();
    assert!(!outcome.appended().duplicate);
    assert_stored(&engine, stream(0), &third);
}

/// After ten minutes, after a restart and after sealing, the index finds the first copy.
#[test]
fn the_index_remembers_longer_than_memory() {
    let mut store = store();
    let engine = store.open();
    let mut sent = Vec::new();
    for seed in 0..40 {
        store.clock.advance(Duration::from_secs(2));
        sent.push(put(&engine, stream(0), seed, 2_000).0);
        engine.drive();
    }
    assert!(engine.stats().volumes_sealed > 1);
    store.clock.advance(Duration::from_secs(3_000));
    sent.push(put(&engine, stream(0), 100, 2_000).0);
    engine.drive();
    let check = |engine: &Engine| {
        for sent in [&sent[0], &sent[20], &sent[39], &sent[40]] {
            let outcome = try_append(engine, stream(0), again(engine, stream(0), sent)).unwrap();
            engine.drive();
            assert_eq!(outcome.appended().number, sent.number);
            assert!(outcome.appended().duplicate);
        }
    };
    check(&engine);
    drop(engine);
    let engine = store.open();
    check(&engine);
    engine.close();
    drop(engine);
    let engine = store.open();
    check(&engine);
    assert_eq!(all_rows(&engine, stream(0)).len(), 41);
    // And a new one is not mistaken for an old one.
    store.clock.advance(Duration::from_secs(2));
    let (_, outcome) = put(&engine, stream(0), 200, 2_000);
    engine.drive();
    assert!(!outcome.appended().duplicate);
}

/// A first copy that is damaged is no copy.
#[test]
fn a_damaged_first_copy_is_stored_again() {
    let mut store = store();
    let engine = store.open();
    let (sent, _) = put(&engine, stream(0), 1, 2_000);
    engine.drive();
    let row = engine.row(stream(0), sent.number).unwrap().unwrap();
    drop(engine);
    let meta = row.location.offset + 320 + 20;
    store.disk.flip_bit("volumes", "0000000000000001.vol", meta * 8);
    let engine = store.open();
    let second = again(&engine, stream(0), &sent);
    let outcome = try_append(&engine, stream(0), second.clone()).unwrap();
    engine.drive();
    assert!(!outcome.appended().duplicate);
    assert_stored(&engine, stream(0), &second);
}
