use http::{Method, Version};

use super::{BodyLength, Head, HeadError, check_partial, find_end, parse};
use crate::limits::Limits;

fn parsed(head: &str) -> Result<Head, HeadError> {
    parse(head.as_bytes(), &Limits::default())
}

#[test]
fn a_producers_head() {
    let head = parsed(
        "POST /putMedia HTTP/1.1\r\n\
         Host: s-1234abcd.kinesisvideo.us-west-2.amazonaws.com\r\n\
         x-amz-date: 20261120T090000Z\r\n\
         connection: keep-alive\r\n\
         transfer-encoding: Chunked\r\n\
         X-Odd: caf\u{e9}\r\n\
         Expect:100-continue\r\n\r\n",
    )
    .unwrap();
    assert_eq!(head.parts.method, Method::POST);
    assert_eq!(head.parts.uri, "/putMedia");
    assert_eq!(head.parts.version, Version::HTTP_11);
    assert_eq!(head.parts.headers["x-amz-date"], "20261120T090000Z");
    assert_eq!(head.parts.headers["x-odd"].as_bytes(), "café".as_bytes());
    assert_eq!(head.body, BodyLength::Chunked);
    assert!(head.expects_continue && head.keep_alive);
}

#[test]
fn the_target_stays_as_it_was_sent() {
    let target = "/a%2Fb//c/../d?X-Amz-Signature=%2b+&&b=%zz";
    let head = parsed(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
    assert_eq!(head.parts.uri, target);
    let head = parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(head.parts.uri, "*");
    let head = parsed("GET https://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(head.parts.uri, "/c?d");
    assert_eq!(head.parts.headers["host"], "b");
    let head = parsed("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(head.parts.uri, "/");
}

#[test]
fn the_connection_goes_on_or_not() {
    for (version, connection, keep_alive) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: x, CLOSE ,y\r\n", false),
        ("1.1", "Connection: x\r\nConnection: close\r\n", false),
        ("1.1", "Connection: enclose\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", false),
    ] {
        let head = parsed(&format!("GET / HTTP/{version}\r\nHost: a\r\n{connection}\r\n"));
        assert_eq!(head.unwrap().keep_alive, keep_alive, "{version} {connection}");
    }
}

#[test]
fn http_1_0_needs_no_host_and_knows_no_expectations() {
    let head = parsed("POST / HTTP/1.0\r\nExpect: tea\r\nContent-Length: 7\r\n\r\n").unwrap();
    assert_eq!(head.body, BodyLength::Known(7));
    assert!(!head.expects_continue);
}

#[test]
fn every_cut_of_a_head_is_unfinished() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for known in 0..head.len() {
        for len in known..head.len() {
            assert_eq!(find_end(&head[..len], known), None);
            assert_eq!(check_partial(&head[..len], &Limits::default()), Ok(()));
        }
        assert_eq!(find_end(head, known), Some(head.len()));
    }
}

#[test]
fn the_longest_head_is_acceptable_at_every_cut() {
    let limits = Limits { request_line_len_max: 20, head_len_max: 40, ..Limits::default() };
    let line = "GET /xxxxxx HTTP/1.1";
    let longest = format!("{line}\r\nHost: a\r\nX: 78\r\n\r\n");
    assert_eq!((line.len(), longest.len()), (20, 40));
    assert!(parse(longest.as_bytes(), &limits).is_ok());
    for len in 0..longest.len() {
        assert_eq!(check_partial(&longest.as_bytes()[..len], &limits), Ok(()), "{len}");
    }
    let longer_line = format!("x{longest}");
    let too_long = Err(HeadError::RequestLineTooLong);
    assert_eq!(check_partial(&longer_line.as_bytes()[..22], &limits), too_long);
    assert_eq!(check_partial(&[b'\n'; 40], &limits), Err(HeadError::TooLong));
}

#[test]
fn what_is_ambiguous_is_refused() {
    use HeadError::{BareControl, Field, RequestLine, Version};
    for (head, error) in [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", BareControl),
        ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", BareControl),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n", BareControl),
        ("GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{7f}\r\n\r\n", Field),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", RequestLine),
        ("GET / a HTTP/1.1\r\nHost: a\r\n\r\n", Version),
        ("GET /\r\nHost: a\r\n\r\n", RequestLine),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", Version),
        ("GET / HTTP/11.1\r\nHost: a\r\n\r\n", Version),
        ("GET hello HTTP/1.1\r\nHost: a\r\n\r\n", RequestLine),
    ] {
        assert_eq!(parsed(head).unwrap_err(), error, "{head:?}");
    }
}
