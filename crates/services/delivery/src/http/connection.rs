//! A connection to a checked address, plain or with TLS.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::{HttpError, HttpUrl};
use crate::AddressPolicy;

/// An HTTP/1.1 connection with the task that drives it. Dropping it closes both.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Resolves, checks, connects; with the TLS handshake.
    pub(super) async fn open(
        url: &HttpUrl,
        policy: &AddressPolicy,
        tls: &TlsConnector,
    ) -> Result<Self, HttpError> {
        let addresses = resolve(url, policy).await?;
        let failed = |why: String| HttpError::Connect {
            peer: format!("{}:{}", url.host(), url.port()),
            why,
        };
        let mut last = String::new();
        for address in addresses {
            match tokio::time::timeout(PER_ADDRESS, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Self::over(tcp, url, tls).await.map_err(failed),
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("{address} does not answer"),
            }
        }
        Err(failed(last))
    }

    async fn over(tcp: TcpStream, url: &HttpUrl, tls: &TlsConnector) -> Result<Self, String> {
        tcp.set_nodelay(true).map_err(|error| error.to_string())?;
        if !url.is_tls() {
            return Self::start(tcp).await;
        }
        let name =
            ServerName::try_from(url.host().to_owned()).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, tcp).await.map_err(|error| error.to_string())?;
        Self::start(stream).await
    }

    async fn start<T>(stream: T) -> Result<Self, String>
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = Builder::new()
            .max_buf_size(HEAD_LEN_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        // What ends the connection is told to the request on it.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The addresses of the host that may be contacted, at least one.
async fn resolve(url: &HttpUrl, policy: &AddressPolicy) -> Result<Vec<SocketAddr>, HttpError> {
    let failed = |why: String| HttpError::Resolve { host: url.host().into(), why };
    let found = tokio::net::lookup_host((url.host(), url.port()))
        .await
        .map_err(|error| failed(error.to_string()))?;
    let (mut permitted, mut refused) = (Vec::new(), None);
    for address in found.take(ADDRESSES_MAX) {
        match policy.check(url.host(), address.ip()) {
            Ok(()) => permitted.push(address),
            Err(range) => refused = Some((address.ip(), range)),
        }
    }
    match refused {
        _ if !permitted.is_empty() => Ok(permitted),
        Some((address, range)) => Err(HttpError::Refused {
            host: url.host().into(),
            address,
            range,
            is_literal: url.host_is_address(),
        }),
        None => Err(failed("no address".into())),
    }
}

/// An address that leads nowhere leaves time for the others.
const PER_ADDRESS: Duration = Duration::from_secs(3);
/// More than the largest services publish at once.
const ADDRESSES_MAX: usize = 16;
/// Head of an answer; also the size of reads.
const HEAD_LEN_MAX: usize = 32 * 1024;
