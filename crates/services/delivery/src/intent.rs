//! What is to be delivered: written down before the work is done.

use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use crate::{ImageFormat, Metadata, NotificationDestination, TimestampSelector};

/// One image or one notification of one fragment. Small: holds no media, only what finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The stream.
    pub stream_id: StreamId,
    /// Its name when the intent was made.
    pub stream_name: String,
    /// Its ARN.
    pub stream_arn: String,
    /// The fragment.
    pub fragment_number: FragmentNumber,
    /// Of the fragment's start.
    pub producer_timestamp: UnixMillis,
    /// Of the fragment's start.
    pub server_timestamp: UnixMillis,
    /// What to make of it, and where it goes.
    pub work: Work,
}

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// An image, put into a bucket.
    Image(ImageWork),
    /// A message that the fragment is persisted.
    Notification(NotificationWork),
}

/// An image to make and put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageWork {
    /// The instant of the image, on the clock of `selector`.
    pub instant: UnixMillis,
    /// Which of the fragment's timestamps `instant` counts from.
    pub selector: TimestampSelector,
    /// How to encode it.
    pub format: ImageFormat,
    /// Width in pixels; `None` follows from the height or the source.
    pub width_pixels: Option<u32>,
    /// Height in pixels; `None` follows from the width or the source.
    pub height_pixels: Option<u32>,
    /// The bucket.
    pub bucket: String,
    /// The bucket's region; empty when it is a directory.
    pub region: String,
    /// The object's key, GUID drawn.
    pub key: String,
    /// The object's user metadata.
    pub metadata: Metadata,
}

impl ImageWork {
    /// The image goes into a directory, see
    /// [`ImageDestination::directory`](crate::ImageDestination::directory).
    pub fn is_for_directory(&self) -> bool {
        self.region.is_empty()
    }
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationWork {
    /// Where to.
    pub destination: NotificationDestination,
    /// The same in every attempt, so that a receiver can drop repetitions.
    pub delivery_id: String,
    /// Custom tags of the event.
    pub payload: Vec<(String, String)>,
}

impl Intent {
    /// The receiver, in a short form: jobs of one receiver share a lane, and a lane that hangs
    /// holds up no other.
    pub fn lane(&self) -> String {
        match &self.work {
            Work::Image(image) if image.is_for_directory() => "file:///".to_owned(),
            Work::Image(image) => format!("s3://{}", image.bucket),
            Work::Notification(work) => match &work.destination {
                NotificationDestination::Topic(topic) => topic.arn().to_owned(),
                NotificationDestination::Webhook(url) => url.origin(),
            },
        }
    }
}
