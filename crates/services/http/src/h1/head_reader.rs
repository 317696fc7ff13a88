//! Finds the next request head in what arrives piece by piece.

use crate::h1::head::{self, Head, HeadError};
use crate::h2::PREFACE_START;
use crate::limits::Limits;

/// Bytes of empty lines skipped before a request (RFC 9112 §2.2 wants at least one line; some
/// clients end a body with an extra CRLF).
const EMPTY_LINES_LEN_MAX: usize = 8;

/// What begins with a head.
pub(crate) enum Begun {
    Request(Box<Head>),
    /// A connection that speaks HTTP/2 by prior knowledge (RFC 9113 §3.4).
    Http2,
}

/// Collects one head.
#[derive(Default)]
pub(crate) struct HeadReader {
    partial: Vec<u8>,
    empty_lines_len: usize,
}

impl HeadReader {
    /// Whether nothing of a request has come yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.partial.is_empty()
    }

    /// Takes the head, or what there is of it, from `unread`: says how many bytes are used up.
    pub(crate) fn take(
        &mut self,
        unread: &[u8],
        limits: &Limits,
    ) -> Result<(usize, Option<Begun>), HeadError> {
        let mut known = self.partial.len();
        // One byte more than is allowed, so that it is missed.
        let wanted = (limits.head_len_max + 1).saturating_sub(known);
        let unread = &unread[..unread.len().min(wanted)];

        if known == 0 {
            // The usual case: the head lies whole in the read buffer and is not copied.
            let skipped = empty_lines(unread);
            if let Some(len) = head::find_end(&unread[skipped..], 0)
                && self.empty_lines_len + skipped <= EMPTY_LINES_LEN_MAX
            {
                let begun = parse(&unread[skipped..][..len], limits)?;
                return Ok((skipped + len, Some(begun)));
            }
        }

        self.partial.extend_from_slice(unread);
        let skipped = empty_lines(&self.partial);
        if skipped > 0 {
            self.partial.drain(..skipped);
            self.empty_lines_len += skipped;
            known = 0;
        }
        if self.empty_lines_len > EMPTY_LINES_LEN_MAX {
            return Err(HeadError::RequestLine);
        }
        let Some(len) = head::find_end(&self.partial, known) else {
            head::check_partial(&self.partial, limits)?;
            return Ok((unread.len(), None));
        };
        let used = unread.len() - (self.partial.len() - len);
        Ok((used, Some(parse(&self.partial[..len], limits)?)))
    }
}

fn parse(bytes: &[u8], limits: &Limits) -> Result<Begun, HeadError> {
    if bytes == PREFACE_START {
        return Ok(Begun::Http2);
    }
    Ok(Begun::Request(Box::new(head::parse(bytes, limits)?)))
}

/// How many bytes of whole empty lines `bytes` begins with.
fn empty_lines(bytes: &[u8]) -> usize {
    let lines = bytes.chunks_exact(2).take_while(|line| line == b"\r\n");
    2 * lines.count()
}
