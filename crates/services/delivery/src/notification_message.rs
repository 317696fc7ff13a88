//! What a notification says (playback.md §9): the same text to a topic and to a webhook.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Intent;

/// Subject of a message to a topic.
pub const SUBJECT: &str = "Kinesis Video Streams Notification";

/// The message about the fragment of `intent`, with the event's custom tags as its payload.
pub fn notification_message(intent: &Intent, payload: &[(String, String)]) -> String {
    let message = Message {
        stream_arn: &intent.stream_arn,
        fragment_number: intent.fragment_number.to_string(),
        fragment_start_producer_timestamp: intent.producer_timestamp.0,
        fragment_start_server_timestamp: intent.server_timestamp.0,
        notification_type: "PERSISTED",
        notification_payload: Payload(payload),
    };
    serde_json::to_string(&message).expect("texts and numbers are valid JSON")
}

/// Members in the order of the documentation.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    stream_arn: &'a str,
    fragment_number: String,
    /// Milliseconds.
    fragment_start_producer_timestamp: u64,
    /// Milliseconds.
    fragment_start_server_timestamp: u64,
    notification_type: &'static str,
    notification_payload: Payload<'a>,
}

struct Payload<'a>(&'a [(String, String)]);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_media::{FragmentNumber, UnixMillis};

    use super::*;
    use crate::fixtures;

    #[test]
    fn message() {
        let intent = fixtures::notification(1, 1, "https://h/");
        let number = FragmentNumber::new(UnixMillis(1_690_707_290_501), 1, 1);
        let payload = [("customKey".to_owned(), "custom \"Value\"\n".to_owned())];
        assert_eq!(
            notification_message(&intent, &payload),
            format!(
                "{{\"StreamArn\":\"arn:aws:kinesisvideo:us-west-2:111122223333:stream/demo/1690000000000\",\
                 \"FragmentNumber\":\"{number}\",\
                 \"FragmentStartProducerTimestamp\":1690707290324,\
                 \"FragmentStartServerTimestamp\":1690707290501,\
                 \"NotificationType\":\"PERSISTED\",\
                 \"NotificationPayload\":{{\"customKey\":\"custom \\\"Value\\\"\\n\"}}}}"
            )
        );
        assert!(notification_message(&intent, &[]).ends_with("\"NotificationPayload\":{}}"));
    }
}
