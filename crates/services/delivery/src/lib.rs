//! Delivery to the outside: images to buckets, notifications to topics and webhooks.
//!
//! ```text
//! persisted fragment ─► Plan ─► Outbox (SQLite, synced) ─► Dispatcher ─► ImageSource
//!   tags, settings      pure     intents and cursor           │            picture
//!                                                             ├─► S3, SNS, webhook ─► AddressPolicy
//!                                                             └─► directory
//! ```
//!
//! 1. [`Plan::of`] decides from a persisted fragment's tags and its stream's configuration what
//!    is to be delivered ([`Intent`]s), with object keys drawn.
//! 2. [`Outbox::advance`] makes the intents durable, together with how far the stream has been
//!    looked at. After a crash the server goes on behind [`Outbox::cursor`]: a fragment that was
//!    persisted and not looked at is looked at then.
//! 3. A [`Dispatcher`] delivers, with backoff, at least once, until [`Outbox::complete`]. What it
//!    gives up stays in the outbox with its reason and can be revived.
//!
//! Object keys, metadata and messages are those of Kinesis Video Streams (playback.md §8, §9).
//! Beyond it: images of all fragments at an interval ([`ImageTrigger::Always`]), notifications to
//! plain [webhooks](webhook), images in a [directory](local).
//!
//! Credentials are the operator's, not those of the PutMedia caller as in KVS. FIFO topics,
//! multipart uploads and encryption headers of S3 are left out.

pub mod address_policy;
mod aws_error;
pub mod backoff;
mod couriers;
mod destination;
mod dispatcher;
mod failure;
#[cfg(test)]
mod fixtures;
mod guid;
pub mod http;
mod image_times;
mod intent;
pub mod local;
mod metadata;
mod metrics;
mod notification_message;
mod object_key;
pub mod outbox;
mod percent;
mod plan;
pub mod s3;
mod settings;
pub mod sns;
pub mod tags;
pub mod webhook;

pub use self::http::HttpUrl;
pub use address_policy::{AddressPolicy, BadAllowedEntry};
pub use couriers::{ConfigError, DeliveryConfig, ImageStore};
pub use destination::{BadDestination, ImageDestination, NotificationDestination, TopicArn};
pub use dispatcher::{DispatchLimits, Dispatcher, EncodedImage, ImageSource};
pub use failure::Failure;
pub use guid::Guid;
pub use image_times::{IMAGES_PER_FRAGMENT_MAX, SAMPLING_INTERVAL_MIN_MS, image_times};
pub use intent::{ImageWork, Intent, NotificationWork, Work};
pub use metadata::{METADATA_LEN_MAX, Metadata, metadata};
pub use metrics::MetricsSnapshot;
pub use notification_message::{SUBJECT, notification_message};
pub use object_key::ObjectKey;
pub use outbox::{Cursor, Outbox, OutboxError};
pub use plan::{PersistedFragment, Plan};
pub use s3::S3Config;
pub use settings::{ImageFormat, ImageGeneration, ImageTrigger, StreamDelivery, TimestampSelector};
pub use sns::SnsConfig;
pub use webhook::WebhookSecret;
