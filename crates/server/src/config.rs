//! How the server is told what to do: flags, then `STREAMKEEP_*` variables, then the
//! configuration file, then defaults.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;
use streamkeep_delivery::HttpUrl;

/// Port of the default listener.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8400";

/// Options of `streamkeep serve`. Each also comes from the variable shown and, by the same name
/// with underscores, from the configuration file.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeArgs {
    /// Where everything is kept [default: ./streamkeep-data]
    #[arg(long, value_name = "DIR", env = "STREAMKEEP_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Address for plain HTTP; loopback only [default: 127.0.0.1:8400; "none" for no plain HTTP]
    #[arg(long, value_name = "ADDR", env = "STREAMKEEP_LISTEN")]
    pub(crate) listen: Option<String>,

    /// Address for HTTPS, any interface
    #[arg(long, value_name = "ADDR", env = "STREAMKEEP_TLS_LISTEN")]
    pub(crate) tls_listen: Option<SocketAddr>,

    /// Certificate chain for HTTPS, PEM; without it the server makes its own authority
    #[arg(long, value_name = "FILE", env = "STREAMKEEP_TLS_CERT", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key of --tls-cert, PEM
    #[arg(long, value_name = "FILE", env = "STREAMKEEP_TLS_KEY", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// What clients are told to connect to, for example `https://video.example.org`; without it
    /// they are sent to the address they reached
    #[arg(long, value_name = "URL", env = "STREAMKEEP_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,

    /// Region in resource names [default: us-east-1]
    #[arg(long, value_name = "REGION", env = "STREAMKEEP_REGION")]
    pub(crate) region: Option<String>,

    /// Twelve-digit account in resource names [default: 000000000000]
    #[arg(long, value_name = "ID", env = "STREAMKEEP_ACCOUNT")]
    pub(crate) account: Option<String>,

    /// Limits on what clients may do
    #[arg(long, value_enum, value_name = "SET", env = "STREAMKEEP_QUOTAS")]
    pub(crate) quotas: Option<QuotaSet>,

    /// Size of one volume file in MiB [default: 1024, less on a small disk]
    #[arg(long, value_name = "MIB", env = "STREAMKEEP_VOLUME_SIZE_MIB")]
    pub(crate) volume_size_mib: Option<u64>,

    /// Log lines as text or JSON [default: text]
    #[arg(long, value_enum, value_name = "FORM", env = "STREAMKEEP_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// S3 server for the images of streams [default: AWS]; its key comes from the variables
    /// STREAMKEEP_S3_ACCESS_KEY_ID and STREAMKEEP_S3_SECRET_ACCESS_KEY, without which images for
    /// buckets are given up
    #[arg(long, value_name = "URL", env = "STREAMKEEP_S3_ENDPOINT")]
    pub(crate) s3_endpoint: Option<String>,

    /// Region to sign for at the S3 server [default: that of the stream's configuration]
    #[arg(long, value_name = "REGION", env = "STREAMKEEP_S3_REGION")]
    pub(crate) s3_region: Option<String>,

    /// Put the bucket into the path, not the host name [default: true with --s3-endpoint]
    #[arg(long, value_name = "BOOL", env = "STREAMKEEP_S3_PATH_STYLE")]
    pub(crate) s3_path_style: Option<bool>,

    /// SNS server for the notifications of streams [default: AWS]; its key comes from the variables
    /// STREAMKEEP_SNS_ACCESS_KEY_ID and STREAMKEEP_SNS_SECRET_ACCESS_KEY
    #[arg(long, value_name = "URL", env = "STREAMKEEP_SNS_ENDPOINT")]
    pub(crate) sns_endpoint: Option<String>,

    /// Host names, addresses and networks that webhooks may reach although they are not public,
    /// separated by commas; webhooks are signed with the secret in STREAMKEEP_WEBHOOK_SECRET
    #[arg(long, value_name = "LIST", env = "STREAMKEEP_DELIVERY_ALLOW", value_delimiter = ',')]
    pub(crate) delivery_allow: Option<Vec<String>>,

    /// Certificate authorities of S3, SNS and webhooks besides those of the system, PEM
    #[arg(long, value_name = "FILE", env = "STREAMKEEP_DELIVERY_CA")]
    pub(crate) delivery_ca: Option<PathBuf>,

    /// Where the images of streams with a file:/// destination go [default: images in the data
    /// directory]
    #[arg(long, value_name = "DIR", env = "STREAMKEEP_IMAGE_DIR")]
    pub(crate) image_dir: Option<PathBuf>,

    /// Configuration file, TOML
    #[arg(long, value_name = "FILE", env = "STREAMKEEP_CONFIG")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
}

/// What clients may do (quotas.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QuotaSet {
    /// Sizes, counts and durations that guard the server and the format (the default)
    #[default]
    Protective,
    /// The published figures of the original service, call rates too
    Kvs,
    /// Only what the format needs
    Off,
}

/// Form of log lines on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON object a line
    Json,
}

/// The options with files read, defaults filled in and rules checked.
#[derive(Clone, Debug)]
pub(crate) struct ServeConfig {
    pub(crate) data_dir: PathBuf,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) tls_listen: Option<SocketAddr>,
    pub(crate) tls_files: Option<(PathBuf, PathBuf)>,
    pub(crate) public_url: Option<String>,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) quotas: QuotaSet,
    pub(crate) volume_size: Option<u64>,
    pub(crate) log_format: LogFormat,
    pub(crate) delivery: DeliveryOptions,
}

/// How images and notifications leave the server. Secrets are not here: they come from variables
/// only, and are read where they are used.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryOptions {
    pub(crate) s3_endpoint: Option<HttpUrl>,
    pub(crate) s3_region: Option<String>,
    pub(crate) s3_path_style: Option<bool>,
    pub(crate) sns_endpoint: Option<HttpUrl>,
    pub(crate) allow: Vec<String>,
    pub(crate) ca_bundle: Option<PathBuf>,
    pub(crate) image_dir: Option<PathBuf>,
}

/// Why the options cannot be used: which, and what is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(pub(crate) String);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl ServeArgs {
    /// Reads the configuration file, if one is named, and resolves everything.
    pub(crate) fn resolve(self) -> Result<ServeConfig, ConfigError> {
        let file = match &self.config {
            Some(path) => read_file(path)?,
            None => Self::default(),
        };
        let merged = self.or(file);
        let listen = match merged.listen.as_deref().unwrap_or(DEFAULT_LISTEN) {
            "none" => None,
            text => Some(parse_listen(text)?),
        };
        if listen.is_none() && merged.tls_listen.is_none() {
            return Err(ConfigError(
                "nothing to listen on: --listen is none and --tls-listen is not given".into(),
            ));
        }
        Ok(ServeConfig {
            data_dir: merged.data_dir.unwrap_or_else(|| PathBuf::from("streamkeep-data")),
            listen,
            tls_listen: merged.tls_listen,
            tls_files: merged.tls_cert.zip(merged.tls_key),
            public_url: merged.public_url.map(|url| parse_public_url(&url)).transpose()?,
            region: parse_region(merged.region.unwrap_or_else(|| "us-east-1".into()))?,
            account: parse_account(merged.account.unwrap_or_else(|| "000000000000".into()))?,
            quotas: merged.quotas.unwrap_or_default(),
            volume_size: merged.volume_size_mib.map(parse_volume_size).transpose()?,
            log_format: merged.log_format.unwrap_or_default(),
            delivery: DeliveryOptions {
                s3_endpoint: parse_endpoint("--s3-endpoint", merged.s3_endpoint)?,
                s3_region: merged.s3_region,
                s3_path_style: merged.s3_path_style,
                sns_endpoint: parse_endpoint("--sns-endpoint", merged.sns_endpoint)?,
                allow: merged.delivery_allow.unwrap_or_default(),
                ca_bundle: merged.delivery_ca,
                image_dir: merged.image_dir,
            },
        })
    }

    fn or(self, other: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(other.data_dir),
            listen: self.listen.or(other.listen),
            tls_listen: self.tls_listen.or(other.tls_listen),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            public_url: self.public_url.or(other.public_url),
            region: self.region.or(other.region),
            account: self.account.or(other.account),
            quotas: self.quotas.or(other.quotas),
            volume_size_mib: self.volume_size_mib.or(other.volume_size_mib),
            log_format: self.log_format.or(other.log_format),
            s3_endpoint: self.s3_endpoint.or(other.s3_endpoint),
            s3_region: self.s3_region.or(other.s3_region),
            s3_path_style: self.s3_path_style.or(other.s3_path_style),
            sns_endpoint: self.sns_endpoint.or(other.sns_endpoint),
            delivery_allow: self.delivery_allow.or(other.delivery_allow),
            delivery_ca: self.delivery_ca.or(other.delivery_ca),
            image_dir: self.image_dir.or(other.image_dir),
            config: self.config,
        }
    }
}

fn read_file(path: &Path) -> Result<ServeArgs, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?;
    toml::from_str(&text)
        .map_err(|error| ConfigError(format!("{}: {}", path.display(), error.message())))
}

fn parse_listen(text: &str) -> Result<SocketAddr, ConfigError> {
    let addr: SocketAddr = text.parse().map_err(|_| {
        ConfigError(format!("--listen {text}: expected ADDRESS:PORT, such as {DEFAULT_LISTEN}"))
    })?;
    if !is_loopback(addr.ip()) {
        return Err(ConfigError(format!(
            "--listen {text}: plain HTTP is for loopback only, because footage and credentials \
             would cross the network in clear; use --tls-listen {text}"
        )));
    }
    Ok(addr)
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn parse_public_url(text: &str) -> Result<String, ConfigError> {
    let bad = |why: &str| {
        ConfigError(format!("--public-url {text}: {why}; expected http(s)://HOST[:PORT]"))
    };
    let uri: http::Uri = text.parse().map_err(|_| bad("not a URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(bad("the scheme is neither http nor https"));
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(bad("no host"));
    }
    // Clients append `/putMedia` and the like as text.
    if uri.path() != "/" || uri.query().is_some() {
        return Err(bad("a path or query cannot be carried by clients"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn parse_endpoint(option: &str, url: Option<String>) -> Result<Option<HttpUrl>, ConfigError> {
    let parse = |url: String| {
        HttpUrl::parse(&url).map_err(|error| ConfigError(format!("{option} {url}: {error}")))
    };
    url.map(parse).transpose()
}

fn parse_region(region: String) -> Result<String, ConfigError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(allowed) {
        return Err(ConfigError(format!("--region {region}: expected a name such as eu-west-1")));
    }
    Ok(region)
}

fn parse_account(account: String) -> Result<String, ConfigError> {
    if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ConfigError(format!("--account {account}: expected twelve digits")));
    }
    Ok(account)
}

fn parse_volume_size(mib: u64) -> Result<u64, ConfigError> {
    // A fragment may be 50 MB and must fit a volume; offsets of a footer are checked to 4 GiB.
    if !(64..=4096).contains(&mib) {
        return Err(ConfigError(format!("--volume-size-mib {mib}: expected 64 to 4096")));
    }
    Ok(mib << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(change: impl FnOnce(&mut ServeArgs)) -> Result<ServeConfig, ConfigError> {
        let mut args = ServeArgs::default();
        change(&mut args);
        args.resolve()
    }

    #[test]
    fn defaults() {
        let config = resolve(|_| {}).expect("defaults are valid");
        assert_eq!(config.listen, Some("127.0.0.1:8400".parse().unwrap()));
        assert_eq!(config.tls_listen, None);
        assert_eq!(
            (config.region.as_str(), config.account.as_str()),
            ("us-east-1", "000000000000")
        );
        assert_eq!(config.quotas, QuotaSet::Protective);
    }

    #[test]
    fn plain_http_beyond_loopback_is_refused() {
        for addr in ["0.0.0.0:8400", "192.168.1.5:80", "[::]:8400"] {
            let error = resolve(|args| args.listen = Some(addr.into())).unwrap_err();
            assert!(error.0.contains("--tls-listen"), "{error}");
        }
        for addr in ["127.0.0.1:0", "[::1]:8400", "127.9.9.9:1"] {
            assert!(resolve(|args| args.listen = Some(addr.into())).is_ok(), "{addr}");
        }
        assert!(resolve(|args| args.listen = Some("none".into())).is_err());
    }

    #[test]
    fn public_url_is_an_origin() {
        let url = |text: &str| {
            resolve(|args| args.public_url = Some(text.into())).map(|config| config.public_url)
        };
        assert_eq!(url("https://v.example.org/"), Ok(Some("https://v.example.org".into())));
        assert_eq!(url("http://10.0.0.1:8400"), Ok(Some("http://10.0.0.1:8400".into())));
        for bad in ["v.example.org", "ftp://h", "https://h/path", "https://h?x=1", "https://"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("streamkeep.toml");
        std::fs::write(&path, "region = \"eu-west-1\"\naccount = \"123456789012\"\n").unwrap();
        let config = resolve(|args| {
            args.config = Some(path.clone());
            args.region = Some("us-west-2".into());
        })
        .unwrap();
        assert_eq!(
            (config.region.as_str(), config.account.as_str()),
            ("us-west-2", "123456789012")
        );
        std::fs::write(&path, "regoin = \"x\"\n").unwrap();
        let error = resolve(|args| args.config = Some(path)).unwrap_err();
        assert!(error.0.contains("regoin"), "{error}");
    }

    #[test]
    fn bad_values_name_their_option() {
        for (change, option) in [
            ((|args| args.account = Some("12".into())) as fn(&mut ServeArgs), "--account"),
            (|args| args.region = Some("EU West".into()), "--region"),
            (|args| args.volume_size_mib = Some(1), "--volume-size-mib"),
            (|args| args.listen = Some("8400".into()), "--listen"),
            (|args| args.s3_endpoint = Some("minio:9000".into()), "--s3-endpoint"),
            (|args| args.sns_endpoint = Some("ftp://h".into()), "--sns-endpoint"),
        ] {
            assert!(resolve(change).unwrap_err().0.contains(option), "{option}");
        }
    }
}
