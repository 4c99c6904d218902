//! The short form of a rule on the command line: `HOST[:PORT]`, `ADDRESS:PORT`, `CIDR[:PORT]`.

use std::net::IpAddr;
use std::num::NonZeroU16;

use ringfence_model::HostPattern;

use super::validate::check_rule;
use super::{Cidr, CidrError, NetworkMatch, NetworkRule};
use crate::error::{PolicyError, quoted};

/// What an `allow` without ports means on the command line, also for a network.
const DEFAULT_PORTS: [u16; 2] = [443, 80];

pub(super) fn rule(spec: &str) -> Result<NetworkRule, PolicyError> {
    let source_name = quoted(spec);
    let terms = read(spec)
        .map_err(|(message, help)| PolicyError::new(&source_name, message).with_help(help))?;
    let rule = NetworkRule::Allow(terms);
    check_rule(&rule).map_err(|fault| fault.into_error(&source_name))?;
    Ok(rule)
}

type Refused = (String, &'static str);

fn read(spec: &str) -> Result<NetworkMatch, Refused> {
    let (target, port) = split_port(spec);
    let ports = port
        .map(|port| read_port(port).map(|port| vec![port]))
        .transpose()?;
    match read_network(target) {
        Some(Ok(cidr)) => Ok(NetworkMatch {
            cidr: Some(cidr),
            ports: Some(ports.unwrap_or_else(default_ports)),
            ..NetworkMatch::default()
        }),
        Some(Err(error)) => Err((error.to_string(), "as in `10.0.0.0/8:443`")),
        None => Ok(NetworkMatch {
            host: Some(read_host(target)?),
            ports,
            ..NetworkMatch::default()
        }),
    }
}

/// The part before the port, without the brackets of an IPv6 address, and the port.
fn split_port(spec: &str) -> (&str, Option<&str>) {
    if let Some(rest) = spec.strip_prefix('[')
        && let Some((target, port)) = rest.split_once(']')
    {
        return match port.strip_prefix(':') {
            Some(port) => (target, Some(port)),
            None if port.is_empty() => (target, None),
            None => (spec, None),
        };
    }
    match spec.split_once(':') {
        Some((target, port)) if !port.contains(':') => (target, Some(port)),
        _ => (spec, None),
    }
}

fn read_port(text: &str) -> Result<NonZeroU16, Refused> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        (
            "a port is a number from 1 to 65535".to_owned(),
            "as in `example.com:8443`",
        )
    })
}

fn read_network(text: &str) -> Option<Result<Cidr, CidrError>> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Ok(Cidr::of(address)));
    }
    text.contains('/').then(|| text.parse())
}

fn read_host(text: &str) -> Result<HostPattern, Refused> {
    text.parse().map_err(|error: ringfence_model::HostError| {
        let help = "write a host name, `*.zone`, an address or a network, and optionally a port";
        (error.to_string(), help)
    })
}

fn default_ports() -> Vec<NonZeroU16> {
    DEFAULT_PORTS
        .into_iter()
        .filter_map(NonZeroU16::new)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::document::Profile;

    #[test]
    fn short_forms_become_the_narrowest_rule_they_name() {
        for (spec, line) in [
            ("Example.com", r#"allow: {host: "example.com"}"#),
            (
                "example.com:8443",
                r#"allow: {host: "example.com", ports: [8443]}"#,
            ),
            (
                "*.example.com:443",
                r#"allow: {host: "*.example.com", ports: [443]}"#,
            ),
            (
                "10.0.0.7:5432",
                r#"allow: {cidr: "10.0.0.7/32", ports: [5432]}"#,
            ),
            (
                "10.0.0.0/8",
                r#"allow: {cidr: "10.0.0.0/8", ports: [443, 80]}"#,
            ),
            (
                "10.0.0.0/8:22",
                r#"allow: {cidr: "10.0.0.0/8", ports: [22]}"#,
            ),
            (
                "[2001:db8::1]:22",
                r#"allow: {cidr: "2001:db8::1/128", ports: [22]}"#,
            ),
            (
                "[2001:db8::/32]:22",
                r#"allow: {cidr: "2001:db8::/32", ports: [22]}"#,
            ),
            (
                "2001:db8::/32",
                r#"allow: {cidr: "2001:db8::/32", ports: [443, 80]}"#,
            ),
            (
                "::ffff:10.0.0.7",
                r#"allow: {cidr: "10.0.0.7/32", ports: [443, 80]}"#,
            ),
            (
                "host.ringfence.internal:3000",
                r#"allow: {host: "host.ringfence.internal", ports: [3000]}"#,
            ),
        ] {
            assert_eq!(Profile::from_allow(spec).unwrap().to_line(), line, "{spec}");
        }
    }

    #[test]
    fn nothing_wide_or_unclear_is_taken() {
        for spec in [
            "",
            ":443",
            "*",
            "*.com",
            "*.co.uk",
            "a.*.com",
            "0.0.0.0/0",
            "::/0",
            "10.0.0.1/8",
            "https://example.com",
            "example.com/path",
            "example.com:",
            "example.com:0",
            "example.com:+443",
            "example.com:65536",
            "example.com:443:443",
            "user@example.com",
            "llm.ringfence.internal",
            "ringfence.internal",
            "*.ringfence.internal",
            "evil\0.example.com",
            "exa mple.com",
            "[2001:db8::1]443",
            "127.1",
        ] {
            assert!(Profile::from_allow(spec).is_err(), "{spec:?}");
        }
    }
}
