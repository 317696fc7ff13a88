//! TLS: whom we trust.

use std::sync::Arc;

use rustls::ServerConfig;
use streamkeep_delivery::http::HttpClient;
use streamkeep_delivery::*;
use streamkeep_trust::{Authorities, connector};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::fixtures::*;
use crate::receiver::serve_one;

fn self_signed(name: &str) -> (String, TlsAcceptor) {
    let certified = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    (certified.cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// A webhook to `https://localhost` whose certificate is for `name`.
async fn post(name: &str, is_trusted: bool) -> Result<(), Failure> {
    let (pem, acceptor) = self_signed(name);
    let directory = tempfile::tempdir().unwrap();
    let bundle = directory.path().join("ca.pem");
    std::fs::write(&bundle, pem).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        match acceptor.accept(tcp).await {
            Ok(stream) => serve_one(stream).await,
            Err(_) => Vec::new(),
        }
    });
    let authorities =
        if is_trusted { Authorities::SystemAnd(&bundle) } else { Authorities::System };
    let policy = AddressPolicy::allowing(["localhost"]).unwrap();
    let client = HttpClient::new(policy, connector(authorities).unwrap(), TIMEOUTS);
    let secret = WebhookSecret::new(WEBHOOK_SECRET).unwrap();
    let url = HttpUrl::parse(&format!("https://localhost:{port}/")).unwrap();
    let result = webhook::post(&client, &secret, &url, "d", "{}", seconds()).await;
    assert_eq!(serving.await.unwrap().len(), usize::from(result.is_ok()));
    result
}

#[tokio::test]
async fn certificates() {
    post("localhost", true).await.unwrap();
    for (name, is_trusted, reason) in
        [("localhost", false, "UnknownIssuer"), ("elsewhere.example", true, "NotValidForName")]
    {
        let failure = post(name, is_trusted).await.unwrap_err();
        // A receiver renews its certificate.
        assert!(!failure.is_permanent());
        let found = failure.reason().to_lowercase().replace(' ', "");
        assert!(
            found.contains(&reason.to_lowercase()) || found.contains("notvalidforname"),
            "{failure}"
        );
    }
}
