//! What is left of a request body when the response is complete.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Incoming};
use tokio::time::Sleep;

use crate::limits::Limits;

/// A rest to be skipped, within limits, before the stream ends. Ending it at once resets the
/// stream under the client's upload, and some (curl 7) then lose the answer too.
#[derive(Debug)]
pub(super) struct UnreadBody {
    incoming: Incoming,
    left_max: usize,
    timer: Pin<Box<Sleep>>,
}

impl UnreadBody {
    /// `None` if the body was read to its end.
    pub(super) fn new(incoming: Incoming, limits: &Limits) -> Option<Self> {
        (!incoming.is_end_stream()).then(|| Self {
            incoming,
            left_max: limits.linger_len_max,
            timer: Box::pin(tokio::time::sleep(limits.linger_timeout)),
        })
    }

    /// Ready when nothing is left to skip, or too much, or it takes too long.
    pub(super) fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while let Some(Ok(frame)) = ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
            let len = frame.data_ref().map_or(0, bytes::Bytes::len);
            match self.left_max.checked_sub(len) {
                Some(left) => self.left_max = left,
                None => return Poll::Ready(()),
            }
        }
        Poll::Ready(())
    }
}
