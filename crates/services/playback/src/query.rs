//! The query of a sub-request: every value that our own playlists put into URLs.

use streamkeep_media::FragmentNumber;
use streamkeep_playlist::hls::Directives;

use crate::PlaybackError;
use crate::token::is_token_byte;

/// A parsed query. What is not ours is passed over: players and caches add parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query<'a> {
    pub(crate) token: &'a str,
    pub(crate) fragment: Option<FragmentNumber>,
    /// DASH: the number of a segment.
    pub(crate) number: Option<u64>,
    /// 1 is the track that carries the timeline, 2 the other.
    pub(crate) track: Option<u8>,
    /// Index of the initialisation segment.
    pub(crate) sequence: Option<u32>,
    /// Where the track starts on the timeline.
    pub(crate) at: Option<u64>,
    /// Media sequence number.
    pub(crate) msn: Option<u64>,
    /// Index of a part.
    pub(crate) part: Option<u32>,
    /// The fragment before, for sound that is encoded anew.
    pub(crate) previous: Option<FragmentNumber>,
    pub(crate) is_join: bool,
    pub(crate) low_latency: bool,
    pub(crate) i_frames: bool,
    /// All of a range, beyond what a list holds by the published interface.
    pub(crate) is_whole: bool,
    pub(crate) directives: Directives,
}

impl<'a> Query<'a> {
    pub(crate) fn parse(query: &'a str) -> Result<Self, PlaybackError> {
        let mut parsed = Self {
            directives: Directives::parse(query)
                .map_err(|error| PlaybackError::BadRequest(error.to_string()))?,
            ..Self::default()
        };
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                // `~` is often sent as %7E.
                "SessionToken" => parsed.token = value,
                // In DASH templates the number is a position: too small to be a fragment's.
                "FragmentNumber" => parsed.fragment = Some(number(name, value)?),
                "Number" => parsed.number = Some(integer(name, value)?),
                "TrackNumber" => parsed.track = Some(integer(name, value)?),
                "SequenceNumber" => parsed.sequence = Some(integer(name, value)?),
                "At" => parsed.at = Some(integer(name, value)?),
                "Msn" => parsed.msn = Some(integer(name, value)?),
                "Part" => parsed.part = Some(integer(name, value)?),
                "Previous" => parsed.previous = Some(number(name, value)?),
                "Join" => parsed.is_join = true,
                "LowLatency" => parsed.low_latency = !matches!(value, "0" | "false"),
                "IFrames" => parsed.i_frames = true,
                "Whole" => parsed.is_whole = true,
                _ => {}
            }
        }
        Ok(parsed)
    }

    pub(crate) fn need<T>(value: Option<T>, name: &str) -> Result<T, PlaybackError> {
        value.ok_or_else(|| PlaybackError::BadRequest(format!("{name} is missing")))
    }

    /// The token, with `%7E` for `~` undone; `None` for what cannot be one.
    pub(crate) fn token(&self) -> Option<String> {
        let token = self.token.replace("%7E", "~").replace("%7e", "~");
        token.bytes().all(is_token_byte).then_some(token)
    }
}

fn integer<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, PlaybackError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = digits.then(|| value.parse().ok()).flatten();
    parsed.ok_or_else(|| PlaybackError::BadRequest(format!("{name} is not a number in range")))
}

fn number(name: &str, value: &str) -> Result<FragmentNumber, PlaybackError> {
    value.parse().map_err(|_| PlaybackError::BadRequest(format!("{name} is no fragment number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_playlists_name() {
        let query = Query::parse(
            "FragmentNumber=21267647932558653966460912964485513216&SessionToken=abc-_%7E\
             &TrackNumber=2&At=180000&Part=3&Msn=7&Join=1&_HLS_msn=9&utm=x&flag",
        )
        .unwrap();
        assert_eq!(query.token().as_deref(), Some("abc-_~"));
        assert_eq!((query.track, query.at, query.part), (Some(2), Some(180_000), Some(3)));
        assert_eq!(query.directives.reload.map(|reload| reload.msn), Some(9));
        assert!(query.is_join && !query.low_latency && query.fragment.is_some());
    }

    #[test]
    fn refusals() {
        for bad in [
            "At=-1",
            "At=",
            "At=1e3",
            "At=99999999999999999999",
            "TrackNumber=256",
            "FragmentNumber=x",
            "Part=4294967296",
            "_HLS_msn=x",
            "_HLS_part=1",
        ] {
            assert!(matches!(Query::parse(bad), Err(PlaybackError::BadRequest(_))), "{bad}");
        }
        for bad in ["a b", "a/b", "a%20", "\u{e9}"] {
            assert_eq!(Query { token: bad, ..Query::default() }.token(), None, "{bad}");
        }
    }
}
