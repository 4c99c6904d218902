//! A provider of language models that is faithful on the wire and has no model: Anthropic's, OpenAI's and Gemini's APIs over HTTPS. What
//! it answers stands in the request; see `llm/provider.py`.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

use crate::port::ReservedPort;
use crate::process::{Server, command};
use crate::{Ca, Workdir, poll};

/// The names that it has a certificate for.
pub const HOSTS: [&str; 5] = [
    "api.anthropic.com",
    "api.openai.com",
    "generativelanguage.googleapis.com",
    "models.acme.test",
    "spare.acme.test",
];

/// Where clouds serve models.
pub const CLOUDS: [&str; 3] = [
    "acme.openai.azure.com",
    "bedrock-runtime.eu-central-1.amazonaws.com",
    "europe-west4-aiplatform.googleapis.com",
];

const PROGRAM: &str = include_str!("../llm/provider.py");
/// What it imports.
const MODULES: [(&str, &str); 3] = [
    ("clouds.py", include_str!("../llm/clouds.py")),
    ("socket_talk.py", include_str!("../llm/socket_talk.py")),
    ("thought.py", include_str!("../llm/thought.py")),
];

/// The provider, until it is dropped.
pub struct Provider {
    port: ReservedPort,
    record: PathBuf,
    server: Server,
}

impl Provider {
    /// Starts it. `key` is the secret that it accepts; several are lines of it, and `aws ACCESS_KEY SECRET_KEY REGION` is who may sign.
    pub fn start(workdir: &Workdir, ca: &Ca, key: &str) -> io::Result<Self> {
        let leaf = ca.leaf(&[&HOSTS[..], &CLOUDS].concat())?;
        let own = workdir.dir("provider")?;
        let (program, record) = (own.join("provider.py"), own.join("requests.jsonl"));
        fs::write(&program, PROGRAM)?;
        for (name, module) in MODULES {
            fs::write(own.join(name), module)?;
        }
        fs::write(&record, "")?;
        let port = ReservedPort::new()?;
        let mut starting = command("python3");
        starting
            .arg(&program)
            .arg(port.address().port().to_string())
            .arg(key)
            .arg(&record)
            .arg(&leaf.certificate)
            .arg(&leaf.key);
        let mut server = Server::start(workdir, "provider", &mut starting)?;
        server.wait_for_port(port.address())?;
        Ok(Self {
            port,
            record,
            server,
        })
    }

    /// Where it serves HTTPS.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Every request so far, in order: `method`, `path`, `headers`, `body`; `aborted` where the client went before the end of the answer.
    pub fn requests(&self) -> io::Result<Vec<Value>> {
        let text = fs::read_to_string(&self.record)?;
        text.lines()
            .map(|line| serde_json::from_str(line).map_err(io::Error::other))
            .collect()
    }

    /// Waits until at least that many requests have come.
    pub fn wait_for_requests(&self, count: usize) -> io::Result<Vec<Value>> {
        poll::until("requests to the provider", || {
            let requests = self.requests()?;
            Ok((requests.len() >= count).then_some(requests))
        })
    }

    /// Its own log.
    pub fn log(&self) -> String {
        self.server.log()
    }
}
