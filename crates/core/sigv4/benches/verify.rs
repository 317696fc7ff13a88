//! Nanoseconds of one verification, for the requests of the C producer and of botocore, with a
//! cached and with a new signing key. `cargo bench -p streamkeep-sigv4`; prints the best of ten
//! rounds, the figure least disturbed by other work on the machine.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use streamkeep_sigv4::*;

const ROUNDS: u32 = 10;
const ITERATIONS: u32 = 2_000;

fn main() {
    let credentials = Credentials {
        access_key_id: AccessKeyId::parse("AKIDEXAMPLE").expect("well formed"),
        secret: SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").expect("not empty"),
        session_token: None,
    };
    let put_media: &[(&str, &[u8])] = &[
        ("host", b"127.0.0.1"),
        ("connection", b"keep-alive"),
        ("transfer-encoding", b"chunked"),
        ("user-agent", b"AWS-SDK-KVS-CPP-CLIENT/3.5.0/1.6.0 GCC/12.2.0 Linux/6.18.44 x86_64"),
        ("x-amzn-fragment-acknowledgment-required", b"1"),
        ("x-amzn-fragment-timecode-type", b"ABSOLUTE"),
        ("x-amzn-producer-start-timestamp", b"1795166438.482"),
        ("x-amzn-stream-name", b"cam"),
    ];
    let describe: &[(&str, &[u8])] =
        &[("host", b"localhost:8400"), ("content-type", b"application/json")];
    let host: &[(&str, &[u8])] = &[("host", b"localhost:8400")];
    let body: &[u8] = br#"{"StreamName":"cam"}"#;

    let request = Request { method: "POST", path: "/putMedia", query: "", headers: put_media };
    by_header("PutMedia", &credentials, request, PayloadHash::Empty, Payload::Streaming);
    let request = Request { method: "POST", path: "/describeStream", query: "", headers: describe };
    by_header(
        "DescribeStream",
        &credentials,
        request,
        PayloadHash::Body(body),
        Payload::Body(body),
    );
    let query = "X-Amz-ChannelARN=arn%3Aaws%3Akinesisvideo%3Aus-east-1%3A000000000000%3Achannel\
                 %2Fdoor%2F1&X-Amz-ClientId=me";
    let request = Request { method: "GET", path: "/", query, headers: host };
    let signed = signing(&credentials).presign(&request, PayloadHash::Empty, 299);
    let query = signed.expect("can be signed");
    let request = Request { query: &query, ..request };
    measure("WebSocket", &credentials, request, Payload::Body(b""));
}

const NOW: UnixSeconds = UnixSeconds(1_795_166_438);

fn signing(credentials: &Credentials) -> Signing<'_> {
    Signing { credentials, region: "us-west-2", service: "kinesisvideo", now: NOW }
}

fn by_header(
    name: &str,
    credentials: &Credentials,
    request: Request<'_>,
    hash: PayloadHash<'_>,
    payload: Payload<'_>,
) {
    let added = signing(credentials).sign_headers(&request, hash, Style::SDK);
    let added = added.expect("can be signed");
    let mut headers = request.headers.to_vec();
    headers.extend(added.iter().map(|(name, value)| (name, value.as_bytes())));
    measure(name, credentials, Request { headers: &headers, ..request }, payload);
}

fn measure(name: &str, credentials: &Credentials, request: Request<'_>, payload: Payload<'_>) {
    let key = KnownKey { secret: &credentials.secret, session: None };
    let rules = Rules { region: None, services: &["kinesisvideo"], signed_if_present: &[] };
    let verify = |keys: &SigningKeys| {
        let presented = Presented::parse(black_box(request)).expect("well formed");
        presented.verify(payload, key, rules, NOW, keys).expect("signed");
    };
    let keys = SigningKeys::new(16);
    let cached = best(|| verify(&keys));
    let new_key = best(|| verify(&SigningKeys::new(16)));
    let parse = best(|| drop(black_box(Presented::parse(black_box(request)))));
    writeln!(
        std::io::stdout(),
        "{name:15} cached key {cached:6.0} ns   new key {new_key:6.0} ns   of which parse {parse:6.0} ns"
    )
    .expect("standard output is open");
}

/// Nanoseconds of one call in the best round.
fn best(mut call: impl FnMut()) -> f64 {
    let round = |_| {
        let start = Instant::now();
        for _ in 0..ITERATIONS {
            call();
        }
        start.elapsed().as_nanos() as f64 / f64::from(ITERATIONS)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
