use http::Method;

use super::*;
use crate::{Authentication, Route, route};

fn document() -> Value {
    serde_json::from_slice(&openapi(None)).expect("the document is JSON")
}

/// Calls `visit` with every object of `value`.
fn walk(value: &Value, visit: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| walk(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[test]
fn every_available_operation_and_nothing_else() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let paths = document["paths"].as_object().unwrap();
    let mut ids = BTreeSet::new();
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone().to_string())
        .collect();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(tags.contains(&operation["tags"][0].to_string()), "{path}");
            // Routed as described, and guarded as described.
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let scheme = match route(&method, path).authentication() {
                Authentication::SigV4 => None,
                Authentication::SessionToken => Some(json!([{ "sessionToken": [] }])),
                Authentication::None => Some(json!([])),
                Authentication::Metrics | Authentication::SignInToken => {
                    panic!("{path} is no part of the API")
                }
            };
            assert_ne!(route(&method, path), Route::NotFound, "{path}");
            assert_eq!(operation.get("security"), scheme.as_ref(), "{path}");
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses {
                assert!(status.parse::<u16>().is_ok_and(|s| (101..600).contains(&s)), "{path}");
                assert!(response["description"].is_string(), "{path} {status}");
            }
            let success = if id == "OpenLive" { "101" } else { "200" };
            assert!(responses.contains_key(success), "{path}");
        }
    }
    for operation in Operation::all() {
        let is_there = operation.availability() == Availability::Implemented;
        assert_eq!(paths.contains_key(operation.path()), is_there, "{operation}");
        assert_eq!(ids.contains(operation.name()), is_there, "{operation}");
    }
    assert_eq!(document["security"], json!([{ "sigv4": [] }]));
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert!(schemes.contains_key("sigv4") && schemes.contains_key("sessionToken"));
}

#[test]
fn references_resolve() {
    let document = document();
    let mut references = BTreeSet::new();
    walk(&document, &mut |object| {
        if let Some(Value::String(target)) = object.get("$ref") {
            assert!(document.pointer(&target[1..]).is_some(), "{target}");
            references.insert(target.clone());
        }
    });
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let unused: Vec<_> = schemas
        .keys()
        .filter(|name| !references.contains(&format!("#/components/schemas/{name}")))
        .collect();
    // What is no JSON on the wire has no schema in use.
    assert_eq!(
        unused,
        [
            "GetClipOutput",
            "GetMediaForFragmentListOutput",
            "GetMediaOutput",
            "PutMediaInput",
            "PutMediaOutput"
        ]
    );
}

#[test]
fn schemas_have_the_constraints_of_the_tables() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let name = &schemas["CreateStreamInput"]["properties"]["StreamName"];
    assert_eq!(
        *name,
        json!({
            "type": "string", "minLength": 1, "maxLength": 256, "pattern": "^(?:[a-zA-Z0-9_.-]+)$",
        })
    );
    assert_eq!(schemas["CreateStreamInput"]["required"], json!(["StreamName"]));
    let tags = &schemas["TagStreamInput"]["properties"]["Tags"];
    assert!(tags["additionalProperties"]["description"].as_str().unwrap().contains(r"\p{L}"));
    assert!(tags["additionalProperties"].get("pattern").is_none());
    let hls = &schemas["GetHLSStreamingSessionURLInput"]["properties"];
    assert_eq!(
        (&hls["Expires"]["minimum"], &hls["Expires"]["maximum"]),
        (&json!(300), &json!(43_200))
    );
    assert_eq!(hls["ContainerFormat"]["enum"], json!(["FRAGMENTED_MP4", "MPEG_TS"]));
    let images = &schemas["GetImagesInput"]["properties"]["FormatConfig"];
    assert_eq!(images["propertyNames"]["enum"], json!(["JPEGQuality"]));
    let responses = &document["paths"]["/getClip"]["post"]["responses"];
    let names = &responses["400"]["headers"]["x-amzn-ErrorType"]["schema"]["enum"];
    assert!(names.as_array().unwrap().contains(&json!("InvalidMediaFrameException")));
    assert_eq!(responses["404"]["description"], "ResourceNotFoundException");
    assert!(responses["200"]["content"].get("video/mp4").is_some());
    // JSON Schema knows these types only.
    walk(schemas, &mut |object| {
        if let Some(Value::String(kind)) = object.get("type") {
            assert!(["object", "array", "string", "integer", "number"].contains(&kind.as_str()));
        }
    });
}

#[test]
fn the_server_is_the_public_url() {
    assert_eq!(document()["servers"], json!([{ "url": "/" }]));
    let url = PublicUrl::parse("https://video.example.com").unwrap();
    let document: Value = serde_json::from_slice(&openapi(Some(&url))).unwrap();
    assert_eq!(document["servers"], json!([{ "url": "https://video.example.com" }]));
}
