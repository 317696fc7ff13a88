//! What is refused, and how.

use crate::support::TestServer;

/// Sends `request` on fresh connections; expects `status` and a close.
#[track_caller]
fn refused(server: &TestServer, request: &str, status: u16) {
    let shown: String = request.chars().take(100).collect();
    server.both(|client| {
        let reply = client.ask(request);
        assert_eq!(reply.status, status, "{shown:?}");
        assert_eq!(reply.header("connection"), Some("close"), "{shown:?}");
        assert_eq!(client.take_rest(), b"", "{shown:?}");
    });
}

#[test]
fn ambiguous_requests_are_refused() {
    let server = TestServer::start();
    for (request, status) in [
        ("GET /hello HTTP/1.1\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\0\r\n\r\n", 400),
        ("GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n", 400),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", 400),
        ("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n", 400),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000001\r\n",
            400,
        ),
    ] {
        refused(&server, request, status);
    }
    // One that is right, so that the list above proves something.
    server.both(|client| assert_eq!(client.get("/hello").status, 200));
}

#[test]
fn equal_repeated_lengths_are_one() {
    TestServer::start().both(|client| {
        let reply = client.ask(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        );
        assert_eq!(reply.text(), "x");
    });
}

#[test]
fn heads_have_limits() {
    let server = TestServer::start();
    let filler = |len: usize| "x".repeat(len);
    // As long as may be …
    let line = |len: usize| format!("GET /hello?0&{} HTTP/1.1", filler(len - 22));
    server.both(|client| {
        let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", filler(16 * 1024 - 14));
        assert_eq!(client.ask(request).status, 404);
        let rest = 32 * 1024 - "GET /hello HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        let request = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", filler(rest));
        assert_eq!(client.ask(request).status, 200);
        let fields: String = (1..100).map(|n| format!("x-{n}: y\r\n")).collect();
        let request = format!("GET /hello HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(client.ask(request).status, 200);
    });
    // … and one more; unfinished, too.
    let long_line = line(16 * 1024 + 1);
    refused(&server, &format!("{long_line}\r\nHost: a\r\n\r\n"), 414);
    refused(&server, &format!("{long_line}x"), 414);
    let rest = 32 * 1024 + 1 - "GET /hello HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
    let long = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {}", filler(rest));
    refused(&server, &format!("{long}\r\n\r\n"), 431);
    refused(&server, &format!("{long}xxxx"), 431);
    let fields: String = (0..100).map(|n| format!("x-{n}: y\r\n")).collect();
    refused(&server, &format!("GET /hello HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), 431);
}
