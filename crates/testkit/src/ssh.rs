//! An SSH server (OpenSSH): the server speaks first, and real clients use it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::process::getuid;

use crate::Workdir;
use crate::port::ReservedPort;
use crate::process::{Server, command, run};

/// A server that accepts one key, for the user who runs the tests.
pub struct SshServer {
    server: Server,
    port: ReservedPort,
    client_key: PathBuf,
    host_key: String,
}

impl SshServer {
    /// Starts the server.
    pub fn start(workdir: &Workdir) -> io::Result<Self> {
        Self::start_with(workdir, &[])
    }

    /// Starts the server with these options of its own as well (sshd_config(5)), as in `NAME=VALUE`.
    pub fn start_with(workdir: &Workdir, own: &[String]) -> io::Result<Self> {
        let directory = workdir.dir("ssh")?;
        let host_key = generate_key(&directory, "host-key")?;
        let client_key = generate_key(&directory, "client-key")?;
        let port = ReservedPort::new()?;
        let options = [
            format!("ListenAddress={}", port.address()),
            format!("HostKey={}", host_key.display()),
            format!("AuthorizedKeysFile={}.pub", client_key.display()),
            "PasswordAuthentication=no".to_owned(),
            "StrictModes=no".to_owned(),
            "UsePAM=no".to_owned(),
            "PidFile=none".to_owned(),
        ];
        prepare_privilege_separation()?;
        // The server starts itself again for each connection, so it wants to be called by its full path.
        let mut sshd = command("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f", "/dev/null"]);
        let options = options.iter().chain(own);
        sshd.args(options.flat_map(|option| ["-o", option]));
        let mut server = Server::start(workdir, "sshd", &mut sshd)?;
        server.wait_for_port(port.address())?;
        Ok(Self {
            server,
            port,
            client_key,
            host_key: fs::read_to_string(host_key.with_extension("pub"))?,
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The private key that the server accepts. Clients want a copy that only they can read.
    pub fn client_key(&self) -> &Path {
        &self.client_key
    }

    /// The server's key: kind, key and comment.
    pub fn host_key(&self) -> &str {
        self.host_key.trim()
    }

    /// Lets a key in as well, whose public part lies beside it.
    pub fn accept(&self, key: &Path) -> io::Result<()> {
        let own = self.client_key.with_extension("pub");
        let both = [fs::read(&own)?, fs::read(key.with_extension("pub"))?].concat();
        fs::write(own, both)
    }

    /// Takes the client's key away: nobody can log in any more.
    pub fn lock(&self) -> io::Result<()> {
        fs::remove_file(self.client_key.with_extension("pub"))
    }

    /// What the server has written so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// A line for a client's `known_hosts`, for a name and port.
    pub fn known_host(&self, name: &str, port: u16) -> String {
        format!("[{name}]:{port} {}", self.host_key)
    }
}

fn generate_key(directory: &Path, name: &str) -> io::Result<PathBuf> {
    let path = directory.join(name);
    let mut keygen = command("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]);
    run(keygen.arg(&path))?;
    Ok(path)
}

/// As root, the server insists on an empty directory that the system's own service would have made.
fn prepare_privilege_separation() -> io::Result<()> {
    if getuid().is_root() {
        fs::create_dir_all("/run/sshd")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_runs_a_command() {
        let workdir = Workdir::new().unwrap();
        let server = SshServer::start(&workdir).unwrap();
        let port = server.address().port();
        let known = workdir
            .file("known", server.known_host("127.0.0.1", port))
            .unwrap();
        let whoami = run(command("id").arg("-un")).unwrap().stdout;
        let whoami = String::from_utf8(whoami).unwrap();
        let mut ssh = command("ssh");
        ssh.args(["-F", "none", "-o", "BatchMode=yes", "-p", &port.to_string()]);
        ssh.arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()));
        ssh.arg("-i").arg(server.client_key());
        ssh.arg(format!("{}@127.0.0.1", whoami.trim()));
        let output = run(ssh.args(["echo", "hello"])).unwrap();
        assert_eq!(output.stdout, b"hello\n");
    }
}
