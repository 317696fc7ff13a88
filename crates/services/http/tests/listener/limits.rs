//! Who is slow, silent, or one too many.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, TestServer, pattern};

const SHORT: Duration = Duration::from_millis(300);

#[track_caller]
fn comes_to(counter: &AtomicU64, expected: u64) {
    let began = Instant::now();
    while counter.load(Ordering::Relaxed) != expected {
        let now = counter.load(Ordering::Relaxed);
        assert!(began.elapsed() < PATIENCE, "{now} instead of {expected}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_head_must_come_in_time() {
    let server = TestServer::limited(|limits| limits.head_timeout = SHORT);
    // Nothing at all: no answer either.
    server.both(|client| {
        let began = Instant::now();
        assert!(client.is_closed());
        assert!(began.elapsed() > SHORT / 2);
    });
    // A byte now and then does not help.
    server.both(|client| {
        let began = Instant::now();
        for byte in b"GET /hello HTTP/1.1\r\nHost: " {
            if began.elapsed() > SHORT * 2 || client.try_send([*byte]).is_err() {
                break;
            }
            std::thread::sleep(SHORT / 10);
        }
        let began = Instant::now();
        let reply = client.take_reply();
        assert!(began.elapsed() < SHORT / 2, "answered only {:?} later", began.elapsed());
        assert_eq!((reply.status, reply.header("connection")), (408, Some("close")));
    });
    // For a later request the time begins with its first byte.
    server.both(|client| {
        client.get("/hello");
        std::thread::sleep(SHORT * 2);
        assert_eq!(client.get("/hello").status, 200);
        client.send("GET");
        assert_eq!(client.take_reply().status, 408);
    });
}

#[test]
fn idle_connections_are_closed() {
    let server = TestServer::limited(|limits| limits.keep_alive_timeout = SHORT);
    server.both(|client| {
        client.get("/hello");
        let began = Instant::now();
        assert_eq!(client.take_rest(), b"");
        assert!(began.elapsed() > SHORT / 2);
    });
    comes_to(&server.counters.connections_open, 0);
}

#[test]
fn a_handshake_must_come_in_time() {
    let server = TestServer::limited(|limits| limits.tls_handshake_timeout = SHORT);
    let mut silent = server.tcp_to_tls();
    assert!(silent.is_closed());
    comes_to(&server.counters.tls_failures, 1);
    // What is no TLS gets an alert: unexpected_message or decode_error in a plaintext record.
    let mut confused = server.tcp_to_tls();
    confused.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(confused.take(1), [21]);
    comes_to(&server.counters.tls_failures, 2);
}

#[test]
fn a_buffered_body_must_come_in_time() {
    let server = TestServer::limited(|limits| {
        limits.body_timeout = SHORT;
        limits.body_rate_min = 10_000;
    });
    server.both(|client| {
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
        let reply = client.take_reply();
        assert_eq!((reply.status, reply.header("connection")), (408, Some("close")));
    });
    // Nor does a byte now and then help.
    server.both(|client| {
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n");
        let began = Instant::now();
        while began.elapsed() < SHORT * 2 && client.try_send("x").is_ok() {
            std::thread::sleep(SHORT / 10);
        }
        let began = Instant::now();
        assert_eq!(client.take_reply().status, 408);
        assert!(began.elapsed() < SHORT / 2, "answered only {:?} later", began.elapsed());
    });
    // 30 KB earn three seconds more.
    server.both(|client| {
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 30001\r\n\r\n");
        client.send(pattern(30_000));
        std::thread::sleep(SHORT * 2);
        client.send("x");
        assert_eq!(client.take_reply().status, 200);
    });
}

#[test]
fn connections_beyond_the_limit_are_refused() {
    let server = TestServer::limited(|limits| limits.connections_max = 3);
    let mut kept = vec![server.plain(), server.tls(), server.plain()];
    for client in &mut kept {
        assert_eq!(client.get("/hello").status, 200);
    }
    let mut refused = server.plain();
    let reply = refused.take_reply();
    assert_eq!((reply.status, reply.header("connection")), (503, Some("close")));
    assert_eq!(refused.take_rest(), b"");
    assert!(server.tcp_to_tls().is_closed());
    let counters = &server.counters;
    assert_eq!(counters.connections_refused.load(Ordering::Relaxed), 2);
    assert_eq!(counters.connections_accepted.load(Ordering::Relaxed), 5);
    comes_to(&counters.connections_open, 3);
    // The others are served as before, and a place that is left is given away again.
    for client in &mut kept {
        assert_eq!(client.get("/hello").status, 200);
    }
    kept.pop();
    comes_to(&counters.connections_open, 2);
    assert_eq!(server.plain().get("/hello").status, 200);
}

#[test]
fn many_idle_connections_do_not_hurt_others() {
    let server = TestServer::start();
    let idle: Vec<_> = (0..500)
        .map(|_| {
            let mut client = server.plain();
            client.send("GET /he");
            client
        })
        .collect();
    let began = Instant::now();
    server.both(|client| assert_eq!(client.get("/hello").status, 200));
    assert!(began.elapsed() < PATIENCE / 4);
    comes_to(&server.counters.connections_open, idle.len() as u64);
}

#[test]
fn bytes_and_requests_are_counted() {
    let server = TestServer::start();
    let mut client = server.plain();
    let request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    let reply = client.ask(request);
    let counters = &server.counters;
    assert_eq!(counters.requests.load(Ordering::Relaxed), 1);
    assert_eq!(counters.bytes_in.load(Ordering::Relaxed), request.len() as u64);
    let sent = (reply.head.len() + reply.body.len()) as u64;
    comes_to(&counters.bytes_out, sent); // counted after the write
    assert_eq!(client.ask("x\r\n\r\n").status, 400);
    assert_eq!(counters.requests_refused.load(Ordering::Relaxed), 1);
}
