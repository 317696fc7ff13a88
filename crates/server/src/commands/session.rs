//! What commands that make playback sessions have in common.

use streamkeep_client::Client;
use streamkeep_client::media::{TimestampAxis, list_fragments};
use streamkeep_client::playback::{EXPIRES_SECONDS, Span};
use streamkeep_media::UnixMillis;

use super::units::duration;

/// How long a session lasts, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expires(pub(crate) u32);

/// An hour: long enough to watch, short enough for a URL that gets around.
impl Default for Expires {
    fn default() -> Self {
        Self(3600)
    }
}

/// A duration that a session may have.
pub(crate) fn expires(text: &str) -> Result<Expires, String> {
    let seconds = duration(text)?.as_secs();
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| EXPIRES_SECONDS.contains(seconds))
        .map(Expires)
        .ok_or_else(|| "a session lasts between 5m and 12h".into())
}

/// Most fragments that a list of a range may hold.
pub(crate) const LISTED_MAX: u32 = 5000;

/// What is to be played: live, or a range, as its ends were given.
pub(crate) fn span(
    from: Option<UnixMillis>,
    to: Option<UnixMillis>,
    is_replay: bool,
    now: UnixMillis,
) -> Result<Span, String> {
    let Some(from) = from else { return Ok(Span::Live) };
    if to.is_some_and(|to| to <= from) || from >= now {
        return Err("the range is empty: --from is not earlier than --to, or than now".into());
    }
    Ok(match is_replay {
        true => Span::LiveReplay { from, to },
        false => Span::OnDemand { from, to: to.unwrap_or(now) },
    })
}

/// How many fragments of the range the list does not hold. Who may not list them is not told.
pub(crate) async fn left_out(
    client: &Client,
    stream_name: &str,
    axis: TimestampAxis,
    span: Span,
) -> Option<usize> {
    let Span::OnDemand { from, to } = span else { return None };
    // A list is long enough for fragments of a second.
    if to.since(from) < u64::from(LISTED_MAX) * 1000 {
        return None;
    }
    let count = list_fragments(client, stream_name, axis, from, to).await.ok()?.len();
    count.checked_sub(LISTED_MAX as usize).filter(|left_out| *left_out > 0)
}

/// How long a list is asked for: that of a range as long as it may be, a live one as it is.
pub(crate) fn fragments_max(span: Span) -> Option<u32> {
    matches!(span, Span::OnDemand { .. }).then_some(LISTED_MAX)
}

/// Told on standard error when a list is shorter than its range.
pub(crate) fn left_out_note(left_out: usize) -> String {
    format!(
        "note: a list holds {LISTED_MAX} fragments at most; the last {left_out} of the range are \
         not in it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes() {
        for (text, seconds) in
            [("1h", 3600), ("5m", 300), ("300", 300), ("12h", 43_200), ("0.5d", 43_200)]
        {
            assert_eq!(expires(text), Ok(Expires(seconds)), "{text}");
        }
        for text in ["", "4m", "299.9s", "12.1h", "1e9h", "-1h"] {
            assert!(expires(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans() {
        let at = |ms| Some(UnixMillis(ms));
        let now = UnixMillis(9_000);
        let (from, to) = (UnixMillis(1_000), UnixMillis(2_000));
        for (given, expected) in [
            ((None, None, false), Span::Live),
            ((at(1_000), at(2_000), false), Span::OnDemand { from, to }),
            ((at(1_000), None, false), Span::OnDemand { from, to: now }),
            ((at(1_000), None, true), Span::LiveReplay { from, to: None }),
            ((at(1_000), at(2_000), true), Span::LiveReplay { from, to: Some(to) }),
        ] {
            assert_eq!(span(given.0, given.1, given.2, now), Ok(expected), "{given:?}");
        }
        for empty in [(at(2_000), at(2_000)), (at(3_000), at(2_000)), (at(9_000), None)] {
            assert!(span(empty.0, empty.1, false, now).is_err(), "{empty:?}");
        }
        assert_eq!(fragments_max(Span::Live), None);
        assert_eq!(fragments_max(Span::OnDemand { from, to }), Some(5000));
    }
}
