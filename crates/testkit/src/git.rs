//! A git server: smart HTTP over HTTPS, by nginx, fcgiwrap and git's own `http-backend`, with a password or without.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
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
    _backends: Vec<Server>,
    https: ReservedPort,
    repositories: PathBuf,
    scratch: PathBuf,
    record: PathBuf,
}

impl GitServer {
    /// Starts the server under these names. Everybody may clone and push.
    pub fn start(workdir: &Workdir, ca: &Ca, names: &[&str]) -> io::Result<Self> {
        Self::start_for(workdir, ca, names, None)
    }

    /// As [`GitServer::start`]; only this user with this password gets anything (RFC 7617).
    pub fn start_with_password(
        workdir: &Workdir,
        ca: &Ca,
        names: &[&str],
        (user, password): (&str, &str),
    ) -> io::Result<Self> {
        let hash = run(command("openssl").args(["passwd", "-apr1", password]))?.stdout;
        let hash = String::from_utf8_lossy(&hash);
        let users = workdir.file("git/users", format!("{user}:{}\n", hash.trim()))?;
        Self::start_for(workdir, ca, names, Some(&users))
    }

    fn start_for(
        workdir: &Workdir,
        ca: &Ca,
        names: &[&str],
        users: Option<&Path>,
    ) -> io::Result<Self> {
        let leaf = ca.leaf(names)?;
        let repositories = workdir.dir("git/repositories")?;
        let scratch = workdir.dir("git/scratch")?;
        let record = workdir.join("git-requests.jsonl");
        let https = ReservedPort::new()?;
        let sockets: Vec<PathBuf> = (0..BACKENDS)
            .map(|number| workdir.join(format!("git/fcgiwrap{number}")))
            .collect();
        let backends = sockets.iter().map(|socket| start_backend(workdir, socket));
        let backends = backends.collect::<io::Result<_>>()?;
        let site = site(&https, &leaf, &sockets, &repositories, users)?;
        let front = nginx::start(workdir, "nginx-git", &record, &site, https.address())?;
        Ok(Self {
            _front: front,
            _backends: backends,
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

    /// Makes a repository with one commit on `main` that holds these files. Its name may have directories in it.
    pub fn repository(&self, name: &str, files: &[(&str, &[u8])]) -> io::Result<()> {
        self.repository_in(name, "sha1", files)
    }

    /// As [`GitServer::repository`], with an object format: `sha1` or `sha256`.
    pub fn repository_in(
        &self,
        name: &str,
        format: &str,
        files: &[(&str, &[u8])],
    ) -> io::Result<()> {
        let work = self.scratch.join(name);
        fs::create_dir_all(&work)?;
        for (path, contents) in files {
            let file = work.join(path);
            fs::create_dir_all(file.parent().unwrap_or(&work))?;
            fs::write(file, contents)?;
        }
        let format = format!("--object-format={format}");
        self.git_in(&work, &["init", "-q", "-b", "main", &format])?;
        self.git_in(&work, &["add", "-A"])?;
        self.git_in(
            &work,
            &["commit", "-q", "--allow-empty", "-m", "first commit"],
        )?;
        let bare = self.path(name);
        let target = bare.display().to_string();
        self.git_in(&work, &["clone", "-q", "--bare", ".", &target])?;
        for setting in ["http.receivepack", "uploadpack.allowFilter"] {
            self.git_in(&bare, &["config", setting, "true"])?;
        }
        Ok(())
    }

    /// Runs git in a repository, on the server itself, and gives back what it printed.
    pub fn git(&self, name: &str, arguments: &[&str]) -> io::Result<String> {
        self.git_in(&self.path(name), arguments)
    }

    /// Adds a commit with these files to `main`, on the server itself. Gives back its name.
    pub fn commit(&self, name: &str, files: &[(&str, &[u8])]) -> io::Result<String> {
        let work = self.scratch.join(name);
        for (path, contents) in files {
            let file = work.join(path);
            fs::create_dir_all(file.parent().unwrap_or(&work))?;
            fs::write(file, contents)?;
        }
        self.git_in(&work, &["add", "-A"])?;
        self.git_in(&work, &["commit", "-q", "-m", "another commit"])?;
        let target = self.path(name).display().to_string();
        self.git_in(&work, &["push", "-q", &target, "main"])?;
        let head = self.git_in(&work, &["rev-parse", "HEAD"])?;
        Ok(head.trim().to_owned())
    }

    /// Makes the repository run a shell script as one of its hooks (githooks(5)).
    pub fn hook(&self, name: &str, hook: &str, script: &str) -> io::Result<()> {
        let file = self.path(name).join("hooks").join(hook);
        fs::create_dir_all(file.parent().unwrap_or(&file))?;
        fs::write(&file, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
    }

    /// All that a push could change: what `HEAD` stands for, every ref, every object, the settings.
    pub fn state(&self, name: &str) -> io::Result<String> {
        let mut state = self.git(name, &["symbolic-ref", "HEAD"])?;
        state += &self.git(name, &["for-each-ref"])?;
        let objects = [
            "cat-file",
            "--batch-all-objects",
            "--unordered",
            "--batch-check=%(objectname)",
        ];
        let objects = self.git(name, &objects)?;
        let mut objects: Vec<&str> = objects.lines().collect();
        objects.sort_unstable();
        let _ = writeln!(state, "{}", objects.join("\n"));
        state += &fs::read_to_string(self.path(name).join("config"))?;
        Ok(state)
    }

    /// Whether a repository has an object.
    pub fn has_object(&self, name: &str, id: &str) -> bool {
        self.git(name, &["cat-file", "-e", id]).is_ok()
    }

    /// What a ref of a repository points at, none if it does not exist: shows whether a push arrived.
    pub fn resolve(&self, name: &str, reference: &str) -> io::Result<Option<String>> {
        let arguments = ["for-each-ref", "--format=%(objectname)", reference];
        let text = self.git(name, &arguments)?;
        let id = text.trim();
        Ok((!id.is_empty()).then(|| id.to_owned()))
    }

    /// Every request that has arrived and been answered, as [`nginx::Nginx::requests`].
    pub fn requests(&self) -> io::Result<Vec<Value>> {
        nginx::read_record(&self.record)
    }

    /// Where a repository lies on the server's disk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.repositories.join(format!("{name}.git"))
    }

    fn git_in(&self, directory: &Path, arguments: &[&str]) -> io::Result<String> {
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
    let name = socket.file_name().unwrap_or_default().to_string_lossy();
    let mut backend = Server::start(workdir, &name, &mut fcgiwrap)?;
    backend.wait_for_file(socket)?;
    Ok(backend)
}

fn site(
    https: &ReservedPort,
    leaf: &Leaf,
    sockets: &[PathBuf],
    repositories: &Path,
    users: Option<&Path>,
) -> io::Result<String> {
    let programs = run(command("git").arg("--exec-path"))?.stdout;
    let programs = String::from_utf8_lossy(&programs);
    let programs = programs.trim();
    let (certificate, key) = (leaf.certificate.display(), leaf.key.display());
    let repositories = repositories.display();
    let backends: String = sockets
        .iter()
        .map(|socket| format!("server unix:{}; ", socket.display()))
        .collect();
    let password = users.map_or_else(String::new, |users| {
        let users = users.display();
        format!("auth_basic git; auth_basic_user_file {users};")
    });
    let https = https.address();
    Ok(format!(
        r#"upstream backends {{ least_conn; {backends} }}
    server {{
        listen {https} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            {password}
            fastcgi_buffering off;
            fastcgi_pass backends;
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
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param SERVER_PROTOCOL $server_protocol;
        }}
    }}"#
    ))
}

/// Programs that serve requests, one at a time each. They are as many processes because one that
/// serves several by children of its own would leave those behind.
const BACKENDS: usize = 6;

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
