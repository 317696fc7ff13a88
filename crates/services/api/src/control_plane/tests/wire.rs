//! Answers as bytes.

use super::*;

#[test]
fn answers_on_the_wire() {
    let id = "7a1c8d3e-4a0f-4a7e-9d5a-2f7d0c1b2a3e";
    let header = |response: &http::Response<Bytes>, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    for (error, operation, status, body) in [
        (
            ApiError::stream_not_found(),
            Some(O::DescribeStream),
            404,
            r#"{"Message":"The requested stream is not found or not active."}"#,
        ),
        (
            denied(O::JoinStorageSession, &root(), "r"),
            Some(O::JoinStorageSession),
            403,
            r#"{"message":"User: arn:aws:iam::111122223333:root is not authorized to perform: kinesisvideo:JoinStorageSession on resource: r"}"#,
        ),
        (
            ApiError::new(Exception::SessionExpired, "x"),
            Some(O::GetIceServerConfig),
            400,
            r#"{"message":"x"}"#,
        ),
        (
            ApiError::invalid_argument("say \"x\"\n"),
            Some(O::GetIceServerConfig),
            400,
            r#"{"Message":"say \"x\"\n"}"#,
        ),
        (
            ApiError::internal(),
            None,
            500,
            r#"{"Message":"The request failed because of an internal error."}"#,
        ),
        (
            ApiError::missing_codec_private_data(2),
            Some(O::GetHLSStreamingSessionURL),
            400,
            r#"{"Message":"Track 2 has no codec private data."}"#,
        ),
        (
            ApiError::invalid_codec_private_data(1, "Annex B"),
            Some(O::GetHLSStreamingSessionURL),
            400,
            r#"{"Message":"The codec private data of track 1 is not valid: Annex B."}"#,
        ),
        (
            ApiError::unsupported_stream_media_type(&["V_VP8", "A_AAC"]),
            Some(O::GetDASHStreamingSessionURL),
            400,
            r#"{"Message":"The tracks V_VP8, A_AAC cannot be packaged as asked."}"#,
        ),
        (
            ApiError::invalid_media_frame("7".parse().unwrap(), "no length"),
            Some(O::GetClip),
            400,
            r#"{"Message":"A frame of fragment 7 is not valid: no length."}"#,
        ),
        (
            ApiError::no_fragments(),
            Some(O::GetClip),
            404,
            r#"{"Message":"No fragments found in the stream for the streaming request."}"#,
        ),
        (
            ApiError::session_refused(),
            None,
            403,
            r#"{"Message":"The session token is missing, not valid, or has expired."}"#,
        ),
        (
            ApiError::unrouted(),
            None,
            400,
            r#"{"Message":"No operation of this service has this path."}"#,
        ),
    ] {
        let response = error.response(operation, id);
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.body(), body);
        assert_eq!(header(&response, "x-amzn-RequestId").as_deref(), Some(id));
        let name = error.exception().name();
        assert_eq!(header(&response, "x-amzn-ErrorType").as_deref(), Some(name));
        assert_eq!(header(&response, "x-amz-ErrorType").as_deref(), Some(name));
        assert_eq!(header(&response, "content-type").as_deref(), Some("application/json"));
    }
    let response = success(Bytes::from_static(b"{}"), id);
    assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &b"{}"[..]));
    assert_eq!(header(&response, "x-amzn-RequestId").as_deref(), Some(id));
    assert_eq!(header(&response, "x-amzn-ErrorType"), None);
    let response = crate::method_not_allowed(&http::Method::POST, id);
    assert_eq!(response.status().as_u16(), 405);
    assert_eq!(response.headers()[header::ALLOW], "POST");
}
