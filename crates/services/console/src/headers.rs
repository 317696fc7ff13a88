//! Under what headers the page runs.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// A year, for this name alone.
const HSTS: &str = "max-age=31536000";

/// The security headers of every answer below `/console/`: scripts, styles and calls from and to this
/// server alone, no frame around it, no HTML made from data.
#[derive(Clone, Debug)]
pub struct Headers {
    policy: HeaderValue,
}

impl Headers {
    /// `origins` are those of the endpoints that the server hands out, where they differ from the one
    /// the page came from.
    pub fn new(origins: &[String]) -> Self {
        // `'self'` covers WebSockets to the page's own origin (CSP3 §6.7.2.8).
        let mut connect = "'self'".to_owned();
        for origin in origins.iter().filter(|origin| is_source(origin)) {
            connect.push(' ');
            connect.push_str(origin);
            if let Some(rest) = origin.strip_prefix("http") {
                connect.push_str(" ws");
                connect.push_str(rest);
            }
        }
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
             media-src 'self' blob:; connect-src {connect}; worker-src 'self'; font-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types worker"
        );
        let policy = HeaderValue::from_str(&policy).expect("made of visible ASCII");
        Self { policy }
    }

    /// `is_tls`: whether TLS protects the connection of the request `head`.
    pub(crate) fn add(&self, to: &mut HeaderMap, head: &Parts, is_tls: bool) {
        if is_tls && host(head).is_some_and(is_domain_name) {
            to.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
        }
        to.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (
                HeaderName::from_static("permissions-policy"),
                "microphone=(self), camera=(self), fullscreen=(self), geolocation=(), usb=(), \
                 serial=(), hid=(), payment=(), midi=()",
            ),
        ] {
            to.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// The name that was asked for, without its port: of HTTP/2 in the target, else in Host.
fn host(head: &Parts) -> Option<&str> {
    let asked = head.uri.authority().map(|authority| authority.as_str());
    let asked = asked.or_else(|| head.headers.get(header::HOST)?.to_str().ok())?;
    // An IPv6 address stands in brackets.
    let end = asked.rfind(']').map_or(0, |bracket| bracket + 1);
    Some(asked[end..].find(':').map_or(asked, |colon| &asked[..end + colon]))
}

/// HSTS is for names (RFC 6797 §8.1.1), and binds all ports of one: on `localhost` those of everything
/// else that is worked on there.
fn is_domain_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    !host.is_empty() && !is_address && host != "localhost" && !host.ends_with(".localhost")
}

/// Nothing in an origin may end the directive or the header.
fn is_source(origin: &str) -> bool {
    origin.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'\'' | b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, host: &str) -> Parts {
        let request = http::Request::get(uri).header("host", host);
        request.body(()).unwrap().into_parts().0
    }

    fn policy(origins: &[&str]) -> String {
        let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
        let mut map = HeaderMap::new();
        Headers::new(&origins).add(&mut map, &head("/console/", "localhost"), false);
        map[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    }

    fn hsts(head: &Parts, is_tls: bool) -> bool {
        let mut map = HeaderMap::new();
        Headers::new(&[]).add(&mut map, head, is_tls);
        map.contains_key(header::STRICT_TRANSPORT_SECURITY)
    }

    #[test]
    fn hsts_is_for_names_over_tls() {
        for name in ["nvr.example", "NVR.example.:8443", "nvr", "localhost.example"] {
            assert!(hsts(&head("/console/", name), true), "{name}");
            assert!(!hsts(&head("/console/", name), false), "{name}");
        }
        for none in [
            "localhost",
            "LocalHost:8081",
            "cam.localhost.",
            "127.0.0.1:8081",
            "[::1]:8081",
            "::1",
            "",
        ] {
            assert!(!hsts(&head("/console/", none), true), "{none}");
        }
        assert!(hsts(&head("https://nvr.example:8443/console/", "localhost"), true));
    }

    #[test]
    fn calls_go_to_this_server_and_to_its_endpoints() {
        assert!(policy(&[]).contains("connect-src 'self';"));
        let wanted = "connect-src 'self' https://video.example:8443 wss://video.example:8443;";
        assert!(policy(&["https://video.example:8443"]).contains(wanted));
    }

    #[test]
    fn an_origin_cannot_widen_the_policy() {
        for hostile in ["https://a; script-src *", "https://a,b", "https://a 'unsafe-inline'"] {
            assert_eq!(policy(&[hostile]), policy(&[]));
        }
    }

    #[test]
    fn nothing_frames_it_and_no_script_is_inline() {
        let policy = policy(&[]);
        for part in ["default-src 'none'", "frame-ancestors 'none'", "script-src 'self';"] {
            assert!(policy.contains(part), "{part}");
        }
        assert!(!policy.contains("unsafe"));
    }
}
