//! One worker process, from start to end.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use rustix::io::ioctl_fionbio;
use rustix::pipe::fcntl_setpipe_size;
use streamkeep_decoder_protocol::{
    ANSWER_LEN_MAX, Confinement, Error as ProtocolError, FRAME_PREFIX_LEN, HELLO_LEN_MAX, Hello,
    frame_len,
};

use crate::pipe::{Ended, Patience, has_input};

/// A process that said hello and waits for jobs. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Worker {
    process: Process,
    input: ChildStdin,
    output: ChildStdout,
    confinement: Confinement,
    jobs: u32,
}

/// Why a worker is of no use any more.
#[derive(Debug)]
pub(crate) enum Lost {
    /// It took too long.
    Deadline,
    /// It ended, or closed its pipes.
    Died,
    /// What it said is no answer.
    Nonsense(ProtocolError),
    /// The pool is closing.
    Stopped,
}

impl Worker {
    /// Starts a process and waits until it is ready.
    pub(crate) fn start(
        executable: &Path,
        arguments: &[String],
        patience: &Patience<'_>,
    ) -> Result<Self, String> {
        let mut child = Command::new(executable)
            .args(arguments)
            // Nothing of the server's surroundings; in particular no secret in a variable.
            .env_clear()
            .env("GLIBC_TUNABLES", KEEP_MEMORY)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // An interrupt from the terminal is for the server, which then stops its workers.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", executable.display()))?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let mut process = Process(child);
        let (Some(input), Some(mut output)) = pipes else {
            return Err("the worker has no pipes".to_owned());
        };
        for pipe in [input.as_fd(), output.as_fd()] {
            ioctl_fionbio(pipe, true).map_err(|error| format!("pipe of the worker: {error}"))?;
            // Fewer switches between the two for a picture of some hundred KB; as it may.
            let _ = fcntl_setpipe_size(pipe, PIPE_LEN);
        }
        let mut message = Vec::new();
        let hello = receive(&mut output, HELLO_LEN_MAX, patience, &mut message)
            .and_then(|()| Hello::parse(&message).map_err(Lost::Nonsense));
        match hello {
            Ok(Hello { confinement, trouble, .. }) if trouble.is_empty() => {
                Ok(Self { process, input, output, confinement, jobs: 0 })
            }
            Ok(Hello { trouble, .. }) => Err(format!("{}: {trouble}", executable.display())),
            Err(Lost::Nonsense(error)) => Err(format!(
                "{} is not the decoder worker of this server's version: {error}",
                executable.display()
            )),
            Err(lost) => {
                let end = process.end();
                Err(format!("{} did not get ready ({lost:?}): {end}", executable.display()))
            }
        }
    }

    /// Sends a framed job and receives the answer, without its prefix. After an error the worker
    /// must be dropped.
    pub(crate) fn exchange(
        &mut self,
        job: &[u8],
        patience: &Patience<'_>,
    ) -> Result<Vec<u8>, Lost> {
        self.jobs = self.jobs.saturating_add(1);
        patience.write(&mut self.input, job)?;
        let mut message = Vec::new();
        receive(&mut self.output, ANSWER_LEN_MAX, patience, &mut message)?;
        Ok(message)
    }

    /// It died, or said something, while it had nothing to do.
    pub(crate) fn is_lost(&self) -> bool {
        has_input(&self.output).unwrap_or(true)
    }

    /// Jobs it was given.
    pub(crate) fn jobs(&self) -> u32 {
        self.jobs
    }

    /// What holds it, by its own account.
    pub(crate) fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// The most memory it ever held, bytes; 0 when the system does not tell.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.0.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }

    /// How it ended, for the log. If it only seems dead it is killed.
    pub(crate) fn end(mut self) -> String {
        self.process.end()
    }
}

fn receive(
    output: &mut ChildStdout,
    len_max: usize,
    patience: &Patience<'_>,
    message: &mut Vec<u8>,
) -> Result<(), Lost> {
    patience.read(output, FRAME_PREFIX_LEN, message)?;
    let prefix = std::array::from_fn(|index| message[index]);
    let len = frame_len(prefix, len_max).map_err(Lost::Nonsense)?;
    message.clear();
    patience.read(output, len, message)?;
    Ok(())
}

impl From<Ended> for Lost {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Deadline => Self::Deadline,
            Ended::Stopped => Self::Stopped,
            Ended::Closed => Self::Died,
        }
    }
}

/// Kills the child when dropped, and leaves no zombie.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn end(&mut self) -> String {
        // Its pipes are closed before it is dead: a moment, so that its own end is what is told.
        let ended = (0..20).find_map(|_| match self.0.try_wait() {
            Ok(None) => {
                std::thread::sleep(std::time::Duration::from_millis(1));
                None
            }
            status => Some(status),
        });
        match ended {
            Some(Ok(Some(status))) => describe(status),
            _ => {
                let _ = self.0.kill();
                match self.0.wait() {
                    Ok(status) => describe(status),
                    Err(error) => describe_error(&error),
                }
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(31), _) => "killed for a forbidden system call (SIGSYS)".to_owned(),
        (Some(6), _) => "aborted, perhaps out of memory (SIGABRT)".to_owned(),
        (Some(9), _) => "killed (SIGKILL)".to_owned(),
        (Some(11), _) => "crashed (SIGSEGV)".to_owned(),
        (Some(signal), _) => format!("ended by signal {signal}"),
        (None, Some(code)) => format!("ended with status {code}"),
        (None, None) => "ended".to_owned(),
    }
}

fn describe_error(error: &io::Error) -> String {
    format!("its end is not known: {error}")
}

/// Has glibc keep the pictures' memory from job to job: given back and taken again it costs ten
/// thousand page faults for a picture of 1080p, which is a third of its time.
const KEEP_MEMORY: &str =
    "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824";

/// Bytes a pipe holds: the most that Linux grants everyone.
const PIPE_LEN: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn start(executable: &str, arguments: &[&str]) -> String {
        let patience =
            Patience { deadline: Instant::now() + Duration::from_millis(500), stop: &|| false };
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Worker::start(Path::new(executable), &arguments, &patience).unwrap_err()
    }

    #[test]
    fn what_is_no_worker_does_not_start() {
        for (executable, arguments, expected) in [
            ("/nowhere", &[][..], "does not start"),
            ("/bin/false", &[], "ended with status 1"),
            ("/bin/echo", &["a long line, but no hello"], "not the decoder worker"),
            ("/bin/sleep", &["60"], "did not get ready (Deadline): killed"),
        ] {
            let error = start(executable, arguments);
            assert!(error.contains(expected), "{executable}: {error}");
        }
    }

    #[test]
    fn no_zombies() {
        start("/bin/sleep", &["61"]);
        let children = std::fs::read_to_string(format!(
            "/proc/self/task/{}/children",
            rustix::thread::gettid().as_raw_nonzero()
        ));
        assert_eq!(children.unwrap_or_default(), "");
    }
}
