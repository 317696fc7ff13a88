//! Request line and headers (RFC 9112 §3).

/// A request head under construction. The caller gives names and values without line breaks:
/// they come from constants, signatures, and checked stream names.
#[derive(Clone, Debug)]
pub(crate) struct RequestHead {
    bytes: Vec<u8>,
}

impl RequestHead {
    /// `path` starts with `/`.
    pub(crate) fn post(path: &str) -> Self {
        Self { bytes: format!("POST {path} HTTP/1.1\r\n").into_bytes() }
    }

    /// `target` starts with `/` and is visible ASCII.
    pub(crate) fn get(target: &str) -> Self {
        Self { bytes: format!("GET {target} HTTP/1.1\r\n").into_bytes() }
    }

    /// Adds a header. One whose value has a control character is left out rather than sent as two.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        debug_assert!(!value.bytes().any(|b| b.is_ascii_control()), "{name}");
        if !value.bytes().any(|b| b.is_ascii_control()) {
            for part in [name, ": ", value, "\r\n"] {
                self.bytes.extend_from_slice(part.as_bytes());
            }
        }
    }

    /// The head with its final empty line.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes
    }
}
