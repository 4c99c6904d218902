//! What a rustls client sends, read by us and by a rustls server.

use std::sync::Arc;

use rustls::client::{EchGreaseConfig, EchMode};
use rustls::crypto::aws_lc_rs::{self, hpke};
use rustls::crypto::hpke::Hpke as _;
use rustls::pki_types::ServerName;
use rustls::server::Acceptor;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion, version};

use super::*;

fn config(versions: &[&'static SupportedProtocolVersion], alpn: &[&str]) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

fn send(config: ClientConfig, server: &str) -> Vec<u8> {
    let server = ServerName::try_from(server.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), server).unwrap();
    let mut wire = Vec::new();
    client.write_tls(&mut wire).unwrap();
    wire
}

/// What the server of rustls takes from the same octets.
fn accept(mut wire: &[u8]) -> (Option<String>, Vec<Vec<u8>>) {
    let mut acceptor = Acceptor::default();
    while !wire.is_empty() {
        acceptor.read_tls(&mut wire).unwrap();
        if let Ok(Some(accepted)) = acceptor.accept() {
            let hello = accepted.client_hello();
            let alpn = hello
                .alpn()
                .map(|names| names.map(<[u8]>::to_vec).collect());
            let name = hello.server_name().map(str::to_owned);
            return (name, alpn.unwrap_or_default());
        }
    }
    panic!("rustls found no hello");
}

fn assert_same(wire: &[u8]) {
    let (sni, alpn) = accept(wire);
    let hello = hello(wire);
    assert_eq!(hello.sni.map(String::from), sni);
    assert_eq!(hello.alpn, alpn);
}

#[test]
fn reads_what_a_server_reads() {
    for versions in [
        &[&version::TLS12][..],
        &[&version::TLS13],
        &[&version::TLS12, &version::TLS13],
    ] {
        for alpn in [&[][..], &["h2"], &["h2", "http/1.1", "x"]] {
            for server in [
                "example.com",
                "xn--bcher-kva.example",
                "a.b.c.d.e",
                "192.0.2.1",
            ] {
                let wire = send(config(versions, alpn), server);
                assert_same(&wire);
                let read = assert_incremental(&wire);
                assert!(!read.ech);
                assert_eq!(read.alpn.len(), alpn.len());
                assert_eq!(read.sni.is_none(), server == "192.0.2.1");
            }
        }
    }
}

#[test]
fn reads_a_hello_over_several_records_at_every_split() {
    let wire = send(config(&[&version::TLS13], &["h2"]), "example.com");
    for size in [1, 2, 3, 4, 5, 63, 200, wire.len() - 6] {
        let fragments = fragment(&wire, size);
        let read = assert_incremental(&fragments);
        assert_eq!(read.sni, Some("example.com".parse().unwrap()));
        assert_same(&fragments);
    }
}

#[test]
fn reads_a_hello_that_the_client_itself_fragments() {
    let mut config = config(&[&version::TLS13], &["http/1.1"]);
    config.max_fragment_size = Some(64);
    let wire = send(config, "fragmented.example.com");
    assert_eq!(wire[3..5], [0, 59], "the client did not fragment");
    assert_same(&wire);
    assert_incremental(&wire);
}

#[test]
fn leaves_what_follows_the_hello() {
    let wire = send(config(&[&version::TLS13], &[]), "example.com");
    let followed = [&wire[..], b"\x14\x03\x03\x00\x01\x01early data"].concat();
    assert_eq!(hello(&followed).length, wire.len());
}

#[test]
fn sees_that_the_hello_is_encrypted() {
    let suite = hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;
    let (public, _) = suite.generate_key_pair().unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_ech(EchMode::Grease(EchGreaseConfig::new(suite, public)))
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    assert!(assert_incremental(&send(config, "example.com")).ech);
}
