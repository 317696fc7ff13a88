//! A made-up camera for tests: what a session makes of a camera's frames, without a session.
//!
//! [`TestCamera`] feeds a live tail, frame by frame; [`session_header`], [`picture`] and [`fragment`]
//! are its parts, for tests that feed something else. One tick is a millisecond everywhere.
//!
//! Only tests depend on this crate; it panics where it is misused.

mod camera;
mod fragment;
mod session_header;

pub use camera::TestCamera;
pub use fragment::{fragment, picture};
pub use session_header::{Pictures, session_header};
