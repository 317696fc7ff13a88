//! Tracks: RFC 9559 §5.1.4.

use bytes::Bytes;
use streamkeep_media::{AudioParameters, Track, TrackKind, VideoParameters};

use crate::master::Element;
use crate::{ElementId, Error, LimitKind, Limits};

/// # Errors
/// [`Error::Missing`] for a TrackEntry without TrackNumber, TrackType or CodecID,
/// [`Error::Duplicate`] when two share a TrackNumber: blocks could not be told apart.
pub(crate) fn parse(element: &Element<'_>, limits: &Limits) -> Result<Vec<Track>, Error> {
    let mut tracks: Vec<Track> = Vec::new();
    let mut children = element.children();
    while let Some(child) = children.next()? {
        if child.id != ElementId::TRACK_ENTRY {
            continue;
        }
        if tracks.len() == limits.max_tracks {
            return Err(Error::LimitExceeded {
                at: child.location(),
                limit: LimitKind::Tracks,
                max: limits.max_tracks as u64,
                found: tracks.len() as u64 + 1,
            });
        }
        let track = parse_entry(&child, limits)?;
        if tracks.iter().any(|other| other.number == track.number) {
            return Err(Error::Duplicate { at: child.location() });
        }
        tracks.push(track);
    }
    Ok(tracks)
}

fn parse_entry(entry: &Element<'_>, limits: &Limits) -> Result<Track, Error> {
    let missing = |element| Error::Missing { at: entry.location(), element };
    let (mut number, mut kind, mut codec_id) = (None, None, None);
    let mut track = Track {
        number: 0,
        uid: 0,
        kind: TrackKind::Other(0),
        codec_id: String::new(),
        codec_private: Bytes::new(),
        name: String::new(),
        default_duration_ns: None,
        video: None,
        audio: None,
    };
    let mut children = entry.children();
    while let Some(child) = children.next()? {
        match child.id {
            ElementId::TRACK_NUMBER => {
                let value = child.uint_or(0)?;
                if value == 0 {
                    return Err(Error::InvalidValue { at: child.location() });
                }
                number = Some(value);
            }
            ElementId::TRACK_UID => track.uid = child.uint_or(0)?,
            ElementId::TRACK_TYPE => kind = Some(TrackKind::from_track_type(child.uint_or(0)?)),
            ElementId::CODEC_ID => codec_id = Some(child.text()),
            ElementId::CODEC_PRIVATE => {
                let (found, max) = (child.body.len() as u64, limits.max_codec_private_len);
                if found > max {
                    let limit = LimitKind::CodecPrivateLen;
                    return Err(Error::LimitExceeded { at: child.location(), limit, max, found });
                }
                track.codec_private = Bytes::copy_from_slice(child.body);
            }
            ElementId::NAME => track.name = child.text(),
            ElementId::DEFAULT_DURATION => {
                track.default_duration_ns = Some(child.uint_or(0)?).filter(|ns| *ns > 0);
            }
            ElementId::VIDEO => track.video = Some(parse_video(&child)?),
            ElementId::AUDIO => track.audio = Some(parse_audio(&child)?),
            _ => {}
        }
    }
    track.number = number.ok_or_else(|| missing(ElementId::TRACK_NUMBER))?;
    track.kind = kind.ok_or_else(|| missing(ElementId::TRACK_TYPE))?;
    track.codec_id = codec_id.ok_or_else(|| missing(ElementId::CODEC_ID))?;
    Ok(track)
}

/// RFC 9559 §5.1.4.1.28.
fn parse_video(element: &Element<'_>) -> Result<VideoParameters, Error> {
    let mut video = VideoParameters { width: 0, height: 0 };
    let mut children = element.children();
    while let Some(child) = children.next()? {
        match child.id {
            ElementId::PIXEL_WIDTH => video.width = saturated(child.uint_or(0)?),
            ElementId::PIXEL_HEIGHT => video.height = saturated(child.uint_or(0)?),
            _ => {}
        }
    }
    Ok(video)
}

/// RFC 9559 §5.1.4.1.29.
fn parse_audio(element: &Element<'_>) -> Result<AudioParameters, Error> {
    let mut audio = AudioParameters { sampling_frequency: 8000.0, channels: 1, bit_depth: None };
    let mut children = element.children();
    while let Some(child) = children.next()? {
        match child.id {
            ElementId::SAMPLING_FREQUENCY => {
                audio.sampling_frequency = child.float_or(8000.0)?;
                if !audio.sampling_frequency.is_finite() || audio.sampling_frequency < 0.0 {
                    return Err(Error::InvalidValue { at: child.location() });
                }
            }
            ElementId::CHANNELS => audio.channels = saturated(child.uint_or(1)?),
            ElementId::BIT_DEPTH => {
                audio.bit_depth = Some(saturated(child.uint_or(0)?)).filter(|bits| *bits > 0);
            }
            _ => {}
        }
    }
    Ok(audio)
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
