//! Response bodies.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_core::Stream;

/// The parts of a streamed body, in order.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// A response's body.
pub enum Body {
    /// All of it. Sent with `Content-Length`; a small one leaves in one write with the head.
    Full(Bytes),
    /// All of it, in pieces that lie in different places. Sent as [`Full`](Self::Full) is.
    Pieces(Pieces),
    /// Parts as they come, each flushed at once: chunked on HTTP/1.1 (or counted, when the
    /// response carries a `Content-Length`), DATA frames on HTTP/2, up to the close on HTTP/1.0.
    /// An error breaks the connection visibly: no last chunk, or a reset stream.
    Stream(BodyStream),
}

impl Body {
    /// No body.
    pub const fn empty() -> Self {
        Self::Full(Bytes::new())
    }

    /// A body from a stream of parts.
    pub fn stream(parts: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> Self {
        Self::Stream(Box::pin(parts))
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Full(bytes.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(bytes) => write!(f, "Body::Full({} bytes)", bytes.len()),
            Self::Pieces(pieces) => write!(f, "Body::Pieces({} bytes)", pieces.remaining()),
            Self::Stream(_) => f.write_str("Body::Stream"),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => {
                Poll::Ready(Some(Ok(http_body::Frame::data(std::mem::take(bytes)))))
            }
            Self::Pieces(pieces) => {
                Poll::Ready(pieces.next().map(|piece| Ok(http_body::Frame::data(piece))))
            }
            Self::Stream(parts) => parts
                .as_mut()
                .poll_next(cx)
                .map(|part| part.map(|part| part.map(http_body::Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Pieces(pieces) => !pieces.has_remaining(),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Full(bytes) => http_body::SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(pieces) => http_body::SizeHint::with_exact(pieces.remaining() as u64),
            Self::Stream(_) => http_body::SizeHint::default(),
        }
    }
}

/// Bytes in pieces: what is taken from the front is gone.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Pieces {
    /// The bytes from `start` to `end`, without a copy.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn slice(mut self, start: usize, end: usize) -> Self {
        assert!(start <= end && end <= self.len, "{start}..{end} of {}", self.len);
        self.advance(start);
        let mut left = end - start;
        self.pieces.retain_mut(|piece| {
            piece.truncate(left);
            left -= piece.len();
            !piece.is_empty()
        });
        self.len = end - start;
        self
    }

    /// The next piece, never an empty one.
    fn next(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front()?;
        self.len -= piece.len();
        Some(piece)
    }
}

impl FromIterator<Bytes> for Pieces {
    fn from_iter<I: IntoIterator<Item = Bytes>>(pieces: I) -> Self {
        let pieces: VecDeque<Bytes> =
            pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        let len = pieces.iter().map(Bytes::len).sum();
        Self { pieces, len }
    }
}

impl From<Bytes> for Pieces {
    fn from(bytes: Bytes) -> Self {
        Self::from_iter([bytes])
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len, "{count} of {} bytes", self.len);
        self.len -= count;
        while let Some(front) = self.pieces.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.pieces.pop_front();
        }
    }
}

/// Why a streamed body could not be completed.
#[derive(Debug)]
pub struct BodyError(Box<dyn StdError + Send + Sync>);

impl BodyError {
    /// Wraps the cause; it is logged, the peer only sees the connection break.
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the response body broke off: {}", self.0)
    }
}

impl StdError for BodyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_at_every_cut() {
        let whole = Bytes::from_static(b"0123456789");
        let cut = |at: &[usize]| -> Pieces {
            let ends = at.iter().copied().chain([whole.len()]);
            let starts = std::iter::once(0).chain(at.iter().copied());
            starts.zip(ends).map(|(start, end)| whole.slice(start..end)).collect()
        };
        for first in 0..=10 {
            for second in first..=10 {
                let pieces = cut(&[first, second]);
                assert_eq!(pieces.remaining(), 10);
                let mut slices = [IoSlice::new(&[]); 4];
                let count = pieces.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..count].iter().flat_map(|s| s.to_vec()).collect();
                assert_eq!(seen, whole);
                for start in 0..=10 {
                    for end in start..=10 {
                        let mut part = pieces.clone().slice(start, end);
                        assert_eq!(part.remaining(), end - start);
                        assert_eq!(part.copy_to_bytes(end - start), whole.slice(start..end));
                        assert!(part.next().is_none());
                    }
                }
            }
        }
    }
}
