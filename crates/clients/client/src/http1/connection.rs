//! A connection, and its two directions.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use super::{BodyDecoder, Decoded, ResponseHead};
use crate::Error;
use crate::transport::Transport;

/// A connection on which one request is made at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    transport: Transport,
    /// Read, but not used yet.
    buffer: BytesMut,
}

impl Connection {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, buffer: BytesMut::new() }
    }

    /// Sends bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.transport.write_all(bytes).await.map_err(Error::Io)?;
        self.transport.flush().await.map_err(Error::Io)
    }

    /// Reads the final response head; interim ones (1xx) are passed over. `Ok(None)`: the peer
    /// closed without a byte of it, as a server does with an idle connection.
    pub(crate) async fn read_head(&mut self) -> Result<Option<ResponseHead>, Error> {
        loop {
            if let Some((head, len)) = ResponseHead::parse(&self.buffer)? {
                let _head_bytes = self.buffer.split_to(len);
                if !(100..200).contains(&head.status) {
                    return Ok(Some(head));
                }
                continue;
            }
            if fill(&mut self.transport, &mut self.buffer).await? == 0 {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(Error::Http("connection closed within a response head")),
                };
            }
        }
    }

    /// Reads a body whole, at most `max` bytes.
    pub(crate) async fn read_body(
        &mut self,
        head: &ResponseHead,
        max: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut decoder = BodyDecoder::new(head);
        let mut body = Vec::new();
        while let Some(piece) =
            next_piece(&mut decoder, &mut self.transport, &mut self.buffer).await?
        {
            if body.len() + piece.len() > max {
                return Err(Error::LimitExceeded { what: "response body", limit: max });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Nothing unexpected has come: the next request may use this connection.
    pub(crate) fn is_clean(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The two directions for use by two tasks: request body out, response body in.
    pub(crate) fn split(self, head: &ResponseHead) -> (Sender, Receiver) {
        let (read, write) = tokio::io::split(self.transport);
        let receiver = Receiver { decoder: BodyDecoder::new(head), read, buffer: self.buffer };
        (Sender { write }, receiver)
    }
}

/// The sending direction, for a chunked request body.
#[derive(Debug)]
pub(crate) struct Sender {
    write: WriteHalf<Transport>,
}

impl Sender {
    /// Sends `pieces` as one chunk; nothing when they are empty together, as an empty chunk would
    /// end the body. Dropping the future may leave half a chunk behind: the connection is of no
    /// more use then.
    pub(crate) async fn send_chunk(&mut self, pieces: &[Bytes]) -> Result<(), Error> {
        let len: usize = pieces.iter().map(Bytes::len).sum();
        if len == 0 {
            return Ok(());
        }
        let size_line = format!("{len:x}\r\n");
        let slices: Vec<io::IoSlice<'_>> = std::iter::once(size_line.as_bytes())
            .chain(pieces.iter().map(|piece| &piece[..]))
            .chain(std::iter::once(&b"\r\n"[..]))
            .map(io::IoSlice::new)
            .collect();
        self.write_all_vectored(slices).await.map_err(Error::Io)
    }

    async fn write_all_vectored(&mut self, mut slices: Vec<io::IoSlice<'_>>) -> io::Result<()> {
        let mut left = &mut slices[..];
        while !left.is_empty() {
            match self.write.write_vectored(left).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                len => io::IoSlice::advance_slices(&mut left, len),
            }
        }
        self.write.flush().await
    }

    /// Writes what the connection takes now; `None`: nothing.
    pub(crate) fn try_write(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<Option<usize>> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.write).poll_write_vectored(&mut context, slices) {
            Poll::Ready(result) => result.map(Some),
            Poll::Pending => Ok(None),
        }
    }

    /// Moves what TLS holds towards the connection as far as it goes now.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.write).poll_flush(&mut context) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    /// Ends the body: the zero chunk.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        self.write.write_all(b"0\r\n\r\n").await.map_err(Error::Io)?;
        self.write.flush().await.map_err(Error::Io)
    }
}

/// The receiving direction: a response body as it comes.
#[derive(Debug)]
pub(crate) struct Receiver {
    decoder: BodyDecoder,
    read: ReadHalf<Transport>,
    buffer: BytesMut,
}

impl Receiver {
    /// The next bytes of the body; `None` at its end. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        next_piece(&mut self.decoder, &mut self.read, &mut self.buffer).await
    }
}

async fn next_piece(
    decoder: &mut BodyDecoder,
    read: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut BytesMut,
) -> Result<Option<Bytes>, Error> {
    loop {
        match decoder.decode(buffer)? {
            Decoded::Data(data) => return Ok(Some(data)),
            Decoded::End => return Ok(None),
            Decoded::Nothing => {}
        }
        if fill(read, buffer).await? == 0 {
            return match decoder.ends_with_connection() {
                true => Ok(None),
                false => Err(Error::Io(io::ErrorKind::UnexpectedEof.into())),
            };
        }
    }
}

async fn fill(
    read: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut BytesMut,
) -> Result<usize, Error> {
    buffer.reserve(READ_LEN);
    match read.read_buf(buffer).await {
        Ok(len) => Ok(len),
        // rustls reports a TCP end without close_notify so; the body's framing judges it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(error) => Err(Error::Io(error)),
    }
}

/// Large enough for media, small enough for thousands of ack readers.
const READ_LEN: usize = 16 * 1024;
