//! Both directions at once.

use http::{HeaderMap, Response, StatusCode};
use streamkeep_http::ReadError;

use crate::support::{TestServer, pattern};

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
    let server = TestServer::exchanging(|_, exchange, _| {
        Box::pin(async move {
            let mut response = Response::new("no".into());
            *response.status_mut() = StatusCode::FORBIDDEN;
            exchange.send_response(&response);
        })
    });
    server.both(|client| {
        let reply = client.ask(
            "POST /exchange HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
             Expect: 100-continue\r\n\r\n",
        );
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
