//! Publish on SNS and servers that speak its protocol: the Query API ("Publish", Amazon SNS API
//! reference; version 2010-03-31).

use bytes::Bytes;
use http::Method;
use streamkeep_sigv4::{Credentials, PayloadHash, Request, Signing, Style, UnixSeconds};

use crate::http::{HttpClient, HttpUrl, Outgoing};
use crate::{Failure, TopicArn, aws_error, percent};

/// An SNS service and the key to it.
#[derive(Clone, Debug)]
pub struct SnsConfig {
    /// The server; `None` is AWS in the topic's region.
    pub endpoint: Option<HttpUrl>,
    /// The key. It needs `sns:Publish` on the topics of all streams.
    pub credentials: Credentials,
}

impl SnsConfig {
    /// Publishes a message, signed for the time `now`.
    ///
    /// # Errors
    /// What [`HttpError`](crate::http::HttpError) and the answer say, as to be retried or not.
    pub async fn publish(
        &self,
        client: &HttpClient,
        topic: &TopicArn,
        subject: &str,
        message: &str,
        now: UnixSeconds,
    ) -> Result<(), Failure> {
        let permanent = |why: String| Failure::Permanent(format!("cannot publish: {why}"));
        let url = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => aws_endpoint(topic).map_err(|error| permanent(error.to_string()))?,
        };
        let body = form(&[
            ("Action", "Publish"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic.arn()),
            ("Subject", subject),
            ("Message", message),
        ]);
        let authority = url.authority();
        let headers: [(&str, &[u8]); 2] =
            [("host", authority.as_bytes()), ("content-type", CONTENT_TYPE.as_bytes())];
        let request =
            Request { method: "POST", path: url.path(), query: url.query(), headers: &headers };
        let signing =
            Signing { credentials: &self.credentials, region: topic.region(), service: "sns", now };
        let added = signing
            .sign_headers(&request, PayloadHash::Body(body.as_bytes()), Style::SDK)
            .map_err(|error| permanent(error.to_string()))?;
        let mut headers = vec![("content-type".to_owned(), CONTENT_TYPE.to_owned())];
        headers.extend(added.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let outgoing =
            Outgoing { method: Method::POST, url: &url, headers, body: Bytes::from(body) };
        let answer = client.call(&outgoing).await.map_err(|error| error.failure())?;
        aws_error::outcome("SNS", &answer)
    }
}

fn aws_endpoint(topic: &TopicArn) -> Result<HttpUrl, crate::http::BadUrl> {
    let region = topic.region();
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    HttpUrl::parse(&format!("https://sns.{region}.{domain}"))
}

/// `application/x-www-form-urlencoded`, spaces as `+` like the AWS tools write them: some servers
/// check the signature over a body that they encoded anew.
fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(&percent::encode(value, b" ").replace(' ', "+"));
    }
    out
}

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(
            form(&[("A", "x y"), ("B", "{\"é\":1}&=+")]),
            "A=x+y&B=%7B%22%C3%A9%22%3A1%7D%26%3D%2B"
        );
    }

    #[test]
    fn endpoints() {
        for (region, expected) in [
            ("us-west-2", "https://sns.us-west-2.amazonaws.com"),
            ("cn-north-1", "https://sns.cn-north-1.amazonaws.com.cn"),
        ] {
            let topic = TopicArn::parse(&format!("arn:aws:sns:{region}:111122223333:t")).unwrap();
            assert_eq!(aws_endpoint(&topic).unwrap().as_str(), expected);
        }
    }
}
