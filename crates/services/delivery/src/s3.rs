//! PutObject on S3 and servers that speak its protocol ("PutObject", Amazon S3 API reference).
//!
//! Only whole objects of one request: a picture is far below the 5 GB of a single PUT. An answer
//! other than success is no object; a repeated PUT of the same key writes the same object.

use bytes::Bytes;
use http::Method;
use streamkeep_sigv4::{Credentials, PayloadHash, Request, Signing, UnixSeconds};

use crate::http::{BadUrl, HttpClient, HttpUrl, Outgoing};
use crate::{Failure, aws_error, percent};

/// An S3 service and the key to it.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// The server, with or without a path before its buckets; `None` is AWS in the bucket's
    /// region.
    pub endpoint: Option<HttpUrl>,
    /// How buckets are addressed at `endpoint`.
    pub addressing: S3Addressing,
    /// Signed in place of the bucket's region, for servers that have a single one.
    pub region: Option<String>,
    /// The key. It needs `s3:PutObject` on the buckets of all streams.
    pub credentials: Credentials,
}

/// Where a bucket's name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Addressing {
    /// `https://host/bucket/key`: most servers of one's own.
    Path,
    /// `https://bucket.host/key`: AWS.
    VirtualHost,
}

/// An object to put.
#[derive(Clone, Debug)]
pub struct S3Object<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The bucket's region.
    pub region: &'a str,
    /// The key, not encoded.
    pub key: &'a str,
    /// `image/jpeg`
    pub content_type: &'a str,
    /// User metadata as header values, names without `x-amz-meta-`.
    pub metadata: &'a [(String, String)],
    /// The object.
    pub body: Bytes,
}

impl S3Config {
    /// Puts an object, signed for the time `now`.
    ///
    /// # Errors
    /// What [`HttpError`](crate::http::HttpError) and the answer say, as to be retried or not.
    pub async fn put(
        &self,
        client: &HttpClient,
        object: &S3Object<'_>,
        now: UnixSeconds,
    ) -> Result<(), Failure> {
        let permanent = |why: String| Failure::Permanent(format!("cannot put the object: {why}"));
        let url = self.object_url(object).map_err(|error| permanent(error.to_string()))?;
        let mut headers = vec![("content-type".to_owned(), object.content_type.to_owned())];
        headers.extend(
            object
                .metadata
                .iter()
                .map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone())),
        );
        let authority = url.authority();
        let covered: Vec<(&str, &[u8])> = std::iter::once(("host", authority.as_bytes()))
            .chain(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
            .collect();
        let request = Request { method: "PUT", path: url.path(), query: "", headers: &covered };
        let signing = Signing {
            credentials: &self.credentials,
            region: self.region.as_deref().unwrap_or(object.region),
            service: "s3",
            now,
        };
        let added = signing
            .sign_s3_headers(&request, PayloadHash::Body(&object.body))
            .map_err(|error| permanent(error.to_string()))?;
        headers.extend(added.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let outgoing =
            Outgoing { method: Method::PUT, url: &url, headers, body: object.body.clone() };
        let answer = client.call(&outgoing).await.map_err(|error| error.failure())?;
        aws_error::outcome("S3", &answer)
    }

    fn object_url(&self, object: &S3Object<'_>) -> Result<HttpUrl, BadUrl> {
        if !(1..=KEY_LEN_MAX).contains(&object.key.len()) {
            return Err(BadUrl("the key is empty or longer than 1024 bytes"));
        }
        // `.` and `..` segments are literal in S3, but not to every proxy before it.
        if object.key.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(BadUrl("the key has a segment of dots"));
        }
        let key = percent::encode(object.key, b"/");
        let bucket = object.bucket;
        match &self.endpoint {
            Some(endpoint) => {
                let base = endpoint.path().trim_end_matches('/');
                match self.addressing {
                    S3Addressing::Path => endpoint.sibling("", &format!("{base}/{bucket}/{key}")),
                    S3Addressing::VirtualHost => endpoint.sibling(bucket, &format!("{base}/{key}")),
                }
            }
            None => {
                let region = object.region;
                let domain =
                    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                let host = HttpUrl::parse(&format!("https://s3.{region}.{domain}"))?;
                // A dot in the bucket's name would not match the certificate.
                if bucket.contains('.') {
                    host.sibling("", &format!("/{bucket}/{key}"))
                } else {
                    host.sibling(bucket, &format!("/{key}"))
                }
            }
        }
    }
}

/// "Object keys", Amazon S3 user guide.
const KEY_LEN_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use streamkeep_sigv4::{AccessKeyId, SecretKey};

    use super::*;

    fn url(
        endpoint: Option<&str>,
        addressing: S3Addressing,
        bucket: &str,
        key: &str,
    ) -> Option<String> {
        let config = S3Config {
            endpoint: endpoint.map(|url| HttpUrl::parse(url).unwrap()),
            addressing,
            region: None,
            credentials: Credentials {
                access_key_id: AccessKeyId::parse("AKIDEXAMPLE").unwrap(),
                secret: SecretKey::new("secret").unwrap(),
                session_token: None,
            },
        };
        let region = if bucket == "cn" { "cn-north-1" } else { "us-west-2" };
        let object = S3Object {
            bucket,
            region,
            key,
            content_type: "image/jpeg",
            metadata: &[],
            body: Bytes::new(),
        };
        config.object_url(&object).ok().map(|url| url.as_str().to_owned())
    }

    #[test]
    fn urls() {
        use S3Addressing::{Path, VirtualHost};
        for (endpoint, addressing, bucket, key, expected) in [
            (None, Path, "b", "k.jpg", Some("https://b.s3.us-west-2.amazonaws.com/k.jpg")),
            (None, VirtualHost, "a.b", "k", Some("https://s3.us-west-2.amazonaws.com/a.b/k")),
            (None, VirtualHost, "cn", "k", Some("https://cn.s3.cn-north-1.amazonaws.com.cn/k")),
            (
                Some("http://minio:9000"),
                Path,
                "b",
                "c/k 1%.jpg",
                Some("http://minio:9000/b/c/k%201%25.jpg"),
            ),
            (Some("http://minio:9000/s3/"), Path, "b", "k", Some("http://minio:9000/s3/b/k")),
            (Some("http://minio:9000"), VirtualHost, "b", "k", Some("http://b.minio:9000/k")),
            (Some("http://minio:9000"), Path, "b", "/k", Some("http://minio:9000/b//k")),
            (
                Some("http://minio:9000"),
                Path,
                "b",
                "门?#\\.jpg",
                Some("http://minio:9000/b/%E9%97%A8%3F%23%5C.jpg"),
            ),
            (Some("http://minio:9000"), Path, "b", "../x", None),
            (Some("http://minio:9000"), Path, "b", "x/./y", None),
            (Some("http://minio:9000"), Path, "b", "", None),
        ] {
            assert_eq!(url(endpoint, addressing, bucket, key).as_deref(), expected, "{key}");
        }
        assert!(url(None, Path, "b", &"门".repeat(341)).is_some(), "1023 bytes");
        assert!(url(None, Path, "b", &"门".repeat(342)).is_none());
    }
}
