//! What holds for any input; run by the tests and by `fuzz/`.

use crate::request::Request;

/// A text message is a request or none; a request names what it asks for within its bounds.
pub fn request(text: &str) {
    if let Some(Request::Open(open)) = Request::parse(text) {
        assert!(open.stream.len() <= text.len());
        assert!(open.tier.is_ok() || text.contains("tier"));
    }
}
