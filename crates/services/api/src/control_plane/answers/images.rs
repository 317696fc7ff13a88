//! The JSON of GetImages and GetThumbnails. Written by hand: a page holds up to 25 images of 6 MiB
//! each, which a tree of values would hold once more.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use streamkeep_media::UnixMillis;

use crate::shape::wire_enum;

wire_enum! {
    /// Why there is no image.
    pub enum ImageError {
        /// There is no media at the instant.
        NoMedia = "NO_MEDIA",
        /// The media could not be decoded.
        MediaError = "MEDIA_ERROR",
    }
}

/// An entry of GetImages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The sampling instant.
    pub at: UnixMillis,
    /// The encoded image.
    pub content: Result<Bytes, ImageError>,
}

/// An entry of GetThumbnails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// The instant asked for.
    pub at: UnixMillis,
    /// The instant of the frame that is shown.
    pub frame_at: Option<UnixMillis>,
    /// The JPEG.
    pub content: Result<Bytes, ImageError>,
}

/// Most characters of an ImageContent.
const CONTENT_MAX: usize = 6_291_456;

/// The answer of GetImages. `next` comes from
/// [`ControlPlane::images_page`](crate::ControlPlane::images_page). An image whose base64 would
/// pass the 6,291,456 characters of the model, or that is empty, is shown as MEDIA_ERROR.
pub fn get_images(images: &[Image], next: Option<&str>) -> Bytes {
    let mut json = Json::with_capacity(images.iter().map(|image| &image.content));
    json.text.push_str("{\"Images\":[");
    for (index, image) in images.iter().enumerate() {
        json.separate(index);
        json.member("{\"TimeStamp\"", &Value::from(image.at.as_secs_f64()));
        json.content(&image.content);
    }
    json.text.push(']');
    json.member(",\"NextToken\"", &Value::from(next));
    json.finish()
}

/// The answer of GetThumbnails.
pub fn get_thumbnails(thumbnails: &[Thumbnail]) -> Bytes {
    let mut json = Json::with_capacity(thumbnails.iter().map(|thumbnail| &thumbnail.content));
    json.text.push_str("{\"Thumbnails\":[");
    for (index, thumbnail) in thumbnails.iter().enumerate() {
        json.separate(index);
        json.member("{\"TimeStamp\"", &Value::from(thumbnail.at.as_secs_f64()));
        let frame_at = thumbnail.frame_at.map(UnixMillis::as_secs_f64);
        json.member(",\"FrameTimestamp\"", &Value::from(frame_at));
        json.content(&thumbnail.content);
    }
    json.text.push(']');
    json.finish()
}

struct Json {
    text: String,
}

impl Json {
    fn with_capacity<'a>(contents: impl Iterator<Item = &'a Result<Bytes, ImageError>>) -> Self {
        let sizes = contents.map(|content| {
            // Four characters for three bytes, and the members around them.
            content.as_ref().map_or(0, Bytes::len).div_ceil(3) * 4 + 120
        });
        Self { text: String::with_capacity(sizes.sum::<usize>() + 120) }
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
    }

    fn member(&mut self, name: &str, value: &Value) {
        write!(self.text, "{name}:{value}").expect("a String takes everything");
    }

    /// The members Error and ImageContent, and the end of the object.
    fn content(&mut self, content: &Result<Bytes, ImageError>) {
        let shown = match content {
            Ok(content) if content.is_empty() || content.len().div_ceil(3) * 4 > CONTENT_MAX => {
                Err(ImageError::MediaError)
            }
            Ok(content) => Ok(content),
            Err(error) => Err(*error),
        };
        match shown {
            Ok(content) => {
                self.text.push_str(",\"Error\":null,\"ImageContent\":\"");
                STANDARD.encode_string(content, &mut self.text);
                self.text.push_str("\"}");
            }
            Err(error) => {
                self.member(",\"Error\"", &Value::from(error.as_str()));
                self.text.push('}');
            }
        }
    }

    fn finish(mut self) -> Bytes {
        self.text.push('}');
        Bytes::from(self.text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(answer: &Bytes) -> Value {
        serde_json::from_slice(answer).unwrap()
    }

    #[test]
    fn image_pages() {
        let at = UnixMillis(1_690_707_290_300);
        // RFC 4648 §10.
        let image = |content| Image { at, content };
        let images = [
            image(Ok(Bytes::from_static(b"foobar"))),
            image(Ok(Bytes::from_static(b"fo"))),
            image(Err(ImageError::NoMedia)),
            image(Ok(Bytes::new())),
        ];
        let wanted = json!({
            "Images": [
                { "TimeStamp": 1_690_707_290.3, "Error": null, "ImageContent": "Zm9vYmFy" },
                { "TimeStamp": 1_690_707_290.3, "Error": null, "ImageContent": "Zm8=" },
                { "TimeStamp": 1_690_707_290.3, "Error": "NO_MEDIA" },
                { "TimeStamp": 1_690_707_290.3, "Error": "MEDIA_ERROR" },
            ],
            "NextToken": "a1",
        });
        assert_eq!(parsed(&get_images(&images, Some("a1"))), wanted);
        assert_eq!(get_images(&[], None), r#"{"Images":[],"NextToken":null}"#);
    }

    #[test]
    fn images_are_capped() {
        for (size, is_shown) in [(4_718_592, true), (4_718_593, false)] {
            let content = Ok(Bytes::from(vec![0; size]));
            let answer = parsed(&get_images(&[Image { at: UnixMillis(0), content }], None));
            let shown = answer["Images"][0]["ImageContent"].as_str().map(str::len);
            assert_eq!(shown, is_shown.then_some(CONTENT_MAX));
            let error = if is_shown { Value::Null } else { "MEDIA_ERROR".into() };
            assert_eq!(answer["Images"][0]["Error"], error);
        }
    }

    #[test]
    fn thumbnails() {
        let shown = Thumbnail {
            at: UnixMillis(5000),
            frame_at: Some(UnixMillis(4500)),
            content: Ok(Bytes::from_static(b"foo")),
        };
        let none =
            Thumbnail { at: UnixMillis(6000), frame_at: None, content: Err(ImageError::NoMedia) };
        assert_eq!(
            parsed(&get_thumbnails(&[shown, none])),
            json!({ "Thumbnails": [
                {
                    "TimeStamp": 5.0, "FrameTimestamp": 4.5, "Error": null, "ImageContent": "Zm9v",
                },
                { "TimeStamp": 6.0, "FrameTimestamp": null, "Error": "NO_MEDIA" },
            ] })
        );
    }
}
