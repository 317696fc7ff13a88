//! Status line and headers (RFC 9112 §4).

use crate::Error;

/// A response head: status and the headers that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    /// Content-Length.
    pub(crate) content_length: Option<u64>,
    /// The last transfer coding is `chunked`.
    pub(crate) chunked: bool,
    /// The peer will close after this response.
    pub(crate) closes: bool,
    /// `x-amzn-ErrorType` without what follows a colon.
    pub(crate) error_type: Option<String>,
}

impl ResponseHead {
    /// Parses a head at the start of `input`: the head and its length, or `None` when it is not
    /// complete.
    pub(crate) fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        let mut headers = [httparse::EMPTY_HEADER; HEADER_COUNT_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let len = match response.parse(input) {
            Ok(httparse::Status::Complete(len)) => len,
            Ok(httparse::Status::Partial) if input.len() > HEAD_LEN_MAX => {
                return Err(Error::LimitExceeded { what: "response head", limit: HEAD_LEN_MAX });
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Error::Http("malformed response head")),
        };
        let mut head = Self {
            status: response.code.unwrap_or_default(),
            closes: response.version == Some(0),
            ..Self::default()
        };
        for header in response.headers.iter() {
            let value = String::from_utf8_lossy(header.value);
            let value = value.trim();
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                let length = value.parse().map_err(|_| Error::Http("malformed Content-Length"))?;
                if head.content_length.replace(length).is_some_and(|other| other != length) {
                    return Err(Error::Http("two different Content-Lengths"));
                }
            } else if is("transfer-encoding") {
                let last = value.rsplit(',').next().unwrap_or_default().trim();
                head.chunked = last.eq_ignore_ascii_case("chunked");
            } else if is("connection") {
                head.closes |=
                    value.split(',').any(|token| token.trim().eq_ignore_ascii_case("close"));
            } else if is("x-amzn-errortype") {
                head.error_type = value.split(':').next().map(str::to_owned);
            }
        }
        Ok(Some((head, len)))
    }
}

const HEADER_COUNT_MAX: usize = 64;
const HEAD_LEN_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let bytes =
            b"HTTP/1.1 400 Bad Request\r\nx-amzn-ErrorType: InvalidArgumentException:http://x\r\n\
            Content-Length: 12\r\nConnection: keep-alive, Close\r\n\r\nrest";
        let (head, len) = ResponseHead::parse(bytes).unwrap().unwrap();
        assert_eq!(&bytes[len..], b"rest");
        assert_eq!((head.status, head.content_length, head.closes), (400, Some(12), true));
        assert_eq!(head.error_type.as_deref(), Some("InvalidArgumentException"));
        for cut in 0..len {
            assert_eq!(ResponseHead::parse(&bytes[..cut]).unwrap(), None, "{cut}");
        }
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
        assert!(ResponseHead::parse(chunked).unwrap().unwrap().0.chunked);
    }

    #[test]
    fn refusals() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"nonsense\r\n\r\n",
        ] {
            assert!(matches!(ResponseHead::parse(bytes), Err(Error::Http(_))), "{bytes:?}");
        }
        let mut endless = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
        endless.resize(HEAD_LEN_MAX + 1, b'a');
        assert!(matches!(ResponseHead::parse(&endless), Err(Error::LimitExceeded { .. })));
    }
}
