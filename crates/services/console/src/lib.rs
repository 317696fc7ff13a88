//! The web console's files and the headers they are served under.
//!
//! The page is a client like any other: it signs its calls to the public API in the browser. Here
//! are only its files, the same for everybody.

mod headers;
mod site;

pub use headers::Headers;
pub use site::Console;

/// A file of the built page.
#[derive(Debug)]
struct File {
    /// Below `/console/`.
    path: &'static str,
    /// Strong, quoted.
    etag: &'static str,
    bytes: &'static [u8],
    gzip: Option<&'static [u8]>,
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));
