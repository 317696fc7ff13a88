//! Storing, finding and reading, without anything going wrong.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use streamkeep_engine::{AppendRefused, Health, PageKey, RowQuery, RowRange, StoreError, TimeAxis};
use streamkeep_media::{FragmentNumber, UnixMillis};

use support::*;

#[test]
fn stored_and_found_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_local(dir.path(), 1, |_| {});
    engine.put_stream(config(stream(1), 24));
    let sent: Vec<_> = (0..50).map(|seed| put(&engine, stream(1), seed, 250_000)).collect();
    for (fragment, outcome) in &sent {
        assert_eq!(outcome.wait().unwrap().number, fragment.number);
        assert_stored(&engine, stream(1), fragment);
    }
    let stats = engine.stats();
    assert_eq!((stats.fragments, stats.media_bytes, stats.queued_bytes), (50, 12_500_000, 0));
    assert!(
        stats.batches >= 1 && stats.batches <= 50 && stats.sync_latency.count() == stats.batches
    );
    assert_eq!(engine.health(), Health::Ok);
    engine.close();
    assert!(matches!(
        try_append(&engine, stream(1), sent[0].0.clone()),
        Err(AppendRefused::Closed)
    ));

    let engine = open_local(dir.path(), 2, |_| {});
    engine.put_stream(config(stream(1), 24));
    assert_eq!(engine.recovery().walked, 0, "a clean close leaves sealed volumes");
    let expected: Vec<_> = sent.iter().map(|(fragment, _)| fragment.number).collect();
    assert_eq!(numbers(&all_rows(&engine, stream(1))), expected);
    for (fragment, _) in &sent {
        assert_stored(&engine, stream(1), fragment);
    }
    engine.close();
}

#[test]
fn kill_and_reopen_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_local(dir.path(), 1, |options| options.volume_len = 1 << 20);
    engine.put_stream(config(stream(1), 24));
    let sent: Vec<_> = (0..40).map(|seed| put(&engine, stream(1), seed, 100_000)).collect();
    sent.iter().for_each(|(_, outcome)| assert!(outcome.wait().is_ok()));
    // A copy of the directory is what a killed process leaves.
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("volumes")).unwrap();
    for file in std::fs::read_dir(dir.path().join("volumes")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join("volumes").join(file.file_name())).unwrap();
    }
    let again = open_local(copy.path(), 2, |_| {});
    again.put_stream(config(stream(1), 24));
    for (fragment, _) in &sent {
        assert_stored(&again, stream(1), fragment);
    }
    again.close();
    engine.close();
}

#[test]
fn two_engines_on_one_directory_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_local(dir.path(), 1, |_| {});
    let root = streamkeep_io::LocalDirectory::open(dir.path()).unwrap();
    let host = streamkeep_engine::Host::current();
    assert!(matches!(
        streamkeep_engine::StoreLock::acquire(&root, &host),
        Err(StoreError::Locked { .. })
    ));
    engine.close();
    drop(streamkeep_engine::StoreLock::acquire(&root, &host).unwrap());
}

#[test]
fn completions_come_in_order_of_the_calls() {
    let mut store = SimStore::new(1).with_streams(3, 24);
    let engine = store.open();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    for turn in 0..30_u64 {
        let id = stream((turn % 3) as u8);
        let (number, server) = engine.begin_fragment(id).unwrap();
        let order = order.clone();
        let done = Box::new(move |result: Result<_, _>| {
            assert!(result.is_ok());
            order.lock().unwrap().push(turn);
        });
        engine.append(id, fragment(number, server, turn, 1_000), done).unwrap();
    }
    assert!(order.lock().unwrap().is_empty(), "nothing is acknowledged before it is durable");
    assert!(engine.drive());
    assert_eq!(*order.lock().unwrap(), (0..30).collect::<Vec<_>>());
    assert_eq!(engine.stats().syncs, 2, "one for the volume header, one for the batch");
}

#[test]
fn many_threads_many_streams() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_local(dir.path(), 1, |options| options.lanes = Some(3));
    let completed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for index in 0..6 {
            let (engine, completed) = (&engine, &completed);
            scope.spawn(move || {
                let id = stream(index);
                engine.put_stream(config(id, 24));
                for seed in 0..30 {
                    let (fragment, outcome) = put(engine, id, seed, 20_000);
                    assert_eq!(outcome.wait().unwrap().number, fragment.number);
                    assert_stored(engine, id, &fragment);
                    completed.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(completed.load(Ordering::SeqCst), 180);
    engine.close();
}

#[test]
fn rows_over_many_volumes_in_pages() {
    let mut store = SimStore::new(2).with_streams(2, 24);
    store.options.volume_len = 20_000;
    let engine = store.open();
    let mut sent = Vec::new();
    for turn in 0..60_u64 {
        store.clock.advance(Duration::from_secs(2));
        let (number, server) = engine.begin_fragment(stream(0)).unwrap();
        // Producer time runs backwards in every group of five, and has gaps.
        let producer = UnixMillis(server.0 - 1_000_000 + turn / 5 * 70_000 - turn % 5 * 9_000);
        let fragment = fragment(number, producer, turn, 3_000);
        try_append(&engine, stream(0), fragment.clone()).unwrap();
        put(&engine, stream(1), turn, 3_000);
        sent.push(fragment);
        if turn.is_multiple_of(3) {
            engine.drive();
        }
    }
    engine.drive();
    assert!(engine.stats().volumes_sealed > 10, "{:?}", engine.stats());

    let mut by_producer = sent.clone();
    by_producer.sort_by_key(|fragment| (fragment.producer_timestamp, fragment.number));
    let whole = [
        (RowRange::Number(FragmentNumber::MIN..=FragmentNumber::MAX), &sent),
        (RowRange::Server(UnixMillis(0)..=UnixMillis(u64::MAX)), &sent),
        (RowRange::Producer(UnixMillis(0)..=UnixMillis(u64::MAX)), &by_producer),
    ];
    for (range, expected) in whole {
        let expected: Vec<_> = expected.iter().map(|fragment| fragment.number).collect();
        for limit in [1, 7, 60, 61] {
            let mut found = Vec::new();
            let mut after = None;
            loop {
                let query = RowQuery { range: range.clone(), after, limit };
                let page = engine.rows(stream(0), &query).unwrap();
                after = page.last().map(|row| PageKey::of(row, &range));
                found.extend(numbers(&page));
                if page.len() < limit {
                    break;
                }
            }
            assert_eq!(found, expected, "{range:?} by {limit}");
        }
    }

    // Every range between two fragments' keys, ends included.
    for first in (0..60).step_by(7) {
        for last in (first..60).step_by(9) {
            let expected: Vec<_> = sent[first..=last].iter().map(|f| f.number).collect();
            let range = RowRange::Number(sent[first].number..=sent[last].number);
            assert_eq!(numbers(&rows(&engine, stream(0), range)), expected);
            let range =
                RowRange::Server(sent[first].server_timestamp..=sent[last].server_timestamp);
            assert_eq!(numbers(&rows(&engine, stream(0), range)), expected);
            let range =
                by_producer[first].producer_timestamp..=by_producer[last].producer_timestamp;
            let expected: Vec<_> = by_producer
                .iter()
                .filter(|fragment| range.contains(&fragment.producer_timestamp))
                .map(|fragment| fragment.number)
                .collect();
            assert_eq!(numbers(&rows(&engine, stream(0), RowRange::Producer(range))), expected);
        }
    }

    assert_eq!(engine.first_row(stream(0)).unwrap().unwrap().number, sent[0].number);
    assert_eq!(engine.last_row(stream(0)).unwrap().unwrap().number, sent[59].number);
    for pair in sent.windows(2) {
        let next = engine.next_row(stream(0), pair[0].number).unwrap().unwrap();
        assert_eq!(next.number, pair[1].number);
        assert_eq!(engine.row(stream(0), pair[0].number).unwrap().unwrap().number, pair[0].number);
    }
    assert_eq!(engine.next_row(stream(0), sent[59].number).unwrap(), None);
    assert_eq!(engine.row(stream(0), sent[59].number.next()).unwrap(), None);
    for fragment in &sent {
        assert_stored(&engine, stream(0), fragment);
    }
}

/// Runs of more rows than are read at once: pages that start, end and turn anywhere.
#[test]
fn rows_of_long_runs() {
    let mut store = SimStore::new(7).with_streams(1, 24);
    store.options.volume_len = 1 << 20;
    let engine = store.open();
    let mut sent = Vec::new();
    for turn in 0..1_500_u64 {
        store.clock.advance(Duration::from_millis(500));
        let (number, server) = engine.begin_fragment(stream(0)).unwrap();
        // Runs of forty go backwards.
        let producer = UnixMillis(server.0 - 100_000 + (39 - turn % 40) * 900);
        let fragment = fragment(number, producer, turn, 10);
        try_append(&engine, stream(0), fragment.clone()).unwrap();
        sent.push((producer, number));
        if turn % 50 == 49 {
            engine.drive();
        }
    }
    engine.close();
    let engine = store.open();
    assert_eq!(engine.recovery().walked, 0);
    assert!(engine.recovery().sealed < 5, "long runs");
    let numbers_sent: Vec<_> = sent.iter().map(|(_, number)| *number).collect();
    let mut by_producer = sent.clone();
    by_producer.sort();
    for first in (0..1_500).step_by(61) {
        let last = (first + 700).min(1_499);
        let range = RowRange::Number(numbers_sent[first]..=numbers_sent[last]);
        assert_eq!(numbers(&rows(&engine, stream(0), range)), numbers_sent[first..=last]);
        let range = by_producer[first].0..=by_producer[last].0;
        let expected: Vec<_> = by_producer
            .iter()
            .filter(|(producer, _)| range.contains(producer))
            .map(|(_, number)| *number)
            .collect();
        assert_eq!(numbers(&rows(&engine, stream(0), RowRange::Producer(range))), expected);
    }
    assert_eq!(engine.last_row(stream(0)).unwrap().unwrap().number, numbers_sent[1_499]);
    let row = engine.row(stream(0), numbers_sent[300]).unwrap().unwrap();
    assert_eq!(row.counters.ordinal, 300);
}

#[test]
fn containing_or_next() {
    let mut store = SimStore::new(3).with_streams(1, 24);
    let engine = store.open();
    store.clock.advance(Duration::from_secs(100));
    let mut sent = Vec::new();
    // 2 s each; a gap of 8 s between the second and the third.
    for producer in [10_000, 12_000, 22_000] {
        store.clock.advance(Duration::from_secs(2));
        let (number, _) = engine.begin_fragment(stream(0)).unwrap();
        let fragment = fragment(number, UnixMillis(START.0 + producer), producer, 1_000);
        try_append(&engine, stream(0), fragment).unwrap();
        sent.push(number);
    }
    engine.drive();
    for (at, expected) in [
        (0, Some(0)),
        (10_000, Some(0)),
        (11_999, Some(0)),
        (12_000, Some(1)),
        (13_999, Some(1)),
        (14_000, Some(2)),
        (22_000, Some(2)),
        (23_999, Some(2)),
        (24_000, None),
    ] {
        let at = UnixMillis(START.0 + at);
        let found = engine.containing(stream(0), TimeAxis::Producer, at).unwrap();
        assert_eq!(found.map(|row| row.number), expected.map(|index: usize| sent[index]), "{at}");
    }
}

#[test]
fn running_counters_go_on_over_restarts() {
    let mut store = SimStore::new(4).with_streams(1, 24);
    store.options.volume_len = 20_000;
    let mut expected_ordinal = 0;
    for life in 0..4_u64 {
        let engine = store.open();
        for turn in 0..10_u64 {
            store.clock.advance(Duration::from_secs(2));
            let (number, server) = engine.begin_fragment(stream(0)).unwrap();
            let mut fragment = fragment(number, server, life * 100 + turn, 3_000);
            fragment.continues_previous = turn != 0;
            fragment.starts_with_key = turn.is_multiple_of(2);
            if turn >= 5 {
                fragment.header = header(b"other codec");
            }
            try_append(&engine, stream(0), fragment).unwrap();
            engine.drive();
            let row = engine.last_row(stream(0)).unwrap().unwrap();
            assert_eq!(row.number, number);
            let counters = row.counters;
            assert_eq!(counters.ordinal, expected_ordinal);
            assert_eq!(counters.cumulative_duration_ms, expected_ordinal * 2_000);
            assert_eq!(u64::from(counters.discontinuities), life + 1);
            // A new session after each start, and another codec in the middle of it.
            assert_eq!(u64::from(counters.description_version), life * 2 + u64::from(turn >= 5));
            let key = counters.last_key_number.expect("the first has a key frame");
            assert_eq!(key == number, turn.is_multiple_of(2));
            assert!(key <= number);
            expected_ordinal += 1;
        }
        if life.is_multiple_of(2) {
            engine.close();
        }
        drop(engine);
    }
}

#[test]
fn back_pressure() {
    let mut store = SimStore::new(5).with_streams(1, 24);
    store.options.lane_queue_len_max = 100_000;
    let engine = store.open();
    let woken = Arc::new(AtomicUsize::new(0));
    let mut outcomes = Vec::new();
    while engine.has_room(stream(0)) {
        outcomes.push(put(&engine, stream(0), outcomes.len() as u64, 10_000).1);
    }
    assert!((7..=8).contains(&outcomes.len()), "three quarters of the budget");
    let counter = woken.clone();
    engine.when_room(
        stream(0),
        Box::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        }),
    );
    assert_eq!(woken.load(Ordering::SeqCst), 0);
    let (number, server) = engine.begin_fragment(stream(0)).unwrap();
    let overload = loop {
        match try_append(&engine, stream(0), fragment(number, server, 99, 10_000)) {
            Ok(outcome) => outcomes.push(outcome),
            Err(refusal) => break refusal,
        }
    };
    assert!(matches!(overload, AppendRefused::Overloaded), "{overload:?}");
    assert!(engine.stats().queued_bytes <= 100_000);
    engine.drive();
    assert!(engine.has_room(stream(0)));
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    assert!(outcomes.iter().all(|outcome| outcome.get().is_some_and(|result| result.is_ok())));
    // With an empty queue a fragment larger than the budget is still taken.
    let (_, outcome) = put(&engine, stream(0), 100, 300_000);
    engine.drive();
    outcome.appended();
}

#[test]
fn flush_waits_for_what_was_queued() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_local(dir.path(), 1, |_| {});
    engine.put_stream(config(stream(1), 24));
    let sent: Vec<_> = (0..20).map(|seed| put(&engine, stream(1), seed, 50_000)).collect();
    engine.flush();
    assert!(sent.iter().all(|(_, outcome)| outcome.get().is_some()));
    engine.close();
    engine.close();
    engine.flush();
}

#[test]
fn unknown_and_deleted_streams() {
    let mut store = SimStore::new(6).with_streams(1, 24);
    let engine = store.open();
    let (sent, _) = put(&engine, stream(0), 1, 1_000);
    engine.drive();
    let (_, queued) = put(&engine, stream(0), 2, 1_000);
    let row = engine.row(stream(0), sent.number).unwrap().unwrap();
    engine.delete_stream(stream(0));
    assert!(matches!(engine.read_row(stream(0), &row), Err(StoreError::StreamGone(_))));
    assert!(matches!(engine.begin_fragment(stream(0)), Err(StoreError::StreamGone(_))));
    assert!(matches!(try_append(&engine, stream(0), sent.clone()), Err(AppendRefused::StreamGone)));
    engine.drive();
    assert!(matches!(queued.get(), Some(Err(StoreError::StreamGone(_)))));
    assert!(matches!(engine.read(stream(9), sent.number), Err(StoreError::StreamGone(_))));
}
