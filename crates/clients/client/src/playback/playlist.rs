//! HLS playlists as a reader needs them: where they point to (RFC 8216 §4).

use crate::{Client, Error, Url};

/// A playlist whose references are absolute, so that it can be read from anywhere.
#[derive(Clone, Debug)]
pub struct Playlist {
    text: String,
    references: Vec<Reference>,
}

#[derive(Clone, Debug)]
struct Reference {
    /// The tag whose URI attribute it is, without `#`; empty for a line of its own.
    tag: String,
    url: Url,
}

impl Playlist {
    /// Fetches a playlist of a session.
    ///
    /// # Errors
    /// The service's refusals, and those of [`Self::parse`].
    pub async fn fetch(client: &Client, url: &Url) -> Result<Self, Error> {
        let bytes = client.get(url, LEN_MAX).await?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::Http("a playlist is no text"))?;
        Self::parse(url, text)
    }

    /// Parses the playlist at `url`.
    ///
    /// # Errors
    /// [`Error::Http`]: it is no playlist. [`Error::Url`]: a reference is no URL.
    pub fn parse(url: &Url, text: &str) -> Result<Self, Error> {
        if !text.starts_with("#EXTM3U") {
            return Err(Error::Http("a playlist does not begin with #EXTM3U"));
        }
        let mut playlist = Self { text: String::with_capacity(text.len() * 2), references: vec![] };
        for line in text.lines() {
            playlist.push_line(url, line)?;
            playlist.text.push('\n');
        }
        Ok(playlist)
    }

    fn push_line(&mut self, base: &Url, line: &str) -> Result<(), Error> {
        if !line.starts_with('#') {
            return match line.is_empty() {
                true => Ok(()),
                false => self.push_reference(base, "", line),
            };
        }
        let tag = line[1..].split(':').next().unwrap_or_default();
        if !tag.starts_with("EXT") {
            self.text.push_str(line); // a comment
            return Ok(());
        }
        // An attribute's value is what stands between quotes, and has none itself (§4.2).
        let mut before = "";
        for (index, part) in line.split('"').enumerate() {
            let is_quoted = index % 2 == 1;
            if index > 0 {
                self.text.push('"');
            }
            if is_quoted && (before.ends_with(",URI=") || before.ends_with(":URI=")) {
                self.push_reference(base, tag, part)?;
            } else {
                self.text.push_str(part);
            }
            before = part;
        }
        Ok(())
    }

    fn push_reference(&mut self, base: &Url, tag: &str, reference: &str) -> Result<(), Error> {
        let url = base.join(reference)?;
        self.text.push_str(&url.to_string());
        self.references.push(Reference { tag: tag.to_owned(), url });
        Ok(())
    }

    /// The playlist with absolute references.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it lists: media playlists or segments, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Url> {
        self.tagged("")
    }

    /// What tags of this name, for example `EXT-X-MAP`, point to, in order.
    pub fn tagged(&self, tag: &str) -> impl Iterator<Item = &Url> {
        self.references.iter().filter(move |known| known.tag == tag).map(|known| &known.url)
    }
}

/// 5000 segments of 1 KB, of which most is the session token, and room for parts.
const LEN_MAX: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Playlist, Error> {
        Playlist::parse(&"http://h:8400/hls/v1/list.m3u8?SessionToken=t~".parse().unwrap(), text)
    }

    fn shown<'a>(urls: impl Iterator<Item = &'a Url>) -> Vec<String> {
        urls.map(ToString::to_string).collect()
    }

    #[test]
    fn references_become_absolute() {
        let playlist = parse(
            "#EXTM3U\r\n#EXT-X-VERSION:7\r\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\",URI=\",URI=\"a.m3u8?x=2\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=9,CODECS=\"avc1.42c01e\"\nv.m3u8?x=1\n\n\
             #EXT-X-MAP:URI=\"init.mp4\"\n# URI=\"comment\"\n/root.mp4\nhttps://o/x.mp4",
        )
        .unwrap();
        assert_eq!(
            playlist.text(),
            "#EXTM3U\n#EXT-X-VERSION:7\n\
             #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\",URI=\",\
             URI=\"http://h:8400/hls/v1/a.m3u8?x=2\"\n\
             #EXT-X-STREAM-INF:BANDWIDTH=9,CODECS=\"avc1.42c01e\"\n\
             http://h:8400/hls/v1/v.m3u8?x=1\n\n\
             #EXT-X-MAP:URI=\"http://h:8400/hls/v1/init.mp4\"\n# URI=\"comment\"\n\
             http://h:8400/root.mp4\nhttps://o/x.mp4\n"
        );
        assert_eq!(
            shown(playlist.entries()),
            ["http://h:8400/hls/v1/v.m3u8?x=1", "http://h:8400/root.mp4", "https://o/x.mp4"]
        );
        assert_eq!(shown(playlist.tagged("EXT-X-MAP")), ["http://h:8400/hls/v1/init.mp4"]);
        // Absolute already: nothing changes.
        assert_eq!(parse(playlist.text()).unwrap().text(), playlist.text());
    }

    #[test]
    fn refusals() {
        for text in ["", "<html>", "#EXTM3U\nfile:///etc/passwd", "#EXTM3U\na b"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
