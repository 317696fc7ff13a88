//! A tiny HTTP/1.1 peer on loopback, scripted by the test.

#![allow(dead_code, clippy::unwrap_used)] // each test file uses its part; a panic fails it

pub(crate) mod service;

use std::future::Future;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use streamkeep_client::{Client, Credentials, Endpoint, Settings};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One connection, of which one request at a time is read.
pub(crate) struct Peer {
    pub(crate) stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

/// A request head, and the body when it had a length.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Peer {
    /// The next request; `None` when the client closed.
    pub(crate) async fn request(&mut self) -> Option<Received> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut headers);
            if let Ok(httparse::Status::Complete(len)) = request.parse(&self.buffer) {
                let mut received = Received {
                    path: request.path.unwrap().to_owned(),
                    headers: request
                        .headers
                        .iter()
                        .map(|h| (h.name.to_owned(), String::from_utf8(h.value.to_vec()).unwrap()))
                        .collect(),
                    body: Vec::new(),
                };
                self.buffer.drain(..len);
                let body_len = received.header("content-length").map_or(0, |v| v.parse().unwrap());
                while self.buffer.len() < body_len {
                    self.fill().await?;
                }
                received.body = self.buffer.drain(..body_len).collect();
                return Some(received);
            }
            self.fill().await?;
        }
    }

    /// One chunk of a chunked body; `None` for the last, or when the client closed.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Ok(httparse::Status::Complete((start, len))) =
                httparse::parse_chunk_size(&self.buffer)
            {
                let len = len as usize;
                while self.buffer.len() < start + len + 2 {
                    self.fill().await?;
                }
                let chunk = self.buffer[start..start + len].to_vec();
                self.buffer.drain(..start + len + 2);
                return (len > 0).then_some(chunk);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Option<()> {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece).await {
            Ok(0) | Err(_) => None,
            Ok(len) => {
                self.buffer.extend_from_slice(&piece[..len]);
                Some(())
            }
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(crate) async fn json(&mut self, status: u16, error_type: &str, body: &str) {
        let error = match error_type {
            "" => String::new(),
            name => format!("x-amzn-ErrorType: {name}\r\n"),
        };
        let len = body.len();
        self.send(format!("HTTP/1.1 {status} X\r\n{error}Content-Length: {len}\r\n\r\n{body}"))
            .await;
    }

    pub(crate) async fn chunked_head(&mut self) {
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    }

    pub(crate) async fn send_chunk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.send(chunk).await;
    }
}

/// Serves each connection by `handler`; gives a client for it.
pub(crate) async fn serve<F, Fut>(handler: F) -> Client
where
    F: Fn(Peer, Endpoint) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let settings = settings(endpoint.clone(), None);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let peer = Peer { stream: Box::new(stream), buffer: Vec::new() };
            tokio::spawn(handler(peer, endpoint.clone()));
        }
    });
    Client::new(settings).unwrap()
}

/// As [`serve`] with TLS for the name `localhost`; the client trusts the certificate through a
/// CA bundle file.
pub(crate) async fn serve_tls<F, Fut>(handler: F) -> (Client, tempfile::NamedTempFile)
where
    F: Fn(Peer, Endpoint) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bundle.path(), made.cert.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![CertificateDer::from(made.cert.der().to_vec())], key.into())
    .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint: Endpoint = format!("https://localhost:{port}").parse().unwrap();
    let settings = settings(endpoint.clone(), Some(bundle.path().to_owned()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let peer = Peer { stream: Box::new(stream), buffer: Vec::new() };
            tokio::spawn(handler(peer, endpoint.clone()));
        }
    });
    (Client::new(settings).unwrap(), bundle)
}

fn settings(endpoint: Endpoint, ca_bundle: Option<std::path::PathBuf>) -> Settings {
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET, None).unwrap();
    Settings { endpoint, region: "us-west-2".into(), credentials, ca_bundle }
}
