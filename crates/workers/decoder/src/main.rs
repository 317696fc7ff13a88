//! The decoder worker: pictures out of coded video, in a process that may do nothing else.
//!
//! Decoders are large programs that eat hostile input. This one runs apart from the server: a
//! crafted stream can kill it, never the server, and what it would gain is a process without
//! files, network, other processes or privilege. It takes [jobs](streamkeep_decoder_protocol::Job)
//! from standard input and answers on standard output until the server closes the pipe; the
//! server's side is `streamkeep-pictures`.
//!
//! * [`confine`]: what it may not do, in force before the first byte of a job is read.
//! * [`h264`]: OpenH264, built from its bundled source. `ffmpeg`: H.265.
//! * [`picture`], [`colour`], [`scale`], [`image`]: from a decoded picture to JPEG or PNG.
//!
//! # Building
//!
//! `cargo build --release -p streamkeep-decoder` needs a C++ compiler; `nasm`, when it is there,
//! makes H.264 faster. The result belongs next to the server's executable.
//!
//! H.265 needs FFmpeg's libraries, whose licence depends on how they were built (Debian's are
//! GPL), so it is off by default: a job with H.265 is then answered `Unsupported`. On Debian:
//!
//! ```text
//! apt install libavcodec-dev libavformat-dev clang libclang-dev pkg-config
//! cargo build --release -p streamkeep-decoder --features ffmpeg
//! ```
//!
//! With it FFmpeg also decodes the H.264 that OpenH264 cannot: interlaced, 4:2:2, 10 bits.

mod annex_b;
mod colour;
mod confine;
mod failure;
#[cfg(feature = "ffmpeg")]
mod ffmpeg;
mod h264;
mod image;
mod misbehave;
mod picture;
mod run;
mod scale;
mod work;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use streamkeep_decoder_protocol::{CodecSet, FRAME_PREFIX_LEN, Hello, JOB_LEN_MAX, frame_len};

use crate::misbehave::SelfTest;

fn main() -> ExitCode {
    let self_test = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => SelfTest::Off,
        [argument] if argument == "--self-test" => SelfTest::On,
        _ => {
            eprintln!(
                "streamkeep-decoder is started by the streamkeep server and takes no arguments"
            );
            return ExitCode::from(2);
        }
    };
    let hello = match confine::confine() {
        Ok(confinement) => Hello {
            codecs: CodecSet { h264: true, h265: cfg!(feature = "ffmpeg") },
            confinement,
            // Also proves that the filter allows all that decoding needs on this machine.
            trouble: work::warm_up().err().unwrap_or_default(),
        },
        Err(trouble) => {
            Hello { codecs: CodecSet::default(), confinement: Default::default(), trouble }
        }
    };
    let ready = hello.trouble.is_empty();
    if send(&hello.encode()).is_err() || !ready {
        return ExitCode::FAILURE;
    }
    match serve(self_test) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Answers jobs until the server closes the pipe.
fn serve(self_test: SelfTest) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut message = Vec::new();
    loop {
        let mut prefix = [0; FRAME_PREFIX_LEN];
        match input.read_exact(&mut prefix) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        let len = frame_len(prefix, JOB_LEN_MAX).map_err(io::Error::other)?;
        message.clear();
        input.by_ref().take(len as u64).read_to_end(&mut message)?;
        if message.len() < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self_test == SelfTest::On {
            misbehave::perhaps(&message);
        }
        send(&work::answer(&message))?;
    }
}

fn send(frame: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(frame)?;
    output.flush()
}
