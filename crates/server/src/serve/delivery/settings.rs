//! From the words of the API and of the options to those of the delivery crate.

use std::io;

use streamkeep_api::{
    ConfigurationStatus, DestinationTarget, FragmentSelectorType, ImageFormat as ApiFormat,
    ImageTrigger as ApiTrigger, Stream,
};
use streamkeep_delivery::http::Timeouts;
use streamkeep_delivery::s3::S3Addressing;
use streamkeep_delivery::{
    BadDestination, DeliveryConfig, ImageDestination, ImageFormat, ImageGeneration, ImageStore,
    ImageTrigger, NotificationDestination, S3Config, SnsConfig, StreamDelivery, TimestampSelector,
    WebhookSecret,
};
use streamkeep_sigv4::{AccessKeyId, Credentials, SecretKey, SessionToken};

use crate::config::ServeConfig;

/// Whether anything of the stream is to be delivered.
pub(crate) fn delivers(stream: &Stream) -> bool {
    let on = ConfigurationStatus::Enabled;
    stream.image_generation.as_ref().is_some_and(|images| images.status == on)
        || stream.notification.as_ref().is_some_and(|notification| notification.status == on)
}

/// What of the stream is to be delivered, and where to.
///
/// # Errors
/// A destination cannot be used, though the API took it.
pub(super) fn of(stream: &Stream) -> Result<StreamDelivery, BadDestination> {
    let on = ConfigurationStatus::Enabled;
    let images = stream.image_generation.as_ref().filter(|images| images.status == on);
    let images = images.map(|images| -> Result<_, BadDestination> {
        let destination = match images.destination.target() {
            DestinationTarget::Directory { name } => ImageDestination::directory(name),
            _ => ImageDestination::parse(images.destination.uri(), &images.destination_region)?,
        };
        Ok(ImageGeneration {
            trigger: match stream.image_trigger() {
                ApiTrigger::Tagged => ImageTrigger::Tagged,
                ApiTrigger::Always => ImageTrigger::Always,
            },
            selector: match images.by {
                FragmentSelectorType::ProducerTimestamp => TimestampSelector::Producer,
                FragmentSelectorType::ServerTimestamp => TimestampSelector::Server,
            },
            destination,
            sampling_interval_ms: images.sampling_interval_ms.into(),
            format: match images.format {
                ApiFormat::Jpeg => ImageFormat::Jpeg { quality: images.quality() },
                ApiFormat::Png => ImageFormat::Png,
            },
            width_pixels: images.size.width_pixels,
            height_pixels: images.size.height_pixels,
        })
    });
    let notification = stream.notification.as_ref().filter(|each| each.status == on);
    let notification =
        notification.map(|each| NotificationDestination::parse(each.destination.uri()));
    Ok(StreamDelivery { images: images.transpose()?, notification: notification.transpose()? })
}

/// The ways out: the options, and secrets from the environment.
pub(super) fn ways_out(config: &ServeConfig) -> io::Result<DeliveryConfig> {
    let options = &config.delivery;
    let s3 = credentials("STREAMKEEP_S3", &variable)?.map(|credentials| S3Config {
        endpoint: options.s3_endpoint.clone(),
        addressing: if options.s3_path_style.unwrap_or(options.s3_endpoint.is_some()) {
            S3Addressing::Path
        } else {
            S3Addressing::VirtualHost
        },
        region: options.s3_region.clone(),
        credentials,
    });
    let sns = credentials("STREAMKEEP_SNS", &variable)?
        .map(|credentials| SnsConfig { endpoint: options.sns_endpoint.clone(), credentials });
    let webhook_secret = variable(WEBHOOK_SECRET).map(|secret| {
        WebhookSecret::new(secret).ok_or_else(|| {
            io::Error::other(format!(
                "{WEBHOOK_SECRET}: expected at least {} characters",
                WebhookSecret::LEN_MIN
            ))
        })
    });
    Ok(DeliveryConfig {
        images: ImageStore::ByDestination {
            directory: options.image_dir.clone().unwrap_or_else(|| config.data_dir.join("images")),
            s3,
        },
        sns,
        webhook_secret: webhook_secret.transpose()?,
        allowed_addresses: options.allow.clone(),
        ca_bundle: options.ca_bundle.clone(),
        timeouts: Timeouts::default(),
    })
}

const WEBHOOK_SECRET: &str = "STREAMKEEP_WEBHOOK_SECRET";

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `PREFIX_ACCESS_KEY_ID`, `PREFIX_SECRET_ACCESS_KEY` and, for temporary ones,
/// `PREFIX_SESSION_TOKEN`; `None` when none is set.
fn credentials(
    prefix: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> io::Result<Option<Credentials>> {
    let named = |part: &str| format!("{prefix}_{part}");
    let get = |part: &str| variable(&named(part));
    let bad = |part: &str| io::Error::other(format!("{}: not a valid one", named(part)));
    let (id, secret, token) =
        (get("ACCESS_KEY_ID"), get("SECRET_ACCESS_KEY"), get("SESSION_TOKEN"));
    let (id, secret) = match (id, secret, &token) {
        (Some(id), Some(secret), _) => (id, secret),
        (None, None, None) => return Ok(None),
        _ => {
            return Err(io::Error::other(format!(
                "{} and {} must be set together",
                named("ACCESS_KEY_ID"),
                named("SECRET_ACCESS_KEY")
            )));
        }
    };
    let token = token.map(|token| SessionToken::new(token).ok_or_else(|| bad("SESSION_TOKEN")));
    Ok(Some(Credentials {
        access_key_id: AccessKeyId::parse(&id).ok_or_else(|| bad("ACCESS_KEY_ID"))?,
        secret: SecretKey::new(secret).ok_or_else(|| bad("SECRET_ACCESS_KEY"))?,
        session_token: token.transpose()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_whole_or_absent() {
        let check = |set: &[(&str, &str)], expected: Result<Option<&str>, &str>| {
            let variable = |name: &str| {
                let found = set.iter().find(|(each, _)| name == format!("S3_{each}"));
                found.map(|(_, value)| (*value).to_owned())
            };
            match (credentials("S3", &variable), expected) {
                (Ok(found), Ok(expected)) => {
                    let id = found.map(|found| found.access_key_id.to_string());
                    assert_eq!(id.as_deref(), expected);
                }
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{error}");
                    assert!(!error.to_string().contains("hunter2"), "{error}");
                }
                (found, expected) => panic!("{found:?}, expected {expected:?}"),
            }
        };
        let (id, secret) = (("ACCESS_KEY_ID", "AKIDEXAMPLE"), ("SECRET_ACCESS_KEY", "hunter2"));
        check(&[], Ok(None));
        check(&[id, secret], Ok(Some("AKIDEXAMPLE")));
        check(&[id, secret, ("SESSION_TOKEN", "t")], Ok(Some("AKIDEXAMPLE")));
        check(&[id], Err("S3_SECRET_ACCESS_KEY"));
        check(&[secret], Err("S3_ACCESS_KEY_ID"));
        check(&[("SESSION_TOKEN", "t")], Err("S3_ACCESS_KEY_ID"));
        check(&[("ACCESS_KEY_ID", "a/b"), secret], Err("S3_ACCESS_KEY_ID"));
        check(&[id, secret, ("SESSION_TOKEN", "a b")], Err("S3_SESSION_TOKEN"));
    }
}
