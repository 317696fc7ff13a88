//! PutMedia's admission: what is decided before the body is read, and the head of the answer.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use streamkeep_api::{
    ApiError, ConnectionKind, ConnectionPermit, FragmentTimecodeType, Operation, Principal,
    PutMediaRequest,
};
use streamkeep_http::Exchange;
use streamkeep_ingest::{IngestLimits, SessionConfig, TimecodeType};
use tracing::Instrument as _;

use super::{SessionRules, Surroundings, run};
use crate::serve::front::{ExchangeCall, unavailable};
use crate::serve::streams::StreamRuntime;

/// A PutMedia call that was let in.
struct Session {
    runtime: Arc<StreamRuntime>,
    config: SessionConfig,
    rules: SessionRules,
    permit: ConnectionPermit,
}

/// Answers a PutMedia call to its end.
pub(in crate::serve) async fn answer(
    call: ExchangeCall<'_>,
    principal: Result<Arc<Principal>, ApiError>,
    exchange: &mut Exchange,
) {
    let front = call.front;
    let operation = Operation::PutMedia;
    let opened = principal.and_then(|principal| admit(&call, &principal));
    let outcome = opened.as_ref().map_or_else(|error| error.exception().name(), |_| "ok");
    front.count(operation.name(), outcome);
    let session = match opened {
        Ok(session) => session,
        Err(error) => {
            tracing::info!(%error, "PutMedia refused");
            exchange.send_response(&front.refusal(Some(operation), &error));
            // A producer that is gone needs no answer.
            let _ = exchange.flush().await;
            return;
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(&front.request_id()) {
        headers.insert("x-amzn-requestid", id);
    }
    exchange.send_head(StatusCode::OK, &headers);
    front.metrics.put.latency.observe(call.started.elapsed().as_secs_f64());
    let span = tracing::info_span!(
        parent: &call.conn.span,
        "put_media",
        stream = session.runtime.name
    );
    let producer = call.head.headers.get(header::USER_AGENT);
    let surroundings = Surroundings {
        engine: &front.engine,
        clock: front.clock.as_ref(),
        histograms: &front.metrics.put,
        stream: &session.runtime,
        permit: &session.permit,
        producer: producer.and_then(|value| value.to_str().ok()),
    };
    run(surroundings, session.config, session.rules, exchange, call.conn).instrument(span).await;
}

fn admit(call: &ExchangeCall<'_>, principal: &Principal) -> Result<Session, ApiError> {
    let ExchangeCall { front, head, conn, .. } = call;
    let request = PutMediaRequest::parse(&head.headers)?;
    let (context, now) = (call.context(), front.clock.now());
    let operation = Operation::PutMedia;
    let stream = front.control.admit(operation, principal, &request.stream, &context, now)?;
    let runtime = front.runtime(&stream)?;
    runtime.metrics.put_requests.inc();
    let refuse = |error| {
        runtime.metrics.put_connection_errors.inc();
        error
    };
    // Admission is decided here, where it is cheap (storage notes §8): 503 before the body.
    if conn.shutdown.is_requested() {
        return Err(refuse(unavailable("The server is stopping.")));
    }
    if runtime.is_kept()
        && let Some(reason) = front.health.refuses_media(&front.engine, stream.id)
    {
        return Err(refuse(unavailable(&reason)));
    }
    let permit = front.connections.open(ConnectionKind::PutMedia, stream.id).map_err(refuse)?;
    let limits = &front.control.limits().ingest;
    Ok(Session {
        config: SessionConfig {
            timecode_type: match request.timecode_type {
                FragmentTimecodeType::Absolute => TimecodeType::Absolute,
                FragmentTimecodeType::Relative => TimecodeType::Relative {
                    producer_start: request.producer_start.unwrap_or_default(),
                },
            },
            kept: runtime.is_kept(),
            limits: IngestLimits {
                fragment_bytes_max: limits.fragment_bytes_max,
                fragment_duration_ms_max: limits.fragment_duration_ms_max,
                tracks_max: limits.tracks_max,
                tags_per_fragment_max: limits.tags_per_fragment_max,
                tag_name_bytes_max: limits.tag_name_bytes_max,
                tag_value_bytes_max: limits.tag_value_bytes_max,
                ..IngestLimits::default()
            },
        },
        rules: SessionRules {
            idle_max: Duration::from_millis(limits.idle_ms_max),
            life_max: limits.session_ms_max.map(Duration::from_millis),
            bytes_per_second_max: limits.bytes_per_second_max,
            fragments_per_second_max: limits.fragments_per_second_max,
        },
        runtime,
        permit,
    })
}
