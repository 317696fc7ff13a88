//! Makes the pictures that are delivered.

use std::sync::Arc;

use streamkeep_api::{ApiError, Exception};
use streamkeep_delivery::{
    EncodedImage, Failure, ImageFormat, ImageSource, ImageWork, Intent, TimestampSelector,
};
use streamkeep_engine::{Engine, StoreError};
use streamkeep_pictures::{Format, JpegQuality};
use streamkeep_playback::{Axis, Exactness, PlaybackError};
use tokio::task::spawn_blocking;

use crate::serve::playback::{Playback, Size, Still};

/// From fragments, by the pool of decoders that also serves GetImages.
pub(crate) struct Images {
    pub(crate) engine: Engine,
    pub(crate) playback: Arc<Playback>,
}

impl ImageSource for Images {
    async fn image(&self, intent: &Intent, work: &ImageWork) -> Result<EncodedImage, Failure> {
        let (engine, stream, number) =
            (self.engine.clone(), intent.stream_id, intent.fragment_number);
        let row = spawn_blocking(move || engine.row(stream, number))
            .await
            .map_err(|_| Failure::Retry("the server is stopping".into()))?;
        match row {
            Ok(Some(_)) => {}
            Ok(None) => return Err(Failure::Permanent("the fragment is no more".into())),
            Err(error) => return Err(store_failure(&error)),
        }
        let axis = match work.selector {
            TimestampSelector::Server => Axis::Server,
            TimestampSelector::Producer => Axis::Producer,
        };
        let coded = self
            .playback
            .service
            .coded_picture(stream, axis, work.instant, Exactness::Picture)
            .await
            .map_err(|error| playback_failure(&error))?
            .ok_or_else(|| Failure::Permanent("nothing was recorded at this instant".into()))?;
        // A width alone keeps the shape of the picture, as a height alone does.
        let size = match (work.width_pixels, work.height_pixels) {
            (Some(width), None) => Size::Width(Some(width)),
            (width, height) => Size::Asked(width, height),
        };
        match self.playback.decode(coded, format(work.format)?, size).await {
            Ok(Still::Picture(picture)) => Ok(EncodedImage { bytes: picture.bytes }),
            Ok(Still::NoMedia | Still::MediaError) => {
                Err(Failure::Permanent("the picture cannot be decoded".into()))
            }
            Err(error) => Err(decoder_failure(&error)),
        }
    }
}

fn format(format: ImageFormat) -> Result<Format, Failure> {
    match format {
        ImageFormat::Png => Ok(Format::Png),
        ImageFormat::Jpeg { quality } => JpegQuality::new(quality)
            .map(Format::Jpeg)
            .ok_or_else(|| Failure::Permanent(format!("{quality} is no quality of JPEG"))),
    }
}

fn store_failure(error: &StoreError) -> Failure {
    match error {
        StoreError::StreamGone(_)
        | StoreError::NoSuchFragment { .. }
        | StoreError::Damaged { .. } => Failure::Permanent(error.to_string()),
        _ => Failure::Retry(error.to_string()),
    }
}

fn playback_failure(error: &PlaybackError) -> Failure {
    match error {
        PlaybackError::Store(error) => store_failure(error),
        PlaybackError::TimedOut | PlaybackError::Stopping => Failure::Retry(error.to_string()),
        _ => Failure::Permanent(error.to_string()),
    }
}

fn decoder_failure(error: &ApiError) -> Failure {
    let reason = error.message().to_owned();
    match error.exception() {
        Exception::ClientLimitExceeded
        | Exception::ServiceUnavailable
        | Exception::InternalFailure => Failure::Retry(reason),
        _ => Failure::Permanent(reason),
    }
}
