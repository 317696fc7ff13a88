//! ARNs of streams and channels (control-plane.md §2).

use std::fmt;

use streamkeep_media::UnixMillis;

use crate::shape::Pattern;

/// An ARN as a request carried it, well formed but maybe of nothing that exists:
/// `arn:{partition}:kinesisvideo:{region}:{account}:{kind}/{name}/{creation millis}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceArn {
    text: String,
    /// Where `name` starts in `text`, and where it ends.
    name: (usize, usize),
}

impl ResourceArn {
    /// Parses by the pattern of the service model. The caller has bounded the length.
    pub fn parse(text: &str) -> Option<Self> {
        if !Pattern::ResourceArn.matches(text) {
            return None;
        }
        let start = text.find('/')? + 1;
        let end = text.rfind('/')?;
        Some(Self { text: text.into(), name: (start, end) })
    }

    /// The name of the stream or channel.
    pub fn name(&self) -> &str {
        &self.text[self.name.0..self.name.1]
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ResourceArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whose streams these are: what all ARNs of this service have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    partition: String,
    region: String,
    account: String,
}

/// Why a configured partition, region or account cannot be part of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnerError {
    /// Not `[a-z0-9-]+`, at most 63 characters.
    Partition,
    /// Not `[a-z0-9-]+`, at most 63 characters.
    Region,
    /// Not 12 digits.
    Account,
}

impl fmt::Display for OwnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Partition => "the partition must be 1 to 63 of a-z, 0-9 and -",
            Self::Region => "the region must be 1 to 63 of a-z, 0-9 and -",
            Self::Account => "the account must be 12 digits",
        })
    }
}

impl std::error::Error for OwnerError {}

impl Owner {
    /// # Errors
    /// A part does not fit into an ARN.
    pub fn new(partition: &str, region: &str, account: &str) -> Result<Self, OwnerError> {
        let label = |text: &str| {
            (1..=63).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !label(partition) {
            return Err(OwnerError::Partition);
        }
        if !label(region) {
            return Err(OwnerError::Region);
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(OwnerError::Account);
        }
        Ok(Self { partition: partition.into(), region: region.into(), account: account.into() })
    }

    /// The 12 digits of the account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The ARN of a stream. Its creation time makes it unlike that of any earlier stream with the
    /// same name.
    pub fn stream_arn(&self, name: &str, created: UnixMillis) -> String {
        format!("{}/{}", self.resource("stream", name), created.0)
    }

    /// What stands for a stream whose creation time is not known: one not yet made, or not there
    /// (auth.md §3).
    pub fn any_stream_arn(&self, name: &str) -> String {
        format!("{}/*", self.resource("stream", name))
    }

    /// The service's own key as KMS would name it; what DescribeStream shows when no KmsKeyId was
    /// given (control-plane.md §5).
    pub fn default_kms_key(&self) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:kms:{region}:{account}:alias/aws/kinesisvideo")
    }

    /// The ARN of the account's root.
    pub fn root_arn(&self) -> String {
        format!("arn:{}:iam::{}:root", self.partition, self.account)
    }

    fn resource(&self, kind: &str, name: &str) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:kinesisvideo:{region}:{account}:{kind}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let owner = Owner::new("aws", "us-west-2", "111122223333").unwrap();
        let text = owner.stream_arn("My.Stream-2", UnixMillis(1_562_589_645_061));
        assert_eq!(
            text,
            "arn:aws:kinesisvideo:us-west-2:111122223333:stream/My.Stream-2/1562589645061"
        );
        let arn = ResourceArn::parse(&text).unwrap();
        assert_eq!((arn.name(), arn.as_str()), ("My.Stream-2", text.as_str()));
    }

    #[test]
    fn owners() {
        for (partition, region, account, wanted) in [
            ("aws", "us-east-1", "000000000000", Ok(())),
            ("aws-cn", "cn-north-1", "123456789012", Ok(())),
            ("", "us-east-1", "000000000000", Err(OwnerError::Partition)),
            ("aws", "US", "000000000000", Err(OwnerError::Region)),
            ("aws", "a:b", "000000000000", Err(OwnerError::Region)),
            ("aws", "us-east-1", "1", Err(OwnerError::Account)),
            ("aws", "us-east-1", "00000000000x", Err(OwnerError::Account)),
        ] {
            assert_eq!(Owner::new(partition, region, account).map(|_| ()), wanted, "{region}");
        }
    }
}
