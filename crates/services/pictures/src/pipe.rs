//! Reading from and writing to a process that may do neither: everything has a deadline.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Until when, and who else may end it.
pub(crate) struct Patience<'a> {
    pub(crate) deadline: Instant,
    /// The pool is closing.
    pub(crate) stop: &'a dyn Fn() -> bool,
}

/// Why reading or writing ended early.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The deadline passed.
    Deadline,
    /// The pool is closing.
    Stopped,
    /// The other side closed its end, or the system refuses to go on, which is as good.
    Closed,
}

impl Patience<'_> {
    /// Writes all of `bytes` to a pipe that does not block.
    pub(crate) fn write(
        &self,
        pipe: &mut (impl Write + AsFd),
        mut bytes: &[u8],
    ) -> Result<(), Ended> {
        while !bytes.is_empty() {
            match pipe.write(bytes) {
                Ok(len) => bytes = bytes.get(len..).unwrap_or_default(),
                Err(error) => self.wait_after(error, pipe, PollFlags::OUT)?,
            }
        }
        Ok(())
    }

    /// Appends exactly `len` bytes from a pipe that does not block to `out`.
    pub(crate) fn read(
        &self,
        pipe: &mut (impl Read + AsFd),
        len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Ended> {
        let end = out.len() + len;
        while out.len() < end {
            // Room grows with what really comes, not with what was announced.
            let start = out.len();
            out.resize(end.min(start + CHUNK_LEN), 0);
            let result = pipe.read(&mut out[start..]);
            out.truncate(start + result.as_ref().copied().unwrap_or(0));
            match result {
                Ok(0) => return Err(Ended::Closed),
                Ok(_) => {}
                Err(error) => self.wait_after(error, pipe, PollFlags::IN)?,
            }
        }
        Ok(())
    }

    fn wait_after(
        &self,
        error: io::Error,
        pipe: &impl AsFd,
        events: PollFlags,
    ) -> Result<(), Ended> {
        match error.kind() {
            io::ErrorKind::WouldBlock => {}
            io::ErrorKind::Interrupted => return Ok(()),
            _ => return Err(Ended::Closed),
        }
        loop {
            if (self.stop)() {
                return Err(Ended::Stopped);
            }
            let remaining = self.deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return Err(Ended::Deadline);
            }
            match poll_for(pipe, events, remaining.min(STOP_INTERVAL)) {
                Ok(false) => {}
                // Ready, or the other side is gone: the next read or write will tell.
                Ok(true) => return Ok(()),
                Err(_) => return Err(Ended::Closed),
            }
        }
    }
}

/// Whether the pipe has something to read, or its other end is closed, right now.
pub(crate) fn has_input(pipe: &impl AsFd) -> io::Result<bool> {
    poll_for(pipe, PollFlags::IN, Duration::ZERO)
}

fn poll_for(pipe: &impl AsFd, events: PollFlags, timeout: Duration) -> io::Result<bool> {
    let timeout = Timespec {
        tv_sec: timeout.as_secs() as i64, // below STOP_INTERVAL
        tv_nsec: timeout.subsec_nanos().into(),
    };
    match poll(&mut [PollFd::new(pipe, events)], Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How long closing the pool may go unnoticed.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// Bytes read at once at most.
const CHUNK_LEN: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn patience(ms: u64, stop: &dyn Fn() -> bool) -> Patience<'_> {
        Patience { deadline: Instant::now() + Duration::from_millis(ms), stop }
    }

    fn pair() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (ours, theirs)
    }

    #[test]
    fn whole_messages() {
        let (mut ours, mut theirs) = pair();
        let message = vec![7; 3 << 20];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut received = vec![0; message.len()];
                theirs.read_exact(&mut received).unwrap();
                theirs.write_all(&received).unwrap();
            });
            let patience = patience(10_000, &|| false);
            patience.write(&mut ours, &message).unwrap();
            let mut back = vec![1];
            patience.read(&mut ours, message.len(), &mut back).unwrap();
            assert!(back[0] == 1 && back[1..] == message);
        });
    }

    #[test]
    fn no_patience_without_end() {
        let (mut ours, theirs) = pair();
        let never = || false;
        let mut out = Vec::new();
        let read = patience(20, &never).read(&mut ours, 1, &mut out);
        assert!(matches!(read, Err(Ended::Deadline)));
        let write = patience(20, &never).write(&mut ours, &vec![0; 8 << 20]);
        assert!(matches!(write, Err(Ended::Deadline)));
        let read = patience(60_000, &|| true).read(&mut ours, 1, &mut out);
        assert!(matches!(read, Err(Ended::Stopped)));
        drop(theirs);
        let patience = patience(60_000, &never);
        assert!(has_input(&ours).unwrap());
        let ended = patience.write(&mut ours, b"x");
        assert!(matches!(ended, Err(Ended::Closed)), "{ended:?}");
    }
}
