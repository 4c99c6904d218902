//! A client certificate: shown to the upstream that it is for, by the gateway.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ringfence_testkit::issuer::keys::ClientKey;
use ringfence_testkit::port::ReservedPort;
use ringfence_testkit::process::{Server, command};

use super::desk::Desk;

const PROFILE: &str = "apiVersion: ringfence/v1\nkind: Profile\nname: crm\napi:\n  - allow: { host: crm.acme.test, paths: [/], credential: crm }\n  - allow: { host: crm.acme.test, paths: [/open] }\n";

/// nginx that asks for a client certificate and says whose it got.
struct Mutual {
    _server: Server,
    port: ReservedPort,
}

impl Mutual {
    fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

fn start(desk: &Desk, trusted: &Path) -> Mutual {
    let leaf = desk.ca.leaf(&["crm.acme.test"]).unwrap();
    let port = ReservedPort::new().unwrap();
    let own = desk.host.workdir().dir("mutual").unwrap();
    let (own_path, trusted) = (own.display(), trusted.display());
    let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
    let address = port.address();
    let config = format!(
        "daemon off; master_process off; pid {own_path}/pid; error_log stderr; events {{}}
        http {{
            access_log off;
            client_body_temp_path {own_path}/a; proxy_temp_path {own_path}/b; fastcgi_temp_path {own_path}/c; uwsgi_temp_path {own_path}/d; scgi_temp_path {own_path}/e;
            server {{
                listen {address} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
                ssl_verify_client optional; ssl_client_certificate {trusted};
                location / {{ return 200 '$ssl_client_verify $ssl_client_s_dn'; }}
            }}
        }}"
    );
    let file = desk
        .host
        .workdir()
        .file("mutual/nginx.conf", config)
        .unwrap();
    let mut nginx = command("nginx");
    nginx
        .args(["-e", "stderr", "-p"])
        .arg(&own)
        .arg("-c")
        .arg(file);
    let mut server = Server::start(desk.host.workdir(), "mutual", &mut nginx).unwrap();
    server.wait_for_port(port.address()).unwrap();
    Mutual {
        _server: server,
        port,
    }
}

#[test]
fn a_client_certificate_is_shown_to_its_upstream_and_its_key_to_nobody() {
    let mut desk = Desk::new();
    let workdir = desk.host.workdir();
    let key = ClientKey::p256(workdir, "client").unwrap();
    let certificate = key.certificate().unwrap();
    let file = |name: &str, text: &str| -> PathBuf { workdir.file(name, text).unwrap() };
    let (key_file, certificate_file) = (
        file("client.pem", &key.private_pem),
        file("client.crt", &certificate),
    );
    for path in [&key_file, &certificate_file] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let server = start(&desk, &certificate_file);
    desk.host.name("crm.acme.test", server.address());
    let (key_field, certificate_field) = (
        format!("private_key={}", key_file.display()),
        format!("certificate={}", certificate_file.display()),
    );
    let usual = ["crm", "--kind", "mtls", "--host", "crm.acme.test"];
    let secrets = [
        "--secret-file",
        &key_field,
        "--secret-file",
        &certificate_field,
    ];
    desk.keep(&[&usual[..], &secrets].concat(), "");
    desk.host.profile("crm", PROFILE);
    let ended = desk.host.run().profile("crm").sh(
        "curl -sS --fail https://crm.acme.test/ > with; curl -sS https://crm.acme.test/open > without; true",
    );
    assert!(
        desk.read("with").contains("CN = agent") || desk.read("with").contains("CN=agent"),
        "{} {ended}",
        desk.read("with")
    );
    assert!(
        !desk.read("without").contains("agent"),
        "{} {ended}",
        desk.read("without")
    );
    let line = key.private_pem.lines().nth(1).unwrap();
    desk.assert_not_inside(&[line]);
}
