//! The orderly end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::support::{PATIENCE, TestServer};

#[test]
fn idle_connections_end_at_once_and_none_is_accepted() {
    let mut server = TestServer::start();
    let mut clients = [server.plain(), server.tls(), server.plain()];
    for client in &mut clients[..2] {
        client.get("/hello");
    }
    // The third has said nothing, and may not be accepted yet.
    while server.counters.connections_open.load(Ordering::Relaxed) < 3 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let down = server.shut_down(PATIENCE);
    for client in &mut clients {
        assert_eq!(client.take_rest(), b"");
    }
    drop(clients);
    assert!(down.join().unwrap() < PATIENCE / 2);
    assert!(std::net::TcpStream::connect(server.plain).is_err());
}

#[test]
fn requests_under_way_are_finished_and_say_close() {
    let mut server = TestServer::start();
    let mut client = server.tls();
    client.send("GET /slow?500 HTTP/1.1\r\nHost: a\r\n\r\n");
    std::thread::sleep(Duration::from_millis(100));
    let down = server.shut_down(PATIENCE);
    let reply = client.take_reply();
    assert_eq!(reply.text(), "slow");
    assert_eq!(client.take_rest(), b"");
    drop(client);
    assert!(down.join().unwrap() < PATIENCE / 2);
}

#[test]
fn exchanges_see_it_and_end_themselves() {
    let mut server = TestServer::exchanging(|_, exchange, _| {
        Box::pin(async move {
            exchange.send_head(StatusCode::OK, &HeaderMap::new());
            let mut shutdown = exchange.shutdown_signal();
            assert!(!shutdown.is_requested());
            let mut requested = std::pin::pin!(shutdown.requested());
            loop {
                tokio::select! {
                    () = &mut requested => break,
                    run = exchange.read() => match run {
                        Ok(Some(run)) => {
                            let run = run.to_vec();
                            exchange.send_chunk(&run);
                        }
                        other => panic!("{other:?}"),
                    },
                }
            }
            exchange.send_chunk(b"bye");
            exchange.finish();
        })
    });
    let mut clients = [server.plain(), server.tls()];
    for client in &mut clients {
        client.send("POST /exchange HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.take_head();
        client.send("2\r\nhi\r\n");
        assert_eq!(client.take_chunk(), b"hi");
    }
    let down = server.shut_down(PATIENCE);
    for client in &mut clients {
        assert_eq!(client.take_chunk(), b"bye");
        assert_eq!(client.take_chunk(), b"");
        assert_eq!(client.take_rest(), b"");
    }
    drop(clients);
    assert!(down.join().unwrap() < PATIENCE / 2);
}

#[test]
fn what_runs_on_is_cut_after_the_grace() {
    let mut server = TestServer::start();
    let mut clients = [server.plain(), server.tls()];
    for client in &mut clients {
        client.send("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n");
        client.take_head();
    }
    let grace = Duration::from_millis(300);
    let down = server.shut_down(grace);
    for client in &mut clients {
        assert!(client.is_closed());
        assert_eq!(server.report(), "stream dropped");
    }
    let took = down.join().unwrap();
    assert!(took >= grace && took < PATIENCE / 2, "{took:?}");
}

#[test]
fn dropping_the_server_cuts_everything() {
    let mut server = TestServer::start();
    let mut client = server.plain();
    client.send("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n");
    client.take_head();
    drop(server.server.take());
    assert!(client.is_closed());
}
