//! Response bodies (RFC 9112 §§6, 7): by length, in chunks, or up to the end of the connection.

use bytes::{Buf, Bytes, BytesMut};

use crate::Error;
use crate::http1::ResponseHead;

/// Takes the framing off one body.
#[derive(Debug)]
pub(crate) struct BodyDecoder {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Content-Length: bytes left.
    Length(u64),
    UntilClose,
    ChunkSize,
    /// Bytes left of a chunk.
    ChunkData(u64),
    /// The line break after a chunk's data.
    ChunkEnd,
    Trailer,
    Done,
}

/// What the decoder made of the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// Not empty.
    Data(Bytes),
    /// More bytes are needed.
    Nothing,
    /// The body is complete.
    End,
}

impl BodyDecoder {
    /// For the body that follows this head (RFC 9112 §6.3). The request was no HEAD.
    pub(crate) fn new(head: &ResponseHead) -> Self {
        let state = match head {
            ResponseHead { status: 100..=199 | 204 | 304, .. } => State::Done,
            ResponseHead { chunked: true, .. } => State::ChunkSize,
            ResponseHead { content_length: Some(0), .. } => State::Done,
            ResponseHead { content_length: Some(length), .. } => State::Length(*length),
            _ => State::UntilClose,
        };
        Self { state }
    }

    /// The next piece of the body; its bytes, and framing, are taken off `input` without a copy.
    pub(crate) fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, Error> {
        loop {
            match &mut self.state {
                State::Done => return Ok(Decoded::End),
                State::UntilClose if input.is_empty() => return Ok(Decoded::Nothing),
                State::UntilClose => return Ok(Decoded::Data(input.split().freeze())),
                State::Length(0) => self.state = State::Done,
                State::ChunkData(0) => self.state = State::ChunkEnd,
                State::Length(_) | State::ChunkData(_) if input.is_empty() => {
                    return Ok(Decoded::Nothing);
                }
                State::Length(left) | State::ChunkData(left) => {
                    let len = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    *left -= len as u64;
                    return Ok(Decoded::Data(input.split_to(len).freeze()));
                }
                State::ChunkEnd => match &input[..] {
                    [b'\r', b'\n', ..] => {
                        input.advance(2);
                        self.state = State::ChunkSize;
                    }
                    [] | [b'\r'] => return Ok(Decoded::Nothing),
                    _ => return Err(Error::Http("chunk longer than its size")),
                },
                State::ChunkSize => {
                    let Some(line) = take_line(input)? else { return Ok(Decoded::Nothing) };
                    self.state = match chunk_size(&line)? {
                        0 => State::Trailer,
                        size => State::ChunkData(size),
                    };
                }
                State::Trailer => {
                    let Some(line) = take_line(input)? else { return Ok(Decoded::Nothing) };
                    if line.is_empty() {
                        self.state = State::Done;
                    }
                }
            }
        }
    }

    /// The connection has ended: is the body complete by that?
    pub(crate) fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::UntilClose | State::Done)
    }
}

fn take_line(input: &mut BytesMut) -> Result<Option<Bytes>, Error> {
    match input.iter().position(|&byte| byte == b'\n') {
        Some(end) => {
            let line = input.split_to(end + 1).freeze();
            let len = if line.ends_with(b"\r\n") { end - 1 } else { end };
            Ok(Some(line.slice(..len)))
        }
        None if input.len() > LINE_LEN_MAX => {
            Err(Error::LimitExceeded { what: "chunk size line", limit: LINE_LEN_MAX })
        }
        None => Ok(None),
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, Error> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    std::str::from_utf8(digits)
        .ok()
        .filter(|digits| (1..=15).contains(&digits.len()) && !digits.starts_with('+'))
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or(Error::Http("malformed chunk size"))
}

const LINE_LEN_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn head(content_length: Option<u64>, chunked: bool) -> ResponseHead {
        ResponseHead { status: 200, content_length, chunked, ..ResponseHead::default() }
    }

    /// The body, and what is left of the input; `None` when the body is not complete.
    fn decode(
        head: &ResponseHead,
        wire: &[u8],
        piece_len: usize,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
        let mut decoder = BodyDecoder::new(head);
        let (mut input, mut body) = (BytesMut::new(), Vec::new());
        let mut pieces = wire.chunks(piece_len);
        loop {
            match decoder.decode(&mut input)? {
                Decoded::Data(data) => body.extend_from_slice(&data),
                Decoded::End => {
                    let mut rest = input.to_vec();
                    pieces.for_each(|piece| rest.extend_from_slice(piece));
                    return Ok((body, Some(rest)));
                }
                Decoded::Nothing => match pieces.next() {
                    Some(piece) => input.extend_from_slice(piece),
                    None => return Ok((body, None)),
                },
            }
        }
    }

    #[test]
    fn every_split_gives_the_same_body() {
        let chunked = b"3\r\nabc\r\n00A;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nnext";
        for (head, wire, body, rest) in [
            (head(None, true), &chunked[..], &b"abc0123456789"[..], Some(&b"next"[..])),
            (head(Some(5), false), b"abcdenext", b"abcde", Some(b"next")),
            (head(Some(0), false), b"next", b"", Some(b"next")),
            (head(None, false), b"all of it", b"all of it", None),
            (head(Some(9), false), b"short", b"short", None),
        ] {
            for piece_len in 1..=wire.len() {
                let got = decode(&head, wire, piece_len).unwrap();
                assert_eq!(got, (body.to_vec(), rest.map(<[u8]>::to_vec)), "{piece_len}");
            }
        }
    }

    #[test]
    fn refusals() {
        for wire in
            [&b"x\r\n"[..], b"\r\n", b"-1\r\n", b"+1\r\n", b"1\r\nabc", b"1000000000000000\r\n"]
        {
            let error = decode(&head(None, true), wire, 99).unwrap_err();
            assert!(matches!(error, Error::Http(_)), "{wire:?} {error}");
        }
        let endless = [b'0'; LINE_LEN_MAX + 1];
        let error = decode(&head(None, true), &endless, 4096).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { .. }));
    }
}
