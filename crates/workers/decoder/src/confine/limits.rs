//! Resource limits.

use rustix::io;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Sets them for good: soft and hard.
pub(super) fn set() -> io::Result<()> {
    for (resource, limit) in [
        (Resource::As, ADDRESS_SPACE_MAX),
        (Resource::Cpu, CPU_SECONDS_MAX),
        (Resource::Core, 0), // no video in core files
        (Resource::Fsize, 0),
        (Resource::Nofile, 3), // the standard streams; Landlock's descriptor is closed again
        (Resource::Nproc, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}

/// Bytes. 17 pictures of 3840×2160 (the largest decoded picture buffer) are 212 MB, job and answer
/// at most 64 MiB, code and libraries below 200 MB. Room for the decoder's own copies.
const ADDRESS_SPACE_MAX: u64 = 1 << 30;

/// The server ends each job by the clock and replaces the worker after some hundred. This ends
/// what the server cannot: a loop in a worker that it has lost.
const CPU_SECONDS_MAX: u64 = 3600;
