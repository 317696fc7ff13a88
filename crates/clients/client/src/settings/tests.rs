use std::path::Path;

use super::*;

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
const ENDPOINT: (&str, &str) = ("AWS_ENDPOINT_URL", "http://127.0.0.1:8400");

const CREDENTIALS_FILE: &str = "
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key = secret
[site]
aws_access_key_id = AKIDSITE
aws_secret_access_key = secret
aws_session_token = token
";
const CONFIG_FILE: &str = "
[default]
region = eu-north-1
endpoint_url = http://default:1
[profile site]
region = eu-south-1
ca_bundle = /ca.pem
services = local
[services local]
kinesis_video =
  endpoint_url = https://site:2
";

fn find(given: &Given, variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let variable = |name: &str| {
        let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
        Some((*value).to_owned())
    };
    let read_file = |path: &Path| match path.to_str() {
        Some("/home/me/.aws/credentials") => Some(CREDENTIALS_FILE.to_owned()),
        Some("/home/me/.aws/config") => Some(CONFIG_FILE.to_owned()),
        _ => None,
    };
    Settings::find_in(given, &variable, &read_file)
}

/// Endpoint, region, access key id.
fn facts(settings: &Settings) -> (String, &str, &str) {
    let key = settings.credentials.access_key_id();
    (settings.endpoint.to_string(), &settings.region, key)
}

#[test]
fn environment() {
    let settings = find(&Given::default(), &[KEYS[0], KEYS[1], ENDPOINT]).unwrap();
    assert_eq!(facts(&settings), ("http://127.0.0.1:8400".into(), "us-east-1", "AKIDENV"));
    let settings = find(
        &Given::default(),
        &[
            KEYS[0],
            KEYS[1],
            ENDPOINT,
            ("AWS_ENDPOINT_URL_KINESIS_VIDEO", "http://kv:1"),
            ("AWS_DEFAULT_REGION", "a-b-1"),
            ("AWS_REGION", "c-d-2"),
            ("AWS_CA_BUNDLE", "/x.pem"),
        ],
    )
    .unwrap();
    assert_eq!(facts(&settings), ("http://kv:1".into(), "c-d-2", "AKIDENV"));
    assert_eq!(settings.ca_bundle.as_deref(), Some(Path::new("/x.pem")));
}

#[test]
fn files() {
    const HOME: (&str, &str) = ("HOME", "/home/me");
    let settings = find(&Given::default(), &[HOME]).unwrap();
    assert_eq!(facts(&settings), ("http://default:1".into(), "eu-north-1", "AKIDDEFAULT"));
    // Keys in the environment come first …
    let settings = find(&Given::default(), &[HOME, KEYS[0], KEYS[1]]).unwrap();
    assert_eq!(facts(&settings), ("http://default:1".into(), "eu-north-1", "AKIDENV"));
    // … but not before a profile that was asked for explicitly.
    let given = Given { profile: Some("site".into()), ..Given::default() };
    let settings = find(&given, &[HOME, KEYS[0], KEYS[1]]).unwrap();
    assert_eq!(facts(&settings), ("https://site:2".into(), "eu-south-1", "AKIDSITE"));
    assert!(settings.credentials.0.session_token.is_some());
    assert_eq!(settings.ca_bundle.as_deref(), Some(Path::new("/ca.pem")));
    let settings = find(&Given::default(), &[HOME, ("AWS_PROFILE", "site")]).unwrap();
    assert_eq!(facts(&settings), ("https://site:2".into(), "eu-south-1", "AKIDSITE"));
}

#[test]
fn explicit_values_come_first() {
    let given = Given {
        endpoint: Some("https://given".into()),
        region: Some("r-r-1".into()),
        ..Given::default()
    };
    let settings = find(&given, &[KEYS[0], KEYS[1], ENDPOINT, ("AWS_REGION", "other")]).unwrap();
    assert_eq!(facts(&settings), ("https://given".into(), "r-r-1", "AKIDENV"));
}

#[test]
fn what_is_missing_is_named() {
    let message = |given: &Given, variables: &[(&str, &str)]| {
        find(given, variables).map(drop).unwrap_err().to_string()
    };
    let none = Given::default();
    assert!(message(&none, &[KEYS[0], KEYS[1]]).contains("--endpoint"));
    assert!(message(&none, &[ENDPOINT]).contains("AWS_ACCESS_KEY_ID"));
    assert!(message(&none, &[ENDPOINT, KEYS[0]]).contains("AWS_SECRET_ACCESS_KEY"));
    let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    assert!(message(&none, &[KEYS[0], KEYS[1], ENDPOINT, ignored]).contains("--endpoint"));
    let absent = Given { profile: Some("absent".into()), ..Given::default() };
    assert!(message(&absent, &[KEYS[0], KEYS[1], ENDPOINT]).contains("absent"));
}

#[test]
fn secrets_are_not_shown() {
    let credentials = Credentials::new("AKID", "very-secret", Some("token-text")).unwrap();
    let shown = format!("{credentials:?}");
    assert!(shown.contains("AKID") && !shown.contains("very") && !shown.contains("token"));
}
