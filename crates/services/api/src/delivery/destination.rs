//! Where images and notifications go: the forms of the service, and two of our own for servers
//! without a cloud around them.

use std::net::{IpAddr, Ipv4Addr};

use crate::endpoint::Authority;

/// A destination: its URI as given, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    uri: String,
    target: DestinationTarget,
}

/// What a destination URI means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationTarget {
    /// `s3://bucket/prefix`. Images only.
    Bucket {
        /// 3 to 63 of `a-z`, `0-9`, `.` and `-`.
        bucket: String,
        /// What object keys begin with; may be empty, never begins with a slash.
        prefix: String,
    },
    /// `file:///name`, beyond the service: a directory below the one that the server keeps for
    /// images. Names of directories parted by single slashes, none of them hidden or `..`. Images
    /// only.
    Directory {
        /// Relative, not empty.
        name: String,
    },
    /// `https://…`, beyond the service: each notification is one POST. `http://` only to this
    /// machine. Which addresses may be reached is the sender's to decide. Notifications only.
    Webhook {
        /// The whole URL: printable ASCII without user information or fragment.
        url: String,
    },
    /// The ARN of a standard SNS topic. Notifications only.
    Topic {
        /// The whole ARN.
        arn: String,
        /// Its region.
        region: String,
    },
}

impl Destination {
    /// The URI as given.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What it means.
    pub fn target(&self) -> &DestinationTarget {
        &self.target
    }

    /// `None` when images cannot go there. The text has at most 255 characters.
    pub(super) fn of_images(uri: &str) -> Option<Self> {
        let target = bucket(uri).or_else(|| directory(uri))?;
        Some(Self { uri: uri.into(), target })
    }

    /// `None` when notifications cannot go there. The text has at most 255 characters.
    pub(super) fn of_notifications(uri: &str) -> Option<Self> {
        let target = topic(uri).or_else(|| webhook(uri))?;
        Some(Self { uri: uri.into(), target })
    }
}

fn bucket(uri: &str) -> Option<DestinationTarget> {
    let rest = uri.strip_prefix("s3://")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_bucket = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|b| edge(&b) || b == b'-' || b == b'.')
        && bucket.as_bytes().first().is_some_and(edge)
        && bucket.as_bytes().last().is_some_and(edge)
        && !bucket.contains("..");
    let is_prefix = !prefix.starts_with('/') && !prefix.chars().any(char::is_control);
    (is_bucket && is_prefix)
        .then(|| DestinationTarget::Bucket { bucket: bucket.into(), prefix: prefix.into() })
}

/// `arn:aws:sns:us-west-2:111122223333:topic`. FIFO topics end in `.fifo`, which the alphabet of
/// standard ones leaves out.
fn topic(uri: &str) -> Option<DestinationTarget> {
    let parts: Vec<_> = uri.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts[..] else {
        return None;
    };
    let label = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_name = (1..=256).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    (label(partition) && label(region) && is_account && is_name)
        .then(|| DestinationTarget::Topic { arn: uri.into(), region: region.into() })
}

fn directory(uri: &str) -> Option<DestinationTarget> {
    let name = uri.strip_prefix("file:///")?;
    let name = name.strip_suffix('/').unwrap_or(name);
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    name.split('/').all(part).then(|| DestinationTarget::Directory { name: name.into() })
}

fn webhook(uri: &str) -> Option<DestinationTarget> {
    let (is_secure, rest) = match (uri.strip_prefix("https://"), uri.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return None,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = Authority::parse(&rest[..end])?;
    // RFC 3986 §2: what may stand in a URL unescaped, `#` left out with the fragment.
    let is_url = rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&b));
    // What never leaves this machine needs no secrecy on the way.
    (is_url && (is_secure || is_this_machine(authority.host)))
        .then(|| DestinationTarget::Webhook { url: uri.into() })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| IpAddr::V4(address).is_loopback())
}
