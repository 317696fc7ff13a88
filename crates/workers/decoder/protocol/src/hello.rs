//! The first message of a worker.

use crate::fields::{Fields, printable};
use crate::frame::{HELLO_LEN_MAX, framed};
use crate::{Codec, Error};

/// The version of the protocol. Server and worker are built together: another version is a
/// mistake of installation, not something to negotiate.
pub const VERSION: u16 = 1;

/// What a worker says when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// What it can decode.
    pub codecs: CodecSet,
    /// What holds it.
    pub confinement: Confinement,
    /// Why it cannot work, and then it ends; empty when it can. At most 400 bytes, printable.
    pub trouble: String,
}

/// Codecs a worker can decode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodecSet {
    /// ITU-T H.264.
    pub h264: bool,
    /// ITU-T H.265.
    pub h265: bool,
}

impl CodecSet {
    /// Whether `codec` is among them.
    pub fn has(self, codec: Codec) -> bool {
        match codec {
            Codec::H264 => self.h264,
            Codec::H265 => self.h265,
        }
    }
}

/// What holds a worker. The seccomp filter is not optional; the others depend on the kernel and on
/// the user the server runs as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// The seccomp filter is in force.
    pub seccomp: bool,
    /// Landlock denies all files, and TCP where the kernel knows how.
    pub landlock: bool,
    /// The worker gave up the super-user's identity, or never had it.
    pub unprivileged: bool,
}

impl Hello {
    /// The message, framed.
    pub fn encode(&self) -> Vec<u8> {
        let codecs = u8::from(self.codecs.h264) | u8::from(self.codecs.h265) << 1;
        let Confinement { seccomp, landlock, unprivileged } = self.confinement;
        let held = u8::from(seccomp) | u8::from(landlock) << 1 | u8::from(unprivileged) << 2;
        let frame = framed(HELLO_LEN_MAX, HELLO_LEN_MAX, |out| {
            out.extend_from_slice(MAGIC);
            out.extend_from_slice(&VERSION.to_le_bytes());
            out.extend_from_slice(&[codecs, held]);
            out.extend_from_slice(printable(&self.trouble, TROUBLE_LEN_MAX).as_bytes());
        });
        frame.expect("8 bytes and the capped text are below the cap")
    }

    /// Parses a message without its prefix.
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::new(message);
        let magic = fields.array::<4>()?;
        if magic != *MAGIC {
            let value = u32::from_le_bytes(magic).into();
            return Err(Error::Invalid { field: "magic", value });
        }
        let version = fields.u16()?;
        if version != VERSION {
            return Err(Error::Invalid { field: "version", value: version.into() });
        }
        let codecs = fields.u8()?;
        let held = fields.u8()?;
        let trouble = printable(&String::from_utf8_lossy(fields.rest()), TROUBLE_LEN_MAX);
        Ok(Self {
            codecs: CodecSet { h264: codecs & 1 != 0, h265: codecs & 2 != 0 },
            confinement: Confinement {
                seccomp: held & 1 != 0,
                landlock: held & 2 != 0,
                unprivileged: held & 4 != 0,
            },
            trouble,
        })
    }
}

const MAGIC: &[u8; 4] = b"SKdw";
const TROUBLE_LEN_MAX: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let hello = Hello {
            codecs: CodecSet { h264: true, h265: false },
            confinement: Confinement { seccomp: true, landlock: false, unprivileged: true },
            trouble: "no seccomp".into(),
        };
        assert_eq!(Hello::parse(&hello.encode()[4..]), Ok(hello));
    }

    #[test]
    fn another_program_or_version_is_refused() {
        let mut message = Hello {
            codecs: CodecSet::default(),
            confinement: Confinement::default(),
            trouble: String::new(),
        }
        .encode()
        .split_off(4);
        for len in 0..8 {
            assert_eq!(Hello::parse(&message[..len]), Err(Error::Truncated));
        }
        message[4] = 9;
        assert_eq!(Hello::parse(&message), Err(Error::Invalid { field: "version", value: 9 }));
        message[0] = 0;
        assert!(matches!(Hello::parse(&message), Err(Error::Invalid { field: "magic", .. })));
    }

    #[test]
    fn trouble_is_short_and_printable() {
        let trouble = format!("\x1b[2J{}", "é".repeat(1000));
        let hello =
            Hello { codecs: CodecSet::default(), confinement: Confinement::default(), trouble };
        let parsed = Hello::parse(&hello.encode()[4..]).unwrap();
        assert!(parsed.trouble.len() <= 400 && parsed.trouble.starts_with("\u{fffd}[2Jé"));
    }
}
