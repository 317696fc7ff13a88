//! A receiver on loopback: records requests, answers as told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use streamkeep_sigv4::{
    KnownKey, Payload, Presented, Request, Rules, SecretKey, SigningKeys, UnixSeconds,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status and body.
    Status(u16, &'static str),
    /// A redirect to this URL.
    Redirect(String),
    /// The connection is closed without an answer.
    Close,
    /// The connection is reset after half of the head.
    HalfHead,
    /// Nothing, for ever.
    Hang,
    /// Something that is no HTTP.
    Noise,
    /// 200 with a body that never ends.
    EndlessBody,
    /// 200 with a head that never ends.
    EndlessHead,
    /// 200 with half of its body, then nothing.
    HangInBody,
    /// 200, and the connection closed with `connection: close`.
    OkAndClose,
    /// 200, and the connection closed without a word: it looks reusable.
    OkAndVanish,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Counted from 0 in order of acceptance.
    pub(crate) connection: usize,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(each, _)| each.eq_ignore_ascii_case(name));
        let value = values.next().unwrap_or_else(|| panic!("no {name} in {self:?}"));
        assert!(values.next().is_none(), "{name} twice");
        &value.1
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Verifies the signature with the verifier of the server side.
    pub(crate) fn verify(&self, service: &str, region: &str, secret: &str) {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let request = Request { method: &self.method, path, query, headers: &headers };
        let presented = Presented::parse(request).unwrap();
        let secret = SecretKey::new(secret).unwrap();
        let key = KnownKey { secret: &secret, session: None };
        // All that decide what happens are signed.
        let names: Vec<&str> = headers
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| name.starts_with("x-amz-") || ["host", "content-type"].contains(name))
            .collect();
        let rules = Rules { region: Some(region), services: &[service], signed_if_present: &names };
        let now =
            UnixSeconds(std::time::UNIX_EPOCH.elapsed().expect("the clock is past 1970").as_secs());
        presented
            .verify(Payload::Body(&self.body), key, rules, now, &SigningKeys::new(1))
            .unwrap_or_else(|error| panic!("{error:?} for {self:?}"));
    }
}

/// The receiver; it ends when dropped.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    replies: Mutex<VecDeque<Reply>>,
    otherwise: Mutex<Reply>,
}

impl Receiver {
    /// Answers with `replies` in their order, then with 200.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            replies: Mutex::new(replies.into_iter().collect()),
            otherwise: Mutex::new(Reply::Status(200, "")),
        });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = Arc::clone(&serving);
                connections.spawn(async move { serve(stream, connection, &serving).await });
            }
        });
        Self { address, shared, task }
    }

    /// What is answered when no replies are left.
    pub(crate) fn otherwise(&self, reply: Reply) {
        *self.shared.otherwise.lock().unwrap() = reply;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until `count` requests have come.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..2000 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{} requests of {count}", self.received().len());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves requests until the connection ends; errors of the peer end it.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, connection: usize, shared: &Shared) {
    let mut stream = stream;
    while let Some(received) = read_request(&mut stream, connection).await {
        shared.received.lock().unwrap().push(received);
        let next = shared.replies.lock().unwrap().pop_front();
        let reply = next.unwrap_or_else(|| shared.otherwise.lock().unwrap().clone());
        if !answer(&mut stream, reply).await {
            return;
        }
    }
}

/// Serves a single connection with 200s; for receivers that bring their own transport.
pub(crate) async fn serve_one(stream: impl AsyncRead + AsyncWrite + Unpin) -> Vec<Received> {
    let shared = Shared {
        received: Mutex::default(),
        replies: Mutex::default(),
        otherwise: Mutex::new(Reply::OkAndClose),
    };
    serve(stream, 0, &shared).await;
    shared.received.into_inner().unwrap()
}

async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    connection: usize,
) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_len = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let mut buffer = vec![0; 4096];
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8(bytes[..head_len].to_vec()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap_or((line, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let len: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = bytes.split_off(head_len);
    while body.len() < len {
        let mut buffer = vec![0; 65536];
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        body.extend_from_slice(&buffer[..count]);
    }
    Some(Received { method, target, headers, body, connection })
}

/// Whether the connection goes on.
async fn answer(stream: &mut (impl AsyncWrite + Unpin), reply: Reply) -> bool {
    let mut write = async |text: &str| stream.write_all(text.as_bytes()).await.is_ok();
    match reply {
        Reply::Status(status, body) => {
            let len = body.len();
            write(&format!("HTTP/1.1 {status} X\r\ncontent-length: {len}\r\n\r\n{body}")).await
        }
        Reply::Redirect(url) => {
            write(&format!("HTTP/1.1 302 X\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n")).await
        }
        Reply::Close => false,
        Reply::HalfHead => {
            write("HTTP/1.1 200 OK\r\ncontent-le").await;
            false
        }
        Reply::Hang => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            false
        }
        Reply::Noise => {
            write("SSH-2.0-OpenSSH_9.2\r\n").await;
            false
        }
        Reply::EndlessBody => {
            write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            while write(&chunk).await {}
            false
        }
        Reply::EndlessHead => {
            write("HTTP/1.1 200 OK\r\n").await;
            let line = format!("x: {}\r\n", "y".repeat(1000));
            while write(&line).await {}
            false
        }
        Reply::HangInBody => {
            write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf ").await;
            tokio::time::sleep(Duration::from_secs(3600)).await;
            false
        }
        Reply::OkAndClose => {
            write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            false
        }
        Reply::OkAndVanish => {
            write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            false
        }
    }
}
