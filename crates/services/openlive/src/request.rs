//! What a page asks for: text messages.

use serde::Deserialize;

/// A text message of the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    /// Show a stream in a tile.
    Open(Open),
    /// Change what of the stream is sent.
    Tier { tile: u16, tier: Result<Tier, &'static str> },
    /// Send its sound too, or no more.
    Sound { tile: u16, is_on: bool },
    /// Show it no more.
    Close { tile: u16 },
    /// Bytes of binary messages were taken.
    Credit { tile: u16, bytes: u64 },
    /// Answer with the time.
    Ping { at: serde_json::Number },
}

/// The members of `open`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Open {
    pub(crate) tile: u16,
    /// Name or ARN.
    pub(crate) stream: String,
    pub(crate) tier: Result<Tier, &'static str>,
    /// `from` was absent or `live`.
    pub(crate) is_live: bool,
}

/// What of a stream is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// One key frame per fragment.
    Key,
    /// Every frame.
    Full,
}

impl Tier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Full => "full",
        }
    }

    /// The name of what is wrong with another.
    fn parse(name: &str) -> Result<Self, &'static str> {
        match name {
            "key" => Ok(Self::Key),
            "full" => Ok(Self::Full),
            // Pictures made here (T0), and a smaller stream beside this one (T2).
            "still" | "sub" => Err("TierNotAvailable"),
            _ => Err("UnknownTier"),
        }
    }
}

/// As JSON has it. Members that are not known are let pass: a newer page may say more. `max` (pixels
/// of the tile) is one of them until there is a smaller stream to choose.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Wire {
    Open { tile: u16, stream: String, tier: String, from: Option<String> },
    Tier { tile: u16, tier: String },
    Sound { tile: u16, on: bool },
    Close { tile: u16 },
    Credit { tile: u16, bytes: u64 },
    Ping { at: serde_json::Number },
}

impl Request {
    /// `None` for what is no request.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match serde_json::from_str(text).ok()? {
            Wire::Open { tile, stream, tier, from } => Self::Open(Open {
                tile,
                stream,
                tier: Tier::parse(&tier),
                is_live: from.is_none_or(|from| from == "live"),
            }),
            Wire::Tier { tile, tier } => Self::Tier { tile, tier: Tier::parse(&tier) },
            Wire::Sound { tile, on } => Self::Sound { tile, is_on: on },
            Wire::Close { tile } => Self::Close { tile },
            Wire::Credit { tile, bytes } => Self::Credit { tile, bytes },
            Wire::Ping { at } => Self::Ping { at },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<Request>) {
        assert_eq!(Request::parse(text), expected, "{text}");
    }

    fn open(tier: Result<Tier, &'static str>, is_live: bool) -> Option<Request> {
        Some(Request::Open(Open { tile: 7, stream: "gate-3".to_owned(), tier, is_live }))
    }

    #[test]
    fn every_request() {
        check(
            r#"{"op":"open","tile":7,"stream":"gate-3","tier":"key","max":[640,360],"from":"live"}"#,
            open(Ok(Tier::Key), true),
        );
        check(
            r#"{"tier":"full","stream":"gate-3","tile":7,"op":"open","new":{"a":[1]}}"#,
            open(Ok(Tier::Full), true),
        );
        check(
            r#"{"op":"open","tile":7,"stream":"gate-3","tier":"still","from":"2026-11-20T09:00:00Z"}"#,
            open(Err("TierNotAvailable"), false),
        );
        check(
            r#"{"op":"open","tile":7,"stream":"gate-3","tier":"FULL"}"#,
            open(Err("UnknownTier"), true),
        );
        let tier = Some(Request::Tier { tile: 65535, tier: Ok(Tier::Full) });
        check(r#"{"op":"tier","tile":65535,"tier":"full"}"#, tier);
        let sound = Some(Request::Sound { tile: 7, is_on: true });
        check(r#"{"op":"sound","tile":7,"on":true}"#, sound);
        check(r#"{"op":"close","tile":0}"#, Some(Request::Close { tile: 0 }));
        let credit = Some(Request::Credit { tile: 7, bytes: 262_144 });
        check(r#"{"op":"credit","tile":7,"bytes":262144}"#, credit);
        for at in ["1795166438482", "12.5", "-3"] {
            let wanted = Some(Request::Ping { at: at.parse().unwrap() });
            check(&format!(r#"{{"op":"ping","at":{at}}}"#), wanted);
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"op":"stop","tile":7}"#,
            r#"{"op":"close","tile":-1}"#,
            r#"{"op":"close","tile":65536}"#,
            r#"{"op":"close","tile":"7"}"#,
            r#"{"op":"close"}"#,
            r#"{"op":"sound","tile":7}"#,
            r#"{"op":"sound","tile":7,"on":"yes"}"#,
            r#"{"op":"close","tile":7,"tile":8}"#,
            r#"{"op":"credit","tile":7,"bytes":-1}"#,
            r#"{"op":"credit","tile":7,"bytes":1.5}"#,
            r#"{"op":"credit","tile":7,"bytes":18446744073709551616}"#,
            r#"{"op":"open","tile":7,"tier":"key"}"#,
            r#"{"op":"open","tile":7,"stream":"gate-3"}"#,
            r#"{"op":"open","tile":7,"stream":null,"tier":"key"}"#,
            r#"{"op":"ping","at":"now"}"#,
            r#"{"op":"close","tile":7} {"op":"close","tile":8}"#,
        ] {
            check(text, None);
        }
        // Nesting is bounded by the parser.
        check(&format!(r#"{{"op":"close","tile":7,"x":{}"#, "[".repeat(30_000)), None);
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,200}") {
            crate::fuzz::request(&text);
        }

        #[test]
        fn any_members(
            op in "open|tier|sound|close|credit|ping|[a-z]{0,5}",
            members in proptest::collection::vec(
                ("tile|stream|tier|from|bytes|at|max", "-?[0-9]{1,20}|\"[a-z]{0,9}\"|null|\\[\\]|1e999"),
                0..6,
            ),
        ) {
            let members: String =
                members.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
            crate::fuzz::request(&format!(r#"{{"op":"{op}"{members}}}"#));
        }
    }
}
