//! The client: one call, one answer, connections kept for a while.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio_rustls::TlsConnector;

use super::connection::Connection;
use super::{HttpError, HttpUrl};
use crate::AddressPolicy;

/// Makes calls. Cheap to clone: all clones share connections.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    policy: AddressPolicy,
    tls: TlsConnector,
    timeouts: Timeouts,
    /// Connections without a request on them, by origin, the last used last.
    idle: Mutex<HashMap<String, Vec<(Connection, Instant)>>>,
}

/// How long a receiver may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To resolve, connect and shake hands.
    pub connect: Duration,
    /// From the request's first byte to the answer's head.
    pub answer: Duration,
    /// For the answer's body, which counts for nothing but the reason of an error.
    pub body: Duration,
}

impl Default for Timeouts {
    /// 10 s, 60 s (a picture of 1 MB at 150 kbit/s), 5 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            body: Duration::from_secs(5),
        }
    }
}

/// A request without the headers that the client itself writes: `host`, `content-length`,
/// `user-agent`.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a HttpUrl,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// What a receiver answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The first part of the body, at most 64 KiB; what came of it in time.
    pub body: Bytes,
}

impl HttpClient {
    /// With these rules.
    pub fn new(policy: AddressPolicy, tls: TlsConnector, timeouts: Timeouts) -> Self {
        let idle = Mutex::default();
        Self { inner: Arc::new(Inner { policy, tls, timeouts, idle }) }
    }

    /// Makes a call. A kept connection that turns out closed is replaced by a new one, so a
    /// request may reach the receiver twice.
    ///
    /// # Errors
    /// No answer's head came. Any status is an answer. Dropping the future ends the call at an
    /// unknown point.
    pub(crate) async fn call(&self, outgoing: &Outgoing<'_>) -> Result<Answer, HttpError> {
        let origin = outgoing.url.origin();
        if let Some(mut connection) = self.idle(&origin) {
            match self.send(&mut connection, outgoing).await {
                Err(HttpError::Broken { .. }) => {} // closed while idle
                Err(error) => return Err(error),
                Ok(response) => return Ok(self.finish(origin, connection, response).await),
            }
        }
        let opening = Connection::open(outgoing.url, &self.inner.policy, &self.inner.tls);
        let mut connection = tokio::time::timeout(self.inner.timeouts.connect, opening)
            .await
            .map_err(|_| HttpError::Timeout { waiting_for: "a connection" })??;
        let response = self.send(&mut connection, outgoing).await?;
        Ok(self.finish(origin, connection, response).await)
    }

    async fn send(
        &self,
        connection: &mut Connection,
        outgoing: &Outgoing<'_>,
    ) -> Result<http::Response<Incoming>, HttpError> {
        let request = request(outgoing)?;
        let sending = async {
            connection.sender.ready().await?;
            connection.sender.send_request(request).await
        };
        match tokio::time::timeout(self.inner.timeouts.answer, sending).await {
            Err(_) => Err(HttpError::Timeout { waiting_for: "an answer" }),
            Ok(Err(error)) => Err(HttpError::Broken { why: with_causes(&error) }),
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// Reads what the body tells; keeps the connection if all of it was read.
    async fn finish(
        &self,
        origin: String,
        connection: Connection,
        response: http::Response<Incoming>,
    ) -> Answer {
        let status = response.status();
        let closes =
            response.headers().get_all(header::CONNECTION).iter().any(|value| {
                value.as_bytes().to_ascii_lowercase().windows(5).any(|w| w == b"close")
            });
        let mut incoming = response.into_body();
        let mut body = BytesMut::new();
        let reading = async {
            while body.len() < BODY_LEN_MAX {
                match incoming.frame().await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            let len = data.len().min(BODY_LEN_MAX - body.len());
                            body.extend_from_slice(&data[..len]);
                        }
                    }
                }
            }
            false
        };
        let read = tokio::time::timeout(self.inner.timeouts.body, reading).await;
        if read == Ok(true) && !closes {
            self.keep(origin, connection);
        }
        Answer { status, body: body.freeze() }
    }

    fn idle(&self, origin: &str) -> Option<Connection> {
        let mut idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.get_mut(origin)?;
        let (connection, since) = connections.pop()?;
        if since.elapsed() < IDLE_MAX && !connection.sender.is_closed() {
            return Some(connection);
        }
        // The others are older.
        idle.remove(origin);
        None
    }

    fn keep(&self, origin: String, connection: Connection) {
        let mut idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, connections| {
            connections.retain(|(_, since)| since.elapsed() < IDLE_MAX);
            !connections.is_empty()
        });
        let connections = idle.entry(origin).or_default();
        if connections.len() < IDLE_PER_ORIGIN_MAX {
            connections.push((connection, Instant::now()));
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("policy", &self.inner.policy).finish_non_exhaustive()
    }
}

fn request(outgoing: &Outgoing<'_>) -> Result<Request<Full<Bytes>>, HttpError> {
    let bad = |why: String| HttpError::Request { why };
    let mut request = Request::new(Full::new(outgoing.body.clone()));
    *request.method_mut() = outgoing.method.clone();
    *request.uri_mut() = outgoing
        .url
        .path_and_query()
        .parse()
        .map_err(|error: http::uri::InvalidUri| bad(error.to_string()))?;
    let headers = request.headers_mut();
    let authority = outgoing.url.authority();
    let own = [("host", authority.as_str()), ("user-agent", USER_AGENT)];
    let given = outgoing.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.into_iter().chain(given) {
        let header = HeaderName::try_from(name).map_err(|_| bad(format!("header {name:?}")))?;
        let value =
            HeaderValue::try_from(value).map_err(|_| bad(format!("value of header {name:?}")))?;
        headers.append(header, value);
    }
    Ok(request)
}

/// hyper names the cause of a broken connection in the sources of its errors.
fn with_causes(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

const USER_AGENT: &str = concat!("streamkeep-delivery/", env!("CARGO_PKG_VERSION"));
/// An XML or JSON error takes some hundred bytes.
const BODY_LEN_MAX: usize = 64 * 1024;
/// Shorter than servers usually keep them (nginx 75 s, S3 about 20 s).
const IDLE_MAX: Duration = Duration::from_secs(15);
const IDLE_PER_ORIGIN_MAX: usize = 4;
