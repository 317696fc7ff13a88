use streamkeep_media::{StreamId, UnixMillis};

use super::buckets::{CallRates, PointKind, Points, SessionRates};
use super::*;
use crate::{Exception, Operation, PlaybackPath};

const CAM: StreamId = StreamId([1; 16]);
const OTHER: StreamId = StreamId([2; 16]);

fn at(ms: u64) -> UnixMillis {
    UnixMillis(1_795_166_000_000 + ms)
}

#[test]
fn call_rates_per_stream() {
    let rates = CallRates::new();
    let call = |stream, ms| rates.call_on(Operation::DescribeStream, stream, at(ms)).is_ok();
    // 5 at once, then one every 200 ms.
    for _ in 0..5 {
        assert!(call(CAM, 0));
    }
    assert!(!call(CAM, 0) && !call(CAM, 199));
    assert!(call(CAM, 200) && !call(CAM, 200));
    assert!(call(OTHER, 200), "another stream has its own");
    assert!(rates.call_on(Operation::GetDataEndpoint, CAM, at(200)).is_ok(), "so has another call");
    let error = rates.call_on(Operation::DescribeStream, CAM, at(200)).unwrap_err();
    assert_eq!(error.exception(), Exception::ClientLimitExceeded);
}

#[test]
fn call_rates_per_account() {
    let rates = CallRates::new();
    let call = |account, ms| rates.call(Operation::CreateStream, account, at(ms)).is_ok();
    for _ in 0..50 {
        assert!(call("111122223333", 0));
    }
    assert!(!call("111122223333", 19) && call("111122223333", 20));
    assert!(call("000000000000", 0));
    // No number, no limit.
    for _ in 0..1000 {
        assert!(rates.call(Operation::ListFragments, "000000000000", at(0)).is_ok());
        assert!(rates.call_on(Operation::ListStreams, CAM, at(0)).is_ok());
    }
}

#[test]
fn a_clock_set_back_stops_nobody_for_long() {
    let rates = CallRates::new();
    let call = |ms| rates.call_on(Operation::DescribeStream, CAM, at(ms)).is_ok();
    while call(3_600_000) {}
    assert!(!call(0), "nothing is won by setting the clock back");
    assert!(call(200), "and filling goes on from there");
}

#[test]
fn idle_callers_are_forgotten() {
    let rates = CallRates::new();
    for n in 0..=255 {
        rates.call_on(Operation::DescribeStream, StreamId([n; 16]), at(0)).unwrap();
    }
    assert_eq!(rates.remembered(), 256);
    rates.call_on(Operation::DescribeStream, CAM, at(20_000)).unwrap();
    assert_eq!(rates.remembered(), 1);
}

#[test]
fn points() {
    let points = Points::new();
    let spend = |cost, ms| points.spend(PointKind::Media, CAM, cost, at(ms)).is_ok();
    // 1,000 fragments are two seconds' worth: given at once, then owed.
    assert!(spend(1000, 0));
    assert!(!spend(1, 1000) && spend(1, 1002));
    assert!(points.spend(PointKind::Media, OTHER, 500, at(0)).is_ok());
    assert!(points.spend(PointKind::Metadata, CAM, 1000, at(0)).is_ok());
    let mut calls = 0;
    while points.spend(PointKind::Metadata, OTHER, 1000, at(0)).is_ok() {
        calls += 1;
    }
    assert_eq!(calls, 10);
}

/// quotas.md §2, second and third table.
#[test]
fn costs() {
    for (cost, metadata, media) in [
        (Cost::clip(7), 7, 7),
        (Cost::clip(200), 200, 200),
        (Cost::clip(usize::MAX), 200, 200),
        (Cost::playlist(5000), 5000, 0),
        (Cost::media_fragment(), 0, 1),
        (Cost::images(25), 425, 25),
        (Cost::images(usize::MAX), u32::MAX, u32::MAX),
        (Cost::thumbnails(100), 100, 100),
        (Cost::coverage(1000), 1000, 0),
    ] {
        assert_eq!(cost, Cost { metadata, media });
    }
}

#[test]
fn session_rates() {
    let rates = SessionRates::new();
    let call = |path, session, ms| rates.call(path, [session; 16], at(ms)).is_ok();
    for (path, rate) in [(PlaybackPath::HlsMediaPlaylist, 5), (PlaybackPath::DashMediaFragment, 20)]
    {
        assert_eq!(path.calls_per_second(), rate);
        for _ in 0..rate {
            assert!(call(path, 1, 0), "{path:?}");
        }
        assert!(!call(path, 1, 0) && call(path, 2, 0) && call(path, 1, 1000), "{path:?}");
    }
    assert!(call(PlaybackPath::HlsMasterPlaylist, 1, 0), "each path has its own");
}

#[test]
fn kvs_connections() {
    let connections = Connections::new(Quotas::Kvs.limits().connections);
    let first = connections.open(ConnectionKind::PutMedia, CAM).unwrap();
    assert!(!first.superseded());
    // Token rotation: the next session opens before the old one has its last acks.
    let second = connections.open(ConnectionKind::PutMedia, CAM).unwrap();
    assert!(first.superseded() && !second.superseded());
    let third = connections.open(ConnectionKind::PutMedia, CAM);
    assert_eq!(third.err().unwrap().exception(), Exception::ConnectionLimitExceeded);
    let elsewhere = connections.open(ConnectionKind::PutMedia, OTHER).unwrap();
    drop(first);
    let third = connections.open(ConnectionKind::PutMedia, CAM).unwrap();
    assert!(second.superseded() && !third.superseded());
    drop((second, third));
    assert_eq!(connections.count(ConnectionKind::PutMedia, CAM), 0);
    assert_eq!(connections.count(ConnectionKind::PutMedia, OTHER), 1);
    drop(elsewhere);

    for (kind, limit) in
        [(ConnectionKind::GetMedia, 3), (ConnectionKind::GetMediaForFragmentList, 5)]
    {
        let held: Vec<_> = (0..limit).map(|_| connections.open(kind, CAM).unwrap()).collect();
        assert!(connections.open(kind, CAM).is_err(), "{kind:?}");
        assert!(held.iter().all(|permit| !permit.superseded()));
        drop(held);
        assert!(connections.open(kind, CAM).is_ok(), "{kind:?}");
    }
}

#[test]
fn other_quotas() {
    let connections = Connections::new(Quotas::Off.limits().connections);
    let held: Vec<_> =
        (0..1000).map(|_| connections.open(ConnectionKind::PutMedia, CAM).unwrap()).collect();
    assert!(held.iter().all(|permit| !permit.superseded()));

    for (name, wanted) in [
        ("protective", Some(Quotas::Protective)),
        ("kvs", Some(Quotas::Kvs)),
        ("off", Some(Quotas::Off)),
        ("KVS", None),
        ("", None),
    ] {
        assert_eq!(Quotas::from_name(name), wanted, "{name}");
    }
    for quotas in [Quotas::Protective, Quotas::Kvs, Quotas::Off] {
        // What the store's formats hold: 32-bit offsets, tracks in a byte.
        let ingest = quotas.limits().ingest;
        assert!(ingest.fragment_bytes_max <= 50 * 1024 * 1024 && ingest.tracks_max <= 32);
    }
}
