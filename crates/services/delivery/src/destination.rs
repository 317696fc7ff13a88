//! Where a stream's images and notifications go: the `DestinationConfig` members of its
//! configurations (control-plane.md §5).

use std::fmt;

use crate::HttpUrl;

/// `s3://bucket/prefix` with its region, or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDestination {
    /// The bucket's name: 1..=63 of letters, digits, `.`, `-`, `_`.
    pub bucket: String,
    /// What follows the bucket and its slash; may be empty.
    pub prefix: String,
    /// `DestinationRegion`; empty for a directory.
    pub region: String,
}

impl ImageDestination {
    /// Reads `Uri` and `DestinationRegion`.
    ///
    /// # Errors
    /// Not of scheme `s3`, no usable bucket or region, a prefix with control characters or longer
    /// than 255 bytes.
    pub fn parse(uri: &str, region: &str) -> Result<Self, BadDestination> {
        let rest = uri.strip_prefix("s3://").ok_or(BadDestination::Scheme)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket(bucket) {
            return Err(BadDestination::Bucket);
        }
        if prefix.len() > PREFIX_LEN_MAX || prefix.chars().any(char::is_control) {
            return Err(BadDestination::Prefix);
        }
        if !is_region(region) {
            return Err(BadDestination::Region);
        }
        Ok(Self { bucket: bucket.into(), prefix: prefix.into(), region: region.into() })
    }

    /// A directory below the one of [`ImageStore`](crate::ImageStore), beyond KVS. `name` is
    /// relative, its parts are parted by slashes.
    pub fn directory(name: &str) -> Self {
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        let prefix = if rest.is_empty() { String::new() } else { format!("{rest}/") };
        Self { bucket: first.into(), prefix, region: String::new() }
    }
}

/// An SNS topic, or (beyond KVS) a URL that takes a signed POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationDestination {
    /// `arn:aws:sns:region:account:topic`
    Topic(TopicArn),
    /// `https://…` or `http://…`
    Webhook(HttpUrl),
}

impl NotificationDestination {
    /// Reads `Uri`.
    ///
    /// # Errors
    /// Neither the ARN of a standard topic nor an HTTP(S) URL.
    pub fn parse(uri: &str) -> Result<Self, BadDestination> {
        if uri.starts_with("arn:") {
            return TopicArn::parse(uri).map(Self::Topic);
        }
        if !uri.starts_with("http://") && !uri.starts_with("https://") {
            return Err(BadDestination::Scheme);
        }
        HttpUrl::parse(uri).map(Self::Webhook).map_err(|_| BadDestination::Url)
    }

    /// What [`Self::parse`] reads.
    pub fn uri(&self) -> &str {
        match self {
            Self::Topic(topic) => topic.arn(),
            Self::Webhook(url) => url.as_str(),
        }
    }
}

/// The ARN of a standard SNS topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicArn {
    arn: String,
    region: String,
}

impl TopicArn {
    /// Reads `arn:partition:sns:region:account:topic`. FIFO topics are refused (playback.md §9).
    ///
    /// # Errors
    /// Any other form.
    pub fn parse(arn: &str) -> Result<Self, BadDestination> {
        let parts: Vec<&str> = arn.split(':').collect();
        let [_, partition, "sns", region, account, topic] = parts[..] else {
            return Err(BadDestination::Topic);
        };
        let named = |text: &str, len_max: usize| {
            (1..=len_max).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let well_formed = parts[0] == "arn"
            && named(partition, 32)
            && is_region(region)
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && named(topic, 256);
        if !well_formed {
            return Err(BadDestination::Topic);
        }
        Ok(Self { arn: arn.into(), region: region.into() })
    }

    /// The whole ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The region in it.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// Why a destination cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadDestination {
    /// Neither of the schemes that are served here.
    Scheme,
    /// The bucket is no bucket's name.
    Bucket,
    /// The object prefix is too long or holds control characters.
    Prefix,
    /// The region is no region's name.
    Region,
    /// Not the ARN of a standard topic.
    Topic,
    /// Not an HTTP(S) URL that can be called.
    Url,
}

impl fmt::Display for BadDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the URI has none of the schemes that are served",
            Self::Bucket => "the URI names no valid bucket",
            Self::Prefix => "the object prefix is too long or holds control characters",
            Self::Region => "the region is not valid",
            Self::Topic => "not the ARN of a standard topic",
            Self::Url => "not a URL that can be called",
        })
    }
}

impl std::error::Error for BadDestination {}

/// The name becomes part of a host name or of a path, so nothing in it may end either.
fn is_bucket(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.ends_with('.')
        && !name.contains("..")
}

/// Likewise part of a host name.
fn is_region(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The URI is at most 255 long.
const PREFIX_LEN_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn check_images(uri: &str, region: &str, expected: Result<(&str, &str), BadDestination>) {
        let found = ImageDestination::parse(uri, region);
        let found = found.as_ref().map(|d| (d.bucket.as_str(), d.prefix.as_str()));
        assert_eq!(found, expected.as_ref().copied(), "{uri}");
    }

    #[test]
    fn images() {
        let region = "us-west-2";
        check_images("s3://my-bucket", region, Ok(("my-bucket", "")));
        check_images("s3://my.bucket/", region, Ok(("my.bucket", "")));
        check_images("s3://b/cams/gate", region, Ok(("b", "cams/gate")));
        check_images("s3://b//x", region, Ok(("b", "/x")));
        check_images("https://b", region, Err(BadDestination::Scheme));
        check_images("S3://b", region, Err(BadDestination::Scheme));
        for bucket in
            ["", ".", "..", "a..b", "a.", "-a", "a@b", "a:80", "a?b", "a#b", "a b", "a%2e"]
        {
            check_images(&format!("s3://{bucket}/p"), region, Err(BadDestination::Bucket));
        }
        check_images(&format!("s3://{}", "a".repeat(64)), region, Err(BadDestination::Bucket));
        check_images("s3://b/a\nb", region, Err(BadDestination::Prefix));
        for region in ["", "x.evil.example", "us west", "US", "1"] {
            check_images("s3://b", region, Err(BadDestination::Region));
        }
    }

    #[test]
    fn notifications() {
        let arn = "arn:aws:sns:us-west-2:111122223333:alerts";
        let topic = TopicArn::parse(arn).unwrap();
        assert_eq!((topic.arn(), topic.region()), (arn, "us-west-2"));
        assert_eq!(NotificationDestination::parse(arn).unwrap().uri(), arn);
        let url = "https://hooks.example/x?y=1";
        assert_eq!(NotificationDestination::parse(url).unwrap().uri(), url);
        for (uri, expected) in [
            ("arn:aws:sns:us-west-2:111122223333:alerts.fifo", BadDestination::Topic),
            ("arn:aws:sqs:us-west-2:111122223333:alerts", BadDestination::Topic),
            ("arn:aws:sns:us-west-2:1:alerts", BadDestination::Topic),
            ("arn:aws:sns:us.evil/:111122223333:alerts", BadDestination::Topic),
            ("arn:aws:sns:us-west-2:111122223333:alerts:sub", BadDestination::Topic),
            ("arn:aws:sns:us-west-2:111122223333:", BadDestination::Topic),
            ("ftp://host/", BadDestination::Scheme),
            ("", BadDestination::Scheme),
            ("https://", BadDestination::Url),
            ("http://u:p@host/", BadDestination::Url),
        ] {
            assert_eq!(NotificationDestination::parse(uri), Err(expected), "{uri}");
        }
    }

    #[test]
    fn directories() {
        let check = |name: &str, bucket: &str, prefix: &str| {
            let found = ImageDestination::directory(name);
            assert_eq!((found.bucket.as_str(), found.prefix.as_str()), (bucket, prefix));
            assert_eq!(found.region, "", "told from a bucket by that");
        };
        check("cams", "cams", "");
        check("cams/front", "cams", "front/");
        check("cams/front/door", "cams", "front/door/");
        assert!(ImageDestination::parse("s3://cams/front", "").is_err());
    }
}
