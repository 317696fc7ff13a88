//! Both directions at once.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::{HeaderMap, Response, StatusCode};
use streamkeep_http::{Exchange, ReadError, WriteError};

use crate::support::{TestServer, echo, pattern};

const HEAD: &str = "POST /exchange HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn acks_arrive_while_the_body_is_open() {
    TestServer::start().both(|client| {
        client.send(HEAD);
        // The head comes before any body byte is sent.
        assert_eq!(client.take_head().status, 200);
        for round in 0..5 {
            let data = pattern(1000 + round);
            client.send([format!("{:x}\r\n", data.len()).as_bytes(), &data, b"\r\n"].concat());
            let mut back = Vec::new();
            while back.len() < data.len() {
                back.extend(client.take_chunk());
            }
            assert_eq!(back, data);
        }
        client.send("0\r\n\r\n");
        assert_eq!(client.take_chunk(), b"");
        // Both bodies ended: the connection goes on.
        assert_eq!(client.get("/hello").text(), "hello");
    });
}

#[test]
fn each_chunk_is_one_record() {
    let server = TestServer::exchanging(|_, exchange, _| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            exchange.send_chunk(b"{\"EventType\":\"BUFFERING\"}");
            exchange.send_chunk(b"{\"EventType\":\"RECEIVED\"}");
            exchange.send_chunk(&pattern(16_376));
            exchange.finish();
            assert_eq!(exchange.read().await.unwrap(), None);
        })
    });
    let mut client = server.tls();
    client.send(HEAD);
    client.send("0\r\n\r\n");
    client.take_reply();
    let pieces: Vec<_> = client
        .pieces
        .iter()
        .skip(1)
        .map(|piece| String::from_utf8_lossy(&piece[..piece.len().min(50)]))
        .collect();
    assert!(client.pieces[0].ends_with(b"\r\n\r\n"), "the head");
    assert_eq!(pieces[0], "19\r\n{\"EventType\":\"BUFFERING\"}\r\n");
    assert_eq!(pieces[1], "18\r\n{\"EventType\":\"RECEIVED\"}\r\n");
    assert!(pieces[2].starts_with("3ff8\r\n"), "{pieces:?}");
    assert_eq!(client.pieces[3].len(), 16 * 1024);
    assert_eq!(pieces[3], "0\r\n\r\n");
}

#[test]
fn continue_and_final_head_are_two_records() {
    let server = TestServer::start();
    server.both(|client| {
        client.send(
            "POST /exchange HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
             Expect: 100-continue\r\n\r\n",
        );
        assert_eq!(client.take_head().head, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(client.take_head().status, 200);
        if client.is_tls() {
            assert_eq!(client.pieces[0], b"HTTP/1.1 100 Continue\r\n\r\n");
            assert!(client.pieces[1].starts_with(b"HTTP/1.1 200 OK\r\n"));
        }
        client.send("1\r\nx\r\n0\r\n\r\n");
        assert_eq!(client.take_chunk(), b"x");
        assert_eq!(client.take_chunk(), b"");
    });
}

#[test]
fn a_refusal_has_no_continue_and_closes() {
    let server = TestServer::exchanging(|head, exchange, _| {
        Box::pin(async move {
            if head.uri.query().is_some() {
                exchange.send_head(StatusCode::FORBIDDEN, &HeaderMap::new());
                exchange.send_chunk(b"no");
                return exchange.finish();
            }
            let mut response = Response::new("no".into());
            *response.status_mut() = StatusCode::FORBIDDEN;
            exchange.send_response(&response);
        })
    });
    let head = "POST /exchange HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
        Expect: 100-continue\r\n\r\n";
    server.both(|client| {
        let reply = client.ask(head.replace("/exchange", "/exchange?chunked"));
        assert_eq!((reply.status, reply.text()), (403, "no"));
    });
    server.both(|client| {
        let reply = client.ask(head);
        assert_eq!((reply.status, reply.text()), (403, "no"));
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(client.pieces.len(), 1);
        // A producer that did not wait: what it sends does not reset the answer away.
        client.send("5\r\nhello\r\n");
        assert_eq!(client.take_rest(), b"");
    });
}

#[test]
fn after_an_abrupt_end_acks_are_still_delivered() {
    let server = TestServer::exchanging(|_, exchange, report| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            let mut body = Vec::new();
            let end = loop {
                match exchange.read().await {
                    Ok(Some(run)) => body.extend_from_slice(run),
                    Ok(None) => break "complete".into(),
                    Err(ReadError::Closed { cause }) => break format!("closed {cause:?}"),
                    Err(err) => break err.to_string(),
                }
            };
            report.send(format!("{} {end}", body.len())).unwrap();
            exchange.send_chunk(b"last ack");
            exchange.finish();
            exchange.flush().await.unwrap();
        })
    });
    server.both(|client| {
        client.send(HEAD);
        client.send("5\r\nhel");
        client.half_close();
        assert_eq!(client.take_head().status, 200);
        assert_eq!(client.take_chunk(), b"last ack");
        assert_eq!(client.take_chunk(), b"");
        assert_eq!(client.take_rest(), b"");
    });
    for _ in 0..2 {
        assert_eq!(server.report(), "3 closed None");
    }
}

#[test]
fn a_body_in_any_pieces() {
    let server = TestServer::start();
    let sent = b"3;x=y\r\nabc\r\n00a\r\n0123456789\r\n1 \r\nz\r\n0\r\nT: t\r\n\r\n";
    for at in 0..sent.len() {
        server.both(|client| {
            client.send([HEAD.as_bytes(), &sent[..at]].concat());
            assert_eq!(client.take_head().status, 200);
            client.send(&sent[at..]);
            let mut body = Vec::new();
            loop {
                match client.take_chunk() {
                    chunk if chunk.is_empty() => break,
                    chunk => body.extend(chunk),
                }
            }
            assert_eq!(body, b"abc0123456789z", "split at {at}");
        });
    }
    server.both(|client| {
        client.send(HEAD);
        for byte in sent {
            client.send([*byte]);
        }
        assert_eq!(client.take_reply().body, b"abc0123456789z");
        assert_eq!(client.get("/hello").status, 200);
    });
}

#[test]
fn bodies_with_a_length_or_none() {
    let server = TestServer::start();
    server.both(|client| {
        let request = "POST /exchange HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(client.ask(request).text(), "hello");
        assert_eq!(client.get("/exchange").text(), "");
        assert_eq!(client.get("/hello").text(), "hello");
    });
}

#[test]
fn reading_beside_another_source_loses_nothing() {
    // As an ingest does: frames from the peer, acks from the store, whichever comes.
    let server = TestServer::exchanging(|_, exchange, report| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            let (acks, mut acked) = tokio::sync::mpsc::channel(1);
            let store = tokio::spawn(async move {
                for ack in 0.. {
                    tokio::task::yield_now().await;
                    if acks.send(ack).await.is_err() {
                        return;
                    }
                }
            });
            let mut body = Vec::new();
            loop {
                tokio::select! {
                    run = exchange.read() => match run.unwrap() {
                        Some(run) => body.extend_from_slice(run),
                        None => break,
                    },
                    ack = acked.recv() => exchange.send_chunk(format!("{ack:?}").as_bytes()),
                }
            }
            exchange.finish();
            store.abort();
            report.send((body == pattern(300_000)).to_string()).unwrap();
        })
    });
    server.both(|client| {
        client.send(HEAD);
        for piece in pattern(300_000).chunks(1009) {
            client.send([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
            std::thread::sleep(Duration::from_micros(100));
        }
        client.send("0\r\n\r\n");
        let acks = client.take_reply();
        let count = acks.text().matches("Some").count();
        let expected: String = (0..count).map(|ack| format!("Some({ack})")).collect();
        assert_eq!(acks.text(), expected);
        assert!(count > 10, "{count} acks");
        assert_eq!(server.report(), "true");
    });
}

#[test]
fn silence_is_told_and_reading_goes_on() {
    let server = TestServer::exchanging(|_, exchange, _| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            exchange.set_read_timeout(Some(Duration::from_millis(100)));
            loop {
                match exchange.read().await {
                    Ok(Some(run)) => {
                        let run = run.to_vec();
                        exchange.send_chunk(&run);
                    }
                    Ok(None) => break,
                    Err(ReadError::Timeout) => exchange.send_chunk(b"idle"),
                    Err(err) => panic!("{err}"),
                }
            }
            exchange.finish();
        })
    });
    server.both(|client| {
        client.send(HEAD);
        client.take_head();
        let began = Instant::now();
        for _ in 0..3 {
            assert_eq!(client.take_chunk(), b"idle");
        }
        assert!(began.elapsed() > Duration::from_millis(250));
        client.send("1\r\nx\r\n");
        while client.take_chunk() != b"x" {}
        client.send("0\r\n\r\n");
        while !client.take_chunk().is_empty() {}
        assert_eq!(client.get("/hello").status, 200);
    });
}

#[test]
fn frames_put_the_silence_off() {
    let server = TestServer::exchanging(|_, exchange, _| {
        Box::pin(async move {
            exchange.set_read_timeout(Some(Duration::from_millis(400)));
            echo(exchange).await;
        })
    });
    server.both(|client| {
        client.send(HEAD);
        client.take_head();
        for _ in 0..12 {
            std::thread::sleep(Duration::from_millis(80));
            client.send("1\r\nx\r\n");
            assert_eq!(client.take_chunk(), b"x");
        }
        client.send("0\r\n\r\n");
        assert_eq!(client.take_chunk(), b"");
    });
    assert_eq!(server.counters.panics.load(Ordering::Relaxed), 0);
}

#[test]
fn broken_framing_is_told_and_can_be_answered() {
    let server = TestServer::exchanging(|_, exchange, report| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            let mut body = Vec::new();
            let err = loop {
                match exchange.read().await {
                    Ok(run) => body.extend_from_slice(run.unwrap()),
                    Err(err) => break err,
                }
            };
            report.send(format!("{body:?} {err}")).unwrap();
            exchange.send_chunk(b"error ack");
            exchange.finish();
        })
    });
    server.both(|client| {
        client.send(HEAD);
        client.send("1\r\nA\r\n5\nhello");
        client.take_head();
        assert_eq!(client.take_chunk(), b"error ack");
        assert_eq!(client.take_chunk(), b"");
        assert_eq!(client.take_rest(), b"");
        assert_eq!(server.report(), "[65] CRLF expected at byte 7 of the body");
    });
}

#[test]
fn a_reset_is_told() {
    let server = TestServer::exchanging(|_, exchange, report| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            let mut len = 0;
            let err = loop {
                match exchange.read().await {
                    Ok(run) => len += run.unwrap().len(),
                    Err(err) => break err,
                }
            };
            assert!(matches!(err, ReadError::Closed { .. }), "{err}");
            exchange.send_chunk(b"too late");
            let lost = match exchange.flush().await {
                Ok(()) => exchange.flush().await.is_ok(),
                Err(WriteError::Closed(_)) => true,
                Err(err) => panic!("{err}"),
            };
            report.send(format!("{len} {lost} {}", exchange.queued())).unwrap();
        })
    });
    server.both(|client| {
        client.send(HEAD);
        client.take_head();
        client.send("3\r\nabc\r\n");
        std::thread::sleep(Duration::from_millis(50));
        let socket = socket2::SockRef::from(client.tcp());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    });
    for _ in 0..2 {
        assert_eq!(server.report(), "3 true 0");
    }
}

/// Sends an ack of a kilobyte for each run, as fast as the peer lets it; gives the most that was
/// queued at a time.
async fn flood(exchange: &mut Exchange) -> (usize, ReadError) {
    exchange.send_head(StatusCode::OK, &HeaderMap::new());
    let mut queued_max = 0;
    loop {
        match exchange.read().await {
            Ok(_) => exchange.send_chunk(&[b'a'; 1000]),
            Err(err) => return (queued_max, err),
        }
        queued_max = queued_max.max(exchange.queued());
    }
}

#[test]
fn a_peer_that_reads_nothing_is_not_read_and_then_given_up() {
    let server = TestServer::with(
        |limits| limits.write_stall_timeout = Duration::from_millis(500),
        Box::new(|_, exchange, report| {
            Box::pin(async move {
                let began = Instant::now();
                let (queued_max, err) = flood(exchange).await;
                let waited = began.elapsed() >= Duration::from_millis(500);
                report.send(format!("{err:?} {waited}")).unwrap();
                report.send(queued_max.to_string()).unwrap();
            })
        }),
    );
    server.both(|client| {
        client.send(HEAD);
        // Each chunk of one byte earns a kilobyte that is never read.
        let chunks = "1\r\nx\r\n".repeat(1000);
        while client.try_send(&chunks).is_ok() {}
        assert_eq!(server.report(), "Stalled true");
        let queued_max: usize = server.report().parse().unwrap();
        assert!((64 * 1024..66 * 1024).contains(&queued_max), "{queued_max}");
    });
}

#[test]
fn a_slow_peer_gets_everything() {
    let server = TestServer::exchanging(|_, exchange, _| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            for part in 0..2000 {
                exchange.send_chunk(&pattern(part));
                if exchange.queued() > 100_000 {
                    exchange.flush().await.unwrap();
                }
            }
            exchange.finish();
            assert!(exchange.read().await.unwrap().is_none());
        })
    });
    server.both(|client| {
        client.send(HEAD);
        client.send("0\r\n\r\n");
        std::thread::sleep(Duration::from_millis(200));
        client.take_head();
        for part in 1..2000 {
            assert_eq!(client.take_chunk(), pattern(part));
        }
        assert_eq!(client.take_chunk(), b"");
        assert_eq!(client.get("/hello").status, 200);
    });
}

#[test]
fn what_a_handler_leaves_undone() {
    let server = TestServer::exchanging(|head, exchange, _| {
        Box::pin(async move {
            match head.uri.query().unwrap() {
                "nothing" => return,
                "panic" => panic!("before the head"),
                _ => {}
            }
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            exchange.send_chunk(b"one");
            match head.uri.query().unwrap() {
                "unfinished" => {}
                "panic-later" => panic!("after the head"),
                _ => exchange.finish(),
            }
        })
    });
    let head = |what: &str| HEAD.replace("/exchange", &format!("/exchange?{what}"));
    for what in ["nothing", "panic"] {
        server.both(|client| {
            let reply = client.ask(head(what));
            assert_eq!((reply.status, reply.header("connection")), (500, Some("close")));
            assert_eq!(client.take_rest(), b"");
        });
    }
    for what in ["unfinished", "panic-later"] {
        server.both(|client| {
            client.send(head(what));
            client.take_head();
            assert_eq!(client.take_chunk(), b"one");
            assert!(client.is_closed(), "{what}");
        });
    }
    // Answered without reading the body: a short rest is skipped, a long one is not.
    server.both(|client| {
        client.send(head("finished"));
        client.send("5\r\nhello\r\n0\r\n\r\n");
        assert_eq!(client.take_reply().text(), "one");
        assert_eq!(client.get("/hello").status, 200);
        client.send(head("finished"));
        client.send([&b"186a0\r\n"[..], &pattern(100_000)].concat());
        assert_eq!(client.take_reply().text(), "one");
        assert_eq!(client.take_rest(), b"");
    });
}

#[test]
fn close_asked_for_by_the_handler() {
    let server = TestServer::exchanging(|_, exchange, _| {
        Box::pin(async move {
            let mut headers = HeaderMap::new();
            headers.insert("connection", "close".parse().unwrap());
            exchange.send_head(StatusCode::OK, &headers);
            exchange.finish();
            assert!(exchange.read().await.unwrap().is_none());
        })
    });
    server.both(|client| {
        client.send(HEAD);
        client.send("0\r\n\r\n");
        assert_eq!(client.take_reply().header("connection"), Some("close"));
        assert_eq!(client.take_rest(), b"");
    });
}
