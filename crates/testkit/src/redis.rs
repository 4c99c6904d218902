//! A Redis server: a well-known protocol that is neither TLS nor HTTP, with a real client (`redis-cli`).

use std::io;
use std::net::SocketAddr;

use crate::Workdir;
use crate::port::ReservedPort;
use crate::process::{Server, command};

/// An empty server without persistence or password.
pub struct RedisServer {
    _server: Server,
    port: ReservedPort,
}

impl RedisServer {
    /// Starts the server.
    pub fn start(workdir: &Workdir) -> io::Result<Self> {
        let port = ReservedPort::new()?;
        let directory = workdir.dir("redis")?;
        let mut redis = command("redis-server");
        redis.args(["--bind", "127.0.0.1", "--port", &port.number().to_string()]);
        redis
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(directory);
        let mut server = Server::start(workdir, "redis", &mut redis)?;
        server.wait_for_port(port.address())?;
        Ok(Self {
            _server: server,
            port,
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::run;

    #[test]
    fn a_client_reads_what_it_wrote() {
        let workdir = Workdir::new().unwrap();
        let server = RedisServer::start(&workdir).unwrap();
        let port = server.address().port().to_string();
        let cli = |arguments: &[&str]| {
            let mut cli = command("redis-cli");
            let output = run(cli.args(["-p", &port]).args(arguments)).unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        cli(&["set", "key", "value"]);
        assert_eq!(cli(&["get", "key"]), "value\n");
    }
}
