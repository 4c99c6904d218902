//! An HTTPS API: nginx in front (HTTP/1.1 and HTTP/2, under the test authority), and behind it a
//! function from a request to a response. It keeps every request that it was asked.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::ca::Ca;
use crate::http::{Answer, HttpUpstream};
use crate::port::ReservedPort;
use crate::process::Server;
use crate::{Workdir, nginx};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// The method.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// The query, without `?`.
    pub query: String,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A response to send.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// The status code.
    pub status: u16,
    /// Header fields beside the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The API, until it is dropped.
pub struct Api {
    // In this order: nginx ends before what it forwards to.
    _front: Server,
    _upstream: HttpUpstream,
    https: ReservedPort,
    requests: Arc<Mutex<Vec<ApiRequest>>>,
}

impl Api {
    /// Starts it under these names.
    pub fn start<Answering>(
        workdir: &Workdir,
        ca: &Ca,
        names: &[&str],
        answer: Answering,
    ) -> io::Result<Self>
    where
        Answering: Fn(&ApiRequest) -> ApiResponse + Send + Sync + 'static,
    {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&requests);
        let upstream = HttpUpstream::start(move |octets| {
            let request = ApiRequest::read(octets);
            let response = answer(&request);
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            record.push(request);
            Answer::Send(response.write())
        })?;
        let name = names.first().copied().unwrap_or("api");
        let https = ReservedPort::new()?;
        let site = site(ca, &https, names, upstream.address())?;
        let record = workdir.join(format!("{name}-requests.jsonl"));
        let own = format!("nginx-{name}");
        let front = nginx::start(workdir, &own, &record, &site, https.address())?;
        Ok(Self {
            _front: front,
            _upstream: upstream,
            https,
            requests,
        })
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<ApiRequest> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ApiRequest {
    /// The value of a header field; the first, where there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON, null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The value of a field of a form (`application/x-www-form-urlencoded`), decoded.
    pub fn form(&self, name: &str) -> Option<String> {
        let body = String::from_utf8_lossy(&self.body).into_owned();
        let mut fields = body.split('&').filter_map(|field| field.split_once('='));
        let (_, value) = fields.find(|(known, _)| *known == name)?;
        Some(decode(value))
    }

    /// nginx has checked and framed it, so it has the form that is expected here.
    fn read(octets: &[u8]) -> Self {
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = octets.split_at(end.map_or(octets.len(), |end| end + 4));
        let head = String::from_utf8_lossy(head).into_owned();
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: lines.filter_map(field).collect(),
            body: body.to_vec(),
        }
    }
}

impl ApiResponse {
    /// A JSON document.
    pub fn json(status: u16, body: &Value) -> Self {
        let kind = ("Content-Type", "application/json; charset=utf-8");
        Self::new(status, body.to_string()).with(kind.0, kind.1)
    }

    /// A body without a type.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// With a further header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn write(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Status\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

/// Everything that a request carried, as JSON: what an upstream that reflects its caller answers.
pub fn echo(request: &ApiRequest) -> ApiResponse {
    let headers: Vec<_> = request.headers.iter().map(|(k, v)| json!([k, v])).collect();
    let body = json!({
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body": String::from_utf8_lossy(&request.body),
    });
    let mut response = ApiResponse::json(200, &body);
    for (name, value) in &request.headers {
        response = response.with(&format!("X-Echo-{name}"), value);
    }
    response
}

fn decode(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let [octet, tail @ ..] = rest {
        rest = tail;
        let digits = rest.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (octet, escaped) {
            (b'%', Some(value)) => {
                octets.push(value);
                rest = rest.get(2..).unwrap_or_default();
            }
            (b'+', _) => octets.push(b' '),
            _ => octets.push(*octet),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

fn site(ca: &Ca, https: &ReservedPort, names: &[&str], upstream: SocketAddr) -> io::Result<String> {
    let leaf = ca.leaf(names)?;
    let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
    let (https, names) = (https.address(), names.join(" "));
    Ok(format!(
        r"server {{
        listen {https} ssl http2;
        server_name {names};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection '';
            proxy_buffering off;
        }}
    }}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{command, run};

    #[test]
    fn answers_by_the_function_and_keeps_what_it_was_asked() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let api = Api::start(&workdir, &ca, &["api.acme.test"], echo).unwrap();
        let port = api.https().port();
        let output = run(command("curl")
            .args(["-sS", "--cacert"])
            .arg(ca.certificate())
            .args(["--resolve", &format!("api.acme.test:{port}:127.0.0.1")])
            .args(["-H", "X-One: 1", "--data", "a=b%20c&d=e"])
            .arg(format!("https://api.acme.test:{port}/p/q?r=s")))
        .unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["path"], "/p/q");
        let [request] = api.requests().try_into().unwrap();
        assert_eq!(
            (request.method.as_str(), request.query.as_str()),
            ("POST", "r=s")
        );
        assert_eq!(request.header("x-one"), Some("1"));
        assert_eq!(request.form("a").as_deref(), Some("b c"));
    }
}
