//! Whether a camera plays: what a player would ask for, fetched and looked at.

use std::fmt;

use bytes::Bytes;
use streamkeep_client::media::{FragmentInfo, TimestampAxis};
use streamkeep_client::playback::{
    Clip, ClipCut, ClipLimits, ClipOptions, ImageFormat, ImageSelection, Images, Playlist,
};
use streamkeep_client::{Client, Url};
use streamkeep_media::UnixMillis;

use super::watch;

/// What was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Played {
    segment_len: usize,
    clip_len: usize,
    image_len: usize,
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kilobytes = |len: usize| len as f64 / 1e3;
        write!(
            f,
            "HLS, newest segment {:.0} kB; clip {:.0} kB; picture {:.0} kB",
            kilobytes(self.segment_len),
            kilobytes(self.clip_len),
            kilobytes(self.image_len)
        )
    }
}

/// Plays the newest of `fragments` in every way. Error: the first thing that went wrong.
pub(super) async fn check(
    client: &Client,
    name: &str,
    fragments: &[FragmentInfo],
) -> Result<Played, String> {
    let newest = fragments.iter().max_by_key(|fragment| fragment.producer_timestamp);
    let newest = newest.ok_or("there is nothing to play")?;
    Ok(Played {
        segment_len: hls(client, name).await.map_err(|error| format!("HLS: {error}"))?,
        clip_len: clip(client, name, newest).await.map_err(|error| format!("clip: {error}"))?,
        image_len: image(client, name, newest)
            .await
            .map_err(|error| format!("picture: {error}"))?,
    })
}

/// Multivariant playlist, media playlist, initialization section, newest segment.
async fn hls(client: &Client, name: &str) -> Result<usize, String> {
    let url = watch::live_url(client, name).await.map_err(|error| error.to_string())?;
    let url: Url = url.parse().map_err(text)?;
    let multivariant = Playlist::fetch(client, &url).await.map_err(text)?;
    let media_url = multivariant.entries().next().ok_or("no media playlist is listed")?;
    let media = Playlist::fetch(client, media_url).await.map_err(text)?;
    let map = media.tagged("EXT-X-MAP").last().ok_or("the media playlist has no EXT-X-MAP")?;
    let segment = media.entries().last().ok_or("no segment is listed")?;
    let init = client.get(map, RESOURCE_LEN_MAX).await.map_err(text)?;
    has_boxes(&init, &[b"ftyp", b"moov"])?;
    let segment = client.get(segment, RESOURCE_LEN_MAX).await.map_err(text)?;
    has_boxes(&segment, &[b"moof", b"mdat"])?;
    Ok(segment.len())
}

/// From the middle of the newest fragment to its end.
async fn clip(client: &Client, name: &str, newest: &FragmentInfo) -> Result<usize, String> {
    let range = (middle(newest), UnixMillis(newest.producer_timestamp.0 + newest.length_ms));
    let options = ClipOptions { limits: ClipLimits::Off, cut: ClipCut::Exact };
    let opening = Clip::open(client, name, TimestampAxis::Producer, range, options);
    let mut clip = opening.await.map_err(text)?;
    let mut file = Vec::new();
    while let Some(piece) = clip.next().await.map_err(text)? {
        file.extend_from_slice(&piece);
        if file.len() > RESOURCE_LEN_MAX {
            return Err("a clip of one fragment does not end".into());
        }
    }
    has_boxes(&Bytes::from(file), &[b"ftyp", b"moov", b"mdat"])
}

/// The picture in the middle of the newest fragment.
async fn image(client: &Client, name: &str, newest: &FragmentInfo) -> Result<usize, String> {
    let at = middle(newest);
    let selection = ImageSelection {
        axis: TimestampAxis::Producer,
        first: at,
        last: at,
        interval_ms: 1000,
        format: ImageFormat::Jpeg,
    };
    let mut images = Images::open(client, name, selection).await.map_err(text)?;
    let page = images.next_page().await.map_err(text)?.unwrap_or_default();
    let image = page.into_iter().next().ok_or("none in the answer")?;
    let bytes = image.content.map_err(|error| format!("{error:?}"))?;
    // Start and end of image: ITU-T T.81 §B.1.1.3.
    match bytes.starts_with(&[0xff, 0xd8]) && bytes.ends_with(&[0xff, 0xd9]) {
        true => Ok(bytes.len()),
        false => Err("it is no JPEG".into()),
    }
}

fn middle(fragment: &FragmentInfo) -> UnixMillis {
    UnixMillis(fragment.producer_timestamp.0 + fragment.length_ms / 2)
}

fn text(error: streamkeep_client::Error) -> String {
    error.to_string()
}

/// The length of a file that is these boxes, in this order and perhaps with others between, and
/// ends with the last of them (ISO/IEC 14496-12 §4.2).
fn has_boxes(file: &Bytes, wanted: &[&[u8; 4]]) -> Result<usize, String> {
    let mut rest = &file[..];
    let mut wanted_left = wanted.iter();
    let mut next = wanted_left.next();
    while !rest.is_empty() {
        let (size, kind) = box_header(rest).ok_or("it is no MP4")?;
        if next.is_some_and(|next| **next == kind) {
            next = wanted_left.next();
        }
        rest = rest.get(size..).ok_or("an MP4 box is cut off")?;
    }
    match next {
        None => Ok(file.len()),
        Some(missing) => Err(format!("no {} where it should be", missing.escape_ascii())),
    }
}

/// Size and type of a box; `None` for what is none. A size of 0, up to the end, is not written.
fn box_header(bytes: &[u8]) -> Option<(usize, [u8; 4])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let size = match u32::from_be_bytes(*size) {
        1 => u64::from_be_bytes(*rest.first_chunk::<8>()?), // largesize
        size => u64::from(size),
    };
    (size >= 8).then_some(())?;
    Some((usize::try_from(size).ok()?, *kind))
}

/// A fragment holds 50 MB at most; the demo's hold half a megabyte.
const RESOURCE_LEN_MAX: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(boxes: &[(u32, &[u8; 4])]) -> Bytes {
        let mut file = Vec::new();
        for (size, kind) in boxes {
            file.extend_from_slice(&size.to_be_bytes());
            file.extend_from_slice(*kind);
            file.resize(file.len() + (*size as usize).saturating_sub(8), 0);
        }
        file.into()
    }

    #[test]
    fn boxes() {
        let movie = file(&[(16, b"ftyp"), (12, b"moov"), (8, b"free"), (20, b"mdat")]);
        assert_eq!(has_boxes(&movie, &[b"ftyp", b"moov", b"mdat"]), Ok(56));
        let large = Bytes::from_static(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x12ab");
        assert_eq!(has_boxes(&large, &[b"mdat"]), Ok(18));
        for (bytes, part) in [
            (Bytes::new(), "no ftyp"),
            (file(&[(16, b"moov"), (16, b"ftyp")]), "no moov"),
            (movie.slice(..30), "it is no MP4"),
            (movie.slice(..movie.len() - 1), "cut off"),
            (file(&[(0, b"ftyp")]), "it is no MP4"),
            (Bytes::from_static(b"{\"message\":\"gone\"}"), "cut off"),
        ] {
            let refused = has_boxes(&bytes, &[b"ftyp", b"moov"]).unwrap_err();
            assert!(refused.contains(part), "{bytes:?}: {refused}");
        }
    }
}
