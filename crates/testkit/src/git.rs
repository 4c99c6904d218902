//! A git server: smart HTTP over HTTPS, by nginx, fcgiwrap and git's own `http-backend`. Clones and pushes work without a password.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ca::{Ca, Leaf};
use crate::port::ReservedPort;
use crate::process::{Server, command, run};
use crate::{Workdir, nginx};

/// The server, with the repositories that [`GitServer::repository`] made.
pub struct GitServer {
    // In this order: nginx ends before what it forwards to.
    _front: Server,
    _backend: Server,
    https: ReservedPort,
    repositories: PathBuf,
    scratch: PathBuf,
    record: PathBuf,
}

impl GitServer {
    /// Starts the server under these names.
    pub fn start(workdir: &Workdir, ca: &Ca, names: &[&str]) -> io::Result<Self> {
        let leaf = ca.leaf(names)?;
        let repositories = workdir.dir("git/repositories")?;
        let scratch = workdir.dir("git/scratch")?;
        let record = workdir.join("git-requests.jsonl");
        let socket = workdir.join("git/fcgiwrap");
        let backend = start_backend(workdir, &socket)?;
        let https = ReservedPort::new()?;
        let site = site(&https, &leaf, &socket, &repositories)?;
        let front = nginx::start(workdir, "nginx-git", &record, &site, https.address())?;
        Ok(Self {
            _front: front,
            _backend: backend,
            https,
            repositories,
            scratch,
            record,
        })
    }

    /// Where HTTPS is served. A repository's path is `/NAME.git`.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }

    /// Makes a repository with one commit on `main` that holds these files.
    pub fn repository(&self, name: &str, files: &[(&str, &[u8])]) -> io::Result<()> {
        let work = self.scratch.join(name);
        fs::create_dir_all(&work)?;
        for (path, contents) in files {
            let file = work.join(path);
            fs::create_dir_all(file.parent().unwrap_or(&work))?;
            fs::write(file, contents)?;
        }
        self.git(&work, &["init", "-q", "-b", "main"])?;
        self.git(&work, &["add", "-A"])?;
        self.git(
            &work,
            &["commit", "-q", "--allow-empty", "-m", "first commit"],
        )?;
        let bare = self.bare(name);
        let target = bare.display().to_string();
        self.git(&work, &["clone", "-q", "--bare", ".", &target])?;
        self.git(&bare, &["config", "http.receivepack", "true"])?;
        Ok(())
    }

    /// What a ref of a repository points at, none if it does not exist: shows whether a push arrived.
    pub fn resolve(&self, name: &str, reference: &str) -> io::Result<Option<String>> {
        let arguments = ["for-each-ref", "--format=%(objectname)", reference];
        let text = self.git(&self.bare(name), &arguments)?;
        let id = text.trim();
        Ok((!id.is_empty()).then(|| id.to_owned()))
    }

    /// Every request that has arrived and been answered, as [`nginx::Nginx::requests`].
    pub fn requests(&self) -> io::Result<Vec<Value>> {
        nginx::read_record(&self.record)
    }

    fn bare(&self, name: &str) -> PathBuf {
        self.repositories.join(format!("{name}.git"))
    }

    fn git(&self, directory: &Path, arguments: &[&str]) -> io::Result<String> {
        let mut git = command("git");
        git.env("HOME", &self.scratch)
            .env("GIT_CONFIG_NOSYSTEM", "1");
        git.args(["-c", "user.name=Test", "-c", "user.email=test@acme.test"]);
        let output = run(git.arg("-C").arg(directory).args(arguments))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn start_backend(workdir: &Workdir, socket: &Path) -> io::Result<Server> {
    let mut fcgiwrap = command("fcgiwrap");
    fcgiwrap.env("HOME", workdir.path());
    fcgiwrap.arg("-s").arg(format!("unix:{}", socket.display()));
    let mut backend = Server::start(workdir, "fcgiwrap", &mut fcgiwrap)?;
    backend.wait_for_file(socket)?;
    Ok(backend)
}

fn site(
    https: &ReservedPort,
    leaf: &Leaf,
    socket: &Path,
    repositories: &Path,
) -> io::Result<String> {
    let programs = run(command("git").arg("--exec-path"))?.stdout;
    let programs = String::from_utf8_lossy(&programs);
    let programs = programs.trim();
    let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
    let (socket, repositories) = (socket.display(), repositories.display());
    let https = https.address();
    Ok(format!(
        r#"server {{
        listen {https} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            fastcgi_pass unix:{socket};
            fastcgi_param SCRIPT_FILENAME {programs}/git-http-backend;
            fastcgi_param GIT_PROJECT_ROOT {repositories};
            fastcgi_param GIT_HTTP_EXPORT_ALL "1";
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
        }}
    }}"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::User;

    #[test]
    fn a_client_clones_commits_and_pushes() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let server = GitServer::start(&workdir, &ca, &["127.0.0.1"]).unwrap();
        // Larger than git's post buffer, so that the push is sent in chunks.
        let noise: Vec<u8> = (0..3_000_000_u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        server
            .repository("docs", &[("README", b"read me\n")])
            .unwrap();
        let user = User::unprivileged(&workdir).unwrap();
        let git = |arguments: &[&str]| {
            let mut git = command("git");
            git.env("GIT_SSL_CAINFO", ca.certificate());
            git.args(["-c", "user.name=T", "-c", "user.email=t@acme.test"]);
            run(user.run_as(&mut git).args(arguments)).unwrap();
        };
        git(&[
            "clone",
            "-q",
            &format!("https://{}/docs.git", server.https()),
        ]);
        assert_eq!(
            fs::read(user.home().join("docs/README")).unwrap(),
            b"read me\n"
        );
        user.file("docs/noise", noise).unwrap();
        git(&["-C", "docs", "add", "noise"]);
        git(&["-C", "docs", "commit", "-qm", "noise"]);
        assert_eq!(server.resolve("docs", "refs/heads/topic").unwrap(), None);
        git(&["-C", "docs", "push", "-q", "origin", "HEAD:topic"]);
        assert!(
            server
                .resolve("docs", "refs/heads/topic")
                .unwrap()
                .is_some()
        );
        assert!(!server.requests().unwrap().is_empty());
    }
}
