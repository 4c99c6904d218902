//! The handshake: what a client is shown, and what is said of one that does not take it.

use rustls::{HandshakeKind, version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_the_protocol_is_agreed_on() {
    let authority = Arc::new(Authority::new().unwrap());
    for (tls, protocols, agreed) in [
        (&version::TLS13, &["h2", "http/1.1"][..], Some(&b"h2"[..])),
        (&version::TLS12, &["http/1.1"], Some(b"http/1.1")),
        (&version::TLS13, &[], None),
    ] {
        let service = Arc::new(Echo::default());
        let (socket, serving) = intercepted(&authority, service, Limits::default()).await;
        let mut config = client_config(&authority, protocols);
        config = with_version(config, &authority, tls, protocols);
        let mut stream = connect(config, "api.test", socket).await.unwrap();
        let connection = stream.get_ref().1;
        assert_eq!(connection.alpn_protocol(), agreed);
        assert_eq!(connection.protocol_version(), Some(tls.version));
        if agreed != Some(b"h2") {
            assert!(ask(&mut stream).await.contains("GET /x"));
        }
        drop(stream);
        serving.await.unwrap();
    }
}

fn with_version(
    like: ClientConfig,
    authority: &Authority,
    tls: &'static rustls::SupportedProtocolVersion,
    protocols: &[&str],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let pem = authority.pem().as_bytes();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(pem).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::clone(like.crypto_provider()))
        .with_protocol_versions(&[tls])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    config
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_is_told_of_in_words() {
    let authority = Arc::new(Authority::new().unwrap());
    let other = Authority::new().unwrap();
    let service = Arc::new(Echo::default());
    let (socket, serving) = intercepted(&authority, service.clone(), Limits::default()).await;
    let refused = connect(client_config(&other, &[]), "api.test", socket).await;
    assert!(refused.is_err());
    let Ending::Broken(error) = serving.await.unwrap() else {
        panic!("the handshake succeeded");
    };
    let words = error.to_string();
    assert!(
        words.contains("does not trust the sandbox's authority"),
        "{words}"
    );
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn a_client_that_closes_after_the_handshake_may_not_trust_the_authority() {
    let authority = Arc::new(Authority::new().unwrap());
    for protocols in [&["h2"][..], &[]] {
        let service = Arc::new(Echo::default());
        let (socket, serving) = intercepted(&authority, service, Limits::default()).await;
        let config = client_config(&authority, protocols);
        let mut stream = connect(config, "api.test", socket).await.unwrap();
        stream.shutdown().await.unwrap();
        drop(stream);
        let ending = serving.await.unwrap();
        let Ending::Broken(error) = ending else {
            panic!("{ending:?}");
        };
        assert!(error.to_string().contains("may not trust"), "{error}");
    }
}

#[tokio::test]
async fn a_client_that_speaks_another_protocol_is_refused() {
    let authority = Arc::new(Authority::new().unwrap());
    let service = Arc::new(Echo::default());
    let (socket, serving) = intercepted(&authority, service, Limits::default()).await;
    let config = client_config(&authority, &["postgresql"]);
    assert!(connect(config, "api.test", socket).await.is_err());
    assert!(matches!(serving.await.unwrap(), Ending::Broken(_)));
}

#[tokio::test]
async fn a_silent_client_does_not_keep_a_handshake_open() {
    let authority = Arc::new(Authority::new().unwrap());
    let limits = Limits {
        head_timeout: std::time::Duration::from_millis(20),
        ..Limits::default()
    };
    let (_socket, serving) = intercepted(&authority, Arc::new(Echo::default()), limits).await;
    let Ending::Broken(error) = serving.await.unwrap() else {
        panic!("the handshake succeeded");
    };
    assert_eq!(error.to_string(), TlsFault::TimedOut.to_string());
}

#[tokio::test]
async fn a_second_connection_resumes_the_first_and_one_to_another_authority_does_not() {
    let authority = Arc::new(Authority::new().unwrap());
    let config = client_config(&authority, &[]);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let service = Arc::new(Echo::default());
        let (socket, serving) = intercepted(&authority, service, Limits::default()).await;
        let mut stream = connect(config.clone(), "api.test", socket).await.unwrap();
        ask(&mut stream).await;
        kinds.push(stream.get_ref().1.handshake_kind().unwrap());
        drop(stream);
        serving.await.unwrap();
    }
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);

    let other = Arc::new(Authority::new().unwrap());
    let (socket, serving) = intercepted(&other, Arc::new(Echo::default()), Limits::default()).await;
    assert!(connect(config, "api.test", socket).await.is_err());
    serving.await.unwrap();
}
