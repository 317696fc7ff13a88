//! Connections that leave HTTP for a WebSocket.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use http::{HeaderMap, Response, StatusCode};
use streamkeep_http::{Exchange, Handshake};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Client, PATIENCE, Report, TestServer, pattern};

const REQUEST: &str = "GET /exchange HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Gives back what it reads, until the end, and reports how that came.
async fn echo(exchange: &mut Exchange, handshake: Handshake, idle: Duration, report: Report) {
    let mut headers = HeaderMap::new();
    headers.insert("x-amzn-requestid", "7".parse().unwrap());
    headers.insert("connection", "close".parse().unwrap());
    let mut stream = exchange.upgrade(&handshake, &headers);
    stream.set_idle_timeout(idle);
    stream.flush().await.unwrap();
    let mut bytes = vec![0; 1000];
    loop {
        match stream.read(&mut bytes).await {
            Ok(0) => break drop(report.send("end".into())),
            Ok(len) => {
                let written = async {
                    stream.write_all(&bytes[..len]).await?;
                    stream.flush().await
                };
                if let Err(error) = written.await {
                    break drop(report.send(format!("writing: {}", error.kind())));
                }
            }
            Err(error) => break drop(report.send(error.kind().to_string())),
        }
    }
}

fn server(idle: Duration) -> TestServer {
    TestServer::exchanging(move |head, exchange, report| {
        Box::pin(async move {
            match Handshake::of(&head) {
                Ok(handshake) => echo(exchange, handshake, idle, report).await,
                Err(error) => {
                    let mut response = Response::new(error.to_string().into());
                    *response.status_mut() = error.status();
                    error.tell_in(response.headers_mut());
                    exchange.send_response(&response);
                }
            }
        })
    })
}

fn upgraded(client: &mut Client) {
    let head = client.take_head();
    assert_eq!(head.status, 101);
    assert_eq!(head.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(
        (head.header("upgrade"), head.header("connection")),
        (Some("websocket"), Some("upgrade"),)
    );
    assert_eq!(head.header("x-amzn-requestid"), Some("7"));
    assert_eq!((head.header("content-length"), head.header("transfer-encoding")), (None, None));
}

#[test]
fn bytes_go_both_ways_and_both_ends_are_orderly() {
    let server = server(PATIENCE);
    server.both(|client| {
        // What follows the head at once belongs to the new protocol.
        client.send([REQUEST.as_bytes(), b"first"].concat());
        upgraded(client);
        assert_eq!(client.take(5), b"first");
        let large = pattern(300_000);
        for part in large.chunks(30_000) {
            client.send(part);
            assert_eq!(client.take(part.len()), part);
        }
        client.half_close();
        assert_eq!(client.take_rest(), b"");
        assert_eq!(server.report(), "end");
    });
}

#[test]
fn refusals_keep_the_connection_and_name_the_version() {
    let server = server(PATIENCE);
    server.both(|client| {
        let reply = client.ask(REQUEST.replace("Version: 13", "Version: 8"));
        assert_eq!(reply.status, StatusCode::UPGRADE_REQUIRED);
        assert_eq!(reply.header("sec-websocket-version"), Some("13"));
        assert_eq!(
            (reply.header("upgrade"), reply.header("connection")),
            (Some("websocket"), Some("upgrade"),)
        );
        let reply = client.ask(REQUEST.replace("ZSBub25jZQ", "ZSBu"));
        assert_eq!((reply.status, reply.header("upgrade")), (400, None));
        client.send(REQUEST);
        upgraded(client);
    });
}

#[test]
fn silence_ends_it() {
    let idle = Duration::from_millis(300);
    let server = server(idle);
    server.both(|client| {
        client.send(REQUEST);
        upgraded(client);
        for _ in 0..4 {
            std::thread::sleep(idle / 2);
            client.send("x");
            assert_eq!(client.take(1), b"x");
        }
        let since = Instant::now();
        assert!(client.is_closed());
        assert!(since.elapsed() >= idle / 2 && since.elapsed() < PATIENCE / 2);
        assert_eq!(server.report(), ErrorKind::TimedOut.to_string());
    });
}

#[test]
fn a_peer_that_takes_nothing_is_cut() {
    let server = TestServer::with(
        |limits| limits.write_stall_timeout = Duration::from_millis(300),
        Box::new(|head, exchange, report| {
            Box::pin(async move {
                let handshake = Handshake::of(&head).unwrap();
                let mut stream = exchange.upgrade(&handshake, &HeaderMap::new());
                let bytes = pattern(8000);
                loop {
                    if let Err(error) = stream.write_all(&bytes).await {
                        break drop(report.send(error.kind().to_string()));
                    }
                }
            })
        }),
    );
    server.both(|client| {
        client.send(REQUEST);
        assert_eq!(server.report(), ErrorKind::TimedOut.to_string());
    });
}
