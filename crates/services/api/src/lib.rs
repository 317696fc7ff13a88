//! The AWS wire of the control plane: routes, operations, shapes, errors, quotas.
//!
//! One request goes through it like this; sockets, signatures and media are the server's:
//!
//! ```text
//! route(method, path)            → Route::Operation(operation)
//!   the server authenticates     → Principal                      else ApiError
//! control plane:  ControlPlane::handle(operation, principal, body, context, now)
//!                                → JSON → success(…)              else ApiError
//! media plane:    PutMediaRequest::parse(headers), GetMediaRequest::parse(body) …
//!                 ControlPlane::admit(operation, principal, stream, context, now)
//!                                → Arc<Stream>                    else ApiError
//! ApiError::response(operation, request id)
//! ```
//!
//! What an operation takes is a table; the parser walks it, [`describe`] prints it, and
//! `tests/coverage` compares it with the published service models. Time and randomness come in
//! from outside. Streams are kept behind [`StreamPersistence`].
//!
//! Left out: signaling channels, edge, images, notifications, playback sessions. They are routed,
//! authenticated and refused ([`ApiError::later`]).

mod access;
mod arn;
mod control_plane;
mod describe;
mod endpoint;
mod error;
mod exception;
#[doc(hidden)]
pub mod fuzz;
mod operation;
mod quota;
mod request;
mod route;
mod seams;
mod shape;
mod stream;
mod streams;
#[cfg(test)]
mod testing;
mod token;

pub use access::{AccessContext, Authorizer, Decision, Principal, RootOnly, denied};
pub use arn::{Owner, OwnerError, ResourceArn};
pub use control_plane::{ControlPlane, FragmentInfo, FragmentsPage, Settings, list_fragments};
pub use describe::describe;
pub use endpoint::{EndpointContext, PublicUrl, PublicUrlError, Scheme};
pub use error::{ApiError, method_not_allowed, success};
pub use exception::Exception;
pub use operation::{Availability, CallRate, Operation, Plane, ResourceKind, Service};
pub use quota::{
    ConnectionKind, ConnectionLimits, ConnectionPermit, Connections, IngestLimits, Limits,
    PointKind, Quotas,
};
pub use request::{
    ApiName, FragmentRange, FragmentSelectorType, FragmentTimecodeType,
    GetMediaForFragmentListRequest, GetMediaRequest, ListFragmentsRequest, PutMediaRequest,
    RequestedFragment, StartSelector, StorageTier, StreamRef,
};
pub use route::{Authentication, Route, route};
pub use seams::{PersistenceError, RandomSource, StreamPersistence};
pub use stream::{Stream, StreamStatus};
pub use streams::Streams;
