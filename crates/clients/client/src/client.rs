//! Signed calls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::Value;
use streamkeep_sigv4::{PayloadHash, Request, Signing, Style, UnixSeconds};
use streamkeep_trust::{Authorities, connector};
use tokio_rustls::TlsConnector;

use crate::http1::{Connection, RequestHead, ResponseHead};
use crate::transport::Transport;
use crate::{CallError, Endpoint, Error, Settings, Url};

/// Makes signed calls. Cheap to clone: all clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    tls: TlsConnector,
    /// Open connections without a request on them.
    idle: Mutex<HashMap<Endpoint, Vec<Connection>>>,
}

/// The operations that need a data endpoint: values of GetDataEndpoint's APIName.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataApi {
    /// `PUT_MEDIA`
    PutMedia,
    /// `GET_MEDIA`
    GetMedia,
    /// `LIST_FRAGMENTS`
    ListFragments,
    /// `GET_MEDIA_FOR_FRAGMENT_LIST`
    GetMediaForFragmentList,
    /// `GET_HLS_STREAMING_SESSION_URL`
    GetHlsStreamingSessionUrl,
    /// `GET_DASH_STREAMING_SESSION_URL`
    GetDashStreamingSessionUrl,
    /// `GET_CLIP`
    GetClip,
    /// `GET_IMAGES`
    GetImages,
}

impl DataApi {
    fn name(self) -> &'static str {
        match self {
            Self::PutMedia => "PUT_MEDIA",
            Self::GetMedia => "GET_MEDIA",
            Self::ListFragments => "LIST_FRAGMENTS",
            Self::GetMediaForFragmentList => "GET_MEDIA_FOR_FRAGMENT_LIST",
            Self::GetHlsStreamingSessionUrl => "GET_HLS_STREAMING_SESSION_URL",
            Self::GetDashStreamingSessionUrl => "GET_DASH_STREAMING_SESSION_URL",
            Self::GetClip => "GET_CLIP",
            Self::GetImages => "GET_IMAGES",
        }
    }
}

/// How large an answer may be, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLimits {
    pub(crate) len_max: usize,
    pub(crate) time_max: Duration,
}

impl Client {
    /// With these settings. Error: the CA bundle cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let authorities =
            settings.ca_bundle.as_deref().map_or(Authorities::System, Authorities::Only);
        let tls = connector(authorities).map_err(|error| Error::Settings(error.to_string()))?;
        Ok(Self { inner: Arc::new(Inner { settings, tls, idle: Mutex::default() }) })
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Calls an operation of the control plane: `operation_path` is for example `/createStream`.
    pub async fn call(&self, operation_path: &str, input: &Value) -> Result<Value, Error> {
        self.call_at(&self.inner.settings.endpoint, operation_path, input).await
    }

    /// Calls an operation at a data endpoint. A call that was throttled, and so not carried out, is
    /// made again a few times.
    pub async fn call_at(
        &self,
        endpoint: &Endpoint,
        operation_path: &str,
        input: &Value,
    ) -> Result<Value, Error> {
        let limits = AnswerLimits { len_max: ANSWER_LEN_MAX, time_max: CALL_TIMEOUT };
        self.call_within(endpoint, operation_path, input, limits).await
    }

    /// [`Self::call_at`] for answers that are larger or take longer.
    pub(crate) async fn call_within(
        &self,
        endpoint: &Endpoint,
        operation_path: &str,
        input: &Value,
        limits: AnswerLimits,
    ) -> Result<Value, Error> {
        let mut pause = THROTTLED_PAUSE;
        for _ in 0..THROTTLED_RETRIES {
            match self.call_once(endpoint, operation_path, input, limits).await {
                Err(Error::Call(error)) if error.is_throttling() => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                result => return result,
            }
        }
        self.call_once(endpoint, operation_path, input, limits).await
    }

    async fn call_once(
        &self,
        endpoint: &Endpoint,
        operation_path: &str,
        input: &Value,
        limits: AnswerLimits,
    ) -> Result<Value, Error> {
        let calling = async {
            let (connection, head) = self.request(endpoint, operation_path, &[], input).await?;
            let body = self.whole_body(endpoint, connection, &head, limits.len_max).await?;
            serde_json::from_slice(if body.is_empty() { b"{}" } else { &body })
                .map_err(|_| Error::Http("the answer is no JSON"))
        };
        match tokio::time::timeout(limits.time_max, calling).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout { waiting_for: "the answer to a call" }),
        }
    }

    /// Fetches a resource of at most `len_max` bytes with an unsigned GET: what a playback
    /// session's URLs name. Redirects are not followed.
    ///
    /// # Errors
    /// Another status than 200 is an [`Error::Call`].
    pub async fn get(&self, url: &Url, len_max: usize) -> Result<Bytes, Error> {
        let endpoint = url.endpoint();
        let mut head = RequestHead::get(url.target());
        head.header("host", &endpoint.authority());
        head.header("user-agent", USER_AGENT);
        let request = head.finish();
        let getting = async {
            let (connection, head) = self.exchange(endpoint, &request).await?;
            self.whole_body(endpoint, connection, &head, len_max).await.map(Bytes::from)
        };
        match tokio::time::timeout(CALL_TIMEOUT, getting).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout { waiting_for: "a resource" }),
        }
    }

    /// The body of an answer with status 200; the connection is kept when it can be used again.
    async fn whole_body(
        &self,
        endpoint: &Endpoint,
        mut connection: Connection,
        head: &ResponseHead,
        len_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let body = connection.read_body(head, len_max).await?;
        if !head.closes && connection.is_clean() {
            self.keep(endpoint, connection);
        }
        if head.status != 200 {
            return Err(call_error(head, &body).into());
        }
        Ok(body)
    }

    /// Asks where an operation on this stream is to be sent.
    pub async fn data_endpoint(&self, stream_name: &str, api: DataApi) -> Result<Endpoint, Error> {
        let input = serde_json::json!({ "StreamName": stream_name, "APIName": api.name() });
        let answer = self.call("/getDataEndpoint", &input).await?;
        answer["DataEndpoint"]
            .as_str()
            .and_then(|url| url.parse().ok())
            .ok_or(Error::Answer { operation: "GetDataEndpoint", member: "DataEndpoint" })
    }

    /// Sends a signed request with a JSON body and reads the response head; the body is still to
    /// come. `headers` are signed too.
    pub(crate) async fn request(
        &self,
        endpoint: &Endpoint,
        operation_path: &str,
        headers: &[(&'static str, &str)],
        input: &Value,
    ) -> Result<(Connection, ResponseHead), Error> {
        let body = input.to_string();
        let mut signed = vec![("content-type", "application/json")];
        signed.extend_from_slice(headers);
        let payload = PayloadHash::Body(body.as_bytes());
        let mut head = self.signed_head(endpoint, operation_path, &signed, payload)?;
        head.header("content-length", &body.len().to_string());
        let mut bytes = head.finish();
        bytes.extend_from_slice(body.as_bytes());
        self.exchange(endpoint, &bytes).await
    }

    /// Sends a request and reads the response head.
    ///
    /// An idle connection that the server has closed in the meantime is replaced by a new one: no
    /// byte of an answer came, and on a fresh connection that is an error.
    async fn exchange(
        &self,
        endpoint: &Endpoint,
        bytes: &[u8],
    ) -> Result<(Connection, ResponseHead), Error> {
        if let Some(mut connection) = self.idle(endpoint) {
            let written = connection.write(bytes).await;
            match (written, connection.read_head().await) {
                (Ok(()), Ok(Some(head))) => return Ok((connection, head)),
                (_, Ok(None) | Err(Error::Io(_))) | (Err(_), _) => {} // closed while idle
                (Ok(()), Err(error)) => return Err(error),
            }
        }
        let mut connection = self.connect(endpoint).await?;
        connection.write(bytes).await?;
        match connection.read_head().await? {
            Some(head) => Ok((connection, head)),
            None => Err(Error::Http("connection closed without an answer")),
        }
    }

    /// A request head with its signature. `headers` are signed, as is `host`.
    pub(crate) fn signed_head(
        &self,
        endpoint: &Endpoint,
        operation_path: &str,
        headers: &[(&'static str, &str)],
        payload: PayloadHash<'_>,
    ) -> Result<RequestHead, Error> {
        let settings = &self.inner.settings;
        let (path, authority) = (endpoint.path(operation_path), endpoint.authority());
        let user_agent = ("user-agent", USER_AGENT);
        let all = || std::iter::once(("host", authority.as_str())).chain(headers.iter().copied());
        let signed: Vec<(&str, &[u8])> =
            all().map(|(name, value)| (name, value.as_bytes())).collect();
        let signing = Signing {
            credentials: &settings.credentials.0,
            region: &settings.region,
            service: "kinesisvideo",
            now: now(),
        };
        let request = Request { method: "POST", path: &path, query: "", headers: &signed };
        let added = signing.sign_headers(&request, payload, Style::SDK).map_err(Error::Sign)?;
        let mut head = RequestHead::post(&path);
        for (name, value) in all().chain([user_agent]).chain(added.iter()) {
            head.header(name, value);
        }
        Ok(head)
    }

    /// A new connection.
    pub(crate) async fn connect(&self, endpoint: &Endpoint) -> Result<Connection, Error> {
        Transport::connect(endpoint, &self.inner.tls, CONNECT_TIMEOUT).await.map(Connection::new)
    }

    fn idle(&self, endpoint: &Endpoint) -> Option<Connection> {
        let mut idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get_mut(endpoint)?.pop()
    }

    fn keep(&self, endpoint: &Endpoint, connection: Connection) {
        let mut idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.entry(endpoint.clone()).or_default();
        if connections.len() < IDLE_MAX {
            connections.push(connection);
        }
    }
}

/// The error in an answer: the name in `x-amzn-ErrorType` or, from some proxies, `__type`.
pub(crate) fn call_error(head: &ResponseHead, body: &[u8]) -> CallError {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text =
        |names: &[&str]| names.iter().find_map(|name| json[*name].as_str().map(str::to_owned));
    let code = head.error_type.clone().or_else(|| text(&["__type", "code"])).unwrap_or_default();
    // `com.amazon.coral…#Name`
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    let message = text(&["message", "Message"]).unwrap_or_default();
    CallError { status: head.status, code, message }
}

fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(since.as_secs() as _)
}

const USER_AGENT: &str = concat!("streamkeep-client/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Control calls answer in milliseconds; CreateStream may wait for a disk.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// A page of 1,000 fragments takes 200 KB, one of 10,000 streams 3 MB.
const ANSWER_LEN_MAX: usize = 16 * 1024 * 1024;
const IDLE_MAX: usize = 16;
const THROTTLED_RETRIES: u32 = 4;
/// Doubles each time: 100, 200, 400, 800 ms.
const THROTTLED_PAUSE: Duration = Duration::from_millis(100);
