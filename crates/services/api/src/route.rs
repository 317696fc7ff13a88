//! From method and path to what answers.

mod playback_path;

use http::Method;

pub use playback_path::PlaybackPath;

use streamkeep_media::UnixMillis;
use time::OffsetDateTime;

use crate::Operation;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// An operation of the KVS API, or one of our own.
    Operation(Operation),
    /// `OPTIONS` on the path of an operation: [`preflight`](crate::preflight).
    Preflight,
    /// A sub-request of a playback session: GET, HEAD, or the OPTIONS that a browser asks first.
    Playback(PlaybackPath),
    /// `GET /healthz`: the process lives.
    Health,
    /// `GET /readyz`: it can serve.
    Ready,
    /// `GET /metrics`.
    Metrics,
    /// `GET /time`: the clock of this server, as [`utc_time`] writes it. DASH players set theirs
    /// by it (UTCTiming).
    Time,
    /// `GET /openapi.json`: [`ControlPlane::openapi`](crate::ControlPlane::openapi).
    Description,
    /// `GET /`, `/console` and all below: the web page, the same for everybody.
    Console,
    /// `POST /console/session`: a one-time sign-in token becomes credentials that expire.
    SignIn,
    /// The path exists, the method does not fit:
    /// [`method_not_allowed`](crate::method_not_allowed).
    MethodNotAllowed {
        /// The method that does.
        allow: &'static Method,
    },
    /// No such path: [`ApiError::unrouted`](crate::ApiError::unrouted), or another part of the
    /// server.
    NotFound,
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// A SigV4 signature for service `kinesisvideo`, in the header or the query.
    SigV4,
    /// The token of a playback session, in the query as `SessionToken`; nothing else.
    SessionToken,
    /// Decided by the server's configuration for `/metrics`.
    Metrics,
    /// The token of a one-time sign-in link, in the body.
    SignInToken,
    /// Open to anyone who can connect; the answer holds nothing but a status, the time, the
    /// published description of the API, that a browser may call it, or the console's page, which
    /// knows nothing until it signs in.
    None,
}

impl Route {
    /// What must be proven before the route is answered.
    pub fn authentication(self) -> Authentication {
        match self {
            Self::Operation(_) => Authentication::SigV4,
            Self::Playback(_) => Authentication::SessionToken,
            Self::Metrics => Authentication::Metrics,
            Self::SignIn => Authentication::SignInToken,
            Self::Preflight
            | Self::Health
            | Self::Ready
            | Self::Time
            | Self::Description
            | Self::Console
            | Self::MethodNotAllowed { .. }
            | Self::NotFound => Authentication::None,
        }
    }
}

/// Finds what `path` (without the query) is for. Paths match in any case: no two of the API differ
/// by case alone, and three of them begin with a capital where the others do not
/// (control-plane.md §4). HEAD counts as GET.
pub fn route(method: &Method, path: &str) -> Route {
    let (found, allow) = match path {
        "/healthz" => (Route::Health, &Method::GET),
        "/readyz" => (Route::Ready, &Method::GET),
        "/metrics" => (Route::Metrics, &Method::GET),
        "/time" => (Route::Time, &Method::GET),
        "/openapi.json" => (Route::Description, &Method::GET),
        "/console/session" => (Route::SignIn, &Method::POST),
        // Clients of other AWS services post there: that stays a path that is not known.
        "/" if *method != Method::GET && *method != Method::HEAD => return Route::NotFound,
        "/" | "/console" => (Route::Console, &Method::GET),
        _ if path.starts_with("/console/") => (Route::Console, &Method::GET),
        _ => {
            let operation = || Operation::all().find(|o| o.path().eq_ignore_ascii_case(path));
            if let Some(path) = PlaybackPath::find(path) {
                (Route::Playback(path), &Method::GET)
            } else if let Some(operation) = operation() {
                (Route::Operation(operation), operation.method())
            } else {
                return Route::NotFound;
            }
        }
    };
    match (method, found) {
        (&Method::OPTIONS, Route::Operation(_)) => Route::Preflight,
        (&Method::OPTIONS, Route::Playback(_)) => found,
        (&Method::HEAD, _) if allow == Method::GET => found,
        _ if method == allow => found,
        _ => Route::MethodNotAllowed { allow },
    }
}

/// RFC 3339 in UTC with milliseconds, which is `xs:dateTime` too: `2026-11-20T09:00:00.123Z`.
/// Instants after the year 9999 show as its end.
pub fn utc_time(at: UnixMillis) -> String {
    const LAST_MILLI: u64 = 253_402_300_799_999;
    let millis = at.0.min(LAST_MILLI);
    let seconds = i64::try_from(millis / 1000).expect("at most the year 9999");
    let time = OffsetDateTime::from_unix_timestamp(seconds).expect("at most the year 9999");
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let milli = millis % 1000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_but_the_probes_demands_proof() {
        let mut paths: Vec<(&Method, &str, Authentication)> =
            Operation::all().map(|o| (o.method(), o.path(), Authentication::SigV4)).collect();
        assert_eq!(paths.len(), 50);
        paths.extend([
            (&Method::GET, "/healthz", Authentication::None),
            (&Method::GET, "/readyz", Authentication::None),
            (&Method::GET, "/metrics", Authentication::Metrics),
            // The time of day, and what docs/api-coverage.md says too.
            (&Method::GET, "/time", Authentication::None),
            (&Method::GET, "/openapi.json", Authentication::None),
            // The page's files; what it shows it asks for as any client.
            (&Method::GET, "/", Authentication::None),
            (&Method::GET, "/console", Authentication::None),
            (&Method::GET, "/console/streams/gate", Authentication::None),
            (&Method::POST, "/console/session", Authentication::SignInToken),
        ]);
        for path in PlaybackPath::all() {
            for method in [&Method::GET, &Method::HEAD, &Method::OPTIONS] {
                paths.push((method, path.path(), Authentication::SessionToken));
            }
        }
        for (method, path, wanted) in paths {
            let found = route(method, path);
            assert!(!matches!(found, Route::NotFound | Route::MethodNotAllowed { .. }), "{path}");
            assert_eq!(found.authentication(), wanted, "{path}");
        }
    }

    #[test]
    fn paths_in_any_case() {
        for operation in Operation::all() {
            let path = operation.path();
            let lower = path.to_ascii_lowercase();
            for path in [path, &lower, &path.to_ascii_uppercase()] {
                assert_eq!(route(operation.method(), path), Route::Operation(operation), "{path}");
            }
        }
    }

    #[test]
    fn other_methods_and_paths() {
        let cases = [
            (Method::GET, "/createStream", Route::MethodNotAllowed { allow: &Method::POST }),
            (Method::PUT, "/putMedia", Route::MethodNotAllowed { allow: &Method::POST }),
            (Method::POST, "/streamkeep/openLive", Route::MethodNotAllowed { allow: &Method::GET }),
            (Method::GET, "/streamkeep/openlive", Route::Operation(Operation::OpenLive)),
            (Method::POST, "/healthz", Route::MethodNotAllowed { allow: &Method::GET }),
            (Method::HEAD, "/readyz", Route::Ready),
            (Method::POST, "/", Route::NotFound),
            (Method::POST, "", Route::NotFound),
            (Method::HEAD, "/console/", Route::Console),
            (Method::POST, "/console/", Route::MethodNotAllowed { allow: &Method::GET }),
            (Method::GET, "/console/session", Route::MethodNotAllowed { allow: &Method::POST }),
            (Method::GET, "/consoles", Route::NotFound),
            (Method::POST, "/createStream/", Route::NotFound),
            (Method::POST, "//createStream", Route::NotFound),
            (Method::POST, "/listfragment\u{17f}", Route::NotFound), // ſ, whose capital is S
            (Method::GET, "/HEALTHZ", Route::NotFound),
            (Method::OPTIONS, "/healthz", Route::MethodNotAllowed { allow: &Method::GET }),
            (Method::OPTIONS, "/createStream", Route::Preflight),
            (Method::HEAD, "/time", Route::Time),
            (Method::POST, "/openapi.json", Route::MethodNotAllowed { allow: &Method::GET }),
            (
                Method::POST,
                "/hls/v1/getMP4Part.mp4",
                Route::MethodNotAllowed { allow: &Method::GET },
            ),
            (Method::GET, "/hls/v1/getTSFragment.ts", Route::Playback(PlaybackPath::HlsTsFragment)),
            (Method::GET, "/hls/v1/getDASHManifest.mpd", Route::NotFound),
            (Method::GET, "/hls/v1/gettsfragment.ts", Route::NotFound),
            (Method::GET, "/hls/v1/", Route::NotFound),
            (Method::GET, "/hls/v1/../v1/getTSFragment.ts", Route::NotFound),
        ];
        for (method, path, wanted) in cases {
            assert_eq!(route(&method, path), wanted, "{method} {path}");
        }
    }

    #[test]
    fn times() {
        for (millis, wanted) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_166_438_482, "2026-11-20T09:20:38.482Z"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(utc_time(UnixMillis(millis)), wanted);
        }
    }
}
