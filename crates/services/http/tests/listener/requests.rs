//! Ordinary requests: bodies in, responses out, one connection after another request.

use std::time::{Duration, Instant};

use crate::support::{TestServer, pattern};

#[test]
fn a_response_is_one_piece_with_a_date() {
    TestServer::start().both(|client| {
        let reply = client.get("/hello");
        assert_eq!((reply.status, reply.text()), (200, "hello"));
        assert!(reply.header("date").unwrap().ends_with(" GMT"));
        assert_eq!(reply.header("connection"), None);
        // Head and body came in one read: under TLS, in one record.
        assert_eq!(client.pieces.len(), 1, "{:?}", client.pieces);
    });
}

#[test]
fn requests_follow_each_other_on_a_connection() {
    TestServer::start().both(|client| {
        let first = client.get("/connection");
        let second = client.get("/connection");
        assert_eq!(first.text(), second.text());
        assert!(first.text().ends_with(&client.is_tls().to_string()));
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    TestServer::start().both(|client| {
        client.send(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none\
             GET /hello HTTP/1.1\r\nHost: a\r\n\r\n\
             POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\ntw\r\n1;x=y\r\no\r\n0\r\nTrailer: t\r\n\r\n\
             \r\nGET /stream?3 HTTP/1.1\r\nHost: a\r\n\r\n",
        );
        let replies: Vec<_> = (0..4).map(|_| client.take_reply().body).collect();
        assert_eq!(replies, [&b"one"[..], b"hello", b"two", b"0;1;2;"]);
    });
}

#[test]
fn a_request_may_come_byte_by_byte() {
    TestServer::start().both(|client| {
        let request = b"\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbytes";
        for byte in request {
            client.send([*byte]);
        }
        assert_eq!(client.take_reply().text(), "bytes");
        assert_eq!(client.get("/hello").text(), "hello");
    });
}

#[test]
fn large_bodies_both_ways() {
    TestServer::start().both(|client| {
        let body = pattern(100_000);
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
        client.send([head.as_bytes(), &body].concat());
        assert_eq!(client.take_reply().body, body);
        assert_eq!(client.get("/big?3000000").body, pattern(3_000_000));
    });
}

#[test]
fn a_body_over_the_limit_is_refused_unread() {
    TestServer::start().both(|client| {
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n");
        let reply = client.take_reply();
        assert_eq!((reply.status, reply.header("connection")), (413, Some("close")));
        // What is still on its way does not turn the answer into a reset.
        client.send(pattern(20_000));
        assert_eq!(client.take_rest(), b"");
    });
    TestServer::start().both(|client| {
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send([&b"186a1\r\n"[..], &pattern(100_001), b"\r\n0\r\n\r\n"].concat());
        assert_eq!(client.take_reply().status, 413);
    });
}

#[test]
fn a_streamed_response_is_chunked_part_by_part() {
    TestServer::start().both(|client| {
        client.send("GET /stream?3 HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = client.take_head();
        assert_eq!(head.header("transfer-encoding"), Some("chunked"));
        assert_eq!(head.header("content-length"), None);
        let chunks: Vec<_> = (0..4).map(|_| client.take_chunk()).collect();
        assert_eq!(chunks, [&b"0;"[..], b"1;", b"2;", b""]);
        assert_eq!(client.get("/hello").text(), "hello");
    });
}

#[test]
fn a_failed_stream_has_no_last_chunk() {
    TestServer::start().both(|client| {
        client.send("GET /stream-error?2 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.take_head();
        assert_eq!(client.take_chunk(), b"0;");
        assert_eq!(client.take_chunk(), b"1;");
        assert!(client.is_closed());
    });
}

#[test]
fn a_stream_with_a_content_length_is_held_to_it() {
    TestServer::start().both(|client| {
        let reply = client.get("/counted?3");
        assert_eq!((reply.header("transfer-encoding"), reply.text()), (None, "0;1;2;"));
        assert_eq!(client.get("/hello").text(), "hello");
        // Too little.
        client.send("GET /counted?2 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.take_head();
        assert_eq!(client.take(4), b"0;1;");
        assert!(client.is_closed());
    });
    // Too much: never more than was declared.
    TestServer::start().both(|client| {
        client.send("GET /counted?4 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.take_head();
        assert_eq!(client.take(6), b"0;1;2;");
        assert!(client.is_closed());
    });
}

#[test]
fn http_1_0_gets_a_close_and_no_chunks() {
    TestServer::start().both(|client| {
        let reply = client.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!((reply.text(), reply.header("connection")), ("hello", Some("close")));
        assert_eq!(client.take_rest(), b"");
    });
    TestServer::start().both(|client| {
        client.send("GET /stream?3 HTTP/1.0\r\n\r\n");
        let head = client.take_head();
        assert_eq!(head.header("transfer-encoding"), None);
        assert_eq!(head.header("connection"), Some("close"));
        assert_eq!(client.take_rest(), b"0;1;2;");
    });
    // A failed stream must not look complete: no orderly end.
    TestServer::start().both(|client| {
        client.send("GET /stream-error?1 HTTP/1.0\r\n\r\n");
        client.take_head();
        let mut end = client.fill();
        while let Ok(true) = end {
            end = client.fill();
        }
        assert!(end.is_err(), "an orderly end: {end:?}");
    });
    TestServer::start().both(|client| {
        let reply = client.ask("POST /exchange HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!(reply.status, 505);
    });
}

#[test]
fn head_is_answered_without_a_body() {
    TestServer::start().both(|client| {
        client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.take_head().header("content-length"), Some("5"));
        client.send("HEAD /stream?3 HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.take_head().status, 200);
        let reply = client.get("/hello");
        assert_eq!(reply.text(), "hello");
    });
}

#[test]
fn no_content_has_no_length() {
    TestServer::start().both(|client| {
        let reply = client.get("/no-content");
        assert_eq!((reply.status, reply.header("content-length")), (204, None));
        assert_eq!(client.get("/hello").text(), "hello");
    });
}

#[test]
fn close_is_honoured_from_either_side() {
    TestServer::start().both(|client| {
        let reply = client.ask("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n");
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(client.take_rest(), b"");
    });
    TestServer::start().both(|client| {
        let reply = client.get("/close");
        assert_eq!((reply.text(), reply.header("connection")), ("closing", Some("close")));
        assert_eq!(client.take_rest(), b"");
    });
}

#[test]
fn half_closed_clients_get_the_whole_answer() {
    TestServer::start().both(|client| {
        client.send("GET /slow?100 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.half_close();
        assert_eq!(client.take_reply().text(), "slow");
        assert_eq!(client.take_rest(), b"");
    });
    TestServer::start().both(|client| {
        client.send("GET /stream?2000 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.half_close();
        let expected: String = (0..2000).map(|n| format!("{n};")).collect();
        assert_eq!(client.take_reply().text(), expected);
    });
}

#[test]
fn rejected_requests_keep_the_connection_unless_they_have_a_body() {
    TestServer::start().both(|client| {
        let reply = client.get("/reject");
        assert_eq!((reply.status, reply.text()), (403, "rejected"));
        let reply = client.ask("POST /reject HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
        assert_eq!((reply.status, reply.header("connection")), (403, Some("close")));
        client.send(pattern(9));
        assert_eq!(client.take_rest(), b"");
    });
}

#[test]
fn expect_continue_before_a_buffered_body() {
    TestServer::start().both(|client| {
        client.send(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n",
        );
        assert_eq!(client.take_head().head, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(client.ask("body").text(), "body");
        // Not when the body is refused …
        let reply = client.ask(
            "POST /reject HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
        );
        assert_eq!((reply.status, reply.header("connection")), (403, Some("close")));
    });
    TestServer::start().both(|client| {
        // … nor when there is none, or it is here already.
        let reply = client.ask("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
        assert_eq!(reply.status, 200);
        let reply = client.ask(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
        );
        assert_eq!((reply.status, reply.text()), (200, "x"));
        let reply = client.ask("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n");
        assert_eq!(reply.status, 417);
    });
}

#[test]
fn panics_become_500_and_a_close() {
    let server = TestServer::start();
    for path in ["/panic", "/panic-admit"] {
        server.both(|client| {
            let reply = client.get(path);
            assert_eq!((reply.status, reply.header("connection")), (500, Some("close")));
            assert_eq!(client.take_rest(), b"");
        });
    }
    server.both(|client| {
        let reply = client.get("/interim");
        assert_eq!(reply.status, 500);
    });
    assert_eq!(server.counters.panics.load(std::sync::atomic::Ordering::Relaxed), 4);
    // The shard lives on.
    server.both(|client| assert_eq!(client.get("/hello").status, 200));
}

#[test]
fn the_authority_of_an_absolute_target_is_the_host() {
    TestServer::start().both(|client| {
        let reply = client.ask("GET http://b:80/headers?0 HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(reply.text(), r#"/headers?0 {"host": "b:80"}"#);
    });
}

#[test]
fn a_stream_ends_when_its_reader_is_gone() {
    let server = TestServer::start();
    for path in ["/silent", "/endless"] {
        server.both(|client| {
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            client.take_head();
            // Unread bytes and a close make a reset.
            let socket = socket2::SockRef::from(client.tcp());
            socket.set_linger(Some(Duration::ZERO)).unwrap();
        });
        for _ in 0..2 {
            assert_eq!(server.report(), "stream dropped");
        }
    }
}

#[test]
fn a_reader_that_stalls_is_cut() {
    let server = TestServer::limited(|limits| {
        limits.write_stall_timeout = Duration::from_millis(300);
    });
    server.both(|client| {
        let began = Instant::now();
        client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
        client.take_head();
        assert_eq!(server.report(), "stream dropped");
        assert!(began.elapsed() >= Duration::from_millis(300));
    });
}
