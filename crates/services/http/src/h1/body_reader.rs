//! A request body, read off the connection with its framing removed.

use std::task::{Context, Poll, ready};

use crate::error::{ChunkError, ReadError};
use crate::h1::chunked::{ChunkedDecoder, Decoded};
use crate::h1::head::BodyLength;
use crate::transport::Transport;

/// Where a request body stands.
#[derive(Debug)]
pub(crate) enum BodyReader {
    /// This many bytes are left; never 0.
    Known(u64),
    Chunked(ChunkedDecoder),
    /// The end was reached; the connection stands at the next request.
    Done,
}

impl BodyReader {
    pub(crate) fn new(length: BodyLength) -> Self {
        match length {
            BodyLength::Known(0) => Self::Done,
            BodyLength::Known(left) => Self::Known(left),
            BodyLength::Chunked => Self::Chunked(ChunkedDecoder::new()),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Looks at `input`, the bytes after those already used up. The end is told even if `input` is
    /// empty.
    pub(crate) fn decode(&mut self, input: &[u8]) -> Result<Decoded, ChunkError> {
        match self {
            Self::Done => Ok(Decoded::End { skip: 0 }),
            Self::Known(_) if input.is_empty() => Ok(Decoded::Incomplete),
            Self::Known(left) => {
                let len = usize::try_from(*left).map_or(input.len(), |n| n.min(input.len()));
                *left -= len as u64;
                if *left == 0 {
                    *self = Self::Done;
                }
                Ok(Decoded::Data { skip: 0, len })
            }
            Self::Chunked(decoder) => {
                let decoded = decoder.decode(input)?;
                if let Decoded::End { .. } = decoded {
                    *self = Self::Done;
                }
                Ok(decoded)
            }
        }
    }

    /// The next run of body bytes: how many of those consumed last from `transport` they are.
    /// `None` at the end of the body. Never [`ReadError::Timeout`].
    pub(crate) fn poll_run(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<usize>, ReadError>> {
        loop {
            let unread = transport.unread();
            match self.decode(unread) {
                Ok(Decoded::Data { skip, len }) => {
                    transport.consume(skip + len);
                    return Poll::Ready(Ok(Some(len)));
                }
                Ok(Decoded::Incomplete) => transport.consume(unread.len()),
                Ok(Decoded::End { skip }) => {
                    transport.consume(skip);
                    return Poll::Ready(Ok(None));
                }
                Err(err) => return Poll::Ready(Err(ReadError::Framing(err))),
            }
            match ready!(transport.poll_fill(cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(Err(ReadError::Closed { cause: None })),
                Err(err) => return Poll::Ready(Err(ReadError::Closed { cause: Some(err) })),
            }
        }
    }
}
