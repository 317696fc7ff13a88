//! Which addresses may be contacted: the one place that decides it, against server-side request
//! forgery.
//!
//! *The attack.* Who may set a stream's notification URL, or run a DNS server, makes this server
//! call what only it can reach: a router, a database, the credentials service of its cloud.
//! Checking the URL's text does not help: a name can resolve to anything, to one thing when it is
//! checked and to another when it is used, and a redirect can point anywhere.
//!
//! *What is done.* A host is resolved once. Each address is checked here, the connection goes to
//! a checked address and to no other, and no redirect is followed. Only globally routed unicast
//! addresses pass (IANA IPv4 and IPv6 Special-Purpose Address Registries); forms that carry an
//! IPv4 address inside an IPv6 one do not.
//!
//! *Exceptions* are the operator's: host names, addresses and networks. A name opens whatever it
//! resolves to, except the metadata services of clouds, which need an address or a network. A
//! server of his own that he configures as *the* S3 or SNS endpoint is allowed by that, for these
//! calls alone: users choose buckets and topics there, not hosts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Decides whether an address may be contacted.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// Every host name opens what it resolves to.
    any_host: bool,
    hosts: Vec<String>,
    networks: Vec<Network>,
}

impl AddressPolicy {
    /// Public addresses only.
    pub fn public_only() -> Self {
        Self::default()
    }

    /// Public addresses, and those that `allowed` names: `minio.internal`, `10.1.2.3`,
    /// `10.0.0.0/8`, `::1`, `fd00::/8`.
    ///
    /// # Errors
    /// An entry that is none of these, or a network with bits set past its length, which is
    /// usually a mistyped one.
    pub fn allowing<'a>(
        allowed: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, BadAllowedEntry> {
        let mut policy = Self::default();
        for entry in allowed {
            let bad = || BadAllowedEntry { entry: entry.into() };
            if entry.contains('/') || entry.contains(':') || entry.parse::<IpAddr>().is_ok() {
                policy.networks.push(Network::parse(entry).ok_or_else(bad)?);
            } else if is_host_name(entry) {
                policy.hosts.push(entry.trim_end_matches('.').to_ascii_lowercase());
            } else {
                return Err(bad());
            }
        }
        Ok(policy)
    }

    /// Any address but those of metadata services: for hosts that the operator configured, never
    /// for one that a user or a producer chose.
    pub fn configured_endpoint() -> Self {
        Self { any_host: true, ..Self::default() }
    }

    /// Whether `address`, to which `host` resolved, may be contacted.
    ///
    /// # Errors
    /// The range that forbids it.
    pub fn check(&self, host: &str, address: IpAddr) -> Result<(), Range> {
        let Some(range) = Range::of(address) else { return Ok(()) };
        let host = host.trim_end_matches('.');
        let by_name = range != Range::Metadata
            && (self.any_host || self.hosts.iter().any(|each| each.eq_ignore_ascii_case(host)));
        let allowed = by_name || self.networks.iter().any(|network| network.contains(address));
        if allowed { Ok(()) } else { Err(range) }
    }
}

/// An allow-list entry that is no host name, address or network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAllowedEntry {
    /// The entry.
    pub entry: String,
}

impl fmt::Display for BadAllowedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no host name, address or network", self.entry)
    }
}

impl std::error::Error for BadAllowedEntry {}

/// A kind of address that is not contacted unless allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Range {
    /// Credentials and user data of the machine, in the clouds.
    Metadata,
    /// `0.0.0.0/8`, `::`: this host, on some systems.
    Unspecified,
    /// This host.
    Loopback,
    /// RFC 1918, RFC 4193.
    Private,
    /// RFC 3927, RFC 4291 §2.5.6.
    LinkLocal,
    /// RFC 6598: behind a carrier's address translation.
    SharedAddress,
    /// RFC 5771, RFC 4291 §2.7.
    Multicast,
    /// RFC 5737, RFC 3849, RFC 9637.
    Documentation,
    /// An IPv6 address with an IPv4 address inside: mapped, compatible, 6to4, NAT64, Teredo.
    EmbedsV4,
    /// Anything else that is not globally routed unicast.
    Reserved,
}

impl Range {
    /// The forbidden range that holds `address`; `None` when it is public.
    fn of(address: IpAddr) -> Option<Self> {
        if METADATA.contains(&address) {
            return Some(Self::Metadata);
        }
        let ranges = match address {
            IpAddr::V4(_) => RANGES_V4,
            IpAddr::V6(_) => RANGES_V6,
        };
        let found = ranges.iter().find(|(network, _)| network.contains(address));
        match (found, address) {
            (Some((_, range)), _) => Some(*range),
            // Global unicast is 2000::/3 (IANA "Internet Protocol Version 6 Address Space").
            (None, IpAddr::V6(v6)) if v6.segments()[0] & 0xe000 != 0x2000 => Some(Self::Reserved),
            (None, _) => None,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "a metadata service",
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::SharedAddress => "a shared (carrier) address",
            Self::Multicast => "a multicast address",
            Self::Documentation => "a documentation address",
            Self::EmbedsV4 => "an IPv6 address that embeds an IPv4 one",
            Self::Reserved => "a reserved address",
        })
    }
}

/// Addresses with the same first bits.
#[derive(Clone, Copy, Debug)]
struct Network {
    /// IPv4 addresses in the low 32 bits.
    bits: u128,
    is_v6: bool,
    prefix_len: u32,
}

impl Network {
    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix_len: u32) -> Self {
        let bits = Ipv4Addr::new(a, b, c, d).to_bits() as u128;
        Self { bits, is_v6: false, prefix_len }
    }

    const fn v6(segments: [u16; 8], prefix_len: u32) -> Self {
        let [a, b, c, d, e, f, g, h] = segments;
        let bits = Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits();
        Self { bits, is_v6: true, prefix_len }
    }

    fn parse(text: &str) -> Option<Self> {
        let (address, prefix_len) = match text.split_once('/') {
            Some((address, len)) if len.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(len.parse().ok()?))
            }
            Some(_) => return None,
            None => (text, None),
        };
        let (bits, width) = bits(address.parse().ok()?);
        let network = Self { bits, is_v6: width == 128, prefix_len: prefix_len.unwrap_or(width) };
        let fits = network.prefix_len <= width && network.masked(bits) == bits;
        fits.then_some(network)
    }

    fn contains(&self, address: IpAddr) -> bool {
        let (bits, width) = bits(address);
        (width == 128) == self.is_v6 && self.masked(bits) == self.bits
    }

    fn masked(&self, bits: u128) -> u128 {
        let width = if self.is_v6 { 128 } else { 32 };
        let host_len = width - self.prefix_len;
        bits.checked_shr(host_len).unwrap_or(0).checked_shl(host_len).unwrap_or(0)
    }
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

fn is_host_name(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// AWS, Azure, GCP and others; AWS over IPv6; GCP over IPv6; Alibaba; the Azure host; Oracle; ECS
/// and EKS task credentials.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

const RANGES_V4: &[(Network, Range)] = &[
    (Network::v4(0, 0, 0, 0, 8), Range::Unspecified),
    (Network::v4(10, 0, 0, 0, 8), Range::Private),
    (Network::v4(100, 64, 0, 0, 10), Range::SharedAddress),
    (Network::v4(127, 0, 0, 0, 8), Range::Loopback),
    (Network::v4(169, 254, 0, 0, 16), Range::LinkLocal),
    (Network::v4(172, 16, 0, 0, 12), Range::Private),
    (Network::v4(192, 0, 0, 0, 24), Range::Reserved), // RFC 6890 §2.1
    (Network::v4(192, 0, 2, 0, 24), Range::Documentation),
    (Network::v4(192, 88, 99, 0, 24), Range::Reserved), // RFC 7526: 6to4 relays
    (Network::v4(192, 168, 0, 0, 16), Range::Private),
    (Network::v4(198, 18, 0, 0, 15), Range::Reserved), // RFC 2544: benchmarks
    (Network::v4(198, 51, 100, 0, 24), Range::Documentation),
    (Network::v4(203, 0, 113, 0, 24), Range::Documentation),
    (Network::v4(224, 0, 0, 0, 4), Range::Multicast),
    (Network::v4(240, 0, 0, 0, 4), Range::Reserved), // and broadcast
];

const RANGES_V6: &[(Network, Range)] = &[
    (Network::v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Range::Unspecified),
    (Network::v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Range::Loopback),
    (Network::v6([0, 0, 0, 0, 0, 0, 0, 0], 96), Range::EmbedsV4), // RFC 4291 §2.5.5.1: compatible
    (Network::v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), Range::EmbedsV4), // §2.5.5.2: mapped
    (Network::v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), Range::EmbedsV4), // RFC 6052: NAT64
    (Network::v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Range::EmbedsV4), // RFC 8215: local NAT64
    (Network::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), Range::EmbedsV4), // RFC 4380: Teredo
    (Network::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Range::Reserved), // RFC 2928
    (Network::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), Range::Documentation),
    (Network::v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), Range::EmbedsV4), // RFC 3056: 6to4
    (Network::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Range::Documentation),
    (Network::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Range::Private),
    (Network::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Range::LinkLocal),
    (Network::v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Range::Multicast),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<Range>) {
        let policy = AddressPolicy::public_only();
        let found = policy.check("host.example", address.parse().unwrap()).err();
        assert_eq!(found, expected, "{address}");
    }

    #[test]
    fn ranges() {
        for (address, range) in [
            ("8.8.8.8", None),
            ("1.1.1.1", None),
            ("9.255.255.255", None),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.128.0.0", None),
            ("126.255.255.255", None),
            ("128.0.0.0", None),
            ("172.15.255.255", None),
            ("172.32.0.0", None),
            ("192.167.255.255", None),
            ("192.169.0.0", None),
            ("198.17.255.255", None),
            ("198.20.0.0", None),
            ("223.255.255.255", None),
            ("2606:4700:4700::1111", None),
            ("2a00:1450:4001::1", None),
            ("0.0.0.0", Some(Range::Unspecified)),
            ("0.1.2.3", Some(Range::Unspecified)),
            ("10.0.0.1", Some(Range::Private)),
            ("10.255.255.255", Some(Range::Private)),
            ("100.64.0.1", Some(Range::SharedAddress)),
            ("127.0.0.1", Some(Range::Loopback)),
            ("127.255.255.255", Some(Range::Loopback)),
            ("169.254.1.1", Some(Range::LinkLocal)),
            ("169.254.169.254", Some(Range::Metadata)),
            ("168.63.129.16", Some(Range::Metadata)),
            ("100.100.100.200", Some(Range::Metadata)),
            ("172.16.0.1", Some(Range::Private)),
            ("172.31.255.255", Some(Range::Private)),
            ("192.0.0.1", Some(Range::Reserved)),
            ("192.0.2.1", Some(Range::Documentation)),
            ("192.168.1.1", Some(Range::Private)),
            ("198.19.0.1", Some(Range::Reserved)),
            ("198.51.100.1", Some(Range::Documentation)),
            ("203.0.113.1", Some(Range::Documentation)),
            ("224.0.0.1", Some(Range::Multicast)),
            ("239.255.255.250", Some(Range::Multicast)),
            ("240.0.0.1", Some(Range::Reserved)),
            ("255.255.255.255", Some(Range::Reserved)),
            ("::", Some(Range::Unspecified)),
            ("::1", Some(Range::Loopback)),
            ("::7f00:1", Some(Range::EmbedsV4)),
            ("::ffff:127.0.0.1", Some(Range::EmbedsV4)),
            ("::ffff:8.8.8.8", Some(Range::EmbedsV4)),
            ("64:ff9b::7f00:1", Some(Range::EmbedsV4)),
            ("64:ff9b:1::a", Some(Range::EmbedsV4)),
            ("2001::1", Some(Range::EmbedsV4)),
            ("2001:20::1", Some(Range::Reserved)),
            ("2001:db8::1", Some(Range::Documentation)),
            ("2002:7f00:1::", Some(Range::EmbedsV4)),
            ("3fff::1", Some(Range::Documentation)),
            ("fc00::1", Some(Range::Private)),
            ("fd00:ec2::254", Some(Range::Metadata)),
            ("fe80::1", Some(Range::LinkLocal)),
            ("fec0::1", Some(Range::Reserved)),
            ("ff02::1", Some(Range::Multicast)),
            ("5f00::1", Some(Range::Reserved)),
            ("4000::1", Some(Range::Reserved)),
            ("100::1", Some(Range::Reserved)),
        ] {
            check(address, range);
        }
    }

    fn allowed(entries: &[&str], host: &str, address: &str) -> bool {
        let policy = AddressPolicy::allowing(entries.iter().copied()).unwrap();
        policy.check(host, address.parse().unwrap()).is_ok()
    }

    #[test]
    fn exceptions() {
        for (entries, host, address, expected) in [
            (&["10.0.0.0/8"][..], "h", "10.1.2.3", true),
            (&["10.0.0.0/8"], "h", "11.1.2.3", true),
            (&["10.0.0.0/8"], "h", "192.168.0.1", false),
            (&["10.1.2.3"], "h", "10.1.2.3", true),
            (&["10.1.2.3"], "h", "10.1.2.4", false),
            (&["127.0.0.0/8"], "h", "::ffff:127.0.0.1", false),
            (&["::ffff:7f00:0/104"], "h", "::ffff:127.0.0.1", true),
            (&["::1"], "h", "::1", true),
            (&["0.0.0.0/0"], "h", "127.0.0.1", true),
            (&["0.0.0.0/0"], "h", "::1", false),
            (&["::/0"], "h", "fe80::1", true),
            (&["fd00::/8"], "h", "fd12::1", true),
            (&["minio"], "minio", "172.18.0.3", true),
            (&["minio"], "MinIO.", "172.18.0.3", true),
            (&["minio"], "minio.evil.example", "172.18.0.3", false),
            (&["minio"], "172.18.0.3", "172.18.0.3", false),
            // A name never opens a metadata service, a network does.
            (&["minio"], "minio", "169.254.169.254", false),
            (&["169.254.169.254"], "h", "169.254.169.254", true),
        ] {
            assert_eq!(allowed(entries, host, address), expected, "{entries:?} {host} {address}");
        }
    }

    #[test]
    fn configured_endpoints() {
        let policy = AddressPolicy::configured_endpoint();
        for (address, expected) in [
            ("127.0.0.1", Ok(())),
            ("192.168.1.1", Ok(())),
            ("8.8.8.8", Ok(())),
            ("169.254.169.254", Err(Range::Metadata)),
            ("fd00:ec2::254", Err(Range::Metadata)),
        ] {
            assert_eq!(policy.check("h", address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn entries() {
        for entry in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "a/8",
            "a b",
            "*",
            "[::1]",
            "-a",
        ] {
            assert_eq!(
                AddressPolicy::allowing([entry]).unwrap_err(),
                BadAllowedEntry { entry: entry.into() }
            );
        }
    }
}
