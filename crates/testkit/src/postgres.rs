//! A PostgreSQL server: a protocol in which the client asks for TLS in clear text first, with a real client (`psql`).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::getuid;

use crate::Workdir;
use crate::port::ReservedPort;
use crate::process::{Server, command, run};

/// A new server without passwords, whose superuser is [`PostgresServer::USER`]. It takes no care of its data.
pub struct PostgresServer {
    _server: Server,
    port: ReservedPort,
}

impl PostgresServer {
    /// The superuser, and the database of that name.
    pub const USER: &str = "postgres";

    /// Makes a database cluster and starts the server.
    pub fn start(workdir: &Workdir) -> io::Result<Self> {
        let programs = programs()?;
        let directory = workdir.dir("postgres")?;
        let mut initdb = ordinary(programs.join("initdb"), &directory)?;
        initdb.args(["--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"]);
        initdb.args(["--username", Self::USER, "--pgdata"]);
        run(initdb.arg(&directory))?;
        let port = ReservedPort::new()?;
        let mut postgres = ordinary(programs.join("postgres"), &directory)?;
        postgres.arg("-D").arg(&directory);
        postgres.args(["-h", "127.0.0.1", "-p", &port.number().to_string()]);
        postgres.args(["-c", "unix_socket_directories=", "-c", "fsync=off"]);
        let mut server = Server::start(workdir, "postgres", &mut postgres)?;
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

/// Where Debian keeps the server's programs: in a directory of their version, which is not on the path.
fn programs() -> io::Result<PathBuf> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no PostgreSQL in {BASE}"));
    let versions = fs::read_dir(BASE).map_err(|_| missing())?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs
        .filter(|programs| programs.join("postgres").exists())
        .max()
        .ok_or_else(missing)
}

/// A command of the server's. It refuses root, and wants a user with a name, who then owns the directory.
fn ordinary(program: PathBuf, directory: &Path) -> io::Result<Command> {
    let mut command = command(program);
    command.current_dir(directory);
    if getuid().is_root() {
        chown(directory, Some(NOBODY), Some(NOBODY))?;
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

const BASE: &str = "/usr/lib/postgresql";
/// Debian's `nobody` and `nogroup`.
const NOBODY: u32 = 65534;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_reads_what_it_wrote() {
        let workdir = Workdir::new().unwrap();
        let server = PostgresServer::start(&workdir).unwrap();
        let port = server.address().port().to_string();
        let mut psql = command("psql");
        psql.args(["-h", "127.0.0.1", "-p", &port, "-U", PostgresServer::USER]);
        psql.args(["-qAtc", "create table t as select 42 as n; select n from t"]);
        assert_eq!(run(&mut psql).unwrap().stdout, b"42\n");
    }
}
