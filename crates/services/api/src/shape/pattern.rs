//! The patterns of the service models, matched by hand: they are few and simple, and no engine
//! then has to be trusted with hostile text.

use unicode_general_category::{GeneralCategory, get_general_category};

/// A pattern that a whole text must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Stream, channel and device names.
    Name,
    /// Comma-separated media types.
    MediaType,
    /// One or more of any character but line ends.
    AnyLine,
    /// A resource ARN of any partition.
    ResourceArn,
    /// [`Self::ResourceArn`], or a bare stream name: the C producer puts the name into
    /// `StreamARN` when it was told to cache only endpoints (control-plane.md §8).
    ResourceArnOrName,
    /// A resource ARN of partition `aws` (the media model), or a bare stream name.
    AwsResourceArnOrName,
    /// Version tokens.
    Version,
    /// Paging tokens of the control plane.
    NextToken,
    /// Paging tokens of archived media.
    ArchiveNextToken,
    /// Tag keys; the model writes the pattern with anchors and a group.
    TagKey,
    /// Tag values.
    TagValue,
    /// Fragment numbers.
    FragmentNumber,
    /// Continuation tokens.
    ContinuationToken,
}

impl Pattern {
    /// The pattern as the service model writes it.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Name => "[a-zA-Z0-9_.-]+",
            Self::MediaType => r"[\w\-\.\+]+/[\w\-\.\+]+(,[\w\-\.\+]+/[\w\-\.\+]+)*",
            Self::AnyLine => ".+",
            Self::ResourceArn | Self::ResourceArnOrName => {
                r"arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+"
            }
            Self::AwsResourceArnOrName => {
                "arn:aws:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+"
            }
            Self::Version => "[a-zA-Z0-9]+",
            Self::NextToken => "[a-zA-Z0-9+/=]*",
            Self::ArchiveNextToken => "[a-zA-Z0-9+/]+={0,2}",
            Self::TagKey => r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$",
            Self::TagValue => r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*",
            Self::FragmentNumber => "^[0-9]+$",
            Self::ContinuationToken => r"^[a-zA-Z0-9_\.\-]+$",
        }
    }

    /// What is accepted beyond [`Self::source`], and for whom.
    pub(crate) fn tolerance(self) -> Option<&'static str> {
        match self {
            Self::ResourceArnOrName | Self::AwsResourceArnOrName => {
                Some("a bare stream name, sent by the C producer when it caches endpoints only")
            }
            _ => None,
        }
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(self, text: &str) -> bool {
        match self {
            Self::Name | Self::ContinuationToken => is_name(text),
            Self::MediaType => text.split(',').all(is_media_type),
            // `.` of the model's dialect stops at line terminators.
            Self::AnyLine => {
                !text.is_empty() && !text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
            }
            Self::ResourceArn => is_resource_arn(text, Partition::Any),
            Self::ResourceArnOrName => is_name(text) || is_resource_arn(text, Partition::Any),
            Self::AwsResourceArnOrName => is_name(text) || is_resource_arn(text, Partition::Aws),
            Self::Version => some(text, |b| b.is_ascii_alphanumeric()),
            Self::NextToken => {
                text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
            }
            Self::ArchiveNextToken => {
                let body = text.trim_end_matches('=');
                text.len() - body.len() <= 2
                    && some(body, |b| b.is_ascii_alphanumeric() || b"+/".contains(&b))
            }
            Self::TagKey | Self::TagValue => text.chars().all(is_tag_character),
            Self::FragmentNumber => some(text, |b| b.is_ascii_digit()),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Partition {
    Any,
    Aws,
}

/// One or more bytes, all of them accepted.
fn some(text: &str, accept: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(accept)
}

fn is_name(text: &str) -> bool {
    some(text, |b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn is_media_type(text: &str) -> bool {
    let part = |text| some(text, |b| b.is_ascii_alphanumeric() || b"_-.+".contains(&b));
    text.split_once('/').is_some_and(|(main, sub)| part(main) && part(sub))
}

fn is_resource_arn(text: &str, partition: Partition) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let digits = |text| some(text, |b| b.is_ascii_digit());
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, found, service, region, account, resource) =
        (next(), next(), next(), next(), next(), next());
    let mut resource = resource.splitn(3, '/');
    let mut next = || resource.next().unwrap_or_default();
    let (kind, name, created) = (next(), next(), next());
    arn == "arn"
        && match partition {
            Partition::Any => some(found, lower),
            Partition::Aws => found == "aws",
        }
        && service == "kinesisvideo"
        && some(region, lower)
        && digits(account)
        && some(kind, |b| b.is_ascii_lowercase())
        && is_name(name)
        && digits(created)
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
fn is_tag_character(c: char) -> bool {
    use GeneralCategory as G;
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c);
    }
    matches!(
        get_general_category(c),
        G::UppercaseLetter
            | G::LowercaseLetter
            | G::TitlecaseLetter
            | G::ModifierLetter
            | G::OtherLetter
            | G::SpaceSeparator
            | G::LineSeparator
            | G::ParagraphSeparator
            | G::DecimalNumber
            | G::LetterNumber
            | G::OtherNumber
    )
}
