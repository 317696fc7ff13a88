//! From a path to an answer.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};

use crate::{FILES, File, Headers};

const INDEX: &str = "index.html";
/// Where the build puts files whose names hold their contents' hash.
const HASHED: &str = "assets/";

const NOT_BUILT: &str = "The console is not part of this build.\n\n\
    Run scripts/console, then build the server again: it embeds what that makes.\n";

/// Answers GET (and HEAD, whose body the listener drops) of `/`, `/console` and what lies below.
#[derive(Clone, Debug)]
pub struct Console {
    files: &'static [File],
    headers: Headers,
}

impl Console {
    /// The console that was built in.
    pub fn new(headers: Headers) -> Self {
        Self { files: FILES, headers }
    }

    /// Whether there is one: it is built by Node.js, without which the server builds too.
    pub fn is_built(&self) -> bool {
        self.find(INDEX).is_some()
    }

    /// The answer; 404 for a file that there is not. A path that names no file is a place in the page.
    /// `is_tls`: whether TLS protects the connection.
    pub fn answer(&self, head: &Parts, is_tls: bool) -> Response<Bytes> {
        let mut response = self.file(head);
        self.headers.add(response.headers_mut(), head, is_tls);
        response
    }

    fn file(&self, head: &Parts) -> Response<Bytes> {
        let Some(path) = head.uri.path().strip_prefix("/console/") else {
            let mut response = text(StatusCode::FOUND, "");
            let place = HeaderValue::from_static("/console/");
            response.headers_mut().insert(header::LOCATION, place);
            return response;
        };
        let is_place = !path.starts_with(HASHED) && self.find(path).is_none();
        let Some(file) = self.find(if is_place { INDEX } else { path }) else {
            let is_built = self.is_built();
            return text(
                StatusCode::NOT_FOUND,
                if is_built { "There is no such file.\n" } else { NOT_BUILT },
            );
        };
        let value = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let is_known = value(header::IF_NONE_MATCH)
            .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == file.etag));
        let wants_gzip = value(header::ACCEPT_ENCODING).is_some_and(accepts_gzip);
        let mut response = Response::new(match (is_known, file.gzip) {
            (true, _) => Bytes::new(),
            (false, Some(gzip)) if wants_gzip => Bytes::from_static(gzip),
            (false, _) => Bytes::from_static(file.bytes),
        });
        let headers = response.headers_mut();
        headers.insert(header::ETAG, HeaderValue::from_static(file.etag));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let lasts = if file.path.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(lasts));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(file.path)));
        if wants_gzip && file.gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn find(&self, path: &str) -> Option<&'static File> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn text(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// `gzip` with no weight, or one above 0 (RFC 9110 §12.5.3).
fn accepts_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && weight.parse::<f32>().is_ok_and(|q| q > 0.0)
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    static BUILT: &[File] = &[
        File {
            path: "index.html",
            etag: "\"1\"",
            bytes: b"<!doctype html>",
            gzip: Some(b"packed"),
        },
        File { path: "assets/app-4f.js", etag: "\"2\"", bytes: b"1", gzip: None },
    ];

    fn get(files: &'static [File], path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        Console { files, headers: Headers::new(&[]) }.answer(&head, false)
    }

    #[test]
    fn places_get_the_page_and_files_themselves() {
        for path in ["/console/", "/console/streams/gate%203?live", "/console/index.html"] {
            let page = get(BUILT, path, &[]);
            assert_eq!(
                (page.status(), &page.body()[..]),
                (StatusCode::OK, &b"<!doctype html>"[..])
            );
            assert_eq!(page.headers()["cache-control"], "no-cache");
            assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        }
        let script = get(BUILT, "/console/assets/app-4f.js", &[]);
        assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(get(BUILT, "/console/assets/app-50.js", &[]).status(), StatusCode::NOT_FOUND);
        for path in ["/", "/console"] {
            let moved = get(BUILT, path, &[]);
            assert_eq!(
                (moved.status(), &moved.headers()["location"]),
                (StatusCode::FOUND, &HeaderValue::from_static("/console/"))
            );
        }
    }

    #[test]
    fn every_answer_has_the_headers() {
        for (files, path) in [
            (BUILT, "/console/"),
            (BUILT, "/"),
            (BUILT, "/console/assets/none.js"),
            (&[][..], "/console/"),
        ] {
            let answer = get(files, path, &[]);
            for name in [
                "content-security-policy",
                "x-content-type-options",
                "referrer-policy",
                "cross-origin-opener-policy",
                "cross-origin-resource-policy",
                "permissions-policy",
            ] {
                assert!(answer.headers().contains_key(name), "{name} of {path}");
            }
        }
    }

    #[test]
    fn packed_and_known_answers() {
        let packed = get(BUILT, "/console/", &[("accept-encoding", "br, gzip;q=0.5")]);
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert_eq!(&packed.body()[..], b"packed");
        for refused in ["br", "gzip;q=0", "xgzip"] {
            let plain = get(BUILT, "/console/", &[("accept-encoding", refused)]);
            assert!(!plain.headers().contains_key("content-encoding"), "{refused}");
        }
        let known = get(BUILT, "/console/", &[("if-none-match", "\"0\", \"1\"")]);
        assert_eq!((known.status(), known.body().len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(get(BUILT, "/console/", &[("if-none-match", "\"2\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn without_a_build_it_says_so() {
        let answer = get(&[], "/console/", &[]);
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(String::from_utf8_lossy(answer.body()).contains("scripts/console"));
    }
}
