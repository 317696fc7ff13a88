//! Sessions over a real store: lists by the rules, segments that tile, and no way out of a session.

#![allow(clippy::unwrap_used, reason = "a world made for tests")]

mod support;

use std::time::Duration;

use http::StatusCode;
use streamkeep_fmp4::reader::read_media_segment;
use streamkeep_media::UnixMillis;
use streamkeep_playback::{
    Axis, ClipLimits, ClipRequest, DiscontinuityMode, Mode, PlaybackError, Protocol,
};
use streamkeep_playlist::check;
use support::{World, now, range, request, stream, uris};

const A: streamkeep_media::StreamId = stream(1);
const B: streamkeep_media::StreamId = stream(2);

/// Ten fragments of 2 s from `start` on; the sixth begins 7 s late.
fn fill(world: &World, id: streamkeep_media::StreamId, start: u64) -> u64 {
    let mut at = start;
    for index in 0..10 {
        let is_late = index == 5;
        at += if is_late { 7_000 } else { 0 };
        world.append(id, UnixMillis(at), 50, index > 0 && !is_late);
        at += 2_000;
    }
    at
}

fn world() -> (World, u64, u64) {
    let world = World::new();
    world.add_stream(A);
    world.add_stream(B);
    let start = now().0 - 60_000;
    let end = fill(&world, A, start);
    fill(&world, B, start);
    (world, start, end)
}

#[tokio::test]
async fn a_range_is_listed_by_the_rules_and_its_segments_tile() {
    let (world, start, end) = world();
    for discontinuity in
        [DiscontinuityMode::Always, DiscontinuityMode::Never, DiscontinuityMode::OnDiscontinuity]
    {
        let wish = support::range(A, start, end);
        let token =
            world.session(&streamkeep_playback::SessionRequest { discontinuity, ..wish }).await;
        let list = world.list(&token).await;
        assert_eq!(check::media_playlists(&[&list]), [], "{list}");
        let tags = list.matches("#EXT-X-DISCONTINUITY\n").count();
        let expected = match discontinuity {
            DiscontinuityMode::Always => 10,
            DiscontinuityMode::Never => 0,
            DiscontinuityMode::OnDiscontinuity => 1,
        };
        assert_eq!(tags, expected, "{list}");
        let mut next = 0;
        for uri in uris(&list) {
            let (status, bytes) = world.get(&uri).await;
            assert_eq!(status, StatusCode::OK);
            let segment = read_media_segment(&bytes).unwrap();
            // Gaps are closed: the next begins where this one ends.
            assert_eq!(segment.base_media_decode_time, next);
            assert_eq!(segment.earliest_presentation_time(), i64::try_from(next).unwrap());
            assert!(segment.only_first_is_sync());
            next = segment.end_decode_time().unwrap();
            assert_eq!(world.get(&uri).await.1, bytes, "the same bytes for ever");
        }
        assert_eq!(next, 20 * 90_000);
    }
}

#[tokio::test]
async fn an_expired_session_reads_nothing() {
    let (world, start, end) = world();
    let token = world.session(&range(A, start, end)).await;
    let master = format!("/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken={token}");
    let list = world.list(&token).await;
    let mut paths = uris(&list);
    paths.push(master);
    // Its segments are in the caches: that must not matter.
    for (seconds, expected) in
        [(0, StatusCode::OK), (298, StatusCode::OK), (4, StatusCode::FORBIDDEN)]
    {
        world.clock.put_forward(Duration::from_secs(seconds));
        for path in paths.iter().chain(&paths) {
            assert_eq!(world.get(path).await.0, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn a_live_list_grows_at_the_end_and_is_consistent_over_reloads() {
    let world = World::new();
    world.add_stream(A);
    let start = now().0 - 10_000;
    for index in 0..3_u64 {
        world.append(A, UnixMillis(start + index * 2_000), 50, index > 0);
    }
    let token = world.session(&request(A, Mode::Live)).await;
    let mut series = vec![world.list(&token).await];
    for index in 3..14_u64 {
        // A restart of the camera in between.
        let gap = if index >= 8 { 5_000 } else { 0 };
        world.append(A, UnixMillis(start + index * 2_000 + gap), 50, index != 8);
        series.push(world.list(&token).await);
    }
    let texts: Vec<&str> = series.iter().map(String::as_str).collect();
    // A window of 5 is the published default; Apple advises 6.
    let mut findings = check::media_playlists(&texts);
    findings.retain(|finding| finding.level == check::Level::Must);
    assert_eq!(findings, []);
    let last = series.last().unwrap();
    assert!(last.contains("#EXT-X-MEDIA-SEQUENCE:9\n"), "{last}");
    assert!(last.contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), "{last}");
    assert!(!last.contains("#EXT-X-ENDLIST"));
    assert_eq!(uris(last).len(), 5);
}

#[tokio::test]
async fn dash_numbers_lead_to_the_segments_of_the_manifest() {
    let (world, start, end) = world();
    let wish = streamkeep_playback::SessionRequest {
        protocol: Protocol::Dash,
        display_timestamp: true,
        display_number: true,
        ..range(A, start, end)
    };
    let token = world.session(&wish).await;
    let mpd = world.text(&format!("/dash/v1/getDASHManifest.mpd?SessionToken={token}")).await;
    assert_eq!(check::mpds(&[&mpd]), [], "{mpd}");
    assert_eq!(mpd.matches("<S ").count(), 10);
    for number in 1..=10_u64 {
        let path = format!(
            "/dash/v1/getMP4MediaFragment.mp4?Number={number}&SessionToken={token}&TrackNumber=1"
        );
        let (status, bytes) = world.get(&path).await;
        assert_eq!(status, StatusCode::OK);
        let segment = read_media_segment(&bytes).unwrap();
        assert_eq!(segment.base_media_decode_time, (number - 1) * 180_000);
    }
    for number in [0, 11, u64::MAX] {
        let path = format!("/dash/v1/getMP4MediaFragment.mp4?Number={number}&SessionToken={token}");
        assert_eq!(world.get(&path).await.0, StatusCode::NOT_FOUND, "{number}");
    }
}

#[tokio::test]
async fn a_session_gives_nothing_but_its_own() {
    let (world, start, end) = world();
    // The first five fragments of A only.
    let token = world.session(&range(A, start, start + 9_000)).await;
    let inside = uris(&world.list(&token).await);
    assert_eq!(inside.len(), 5);
    let whole = world.session(&range(A, start, end)).await;
    let others = uris(&world.list(&whole).await);
    let of_b = world.session(&range(B, start, end)).await;
    let foreign = uris(&world.list(&of_b).await);
    let with_own_token = |uri: &str, theirs: &str| uri.replace(theirs, &token);
    for uri in &inside {
        assert_eq!(world.get(uri).await.0, StatusCode::OK);
    }
    // Fetched before with a token that may have it, so it lies in the caches.
    assert_eq!(world.get(&others[7]).await.0, StatusCode::OK);
    let stolen = with_own_token(&others[7], &whole);
    assert_eq!(world.get(&stolen).await.0, StatusCode::NOT_FOUND, "outside the range");
    assert_eq!(world.get(&foreign[0]).await.0, StatusCode::OK);
    let stolen = with_own_token(&foreign[0], &of_b);
    assert_eq!(world.get(&stolen).await.0, StatusCode::NOT_FOUND, "another stream");

    let forged = inside[0].replace(&token, &format!("A{}", &token[1..token.len() - 2]));
    assert_eq!(world.get(&forged).await.0, StatusCode::FORBIDDEN);
    assert_eq!(world.get("/hls/v1/getHLSMasterPlaylist.m3u8").await.0, StatusCode::FORBIDDEN);
    let crossed = format!("/dash/v1/getDASHManifest.mpd?SessionToken={token}");
    assert_eq!(world.get(&crossed).await.0, StatusCode::FORBIDDEN, "of another protocol");
    for path in ["/hls/v1/../x", "/hls/v1/", "/hls/v2/getHLSMasterPlaylist.m3u8"] {
        let path = format!("{path}?SessionToken={token}");
        assert_eq!(world.get(&path).await.0, StatusCode::NOT_FOUND, "{path}");
    }

    world.remove_stream(A);
    for uri in &inside {
        assert_eq!(world.get(uri).await.0, StatusCode::NOT_FOUND, "the stream was deleted");
    }
}

#[tokio::test]
async fn nothing_to_play_is_said() {
    let (world, start, end) = world();
    let refused = |request| {
        let service = world.service.clone();
        async move { service.create_session(&request).await }
    };
    let empty = refused(range(A, start - 100_000, start - 1)).await;
    assert!(matches!(empty, Err(PlaybackError::NotFound(_))), "{empty:?}");
    let ts =
        streamkeep_playback::SessionRequest { protocol: Protocol::HlsTs, ..range(A, start, end) };
    assert!(refused(ts).await.is_ok());
    world.add_stream(stream(3));
    let live = refused(request(stream(3), Mode::Live)).await;
    assert!(matches!(live, Err(PlaybackError::NotFound(_))), "{live:?}");
}

#[tokio::test]
async fn clips_are_whole_files_and_exact_where_asked() {
    use futures_util::StreamExt as _;
    let (world, start, end) = world();
    let wish = |exact, from, to| ClipRequest {
        stream: A,
        axis: Axis::Producer,
        from: UnixMillis(from),
        to: UnixMillis(to),
        limits: ClipLimits::None,
        exact,
    };
    for (exact, from, to, fragments) in [
        (false, start, end, 10),
        (false, start + 1, start + 8_000, 4),
        (true, start + 1_000, start + 5_000, 3),
    ] {
        let clip = world.service.clip(wish(exact, from, to)).await.unwrap();
        assert_eq!(clip.fragments, fragments);
        let len = clip.len;
        let pieces: Vec<_> = clip.body.collect().await;
        let file: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap()).collect();
        assert_eq!(file.len() as u64, len);
        let movie = streamkeep_fmp4::reader::read_movie(&file, len).unwrap();
        assert_eq!(movie.tracks.len(), 1);
        assert_eq!(movie.tracks[0].samples.len(), fragments * 50);
    }
    let none = world.service.clip(wish(false, end + 1, end + 2)).await;
    assert!(matches!(none, Err(PlaybackError::NotFound(_))));
}
