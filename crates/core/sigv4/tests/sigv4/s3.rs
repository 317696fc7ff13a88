//! "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3
//! API reference, example "PUT Object".

use streamkeep_sigv4::*;

const NOW: UnixSeconds = UnixSeconds(1_369_353_600);
const BODY: &[u8] = b"Welcome to Amazon S3.";

#[test]
fn example_put_object() {
    let credentials = Credentials {
        access_key_id: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        secret: SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap(),
        session_token: None,
    };
    let signing =
        Signing { credentials: &credentials, region: "us-east-1", service: "s3", now: NOW };
    let headers: [(&str, &[u8]); 3] = [
        ("host", b"examplebucket.s3.amazonaws.com"),
        ("date", b"Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", b"REDUCED_REDUNDANCY"),
    ];
    let request =
        Request { method: "PUT", path: "/test%24file.text", query: "", headers: &headers };
    let added = signing.sign_s3_headers(&request, PayloadHash::Body(BODY)).unwrap();
    let value = |name| added.iter().find(|(each, _)| *each == name).unwrap().1.to_owned();
    assert_eq!(
        value("x-amz-content-sha256"),
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    );
    assert_eq!(
        value("authorization"),
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, \
         Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );

    // Ours verifies what ours signed: the path as sent is the second reading.
    let mut signed = headers.to_vec();
    signed.extend(added.iter().map(|(name, value)| (name, value.as_bytes())));
    let presented = Presented::parse(Request { headers: &signed, ..request }).unwrap();
    let key = KnownKey { secret: &credentials.secret, session: None };
    let rules = Rules { region: None, services: &["s3"], signed_if_present: &[] };
    let keys = SigningKeys::new(2);
    assert_eq!(presented.verify(Payload::Body(BODY), key, rules, NOW, &keys), Ok(()));
}
