//! Acks out of a byte stream: flat JSON objects, in whatever pieces they come.

use super::Ack;
use crate::Error;

/// Finds the objects in a stream of bytes, which may be split anywhere. What lies between them is
/// passed over, and so is an object without an EventType.
#[derive(Debug, Default)]
pub struct AckParser {
    buffer: Vec<u8>,
    /// How far `buffer` has been looked at.
    scanned: usize,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl AckParser {
    /// Takes in bytes; complete acks are appended to `acks`. Error: an object is larger than any
    /// ack.
    pub fn push(&mut self, bytes: &[u8], acks: &mut Vec<Ack>) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(&byte) = self.buffer.get(self.scanned) {
            self.scanned += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' if self.depth > 0 => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' => {
                    if self.depth == 0 {
                        start = self.scanned - 1;
                    }
                    self.depth += 1;
                }
                b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        let object = &self.buffer[start..self.scanned];
                        let json = serde_json::from_slice(object).ok();
                        acks.extend(json.as_ref().and_then(Ack::from_json));
                        start = self.scanned;
                    }
                }
                _ => {}
            }
        }
        if self.depth == 0 {
            start = self.scanned;
        }
        self.buffer.drain(..start);
        self.scanned -= start;
        if self.buffer.len() > ACK_LEN_MAX {
            return Err(Error::LimitExceeded { what: "ack", limit: ACK_LEN_MAX });
        }
        Ok(())
    }
}

/// Acks take about 150 bytes, and at most 1,024 by put-media.md §7.2.
const ACK_LEN_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::super::AckEvent;
    use super::*;

    /// put-media.md §7.1, with a nested and a broken one between them.
    const STREAM: &str = r#"
{"EventType":"BUFFERING","FragmentTimecode":1511852109126,"FragmentNumber":"91343852333181432392682062607743920146159169392"}
{"EventType":"RECEIVED","FragmentTimecode":1511852109126,"FragmentNumber":"913"}{"EventType":"PERSISTED","FragmentTimecode":"15","FragmentNumber":"913"}
{"EventType":"ERROR","FragmentTimecode":1,"FragmentNumber":"913","ErrorId":4006,"ErrorCode":"INVALID_MKV_DATA"}
{"Other":"a \"quoted } brace"} {"EventType": } garbage
{ "Acknowledgement" : { "EventType" : "ERROR", "ErrorId" : "5000" } }
{"EventType":"IDLE"}
"#;

    fn ack(event: AckEvent, timecode: Option<u64>, number: Option<&str>) -> Ack {
        Ack { event, timecode, fragment_number: number.map(str::to_owned) }
    }

    #[test]
    fn every_split_gives_the_same_acks() {
        let long = Some("91343852333181432392682062607743920146159169392");
        let error = |id, code: &str| AckEvent::Error { id, code: code.into() };
        let expected = [
            ack(AckEvent::Buffering, Some(1_511_852_109_126), long),
            ack(AckEvent::Received, Some(1_511_852_109_126), Some("913")),
            ack(AckEvent::Persisted, Some(15), Some("913")),
            ack(error(4006, "INVALID_MKV_DATA"), Some(1), Some("913")),
            ack(error(5000, ""), None, None),
            ack(AckEvent::Idle, None, None),
        ];
        for piece_len in 1..=STREAM.len() {
            let (mut parser, mut acks) = (AckParser::default(), Vec::new());
            for piece in STREAM.as_bytes().chunks(piece_len) {
                parser.push(piece, &mut acks).unwrap();
            }
            assert_eq!(acks, expected, "{piece_len}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let (mut parser, mut acks) = (AckParser::default(), Vec::new());
        parser.push(&[b' '; 100_000], &mut acks).unwrap();
        assert_eq!(parser.buffer.len(), 0);
        let endless = [&b"{\""[..], &[b'a'; ACK_LEN_MAX]].concat();
        assert!(matches!(parser.push(&endless, &mut acks), Err(Error::LimitExceeded { .. })));
        assert!(acks.is_empty());
    }
}
