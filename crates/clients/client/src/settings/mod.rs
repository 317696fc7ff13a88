//! Where to connect, as whom, and whom to trust: the standard settings of the AWS tools
//! (clients.md §2), from explicit values, environment variables and the shared files.

mod ini;
mod shared_files;

use std::fmt;
use std::path::PathBuf;

use streamkeep_sigv4::{AccessKeyId, SecretKey, SessionToken};

use crate::{Endpoint, Error};
use shared_files::SharedFiles;

/// What a [`Client`](crate::Client) needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The control plane. Data endpoints are asked for.
    pub endpoint: Endpoint,
    /// The region that requests are signed for.
    pub region: String,
    /// Who signs.
    pub credentials: Credentials,
    /// PEM file of the certificate authorities to trust; without it those of the system.
    pub ca_bundle: Option<PathBuf>,
}

/// What the caller knows already; the rest is looked for.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Endpoint URL.
    pub endpoint: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Profile in the shared files.
    pub profile: Option<String>,
    /// PEM file of certificate authorities.
    pub ca_bundle: Option<PathBuf>,
}

/// Access key, secret and, when temporary, session token. `Debug` shows the access key id only.
#[derive(Clone)]
pub struct Credentials(pub(crate) streamkeep_sigv4::Credentials);

impl Credentials {
    /// From their texts. Error: one of them is none.
    pub fn new(
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
    ) -> Result<Self, Error> {
        let malformed = |what: &str| Error::Settings(format!("the {what} is malformed"));
        Ok(Self(streamkeep_sigv4::Credentials {
            access_key_id: AccessKeyId::parse(access_key_id)
                .ok_or_else(|| malformed("access key id"))?,
            secret: SecretKey::new(secret_access_key)
                .ok_or_else(|| malformed("secret access key"))?,
            session_token: session_token
                .map(|token| SessionToken::new(token).ok_or_else(|| malformed("session token")))
                .transpose()?,
        }))
    }

    /// The access key id: no secret.
    pub fn access_key_id(&self) -> &str {
        self.0.access_key_id.as_str()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, [redacted])", self.access_key_id())
    }
}

impl Settings {
    /// Looks everything up: explicit values first, then environment variables, then the profile in
    /// the shared credentials and config files.
    ///
    /// There is no built-in endpoint: media goes only where it was told to go.
    ///
    /// # Errors
    /// [`Error::Settings`] when endpoint or credentials are nowhere, or something is malformed.
    pub fn find(given: &Given) -> Result<Self, Error> {
        Self::find_in(given, &|name| std::env::var(name).ok(), &|path| {
            std::fs::read_to_string(path).ok()
        })
    }

    /// As [`Self::find`] in a given environment.
    fn find_in(
        given: &Given,
        variable: &dyn Fn(&str) -> Option<String>,
        read_file: &dyn Fn(&std::path::Path) -> Option<String>,
    ) -> Result<Self, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let files = SharedFiles::read(given.profile.as_deref(), &variable, read_file)?;
        let configured_endpoints_apply = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_none_or(|value| !value.eq_ignore_ascii_case("true"));
        let configured_endpoint = || {
            variable("AWS_ENDPOINT_URL_KINESIS_VIDEO")
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .or_else(|| files.endpoint_url())
                .filter(|_| configured_endpoints_apply)
        };
        let endpoint = given.endpoint.clone().or_else(configured_endpoint).ok_or_else(|| {
            Error::Settings(
                "no endpoint: give --endpoint URL or set AWS_ENDPOINT_URL_KINESIS_VIDEO".into(),
            )
        })?;
        let region = given
            .region
            .clone()
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| files.setting("region"))
            .unwrap_or_else(|| REGION_DEFAULT.into());
        let ca_bundle = given
            .ca_bundle
            .clone()
            .or_else(|| variable("AWS_CA_BUNDLE").map(PathBuf::from))
            .or_else(|| files.setting("ca_bundle").map(PathBuf::from));
        // An explicit profile outweighs keys in the environment, as with the AWS CLI.
        let from_environment = || {
            let key = variable("AWS_ACCESS_KEY_ID")?;
            let secret = variable("AWS_SECRET_ACCESS_KEY")?;
            Some(Credentials::new(&key, &secret, variable("AWS_SESSION_TOKEN").as_deref()))
        };
        let credentials = match given.profile {
            Some(_) => files.credentials(),
            None => from_environment().or_else(|| files.credentials()),
        };
        let credentials = credentials.transpose()?.ok_or_else(|| {
            Error::Settings(format!(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give them in \
                 profile {:?} of the shared credentials file",
                files.profile()
            ))
        })?;
        Ok(Self { endpoint: endpoint.parse()?, region, credentials, ca_bundle })
    }
}

/// A server that pins no region takes any; this one is everybody's default.
const REGION_DEFAULT: &str = "us-east-1";

#[cfg(test)]
mod tests;
