//! Doing on purpose what a taken-over worker might do, so that tests can see what holds it.
//!
//! Only with `--self-test`, and only for a job whose decoder configuration says so: none that is
//! an avcC or hvcC begins like that.

use std::hint::black_box;
use std::io::{self, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::{Command, abort, exit};

use rustix::process::{Pid, Signal, kill_process};
use streamkeep_decoder_protocol::Job;

/// Whether jobs may ask for misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelfTest {
    /// As the server starts its workers.
    Off,
    /// As tests do.
    On,
}

/// Misbehaves as the job says; returns if it says nothing, or if what it tried was answered with
/// an error.
pub(crate) fn perhaps(message: &[u8]) {
    let Ok(job) = Job::parse(message) else { return };
    let Some(what) = job.configuration.strip_prefix(b"misbehave=") else { return };
    // Where an attempt succeeds the worker got out: it says so with a status of its own.
    let escaped = match what {
        b"loop" => loop {
            black_box(0);
        },
        b"silence" => loop {
            // The end of the pipe is all that is left to wait for.
            let _ = io::stdin().lines().next();
        },
        b"allocate" => !black_box(vec![1u8; 100 << 30]).is_empty(),
        b"hoard" => hoard(),
        b"tcp" => TcpStream::connect(("127.0.0.1", 9)).is_ok(),
        b"udp" => UdpSocket::bind(("127.0.0.1", 0)).is_ok(),
        b"unix" => UnixStream::pair().is_ok(),
        b"read-file" => std::fs::read("/etc/passwd").is_ok(),
        b"write-file" => std::fs::write("/tmp/streamkeep-decoder-escaped", b"").is_ok(),
        b"list" => std::fs::read_dir("/").is_ok(),
        b"exec" => Command::new("/bin/true").status().is_ok(),
        b"thread" => std::thread::Builder::new().spawn(|| ()).is_ok(),
        b"kill-parent" => rustix::process::getppid()
            .is_some_and(|server| kill_process(server, Signal::CONT).is_ok()),
        b"exit" => exit(0),
        b"abort" => abort(),
        b"crash" => kill_process(pid(), Signal::SEGV).is_ok(),
        b"garbage" => say(&[0xa5; 4096]),
        b"huge" => say(&u32::MAX.to_le_bytes()),
        b"half" => say(&[200, 0, 0, 0, 1, 64, 0]) && loop_for_ever(),
        b"twice" => say(&[2, 0, 0, 0, 2, 1]), // a failure, before the true answer
        b"flood" => loop {
            say(&[0; 65536]);
        },
        b"not-an-image" => say(&[14, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'x']),
        _ => return,
    };
    if escaped && !matches!(what, b"garbage" | b"huge" | b"twice" | b"not-an-image") {
        exit(ESCAPED);
    }
}

/// Takes memory in small pieces and uses a bit of each.
fn hoard() -> bool {
    let mut pieces = Vec::new();
    while pieces.len() < 100 << 10 {
        let mut piece = vec![0u8; 1 << 20];
        piece[0] = 1;
        pieces.push(piece);
    }
    !black_box(pieces).is_empty()
}

fn loop_for_ever() -> bool {
    loop {
        black_box(0);
    }
}

fn say(bytes: &[u8]) -> bool {
    let mut output = io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush()).is_ok()
}

fn pid() -> Pid {
    rustix::process::getpid()
}

/// The exit status of a worker that did what it must not be able to do.
const ESCAPED: i32 = 99;
