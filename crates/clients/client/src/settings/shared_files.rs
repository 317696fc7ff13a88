//! The shared credentials file and config file: one profile of them.

use std::path::{Path, PathBuf};

use super::Credentials;
use super::ini::{Section, parse};
use crate::Error;

/// The sections that apply to the chosen profile.
#[derive(Debug)]
pub(super) struct SharedFiles {
    profile: String,
    /// Of the credentials file.
    credentials: Option<Section>,
    /// Of the config file.
    config: Option<Section>,
    /// The `services` section that the profile names.
    services: Option<Section>,
}

impl SharedFiles {
    /// Reads what is there; missing files are as good as empty ones. Error: the profile was asked
    /// for by name and is in neither file.
    pub(super) fn read(
        profile: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
        read_file: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<Self, Error> {
        let asked_for = profile
            .map(str::to_owned)
            .or_else(|| variable("AWS_PROFILE"))
            .or_else(|| variable("AWS_DEFAULT_PROFILE"));
        let profile = asked_for.clone().unwrap_or_else(|| "default".into());
        let sections = |path_variable: &str, name: &str| {
            let home = || Some(PathBuf::from(variable("HOME")?).join(".aws").join(name));
            let path = variable(path_variable).map(PathBuf::from).or_else(home)?;
            read_file(&path).map(|text| parse(&text))
        };
        let credential_sections = sections("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let config_sections = sections("AWS_CONFIG_FILE", "config");
        let find = |sections: &Option<Vec<Section>>, name: &str| {
            sections.as_ref()?.iter().rev().find(|section| section.name == name).cloned()
        };
        let credentials = find(&credential_sections, &profile);
        let config = find(&config_sections, &format!("profile {profile}"))
            .or_else(|| find(&config_sections, &profile).filter(|_| profile == "default"));
        if asked_for.is_some() && credentials.is_none() && config.is_none() {
            return Err(Error::Settings(format!(
                "profile {profile:?} is in neither the shared credentials file nor the config file"
            )));
        }
        let services = config
            .as_ref()
            .and_then(|config| config.get("services"))
            .and_then(|name| find(&config_sections, &format!("services {name}")));
        Ok(Self { profile, credentials, config, services })
    }

    pub(super) fn profile(&self) -> &str {
        &self.profile
    }

    /// A setting of the config file.
    pub(super) fn setting(&self, key: &str) -> Option<String> {
        self.config.as_ref()?.get(key).map(str::to_owned)
    }

    /// From the profile's `services` section, else the profile itself.
    pub(super) fn endpoint_url(&self) -> Option<String> {
        let for_service = self
            .services
            .as_ref()
            .and_then(|services| services.nested("kinesis_video", Some("endpoint_url")));
        for_service.map(str::to_owned).or_else(|| self.setting("endpoint_url"))
    }

    /// Static keys; those in the credentials file come first. Profiles that take a role or start
    /// a process are not followed.
    pub(super) fn credentials(&self) -> Option<Result<Credentials, Error>> {
        [&self.credentials, &self.config].into_iter().flatten().find_map(|section| {
            let key = section.get("aws_access_key_id")?;
            let secret = section.get("aws_secret_access_key")?;
            Some(Credentials::new(key, secret, section.get("aws_session_token")))
        })
    }
}
