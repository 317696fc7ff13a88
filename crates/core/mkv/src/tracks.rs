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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_elements::{el, whole};

    fn parse_entries(entries: &[Vec<u8>]) -> Result<Vec<Track>, Error> {
        let entries: Vec<_> =
            entries.iter().map(|entry| el(ElementId::TRACK_ENTRY, entry)).collect();
        parse(&whole(&el(ElementId::TRACKS, &entries.concat())), &Limits::default())
    }

    /// The mandatory members, then `more`.
    fn entry(more: &[Vec<u8>]) -> Vec<u8> {
        let members = [
            el(ElementId::TRACK_NUMBER, &[3]),
            el(ElementId::TRACK_TYPE, &[0x11]),
            el(ElementId::CODEC_ID, b"S_TEXT/UTF8"),
        ];
        [members.concat(), more.concat()].concat()
    }

    const PLAIN: fn() -> Track = || Track {
        number: 3,
        uid: 0,
        kind: TrackKind::Other(0x11),
        codec_id: "S_TEXT/UTF8".into(),
        codec_private: Bytes::new(),
        name: String::new(),
        default_duration_ns: None,
        video: None,
        audio: None,
    };

    #[test]
    fn defaults() {
        assert_eq!(parse_entries(&[]), Ok(vec![]));
        assert_eq!(parse_entries(&[entry(&[])]), Ok(vec![PLAIN()]));
        let empty = [
            el(ElementId::VIDEO, &[]),
            el(ElementId::AUDIO, &[]),
            el(ElementId::DEFAULT_DURATION, &[0]),
        ];
        let expected = Track {
            video: Some(VideoParameters { width: 0, height: 0 }),
            audio: Some(AudioParameters {
                sampling_frequency: 8000.0,
                channels: 1,
                bit_depth: None,
            }),
            ..PLAIN()
        };
        assert_eq!(parse_entries(&[entry(&empty)]), Ok(vec![expected]));
    }

    #[test]
    fn all_members() {
        let video = [
            el(ElementId::PIXEL_WIDTH, &[0x07, 0x80]),
            el(ElementId::PIXEL_HEIGHT, &[1, 0, 0, 0, 0]), // beyond 32 bits
        ];
        let audio = [
            el(ElementId::SAMPLING_FREQUENCY, &44_100f32.to_be_bytes()),
            el(ElementId::CHANNELS, &[2]),
            el(ElementId::BIT_DEPTH, &[16]),
        ];
        let members = [
            el(ElementId::TRACK_UID, &[0xFF; 8]),
            el(ElementId::NAME, b"cam\0\0\0"),
            el(ElementId::DEFAULT_DURATION, &[0x02, 0x62, 0x5A, 0x00]), // 40,000,000
            el(ElementId::CODEC_PRIVATE, &[1, 2, 0]),
            el(ElementId::VIDEO, &video.concat()),
            el(ElementId::AUDIO, &audio.concat()),
        ];
        let expected = Track {
            uid: u64::MAX,
            name: "cam".into(),
            default_duration_ns: Some(40_000_000),
            codec_private: Bytes::from_static(&[1, 2, 0]),
            video: Some(VideoParameters { width: 1920, height: u32::MAX }),
            audio: Some(AudioParameters {
                sampling_frequency: 44_100.0,
                channels: 2,
                bit_depth: Some(16),
            }),
            ..PLAIN()
        };
        assert_eq!(parse_entries(&[entry(&members)]), Ok(vec![expected]));
    }

    #[test]
    fn refusals() {
        let full = entry(&[]);
        // Without each of the mandatory members in turn: 3, 3 and 13 bytes.
        let cases = [
            (&full[3..], ElementId::TRACK_NUMBER),
            (&[&full[..3], &full[6..]].concat()[..], ElementId::TRACK_TYPE),
            (&full[..6], ElementId::CODEC_ID),
        ];
        for (members, missing) in cases {
            let Err(Error::Missing { element, at }) = parse_entries(&[members.to_vec()]) else {
                panic!("{missing} is not missed")
            };
            assert_eq!((element, at.position), (missing, 1005));
        }
        let error = parse_entries(&[full.clone(), full.clone()]).unwrap_err();
        let second = (1005 + 2 + full.len()) as u64;
        assert!(matches!(error, Error::Duplicate { at } if at.position == second), "{error}");
        for invalid in [
            el(ElementId::TRACK_NUMBER, &[0]),
            el(ElementId::TRACK_NUMBER, &[]),
            el(ElementId::AUDIO, &el(ElementId::SAMPLING_FREQUENCY, &f64::NAN.to_be_bytes())),
            el(ElementId::AUDIO, &el(ElementId::SAMPLING_FREQUENCY, &(-1f64).to_be_bytes())),
        ] {
            let error = parse_entries(&[entry(&[invalid])]).unwrap_err();
            assert!(matches!(error, Error::InvalidValue { .. }), "{error}");
        }
    }
}
