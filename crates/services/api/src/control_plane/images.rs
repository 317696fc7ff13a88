//! Paging of GetImages.

use streamkeep_media::{StreamId, UnixMillis};

use super::ControlPlane;
use crate::{ApiError, GetImagesRequest};

/// What a GetImages answer is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagesPage {
    /// The sampling instants of this page: 1..=25, rising.
    pub instants: Vec<UnixMillis>,
    /// NextToken, when there are more.
    pub next_token: Option<String>,
}

impl ControlPlane {
    /// Opens the NextToken of a GetImages and makes the next. All instants follow from the
    /// request, so the token holds only how many were shown; it is good for this stream and these
    /// arguments. The page size may change from page to page.
    ///
    /// # Errors
    /// InvalidArgumentException: the token was altered, or issued for another stream or for other
    /// arguments.
    pub fn images_page(
        &self,
        stream: StreamId,
        request: &GetImagesRequest,
    ) -> Result<ImagesPage, ApiError> {
        let arguments = arguments(request);
        let purpose: [&[u8]; 3] = [b"GetImages", &stream.0, arguments.as_bytes()];
        let shown = match &request.next_token {
            None => 0,
            Some(token) => {
                let shown = self.tokens.open(&purpose, token).and_then(|payload| {
                    Some(u32::from_be_bytes(payload.as_slice().try_into().ok()?))
                });
                shown.ok_or_else(|| {
                    ApiError::invalid_argument(
                        "NextToken was not issued by GetImages for this stream with these \
                         arguments.",
                    )
                })?
            }
        };
        let all = request.instants();
        let count = all.len();
        let skipped = usize::try_from(shown).unwrap_or(usize::MAX);
        let instants: Vec<_> = all.skip(skipped).take(request.page_size).collect();
        let end = skipped.saturating_add(instants.len());
        let next_token = (end < count).then(|| {
            let end = u32::try_from(end).expect("at most 1,501 instants");
            self.tokens.seal(&purpose, &end.to_be_bytes())
        });
        Ok(ImagesPage { instants, next_token })
    }
}

/// Everything that decides what the pages hold.
fn arguments(request: &GetImagesRequest) -> String {
    let GetImagesRequest {
        stream: _,
        by,
        start,
        end,
        sampling_interval_ms,
        format,
        jpeg_quality,
        size,
        page_size: _,
        next_token: _,
    } = request;
    format!(
        "{} {} {} {sampling_interval_ms} {} {jpeg_quality} {:?} {:?}",
        by.as_str(),
        start.0,
        end.0,
        format.as_str(),
        size.width_pixels,
        size.height_pixels
    )
}
