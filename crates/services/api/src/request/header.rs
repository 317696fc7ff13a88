//! Headers that are members of a request.

use http::HeaderMap;

use crate::ApiError;

/// The value of a header that may be given once.
///
/// # Errors
/// InvalidArgumentException: it is given twice, or is no ASCII text.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(ApiError::invalid_argument(format!("{name} is given more than once.")));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(ApiError::invalid_argument(format!("{name} is no ASCII text."))),
    }
}
