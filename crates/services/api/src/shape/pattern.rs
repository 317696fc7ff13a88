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
    /// Values of a FormatConfig.
    FormatConfigValue,
    /// Where images and notifications go, or `file:///` and a name, which the model's pattern
    /// leaves out because nothing stands between its slashes.
    DestinationUriOrFile,
    /// The region of a destination.
    DestinationRegion,
    /// A stream by name or ARN in a list, of operations that are our own.
    StreamNameOrArn,
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
            Self::FormatConfigValue => "^[a-zA-Z_0-9]+",
            Self::DestinationUriOrFile => "^[a-zA-Z_0-9]+:(//)?([^/]+)/?([^*]*)$",
            Self::DestinationRegion => "^[a-z]+(-[a-z]+)?-[a-z]+-[0-9]$",
            Self::StreamNameOrArn => {
                r"[a-zA-Z0-9_.-]+|arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:stream/[a-zA-Z0-9_.-]+/[0-9]+"
            }
        }
    }

    /// What is accepted beyond [`Self::source`], and for whom.
    pub(crate) fn tolerance(self) -> Option<&'static str> {
        match self {
            Self::ResourceArnOrName | Self::AwsResourceArnOrName => {
                Some("a bare stream name, sent by the C producer when it caches endpoints only")
            }
            Self::DestinationUriOrFile => {
                Some("`file:///` and a name, a directory under the one the server keeps for them")
            }
            _ => None,
        }
    }

    /// [`Self::source`] and what is accepted beyond it, as one anchored expression.
    pub(crate) fn accepted(self) -> String {
        let source = self.source();
        let beyond = match self {
            Self::ResourceArnOrName | Self::AwsResourceArnOrName => {
                format!("|{}", Self::Name.source())
            }
            Self::DestinationUriOrFile => "|file:///[^*]*".into(),
            _ => String::new(),
        };
        format!("^(?:{source}{beyond})$")
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
            Self::FormatConfigValue => some(text, is_word),
            Self::DestinationUriOrFile => {
                text.strip_prefix("file:///").is_some_and(|name| !name.contains('*'))
                    || is_destination_uri(text)
            }
            Self::DestinationRegion => is_destination_region(text),
            Self::StreamNameOrArn => {
                is_name(text)
                    || (is_resource_arn(text, Partition::Any) && text.contains(":stream/"))
            }
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

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The first segment may hold an asterisk, what follows its slash may not.
fn is_destination_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (first, tail) = rest.split_once('/').unwrap_or((rest, ""));
    some(scheme, is_word) && !first.is_empty() && !tail.contains('*')
}

/// `us-west-2`, `us-gov-west-1`.
fn is_destination_region(text: &str) -> bool {
    let letters = |text: &&str| some(text, |b| b.is_ascii_lowercase());
    let Some((words, digit)) = text.rsplit_once('-') else {
        return false;
    };
    let words: Vec<_> = words.split('-').collect();
    matches!(words.len(), 2 | 3)
        && words.iter().all(letters)
        && digit.len() == 1
        && some(digit, |b| b.is_ascii_digit())
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
