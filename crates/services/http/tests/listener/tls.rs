//! TLS as clients of all kinds speak it.

use std::io::Write;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion};

use crate::support::{Client, TestServer, pattern};

fn versions(server: &TestServer) -> [Arc<ClientConfig>; 2] {
    [
        server.client_config(&[&rustls::version::TLS13], &[]),
        server.client_config(&[&rustls::version::TLS12], &[]),
    ]
}

#[test]
fn both_versions_and_their_tickets() {
    let server = TestServer::start();
    for (config, version) in
        versions(&server).into_iter().zip([ProtocolVersion::TLSv1_3, ProtocolVersion::TLSv1_2])
    {
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut client = server.tls_with(Arc::clone(&config));
            assert_eq!(client.get("/hello").text(), "hello");
            let conn = client.tls_conn();
            assert_eq!(conn.protocol_version(), Some(version));
            assert_eq!(conn.handshake_kind(), Some(kind));
        }
    }
}

#[test]
fn http_1_1_is_agreed_on() {
    let server = TestServer::start();
    let config = server.client_config(rustls::ALL_VERSIONS, &[b"http/1.1"]);
    let mut client = server.tls_with(config);
    assert_eq!(client.tls_conn().alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(client.get("/hello").text(), "hello");
}

/// Sends what the client's TLS has to send in pieces of `len` bytes.
fn send_in_pieces(client: &mut Client, len: usize) {
    let mut ciphertext = Vec::new();
    let conn = client.tls_conn();
    while conn.wants_write() {
        conn.write_tls(&mut ciphertext).unwrap();
    }
    for piece in ciphertext.chunks(len) {
        client.tcp().write_all(piece).unwrap();
        if len < 100 {
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
    }
}

fn put(conn: &mut ClientConnection, bytes: &[u8]) {
    conn.writer().write_all(bytes).unwrap();
}

#[test]
fn records_in_any_pieces() {
    let server = TestServer::start();
    for config in versions(&server) {
        for (body_len, piece_len) in [(700, 1), (40_000, 1000), (40_000, 17_000), (90_000, 90_000)]
        {
            let mut client = server.tls_with(Arc::clone(&config));
            client.tls_conn().set_buffer_limit(None);
            let body = pattern(body_len);
            let head =
                format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {body_len}\r\n\r\n");
            put(client.tls_conn(), head.as_bytes());
            // Records of many sizes.
            for (at, piece) in body.chunks(1 + body_len / 7).enumerate() {
                let (small, large) = piece.split_at((at * 13).min(piece.len()));
                put(client.tls_conn(), small);
                put(client.tls_conn(), large);
            }
            send_in_pieces(&mut client, piece_len);
            assert!(client.take_reply().body == body, "{body_len} in {piece_len}");
        }
    }
}

#[test]
fn key_updates_in_the_middle() {
    let server = TestServer::start();
    let config = server.client_config(&[&rustls::version::TLS13], &[]);
    let mut client = server.tls_with(config);
    client.send("POST /exchange HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.take_head();
    for round in 0..3 {
        put(client.tls_conn(), b"3\r\na");
        client.tls_conn().refresh_traffic_keys().unwrap();
        put(client.tls_conn(), b"bc\r\n");
        send_in_pieces(&mut client, [1, 20, 1000][round]);
        let mut back = client.take_chunk();
        if back.len() < 3 {
            back.extend(client.take_chunk());
        }
        assert_eq!(back, b"abc");
    }
}

#[test]
fn broken_records_end_the_connection_with_an_alert() {
    let server = TestServer::start();
    let mut client = server.tls();
    assert_eq!(client.get("/hello").status, 200);
    // A record of application data that no key has made.
    client.tcp().write_all(&[23, 3, 3, 0, 32]).unwrap();
    client.tcp().write_all(&[7; 32]).unwrap();
    let err = client.fill().unwrap_err();
    assert!(err.to_string().contains("BadRecordMac"), "{err}");
    assert_eq!(server.plain().get("/hello").status, 200);
}
