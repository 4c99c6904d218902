//! The certificates.

use std::net::IpAddr;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;

fn verify(authority: &Authority, leaf: &CertificateDer<'_>, name: &str, days: u64) -> bool {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let now = UnixTime::now().as_secs() + days * 24 * 60 * 60;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let verified = verifier
        .build()
        .unwrap()
        .verify_server_cert(leaf, &[], &name, &[], now);
    verified.is_ok()
}

fn leaf(authority: &Authority, host: &str) -> CertificateDer<'static> {
    let params = leaf_params(&host.parse().unwrap()).unwrap();
    let signed = params
        .signed_by(&authority.leaf_key, &authority.issuer)
        .unwrap();
    signed.der().clone()
}

#[test]
fn a_certificate_is_for_its_host_alone_and_for_a_short_time() {
    let authority = Authority::new().unwrap();
    for host in ["api.test", "192.0.2.1", "2001:db8::1"] {
        let leaf = leaf(&authority, host);
        assert!(verify(&authority, &leaf, host, 0), "{host}");
        assert!(!verify(&authority, &leaf, "www.api.test", 0));
        assert!(!verify(&authority, &leaf, host, 1));
    }
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    assert!(!verify(
        &authority,
        &leaf(&authority, "api.test"),
        &address.to_string(),
        0
    ));
}

#[test]
fn what_one_authority_signed_no_other_one_vouches_for() {
    let (one, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    assert!(!verify(&other, &leaf(&one, "api.test"), "api.test", 0));
}

#[test]
fn the_key_is_nowhere_to_be_read() {
    let authority = Authority::new().unwrap();
    assert!(!authority.pem().contains("PRIVATE"));
    assert_eq!(format!("{authority:?}"), "Authority { .. }");
}

#[test]
fn the_longest_name_has_a_certificate() {
    let name = [
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(56),
    ];
    let host = format!("{}.test", name.join("."));
    let authority = Authority::new().unwrap();
    let host: Host = host.parse().unwrap();
    authority.config(&host).unwrap();
    assert!(Arc::ptr_eq(
        &authority.config(&host).unwrap(),
        &authority.config(&host).unwrap()
    ));
}
