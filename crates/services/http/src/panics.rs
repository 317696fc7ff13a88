//! Keeps a handler's panic from taking the shard's thread, and its other connections, along.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::task::Poll;

use crate::counters;

/// The handler panicked; it is counted and logged already.
#[derive(Debug)]
pub(crate) struct Panicked;

/// Runs `f`, a handler's synchronous part.
pub(crate) fn catch<T>(panics: &AtomicU64, f: impl FnOnce() -> T) -> Result<T, Panicked> {
    // What `f` borrowed may be inconsistent after a panic; it belongs to the handler, or to a
    // connection that is closed now.
    catch_unwind(AssertUnwindSafe(f)).map_err(|cause| report(panics, &*cause))
}

/// Awaits `future`, a handler's.
pub(crate) async fn catch_async<T>(
    panics: &AtomicU64,
    future: impl Future<Output = T>,
) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(cause) => Poll::Ready(Err(report(panics, &*cause))),
    })
    .await
}

fn report(panics: &AtomicU64, cause: &(dyn Any + Send)) -> Panicked {
    let message = cause
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| cause.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("not a text");
    counters::count(panics);
    tracing::error!(panic = message, "a request handler panicked");
    Panicked
}
