//! The API as an OpenAPI 3.1 document, from the tables that the parser uses.
//!
//! OpenAPI Specification 3.1.0, JSON Schema 2020-12. Left out: operations that this version
//! refuses, and the shapes of answers, of which the tables know only the members' names.

mod headers;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
pub(crate) use headers::request_headers;
use serde_json::{Map, Value, json};

use crate::{
    Availability, Exception, OPEN_LIVE_EXPIRES_MAX, Operation, PlaybackPath, PublicUrl, Service,
};

/// The document, as JSON. `public_url` is its server, else the origin it was fetched from.
pub fn openapi(public_url: Option<&PublicUrl>) -> Bytes {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    schemas.insert("Error".into(), error_schema());
    for operation in Operation::all().filter(|o| o.availability() == Availability::Implemented) {
        let shape = operation.row().shape.as_ref().expect("implemented operations have shapes");
        let name = operation.name();
        // What goes over the WebSocket is no body.
        if operation != Operation::OpenLive {
            schemas.insert(format!("{name}Input"), schema::structure(shape.input));
            schemas.insert(format!("{name}Output"), output_schema(shape.output));
        }
        let method = operation.method().as_str().to_ascii_lowercase();
        paths.insert(operation.path().into(), json!({ method: operation_item(operation) }));
    }
    for path in PlaybackPath::all() {
        paths.insert(path.path().into(), json!({ "get": playback_item(path) }));
    }
    for (path, id, description, content_type) in OPEN_PATHS {
        paths.insert(
            path.into(),
            json!({ "get": {
                "operationId": id,
                "tags": ["server"],
                "description": description,
                "security": [],
                "responses": { "200": {
                    "description": description, "content": { content_type: {} },
                } },
            } }),
        );
    }
    let server = public_url.map_or("/", PublicUrl::as_str);
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Streamkeep",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Video streams over the wire of Amazon Kinesis Video Streams, and a few \
                operations of its own. Unknown members are ignored; null counts as absent.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": server }],
        "security": [{ "sigv4": [] }],
        "tags": tags(),
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    });
    Bytes::from(document.to_string())
}

/// What answers without proof of who asks, as in [`crate::Authentication::None`].
const OPEN_PATHS: [(&str, &str, &str, &str); 4] = [
    ("/healthz", "Health", "The process lives.", "text/plain"),
    ("/readyz", "Ready", "It can serve; 503 says why not.", "text/plain"),
    ("/time", "Time", "The server's clock, RFC 3339 in UTC.", "text/plain"),
    ("/openapi.json", "Description", "This document.", "application/json"),
];

const SERVICES: [(Service, &str); 6] = [
    (Service::KinesisVideo, "Streams and their settings."),
    (Service::Media, "Live media in and out."),
    (Service::ArchivedMedia, "What is kept."),
    (Service::Signaling, "The HTTPS half of signaling."),
    (Service::WebrtcStorage, "WebRTC storage sessions."),
    (Service::Streamkeep, "Operations beyond Kinesis Video Streams."),
];

fn tags() -> Value {
    let services = SERVICES.iter().map(|(service, text)| (service.model(), *text));
    let ours = [
        ("playback", "Sub-requests of playback sessions, by the URLs that a session hands out."),
        ("server", "The server itself."),
    ];
    services.chain(ours).map(|(name, text)| json!({ "name": name, "description": text })).collect()
}

fn security_schemes() -> Value {
    json!({
        "sigv4": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "AWS Signature Version 4 for service `kinesisvideo`, in the header or \
                the query, over the whole request.",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "sessionToken": {
            "type": "apiKey",
            "in": "query",
            "name": "SessionToken",
            "description": "The token of a playback session, as its URL carries it.",
        },
    })
}

fn operation_item(operation: Operation) -> Value {
    if operation == Operation::OpenLive {
        return json!({
            "operationId": operation.name(),
            "tags": [operation.service().model()],
            "description": format!(
                "A WebSocket of live pictures, opened with a presigned query of at most {} s; see \
                 design/openlive.md. IAM action `{}`, and `{}` for each stream.",
                OPEN_LIVE_EXPIRES_MAX,
                operation.iam_action(),
                Operation::GetMedia.iam_action(),
            ),
            "responses": responses(operation),
        });
    }
    let shape = operation.row().shape.as_ref().expect("implemented operations have shapes");
    let name = operation.name();
    let content = if operation == Operation::PutMedia {
        json!({ "video/x-matroska": { "schema": { "description": "The media, without end." } } })
    } else {
        json!({ "application/json": { "schema": reference(&format!("{name}Input")) } })
    };
    // An empty body counts as `{}`.
    let is_required =
        operation == Operation::PutMedia || shape.input.members.iter().any(|m| m.required);
    let mut item = json!({
        "operationId": name,
        "tags": [operation.service().model()],
        "description": format!("IAM action `{}`.", operation.iam_action()),
        "requestBody": { "required": is_required, "content": content },
        "responses": responses(operation),
    });
    let parameters: Vec<_> = request_headers(operation)
        .iter()
        .map(|header| {
            json!({
                "name": header.name,
                "in": "header",
                "required": header.required,
                "description": header.description,
                "schema": { "type": "string" },
            })
        })
        .collect();
    if !parameters.is_empty() {
        item["parameters"] = parameters.into();
    }
    item
}

fn responses(operation: Operation) -> Value {
    let content_type = match operation {
        Operation::GetMedia | Operation::GetMediaForFragmentList => "video/webm",
        Operation::GetClip => "video/mp4",
        _ => "application/json",
    };
    let content = match operation {
        Operation::PutMedia => json!({ "description": "Acks, one JSON object after the other." }),
        _ if content_type == "application/json" => {
            reference(&format!("{}Output", operation.name()))
        }
        _ => json!({}),
    };
    let mut responses = Map::new();
    let request_id = json!({ "x-amzn-RequestId": { "schema": { "type": "string" } } });
    if operation == Operation::OpenLive {
        responses.insert(
            "101".into(),
            json!({ "description": "The connection is a WebSocket.", "headers": request_id }),
        );
        responses.insert(
            "426".into(),
            json!({ "description": "Not a WebSocket handshake of version 13." }),
        );
    } else {
        responses.insert(
            "200".into(),
            json!({
                "description": "Success.",
                "headers": request_id,
                "content": { content_type: { "schema": content } },
            }),
        );
    }
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    let modelled = operation.errors().iter().copied();
    for exception in modelled.chain([operation.denial()]).chain(COMMON.iter().copied()) {
        by_status.entry(exception.status()).or_default().insert(exception.name());
    }
    for (status, names) in by_status {
        let names: Vec<_> = names.into_iter().collect();
        responses.insert(
            status.to_string(),
            json!({
                "description": names.join(", "),
                "headers": {
                    "x-amzn-ErrorType": { "schema": { "type": "string", "enum": names } },
                    "x-amzn-RequestId": { "schema": { "type": "string" } },
                },
                "content": { "application/json": { "schema": reference("Error") } },
            }),
        );
    }
    responses.into()
}

/// What any operation may answer (control-plane.md §3.3, auth.md §7).
const COMMON: &[Exception] = &[
    Exception::MissingAuthenticationToken,
    Exception::IncompleteSignature,
    Exception::UnrecognizedClient,
    Exception::InvalidSignature,
    Exception::ExpiredToken,
    Exception::InternalFailure,
    Exception::ServiceUnavailable,
];

fn playback_item(path: PlaybackPath) -> Value {
    let error = |description: &str| {
        json!({
            "description": description,
            "content": { "application/json": { "schema": reference("Error") } },
        })
    };
    json!({
        "operationId": format!("{path:?}"),
        "tags": ["playback"],
        "security": [{ "sessionToken": [] }],
        "responses": {
            "200": { "description": "Success." },
            "400": error("ClientLimitExceededException"),
            "403": error("The token is missing, not valid, or has expired."),
            "404": error("ResourceNotFoundException"),
        },
    })
}

fn output_schema(members: &[&str]) -> Value {
    let properties: Map<String, Value> =
        members.iter().map(|member| ((*member).to_owned(), json!({}))).collect();
    json!({ "type": "object", "properties": properties })
}

/// `Message`, or `message` where the service spells it so (control-plane.md §3.1).
fn error_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "Message": { "type": "string" }, "message": { "type": "string" } },
        "anyOf": [{ "required": ["Message"] }, { "required": ["message"] }],
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}
