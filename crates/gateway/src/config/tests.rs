//! The configuration as people write it.

use super::*;

fn hosts(entries: &[(&str, &str)]) -> Result<Hosts, ConfigError> {
    let mut map = HashMap::new();
    for (key, value) in entries {
        map.insert(
            (*key).to_owned(),
            HostTarget::try_from((*value).to_owned())?,
        );
    }
    Hosts::try_from(map)
}

#[test]
fn the_exact_name_wins_over_the_longest_pattern() {
    let hosts = hosts(&[
        ("api.acme.test", "127.0.0.1:8443"),
        ("*.acme.test", "127.0.0.2"),
        ("*.eu.acme.test", "[::1]:99"),
    ])
    .unwrap();
    let found = |name: &str| hosts.get(&name.parse().unwrap());
    let target = |address: &str, port| HostTarget {
        address: address.parse().unwrap(),
        port,
    };
    assert_eq!(
        found("api.acme.test"),
        Some(target("127.0.0.1", Some(8443)))
    );
    assert_eq!(found("x.y.acme.test"), Some(target("127.0.0.2", None)));
    assert_eq!(found("x.eu.acme.test"), Some(target("::1", Some(99))));
    assert_eq!(found("eu.acme.test"), Some(target("127.0.0.2", None)));
    assert_eq!(found("acme.test"), None);
    assert_eq!(found("evilacme.test"), None);
}

#[test]
fn targets_that_are_no_addresses_are_refused() {
    for bad in ["", "api.test", "127.0.0.1:x", "127.0.0.1:70000", "[::1"] {
        let error = hosts(&[("a.test", bad)]).unwrap_err();
        assert_eq!(error, ConfigError::HostTarget(bad.to_owned()));
    }
    assert!(hosts(&[("*", "127.0.0.1")]).is_err());
    assert!(hosts(&[("*.com", "127.0.0.1")]).is_err());
}

#[test]
fn a_proxy_is_a_url_with_or_without_credentials() {
    let proxy = |text: &str| UpstreamProxy::try_from(text.to_owned());
    let plain = proxy("http://proxy.test:3128").unwrap();
    assert_eq!(plain.destination, "proxy.test:3128".parse().unwrap());
    assert_eq!(plain.credentials, None);
    let named = proxy("http://us%40er:p%3Aw%20d@10.0.0.1:8080/").unwrap();
    assert_eq!(named.credentials, Some(Secret::new("us@er:p:w d")));
    for bad in [
        "https://proxy.test:3128",
        "http://proxy.test",
        "http://user:a%0d%0aX@proxy.test:1",
        "http://user:%zz@proxy.test:1",
        "http://proxy.test:1/path",
    ] {
        assert_eq!(proxy(bad), Err(ConfigError::UpstreamProxy), "{bad}");
    }
}

#[test]
fn the_credentials_of_a_proxy_do_not_show_in_an_error_or_a_debug_text() {
    let proxy = UpstreamProxy::try_from("http://u:hunter2@p.test:1".to_owned()).unwrap();
    assert!(!format!("{proxy:?}").contains("hunter2"));
    let error = UpstreamProxy::try_from("http://u:hunter2@p.test".to_owned()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn unknown_keys_are_refused_and_durations_have_units() {
    let parse = serde_json::from_str::<Config>;
    assert!(parse(r#"{"dial": {"host": {}}}"#).is_err());
    assert!(parse(r#"{"forbidden": []}"#).is_err());
    let config = parse(r#"{"limits": {"idle_timeout": "90s", "connections": 5}}"#).unwrap();
    assert_eq!(config.limits.idle_timeout.as_secs(), 90);
    assert_eq!(config.limits.connections, 5);
    assert_eq!(config.limits.connections_per_sandbox, 1024);
}
