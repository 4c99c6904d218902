//! nginx as the upstream web server: HTTPS (HTTP/1.1 and HTTP/2) under the test authority, and plain HTTP, with a record of requests.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ca::{Ca, Leaf};
use crate::port::ReservedPort;
use crate::process::{Server, command};
use crate::{Workdir, poll};

/// What `/hello.txt` answers.
pub const HELLO: &str = "hello from the upstream\n";
/// What `/hello.json` answers.
pub const HELLO_JSON: &str = "{\"hello\":\"from the upstream\"}\n";

/// A web site on two ports of 127.0.0.1.
///
/// - `/hello.txt`, `/hello.json` and what [`Nginx::file`] and [`Nginx::sparse_file`] add;
/// - `/echo` answers any method with a JSON object of what arrived (`method`, `uri`, `host`, `protocol`, `user_agent`, `sni`, `length`);
/// - `/redirect?to=URL` answers 302.
pub struct Nginx {
    server: Server,
    https: ReservedPort,
    http: ReservedPort,
    root: PathBuf,
    record: PathBuf,
}

impl Nginx {
    /// Starts the site for these names.
    pub fn start(workdir: &Workdir, ca: &Ca, names: &[&str]) -> io::Result<Self> {
        let leaf = ca.leaf(names)?;
        let (https, http) = (ReservedPort::new()?, ReservedPort::new()?);
        let root = workdir.dir("www")?;
        fs::write(root.join("hello.txt"), HELLO)?;
        fs::write(root.join("hello.json"), HELLO_JSON)?;
        let record = workdir.join("requests.jsonl");
        let site = site(&https, &http, &leaf, &root, names);
        let server = start(workdir, "nginx", &record, &site, https.address())?;
        Ok(Self {
            server,
            https,
            http,
            root,
            record,
        })
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }

    /// Where plain HTTP is served.
    pub fn http(&self) -> SocketAddr {
        self.http.address()
    }

    /// Serves a file at `/NAME`, which may have directories in it.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        fs::write(path, contents)
    }

    /// Serves that many zero octets at `/NAME`. They take no room on the disk.
    pub fn sparse_file(&self, name: &str, octets: u64) -> io::Result<()> {
        File::create(self.root.join(name))?.set_len(octets)
    }

    /// Every request that has arrived and been answered, in order, as objects with the members of `/echo` and `status`.
    pub fn requests(&self) -> io::Result<Vec<Value>> {
        read_record(&self.record)
    }

    /// Waits until at least that many requests are recorded: nginx writes the record after the answer.
    pub fn wait_for_requests(&self, count: usize) -> io::Result<Vec<Value>> {
        poll::until("recorded requests", || {
            let requests = self.requests()?;
            Ok((requests.len() >= count).then_some(requests))
        })
    }

    /// nginx's own log.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// Starts an nginx whose `http` block holds the given servers, and waits until it accepts at the address. Everything that it writes is in
/// the directory, so that any user can run it.
pub(crate) fn start(
    workdir: &Workdir,
    name: &str,
    record: &Path,
    servers: &str,
    ready: SocketAddr,
) -> io::Result<Server> {
    let own = workdir.dir(name)?;
    let own_path = own.display();
    let record = record.display();
    let config = format!(
        r#"daemon off;
master_process off;
pid {own_path}/pid;
error_log stderr notice;
events {{ worker_connections 2048; }}
http {{
    client_body_temp_path {own_path}/body;
    proxy_temp_path {own_path}/proxy;
    fastcgi_temp_path {own_path}/fastcgi;
    uwsgi_temp_path {own_path}/uwsgi;
    scgi_temp_path {own_path}/scgi;
    log_format record escape=json '{RECORD}';
    access_log {record} record;
    default_type application/octet-stream;
    types {{ text/plain txt; text/html html; application/json json; }}
    client_max_body_size 0;
    keepalive_timeout 60s;
    {servers}
}}
"#
    );
    let file = workdir.file(format!("{name}/nginx.conf"), config)?;
    let mut nginx = command("nginx");
    // "-e" because nginx otherwise opens a log in /var/log before it reads the configuration.
    nginx
        .args(["-e", "stderr", "-p"])
        .arg(&own)
        .arg("-c")
        .arg(file);
    let mut server = Server::start(workdir, name, &mut nginx)?;
    server.wait_for_port(ready)?;
    Ok(server)
}

/// Reads what nginx has recorded. An unfinished last line is left out.
pub(crate) fn read_record(record: &Path) -> io::Result<Vec<Value>> {
    let text = fs::read_to_string(record)?;
    let complete = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
    complete
        .lines()
        .map(|line| serde_json::from_str(line).map_err(io::Error::other))
        .collect()
}

const ECHO: &str = concat!(
    r#"{"method":"$request_method","uri":"$request_uri","host":"$http_host","protocol":"$server_protocol","#,
    r#""user_agent":"$http_user_agent","sni":"$ssl_server_name","length":"$content_length"}"#
);
const RECORD: &str = concat!(
    r#"{"method":"$request_method","uri":"$request_uri","host":"$http_host","protocol":"$server_protocol","#,
    r#""user_agent":"$http_user_agent","sni":"$ssl_server_name","length":"$content_length","status":$status}"#
);

fn site(
    https: &ReservedPort,
    http: &ReservedPort,
    leaf: &Leaf,
    root: &Path,
    names: &[&str],
) -> String {
    let (https, http) = (https.address(), http.address());
    let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
    let (root, names) = (root.display(), names.join(" "));
    let locations = format!(
        r"root {root};
        location = /echo {{ default_type application/json; return 200 '{ECHO}'; }}
        location = /redirect {{ return 302 $arg_to; }}"
    );
    format!(
        r"server {{
        listen {https} ssl http2;
        server_name {names};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        {locations}
    }}
    server {{
        listen {http};
        server_name {names};
        {locations}
    }}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::run;

    fn curl(site: &Nginx, ca: &Ca, url: &str, options: &[&str]) -> String {
        let resolve = |port: u16| format!("api.acme.test:{port}:127.0.0.1");
        let mut curl = command("curl");
        curl.args(["-sS", "--fail", "--cacert"])
            .arg(ca.certificate());
        curl.args(["--resolve", &resolve(site.https().port())]);
        curl.args(["--resolve", &resolve(site.http().port())]);
        let output = run(curl.args(options).arg(url)).unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn serves_files_over_both_http_versions_and_records_requests() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let site = Nginx::start(&workdir, &ca, &["api.acme.test"]).unwrap();
        let base = format!("https://api.acme.test:{}", site.https().port());
        for version in ["--http1.1", "--http2"] {
            let text = curl(&site, &ca, &format!("{base}/hello.txt"), &[version]);
            assert_eq!(text, HELLO);
        }
        let requests = site.wait_for_requests(2).unwrap();
        let protocols: Vec<_> = requests.iter().map(|r| r["protocol"].clone()).collect();
        assert_eq!(protocols, ["HTTP/1.1", "HTTP/2.0"]);
        assert_eq!(requests[0]["sni"], "api.acme.test");
        assert_eq!(requests[0]["status"], 200);
    }

    #[test]
    fn echoes_a_plain_request() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let site = Nginx::start(&workdir, &ca, &["api.acme.test"]).unwrap();
        let url = format!("http://api.acme.test:{}/echo?q=%22", site.http().port());
        let echo: Value = serde_json::from_str(&curl(&site, &ca, &url, &["-d", "body"])).unwrap();
        assert_eq!(echo["method"], "POST");
        assert_eq!(echo["uri"], "/echo?q=%22");
        assert_eq!(echo["length"], "4");
    }

    #[test]
    fn serves_large_files_that_take_no_room() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let site = Nginx::start(&workdir, &ca, &["api.acme.test"]).unwrap();
        site.sparse_file("big", 3_000_000_000).unwrap();
        let url = format!("http://api.acme.test:{}/big", site.http().port());
        let options = [
            "-r",
            "2999999990-",
            "-w",
            "%{size_download}",
            "-o",
            "/dev/null",
        ];
        assert_eq!(curl(&site, &ca, &url, &options), "10");
    }
}
