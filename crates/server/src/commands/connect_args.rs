//! The options that tell a client command which service to talk to.

use std::path::PathBuf;

use clap::Args;
use streamkeep_client::{Client, Error, Settings, settings::Given};

/// Endpoint, region, profile and certificate authorities. What is not given is taken from the
/// standard AWS environment variables and shared files.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// The service, for example http://127.0.0.1:8400 [env: AWS_ENDPOINT_URL_KINESIS_VIDEO,
    /// AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Region to sign for [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long)]
    region: Option<String>,
    /// Profile in the shared credentials and config files [env: AWS_PROFILE]
    #[arg(long)]
    profile: Option<String>,
    /// PEM file of the certificate authorities to trust [env: AWS_CA_BUNDLE]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl ConnectArgs {
    /// Finds the rest of the settings.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        let given = Given {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            profile: self.profile.clone(),
            ca_bundle: self.ca.clone(),
        };
        Client::new(Settings::find(&given)?)
    }
}
