//! Servers of the Model Context Protocol: one that does all that the official conformance suite asks of a server, in both eras, one that
//! is hostile, and servers that others have written. `scripts/mcp.sh` installs what they need.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

use crate::port::ReservedPort;
use crate::process::{Server, command};
use crate::{Ca, Workdir, poll};

const FIXTURE: [(&str, &str); 3] = [
    ("server.py", include_str!("../mcp/fixture/fixture.py")),
    ("asking.py", include_str!("../mcp/fixture/asking.py")),
    ("content.py", include_str!("../mcp/fixture/content.py")),
];
const HOSTILE: [(&str, &str); 2] = [
    ("server.py", include_str!("../mcp/hostile/server.py")),
    ("attacks.py", include_str!("../mcp/hostile/attacks.py")),
];
const FASTMCP: [(&str, &str); 1] = [("server.py", include_str!("../mcp/fastmcp_server.py"))];

/// Where the servers, the clients and the conformance suite are installed: `RINGFENCE_MCP`, else their usual place.
pub fn installed() -> io::Result<PathBuf> {
    let directory = std::env::var_os("RINGFENCE_MCP").map_or_else(
        || {
            let user = rustix::process::getuid().as_raw();
            PathBuf::from(format!("/var/tmp/ringfence-e2e-mcp-{user}"))
        },
        PathBuf::from,
    );
    if directory.join("installed").is_file() {
        return Ok(directory);
    }
    let message = format!("nothing in {}: run scripts/mcp.sh", directory.display());
    Err(io::Error::new(io::ErrorKind::NotFound, message))
}

/// A server, until it is dropped.
pub struct McpServer {
    port: ReservedPort,
    record: PathBuf,
    control: PathBuf,
    server: Server,
}

impl McpServer {
    /// Starts the server that the conformance suite is content with, over HTTPS at `/mcp`. `key` is the one token that it accepts.
    pub fn fixture(workdir: &Workdir, ca: &Ca, name: &str, key: &str) -> io::Result<Self> {
        let python = installed()?.join("bin/python");
        let program = Program {
            python,
            files: &FIXTURE,
            key,
            is_controlled: false,
        };
        Self::start(workdir, ca, name, &program)
    }

    /// Starts the server that lies, leaks and never ends, over HTTPS at `/mcp`. It lists what [`McpServer::control`] says.
    pub fn hostile(workdir: &Workdir, ca: &Ca, name: &str, key: &str) -> io::Result<Self> {
        let program = Program {
            python: PathBuf::from("python3"),
            files: &HOSTILE,
            key,
            is_controlled: true,
        };
        Self::start(workdir, ca, name, &program)
    }

    /// Starts a server built with FastMCP, over HTTPS at `/mcp`.
    pub fn fastmcp(workdir: &Workdir, ca: &Ca, name: &str) -> io::Result<Self> {
        let program = Program {
            python: installed()?.join("bin/python"),
            files: &FASTMCP,
            key: "-",
            is_controlled: false,
        };
        Self::start(workdir, ca, name, &program)
    }

    fn start(workdir: &Workdir, ca: &Ca, name: &str, program: &Program<'_>) -> io::Result<Self> {
        let own = workdir.dir(format!("mcp-{name}"))?;
        for (file, contents) in program.files {
            fs::write(own.join(file), contents)?;
        }
        let (record, control) = (own.join("requests.jsonl"), own.join("control.json"));
        fs::write(&record, "")?;
        let leaf = ca.leaf(&[name])?;
        let port = ReservedPort::new()?;
        let mut starting = command(&program.python);
        starting.env("PYTHONDONTWRITEBYTECODE", "1");
        starting
            .arg(own.join("server.py"))
            .arg(port.number().to_string())
            .arg(program.key)
            .arg(&record);
        if program.is_controlled {
            starting.arg(&control);
        } else {
            starting.arg(name);
        }
        starting.arg(&leaf.certificate).arg(&leaf.key);
        let mut server = Server::start(workdir, &format!("mcp-{name}"), &mut starting)?;
        server.wait_for_port(port.address())?;
        Ok(Self {
            port,
            record,
            control,
            server,
        })
    }

    /// Where it serves HTTPS.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Says what the hostile server lists from now on: `tools`, `resources`, `prompts`, `identity`, `instructions`, `page`, `cursors`,
    /// `notify`, `stray`.
    pub fn control(&self, what: &Value) -> io::Result<()> {
        let fresh = self.control.with_extension("new");
        fs::write(&fresh, what.to_string())?;
        fs::rename(fresh, &self.control)
    }

    /// Every request so far, in order: `method`, `path`, `headers`, `body` as text. The hostile server also writes `closed` where a client
    /// went before the end of an attack.
    pub fn requests(&self) -> io::Result<Vec<Value>> {
        let text = fs::read_to_string(&self.record)?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).map_err(io::Error::other))
            .collect()
    }

    /// Waits for a line of the record.
    pub fn wait_for(&self, what: &str, found: impl Fn(&Value) -> bool) -> io::Result<()> {
        poll::until(what, || {
            Ok(self.requests()?.iter().any(&found).then_some(()))
        })
    }

    /// Its own log.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

/// How a server is started.
struct Program<'a> {
    python: PathBuf,
    files: &'a [(&'a str, &'a str)],
    key: &'a str,
    is_controlled: bool,
}

/// A server of the package `@modelcontextprotocol/server-everything`, over plain HTTP at `/mcp`, until it is dropped.
pub struct Everything {
    port: ReservedPort,
    server: Server,
}

impl Everything {
    /// Starts it.
    pub fn start(workdir: &Workdir) -> io::Result<Self> {
        let directory = installed()?;
        let port = ReservedPort::new()?;
        let program = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let mut node = command(directory.join("bin/node"));
        node.arg(directory.join(program)).arg("streamableHttp");
        node.env("PORT", port.number().to_string());
        let mut server = Server::start(workdir, "mcp-everything", &mut node)?;
        server.wait_for_port(port.address())?;
        Ok(Self { port, server })
    }

    /// Where it serves HTTP.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Its own log.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::run;
    use serde_json::json;

    #[test]
    fn the_hostile_server_lists_what_it_is_told_and_keeps_what_it_was_asked() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let server = McpServer::hostile(&workdir, &ca, "hostile.acme.test", "key").unwrap();
        server
            .control(&json!({"instructions": "told SECRET"}))
            .unwrap();
        let port = server.address().port();
        let ask = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
        let output = run(command("curl")
            .args(["-sS", "--cacert"])
            .arg(ca.certificate())
            .args(["--resolve", &format!("hostile.acme.test:{port}:127.0.0.1")])
            .args(["-H", "Authorization: Bearer key", "--data", ask])
            .arg(format!("https://hostile.acme.test:{port}/mcp")))
        .unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["result"]["instructions"], "told key");
        assert_eq!(server.requests().unwrap()[0]["body"], ask);
    }
}
