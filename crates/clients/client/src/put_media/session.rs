//! One PutMedia request.

use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::Bytes;
use streamkeep_media::UnixMillis;
use streamkeep_sigv4::PayloadHash;

use super::{Ack, AckEvent, AckParser};
use crate::client::call_error;
use crate::http1::{Receiver, Sender};
use crate::{Client, DataApi, Endpoint, Error};

/// What a session declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutMediaOptions {
    /// Name of the stream.
    pub stream_name: String,
    /// What Cluster timecodes count from.
    pub timecode_type: TimecodeType,
    /// Start of the media; for RELATIVE sessions what Cluster timecodes are relative to.
    pub producer_start: UnixMillis,
}

/// `x-amzn-fragment-timecode-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimecodeType {
    /// Cluster timecodes are epoch time.
    Absolute,
    /// Cluster timecodes are relative to the producer's start timestamp.
    Relative,
}

/// A session that the service has accepted.
#[derive(Debug)]
pub struct PutMedia {
    body: PutMediaBody,
    acks: Acks,
}

impl PutMedia {
    /// Asks for the data endpoint and [opens](Self::open_at) a session there.
    pub async fn open(client: &Client, options: &PutMediaOptions) -> Result<Self, Error> {
        let endpoint = client.data_endpoint(&options.stream_name, DataApi::PutMedia).await?;
        Self::open_at(client, &endpoint, options).await
    }

    /// Sends the request head and waits for the service to accept it. Error: it refuses
    /// ([`Error::Call`]), or the connection fails.
    pub async fn open_at(
        client: &Client,
        endpoint: &Endpoint,
        options: &PutMediaOptions,
    ) -> Result<Self, Error> {
        let timecode_type = match options.timecode_type {
            TimecodeType::Absolute => "ABSOLUTE",
            TimecodeType::Relative => "RELATIVE",
        };
        let start = options.producer_start.to_string();
        let mut head = client.signed_head(
            endpoint,
            "/putMedia",
            &[
                ("x-amzn-stream-name", &options.stream_name),
                ("x-amzn-fragment-timecode-type", timecode_type),
                ("x-amzn-producer-start-timestamp", &start),
                ("x-amzn-fragment-acknowledgment-required", "1"),
            ],
            PayloadHash::Empty,
        )?;
        head.header("transfer-encoding", "chunked");
        let opening = async {
            let mut connection = client.connect(endpoint).await?;
            connection.write(&head.finish()).await?;
            let head = connection.read_head().await?;
            let head = head.ok_or(Error::Http("connection closed without an answer"))?;
            if head.status != 200 {
                let body = connection.read_body(&head, ERROR_LEN_MAX).await.unwrap_or_default();
                return Err(call_error(&head, &body).into());
            }
            let (sender, receiver) = connection.split(&head);
            Ok(Self { body: PutMediaBody { sender }, acks: Acks::new(receiver) })
        };
        match tokio::time::timeout(OPEN_TIMEOUT, opening).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout { waiting_for: "PutMedia to be accepted" }),
        }
    }

    /// The two directions, for two tasks.
    pub fn split(self) -> (PutMediaBody, Acks) {
        (self.body, self.acks)
    }

    /// Sends bytes of the Matroska stream as one chunk.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.body.send(&[bytes]).await
    }

    /// Ends the session as the C producer does: waits for `awaited` of the fragment with this
    /// timecode while the body is open, then ends the body and gives every ack until the service
    /// ends its side.
    ///
    /// The end-of-fragment tag must have been sent, or the last fragment is not complete. Error:
    /// an ERROR ack ends the wait with [`Error::Http`]'s "session ended early" after which the
    /// acks are lost; for control over that, [`split`](Self::split).
    pub async fn finish(mut self, timecode: u64, awaited: &AckEvent) -> Result<Vec<Ack>, Error> {
        let mut acks = Vec::new();
        loop {
            let Some(ack) = self.acks.next().await? else {
                return Err(Error::Http("session ended early"));
            };
            let done = ack.event == *awaited && ack.timecode == Some(timecode);
            let failed = matches!(ack.event, AckEvent::Error { .. });
            acks.push(ack);
            if failed {
                return Err(Error::Http("session ended early"));
            }
            if done {
                break;
            }
        }
        self.body.finish().await?;
        while let Some(ack) = self.acks.next().await? {
            acks.push(ack);
        }
        Ok(acks)
    }
}

/// The sending direction of a session.
#[derive(Debug)]
pub struct PutMediaBody {
    sender: Sender,
}

impl PutMediaBody {
    /// Sends pieces of the Matroska stream as one chunk. If the future is dropped, half a chunk
    /// may have been sent: the session is then of no more use.
    pub async fn send(&mut self, pieces: &[Bytes]) -> Result<(), Error> {
        self.sender.send_chunk(pieces).await
    }

    /// Ends the body. The service then sends what acks are left, and ends its side.
    pub async fn finish(&mut self) -> Result<(), Error> {
        self.sender.finish().await
    }

    /// Writes as much of `slices` as the connection takes now, without waiting: bytes as they are,
    /// so the caller frames the chunks. `Ok(None)`: nothing could be written now. For load
    /// generators, which must not be held up by one session.
    pub fn try_write_framed(&mut self, slices: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        self.sender.try_write(slices)
    }

    /// Moves what TLS still holds towards the connection, without waiting.
    pub fn try_flush(&mut self) -> io::Result<()> {
        self.sender.try_flush()
    }
}

/// The receiving direction of a session.
#[derive(Debug)]
pub struct Acks {
    receiver: Receiver,
    parser: AckParser,
    /// Parsed and not handed out, last first.
    ready: Vec<Ack>,
}

impl Acks {
    fn new(receiver: Receiver) -> Self {
        Self { receiver, parser: AckParser::default(), ready: Vec::new() }
    }

    /// The next ack; `None` when the service ended the session. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Ack>, Error> {
        while self.ready.is_empty() {
            let Some(bytes) = self.receiver.next().await? else { return Ok(None) };
            self.parser.push(&bytes, &mut self.ready)?;
            self.ready.reverse();
        }
        Ok(self.ready.pop())
    }
}

const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
const ERROR_LEN_MAX: usize = 64 * 1024;
