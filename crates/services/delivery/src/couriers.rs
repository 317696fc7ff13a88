//! The ways out, as the operator configured them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_sigv4::UnixSeconds;
use streamkeep_trust::{Authorities, BundleError};

use crate::http::{HttpClient, Timeouts};
use crate::local::LocalStore;
use crate::s3::{S3Config, S3Object};
use crate::webhook::{self, WebhookSecret};
use crate::{
    AddressPolicy, BadAllowedEntry, Failure, ImageWork, Intent, NotificationDestination,
    NotificationWork, SUBJECT, SnsConfig, notification_message,
};

/// What the operator configures. Secrets are redacted in `Debug`.
#[derive(Clone, Debug)]
pub struct DeliveryConfig {
    /// Where images go.
    pub images: ImageStore,
    /// How topics are reached; without it notifications to topics are given up.
    pub sns: Option<SnsConfig>,
    /// Signs webhooks; without it notifications to webhooks are given up.
    pub webhook_secret: Option<WebhookSecret>,
    /// Host names, addresses and networks that may be contacted although they are not public,
    /// see [`AddressPolicy`].
    pub allowed_addresses: Vec<String>,
    /// PEM file of certificate authorities besides the system's.
    pub ca_bundle: Option<PathBuf>,
    /// How long receivers may take.
    pub timeouts: Timeouts,
}

/// Where images go.
#[derive(Clone, Debug)]
pub enum ImageStore {
    /// `s3://bucket/key` becomes the file `directory/bucket/key`. The parent must exist.
    Directory(PathBuf),
    /// To an S3 service.
    S3(S3Config),
    /// Where their destination says: a directory below `directory`, whose parent must exist, or a
    /// bucket of `s3`; without it images for buckets are given up.
    ByDestination {
        /// The directory.
        directory: PathBuf,
        /// The S3 service.
        s3: Option<S3Config>,
    },
}

/// A configuration that cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// An entry of `allowed_addresses`.
    Allowed(BadAllowedEntry),
    /// `ca_bundle`.
    Trust(BundleError),
    /// The S3 or SNS endpoint has a query.
    EndpointQuery,
    /// The directory of images.
    Directory {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(error) => error.fmt(f),
            Self::Trust(error) => error.fmt(f),
            Self::EndpointQuery => f.write_str("an endpoint URL must not have a query"),
            Self::Directory { path, source } => {
                write!(f, "image directory {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Carries images and notifications.
#[derive(Debug)]
pub(crate) struct Couriers {
    images: OpenImageStore,
    sns: Option<SnsConfig>,
    webhook_secret: Option<WebhookSecret>,
    /// For hosts that users choose, and AWS.
    public: HttpClient,
    /// For endpoints that the operator configured.
    configured: HttpClient,
}

#[derive(Debug)]
enum OpenImageStore {
    Directory(Arc<LocalStore>),
    S3(S3Config),
    ByDestination { directory: Arc<LocalStore>, s3: Option<S3Config> },
}

impl OpenImageStore {
    fn open(store: ImageStore) -> Result<Self, ConfigError> {
        let open = |path: PathBuf| match LocalStore::open(&path) {
            Ok(store) => Ok(Arc::new(store)),
            Err(source) => Err(ConfigError::Directory { path, source }),
        };
        let open_s3 = |s3: S3Config| match &s3.endpoint {
            Some(url) if !url.query().is_empty() => Err(ConfigError::EndpointQuery),
            _ => Ok(s3),
        };
        Ok(match store {
            ImageStore::Directory(path) => Self::Directory(open(path)?),
            ImageStore::S3(s3) => Self::S3(open_s3(s3)?),
            ImageStore::ByDestination { directory, s3 } => Self::ByDestination {
                directory: open(directory)?,
                s3: s3.map(open_s3).transpose()?,
            },
        })
    }

    /// Where `work` goes.
    fn place(&self, work: &ImageWork) -> Result<Place<'_>, Failure> {
        match self {
            Self::ByDestination { directory, .. } if work.is_for_directory() => {
                Ok(Place::Directory(directory))
            }
            Self::Directory(directory) => Ok(Place::Directory(directory)),
            Self::S3(s3) | Self::ByDestination { s3: Some(s3), .. } => Ok(Place::Bucket(s3)),
            Self::ByDestination { s3: None, .. } => {
                Err(Failure::Permanent("no S3 service is configured".into()))
            }
        }
    }
}

enum Place<'a> {
    Directory(&'a Arc<LocalStore>),
    Bucket(&'a S3Config),
}

impl Couriers {
    pub(crate) fn open(config: DeliveryConfig) -> Result<Self, ConfigError> {
        let policy = AddressPolicy::allowing(config.allowed_addresses.iter().map(String::as_str))
            .map_err(ConfigError::Allowed)?;
        let authorities =
            config.ca_bundle.as_deref().map_or(Authorities::System, Authorities::SystemAnd);
        let tls = streamkeep_trust::connector(authorities).map_err(ConfigError::Trust)?;
        let images = OpenImageStore::open(config.images)?;
        let sns_endpoint = config.sns.as_ref().and_then(|sns| sns.endpoint.as_ref());
        if sns_endpoint.is_some_and(|url| !url.query().is_empty()) {
            return Err(ConfigError::EndpointQuery);
        }
        let configured = AddressPolicy::configured_endpoint();
        Ok(Self {
            images,
            sns: config.sns,
            webhook_secret: config.webhook_secret,
            public: HttpClient::new(policy, tls.clone(), config.timeouts),
            configured: HttpClient::new(configured, tls, config.timeouts),
        })
    }

    pub(crate) async fn put_image(
        &self,
        work: &ImageWork,
        image: Bytes,
        now: UnixSeconds,
    ) -> Result<(), Failure> {
        match self.images.place(work)? {
            Place::Directory(store) => {
                let (store, work) = (Arc::clone(store), work.clone());
                tokio::task::spawn_blocking(move || {
                    let content_type = work.format.content_type();
                    store.put(&work.bucket, &work.key, content_type, &work.metadata, &image)
                })
                .await
                .map_err(|_| Failure::Retry("writing the file did not end".into()))?
                .map_err(|error| Failure::Retry(format!("cannot write the file: {error}")))
            }
            Place::Bucket(s3) => {
                let object = S3Object {
                    bucket: &work.bucket,
                    region: &work.region,
                    key: &work.key,
                    content_type: work.format.content_type(),
                    metadata: &work.metadata,
                    body: image,
                };
                s3.put(self.client(s3.endpoint.is_some()), &object, now).await
            }
        }
    }

    pub(crate) async fn notify(
        &self,
        intent: &Intent,
        work: &NotificationWork,
        now: UnixSeconds,
    ) -> Result<(), Failure> {
        let message = notification_message(intent, &work.payload);
        match (&work.destination, &self.sns, &self.webhook_secret) {
            (NotificationDestination::Topic(topic), Some(sns), _) => {
                let client = self.client(sns.endpoint.is_some());
                sns.publish(client, topic, SUBJECT, &message, now).await
            }
            (NotificationDestination::Webhook(url), _, Some(secret)) => {
                webhook::post(&self.public, secret, url, &work.delivery_id, &message, now).await
            }
            (NotificationDestination::Topic(_), None, _) => {
                Err(Failure::Permanent("no SNS service is configured".into()))
            }
            (NotificationDestination::Webhook(_), _, None) => {
                Err(Failure::Permanent("no webhook secret is configured".into()))
            }
        }
    }

    fn client(&self, is_configured: bool) -> &HttpClient {
        if is_configured { &self.configured } else { &self.public }
    }
}
