//! What calls cost in archived-media points (quotas.md §2).

use crate::{ClipLimits, GetDashStreamingSessionUrlRequest, GetHlsStreamingSessionUrlRequest};

/// The points of one call: [`ControlPlane::spend`](crate::ControlPlane::spend).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Of 10,000 a second per stream.
    pub metadata: u32,
    /// Of 500 a second per stream.
    pub media: u32,
}

impl Cost {
    /// GetClip with so many fragments in the clip. Where KVS's clip ends, so does its price: a
    /// longer one costs what 200 fragments do.
    pub fn clip(fragments: usize) -> Self {
        let most = ClipLimits::Kvs.fragments_max().unwrap_or(usize::MAX);
        let points = points(fragments.min(most));
        Self { metadata: points, media: points }
    }

    /// One fetch of the media playlist of a session.
    pub fn hls_media_playlist(session: &GetHlsStreamingSessionUrlRequest) -> Self {
        Self::playlist(session.fragments_max)
    }

    /// One fetch of the manifest of a session.
    pub fn dash_manifest(session: &GetDashStreamingSessionUrlRequest) -> Self {
        Self::playlist(session.fragments_max)
    }

    /// One fetch of a playlist or manifest of at most so many fragments.
    pub fn playlist(fragments_max: u32) -> Self {
        Self { metadata: fragments_max, media: 0 }
    }

    /// GetMP4MediaFragment, GetTSFragment, and our parts and I-frames.
    pub fn media_fragment() -> Self {
        Self { metadata: 0, media: 1 }
    }

    /// GetImages with pages of so many images.
    pub fn images(images_max: usize) -> Self {
        let images = points(images_max);
        Self { metadata: images.saturating_add(400), media: images }
    }

    /// GetCoverage, for each stream: no more than ListFragments for as many entries.
    pub fn coverage(points_max: u32) -> Self {
        Self { metadata: points_max, media: 0 }
    }

    /// GetThumbnails with so many pictures.
    pub fn thumbnails(count: usize) -> Self {
        Self { metadata: points(count), media: points(count) }
    }
}

fn points(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
