//! GetImages (playback.md §7).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use streamkeep_media::UnixMillis;

use crate::client::AnswerLimits;
use crate::media::TimestampAxis;
use crate::{Client, DataApi, Endpoint, Error};

/// Format of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

/// Which images: one at `first`, and one each interval later up to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSelection {
    /// ImageSelectorType: whose times these are.
    pub axis: TimestampAxis,
    /// The first instant.
    pub first: UnixMillis,
    /// No instant is later.
    pub last: UnixMillis,
    /// Milliseconds from one to the next, at least 200.
    pub interval_ms: u64,
    /// What they are encoded as.
    pub format: ImageFormat,
}

/// An image, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The instant asked for.
    pub at: UnixMillis,
    /// The encoded image.
    pub content: Result<Vec<u8>, ImageError>,
}

/// Why there is no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// NO_MEDIA: nothing was recorded at the instant.
    NoMedia,
    /// MEDIA_ERROR, or an error of another name: the media could not be decoded.
    Other(String),
}

/// Images as they come, a few at a time.
pub struct Images {
    client: Client,
    endpoint: Endpoint,
    stream_name: String,
    selection: ImageSelection,
    /// The first instant not asked for yet; `None`: none is left.
    next: Option<UnixMillis>,
    /// An answer that held a part only: what was asked for, with its NextToken.
    rest: Option<Value>,
}

impl Images {
    /// Finds where to ask.
    ///
    /// # Errors
    /// The service's refusals.
    pub async fn open(
        client: &Client,
        stream_name: &str,
        selection: ImageSelection,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: client.clone(),
            endpoint: client.data_endpoint(stream_name, DataApi::GetImages).await?,
            stream_name: stream_name.to_owned(),
            next: (selection.first <= selection.last).then_some(selection.first),
            selection,
            rest: None,
        })
    }

    /// The next images, in the order of their instants; `None` after the last.
    ///
    /// # Errors
    /// The service's refusals.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Image>>, Error> {
        let input = match self.rest.take() {
            Some(input) => input,
            None => match self.next_input() {
                Some(input) => input,
                None => return Ok(None),
            },
        };
        let limits = AnswerLimits { len_max: ANSWER_LEN_MAX, time_max: TIME_MAX };
        let answer = self.client.call_within(&self.endpoint, "/getImages", &input, limits).await?;
        let missing = |member| Error::Answer { operation: "GetImages", member };
        let listed = answer["Images"].as_array().ok_or(missing("Images"))?;
        let images = listed.iter().map(image).collect::<Result<Vec<_>, _>>()?;
        if let Some(token) = answer["NextToken"].as_str().filter(|token| !token.is_empty()) {
            if images.is_empty() {
                // Asked again for ever, otherwise.
                return Err(missing("Images"));
            }
            let mut input = input;
            input["NextToken"] = token.into();
            self.rest = Some(input);
        }
        Ok(Some(images))
    }

    /// Asks for so many instants as an answer may hold; the range of a call is 300 s at most.
    fn next_input(&mut self) -> Option<Value> {
        let ImageSelection { axis, last, interval_ms, format, .. } = self.selection;
        let first = self.next?;
        let interval_ms = interval_ms.max(1);
        let steps_left = last.since(first) / interval_ms;
        let steps = steps_left.min(RANGE_MS_MAX / interval_ms).min(PAGE_IMAGES - 1);
        let mut input = json!({
            "StreamName": self.stream_name,
            "ImageSelectorType": axis.selector_type(),
            "StartTimestamp": first.as_secs_f64(),
            "EndTimestamp": UnixMillis(first.0 + steps * interval_ms).as_secs_f64(),
            "Format": match format {
                ImageFormat::Jpeg => "JPEG",
                ImageFormat::Png => "PNG",
            },
            "MaxResults": PAGE_IMAGES,
        });
        if steps > 0 {
            input["SamplingInterval"] = interval_ms.into();
        }
        self.next = (steps_left > steps).then(|| UnixMillis(first.0 + (steps + 1) * interval_ms));
        Some(input)
    }
}

fn image(json: &Value) -> Result<Image, Error> {
    let missing = |member| Error::Answer { operation: "GetImages", member };
    let seconds = json["TimeStamp"].as_f64().filter(|seconds| (0.0..1e13).contains(seconds));
    let seconds = seconds.ok_or(missing("TimeStamp"))?;
    let content = match json["Error"].as_str() {
        Some("NO_MEDIA") => Err(ImageError::NoMedia),
        Some(error) => Err(ImageError::Other(error.to_owned())),
        None => {
            let text = json["ImageContent"].as_str().ok_or(missing("ImageContent"))?;
            Ok(STANDARD.decode(text).map_err(|_| missing("ImageContent"))?)
        }
    };
    Ok(Image { at: UnixMillis((seconds * 1000.0).round() as u64), content })
}

/// Few enough that an answer stays small and comes soon.
const PAGE_IMAGES: u64 = 5;
const RANGE_MS_MAX: u64 = 300_000;
/// Five images of 6,291,456 characters, the most the model allows, and what is around them.
const ANSWER_LEN_MAX: usize = 32 * 1024 * 1024;
/// A decoder may take seconds for each.
const TIME_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn images(first: u64, last: u64, interval_ms: u64) -> Images {
        let settings = crate::Settings {
            endpoint: "http://127.0.0.1:1".parse().unwrap(),
            region: "us-west-2".into(),
            credentials: crate::Credentials::new("AKIDEXAMPLE", "secret", None).unwrap(),
            ca_bundle: None,
        };
        let endpoint = settings.endpoint.clone();
        let selection = ImageSelection {
            axis: TimestampAxis::Producer,
            first: UnixMillis(first),
            last: UnixMillis(last),
            interval_ms,
            format: ImageFormat::Jpeg,
        };
        Images {
            client: Client::new(settings).unwrap(),
            endpoint,
            stream_name: "cam".into(),
            selection,
            next: Some(selection.first),
            rest: None,
        }
    }

    /// Start, end and interval of each call.
    fn calls(first: u64, last: u64, interval_ms: u64) -> Vec<(f64, f64, Option<u64>)> {
        let mut images = images(first, last, interval_ms);
        std::iter::from_fn(|| images.next_input())
            .map(|input| {
                (
                    input["StartTimestamp"].as_f64().unwrap(),
                    input["EndTimestamp"].as_f64().unwrap(),
                    input["SamplingInterval"].as_u64(),
                )
            })
            .collect()
    }

    #[test]
    fn instants_are_asked_for_in_small_ranges() {
        let one = Some(1000);
        assert_eq!(calls(1000, 1000, 1000), [(1.0, 1.0, None)]);
        assert_eq!(calls(1000, 4999, 1000), [(1.0, 4.0, one)]);
        assert_eq!(calls(1000, 5000, 1000), [(1.0, 5.0, one)]);
        assert_eq!(calls(1000, 6500, 1000), [(1.0, 5.0, one), (6.0, 6.0, None)]);
        assert_eq!(calls(0, 12_000, 1000), [(0.0, 4.0, one), (5.0, 9.0, one), (10.0, 12.0, one)]);
        // 100 s: no more than four in 300 s.
        assert_eq!(
            calls(0, 500_000, 100_000),
            [(0.0, 300.0, Some(100_000)), (400.0, 500.0, Some(100_000))]
        );
        // Ten minutes: each for itself.
        assert_eq!(
            calls(0, 1_200_000, 600_000),
            [(0.0, 0.0, None), (600.0, 600.0, None), (1200.0, 1200.0, None)]
        );
    }

    #[test]
    fn answers() {
        let parsed = |json: Value| image(&json);
        let shown = parsed(json!({ "TimeStamp": 1_690_707_290.324, "ImageContent": "Zm9v" }));
        let at = UnixMillis(1_690_707_290_324);
        assert_eq!(shown.unwrap(), Image { at, content: Ok(b"foo".to_vec()) });
        let none = parsed(json!({ "TimeStamp": 1, "Error": "NO_MEDIA", "ImageContent": null }));
        assert_eq!(none.unwrap().content, Err(ImageError::NoMedia));
        let broken = parsed(json!({ "TimeStamp": 1, "Error": "MEDIA_ERROR" }));
        assert_eq!(broken.unwrap().content, Err(ImageError::Other("MEDIA_ERROR".into())));
        for bad in [
            json!({ "ImageContent": "Zm9v" }),
            json!({ "TimeStamp": -1, "ImageContent": "Zm9v" }),
            json!({ "TimeStamp": 1, "ImageContent": "?" }),
            json!({ "TimeStamp": 1, "Error": null }),
        ] {
            assert!(matches!(image(&bad), Err(Error::Answer { .. })), "{bad}");
        }
    }
}
