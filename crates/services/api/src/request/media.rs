//! Requests for media (get-media.md §§1, 3, 4). PutMedia has its own file.

use streamkeep_media::{FragmentNumber, ParseFragmentNumberError, UnixMillis};

use super::{REQUIRED, StreamRef, read};
use crate::shape::{Fields, wire_enum};
use crate::{ApiError, Operation};

wire_enum! {
    /// StartSelectorType of GetMedia.
    pub(crate) enum StartSelectorType {
        /// After a fragment.
        FragmentNumber = "FRAGMENT_NUMBER",
        /// At a server time.
        ServerTimestamp = "SERVER_TIMESTAMP",
        /// At a producer time.
        ProducerTimestamp = "PRODUCER_TIMESTAMP",
        /// At the newest fragment.
        Now = "NOW",
        /// At the oldest fragment.
        Earliest = "EARLIEST",
        /// Where an earlier answer ended.
        ContinuationToken = "CONTINUATION_TOKEN",
    }
}

wire_enum! {
    /// Which of a fragment's timestamps a range is about.
    pub enum FragmentSelectorType {
        /// When the producer recorded it.
        ProducerTimestamp = "PRODUCER_TIMESTAMP",
        /// When it arrived.
        ServerTimestamp = "SERVER_TIMESTAMP",
    }
}

/// A fragment that a client named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedFragment {
    /// A number that this service may have issued.
    Number(FragmentNumber),
    /// Digits that it never issues, such as a number of the original service; as sent.
    Foreign(String),
}

impl RequestedFragment {
    /// From 1 to 128 digits; anything else is `None`.
    fn parse(text: String) -> Option<Self> {
        match text.parse() {
            Ok(number) => Some(Self::Number(number)),
            Err(ParseFragmentNumberError::TooLarge) => Some(Self::Foreign(text)),
            Err(ParseFragmentNumberError::Malformed) => None,
        }
    }
}

/// Where GetMedia begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartSelector {
    /// The newest fragment, then live.
    Now,
    /// The oldest fragment kept.
    Earliest,
    /// The first fragment after this one: FRAGMENT_NUMBER, and CONTINUATION_TOKEN, whose tokens
    /// are fragment numbers (get-media.md §1.3).
    After(RequestedFragment),
    /// The fragment that holds this producer time, else the next.
    ProducerTimestamp(UnixMillis),
    /// The fragment that holds this server time, else the next.
    ServerTimestamp(UnixMillis),
}

/// GetMedia.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetMediaRequest {
    /// Whose media.
    pub stream: StreamRef,
    /// From where on.
    pub start: StartSelector,
}

impl GetMediaRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, or lacks the member that its
    /// StartSelectorType needs.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetMedia, body)?;
        let start = start_selector(fields.structure("StartSelector").expect(REQUIRED))?;
        Ok(Self { stream: StreamRef::take(&mut fields)?, start })
    }
}

fn start_selector(mut fields: Fields) -> Result<StartSelector, ApiError> {
    let kind: StartSelectorType = fields.choice("StartSelectorType").expect(REQUIRED);
    let missing = |member: &str| {
        ApiError::invalid_argument(format!(
            "StartSelector needs {member} when StartSelectorType is {}.",
            kind.as_str()
        ))
    };
    // Members that the type does not use are ignored: SDK users leave them set.
    Ok(match kind {
        StartSelectorType::Now => StartSelector::Now,
        StartSelectorType::Earliest => StartSelector::Earliest,
        StartSelectorType::FragmentNumber => {
            let number =
                fields.text("AfterFragmentNumber").ok_or_else(|| missing("AfterFragmentNumber"))?;
            let number = RequestedFragment::parse(number);
            StartSelector::After(number.expect("1 to 128 digits by the table"))
        }
        StartSelectorType::ContinuationToken => {
            let token =
                fields.text("ContinuationToken").ok_or_else(|| missing("ContinuationToken"))?;
            let number = RequestedFragment::parse(token).ok_or_else(|| {
                ApiError::invalid_argument("ContinuationToken was not issued by this service.")
            })?;
            StartSelector::After(number)
        }
        StartSelectorType::ProducerTimestamp => StartSelector::ProducerTimestamp(
            fields.time("StartTimestamp").ok_or_else(|| missing("StartTimestamp"))?,
        ),
        StartSelectorType::ServerTimestamp => StartSelector::ServerTimestamp(
            fields.time("StartTimestamp").ok_or_else(|| missing("StartTimestamp"))?,
        ),
    })
}

/// GetMediaForFragmentList.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetMediaForFragmentListRequest {
    /// Whose fragments.
    pub stream: StreamRef,
    /// 1..=1000, in the order of the answer; repetitions are kept.
    pub fragments: Vec<RequestedFragment>,
}

impl GetMediaForFragmentListRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::GetMediaForFragmentList, body)?;
        let fragments =
            fields.texts("Fragments").expect(REQUIRED).into_iter().map(|number| {
                RequestedFragment::parse(number).expect("1 to 128 digits by the table")
            });
        Ok(Self { fragments: fragments.collect(), stream: StreamRef::take(&mut fields)? })
    }
}

/// A range of time over one of a fragment's timestamps. A fragment matches when its start lies in
/// `start..=end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentRange {
    /// Which timestamp.
    pub by: FragmentSelectorType,
    /// Not after `end`.
    pub start: UnixMillis,
    /// Included.
    pub end: UnixMillis,
}

/// ListFragments, before its NextToken is opened:
/// [`ControlPlane::fragments_page`](crate::ControlPlane::fragments_page).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFragmentsRequest {
    /// Whose fragments.
    pub stream: StreamRef,
    /// 1..=1000; 100 when the client did not say (get-media.md §4).
    pub max_results: usize,
    /// Present, or else `next_token` is.
    pub range: Option<FragmentRange>,
    /// As sent.
    pub next_token: Option<String>,
}

impl ListFragmentsRequest {
    /// # Errors
    /// InvalidArgumentException: the body breaks the shape, the range ends before it starts, or
    /// neither range nor token is there.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = read(Operation::ListFragments, body)?;
        let range = match fields.structure("FragmentSelector") {
            Some(mut selector) => {
                let mut range = selector.structure("TimestampRange").expect(REQUIRED);
                let range = FragmentRange {
                    by: selector.choice("FragmentSelectorType").expect(REQUIRED),
                    start: range.time("StartTimestamp").expect(REQUIRED),
                    end: range.time("EndTimestamp").expect(REQUIRED),
                };
                if range.start > range.end {
                    return Err(ApiError::invalid_argument(
                        "TimestampRange: StartTimestamp is later than EndTimestamp.",
                    ));
                }
                Some(range)
            }
            None => None,
        };
        let next_token = fields.text("NextToken");
        if range.is_none() && next_token.is_none() {
            return Err(ApiError::invalid_argument(
                "FragmentSelector must be given when there is no NextToken.",
            ));
        }
        let max_results = fields.integer("MaxResults").unwrap_or(100);
        Ok(Self {
            stream: StreamRef::take(&mut fields)?,
            max_results: usize::try_from(max_results).expect("1..=1000 by the table"),
            range,
            next_token,
        })
    }
}
