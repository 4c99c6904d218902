//! A repository whose packs git makes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ringfence_git::pack::{Arrived, Pack, PackError, PackLimits, Spooled, Stop};
use ringfence_model::git::{ObjectFormat, Oid};
use tempfile::TempDir;

pub(super) struct Repo(pub(super) TempDir);

impl Repo {
    pub(super) fn new() -> Self {
        let repo = Self(tempfile::tempdir().unwrap());
        repo.git(&["init", "-q", "-b", "main"], b"");
        repo
    }

    #[expect(clippy::disallowed_methods, reason = "the test makes packs by git")]
    pub(super) fn git(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "A")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@example.org")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        output.stdout
    }

    pub(super) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(super) fn commit(&self, message: &str) -> Oid {
        self.git(&["add", "-A"], b"");
        self.git(
            &["commit", "-q", "--allow-empty", "-F", "-"],
            message.as_bytes(),
        );
        self.oid("HEAD")
    }

    pub(super) fn oid(&self, revision: &str) -> Oid {
        let out = self.git(&["rev-parse", revision], b"");
        String::from_utf8(out).unwrap().trim().parse().unwrap()
    }

    pub(super) fn pack(&self, tip: &Oid) -> Pack {
        self.open(tip).unwrap()
    }

    pub(super) fn open(&self, tip: &Oid) -> Result<Pack, PackError> {
        let spooled = self.spooled(tip);
        Pack::open(spooled, ObjectFormat::Sha1, &PackLimits::default())
    }

    pub(super) fn spooled(&self, tip: &Oid) -> Spooled {
        let arguments = ["pack-objects", "-q", "--stdout", "--revs"];
        spool(&self.git(&arguments, format!("{tip}\n").as_bytes()))
    }

    /// These objects alone.
    pub(super) fn pack_of(&self, objects: &[&str]) -> Pack {
        let names = objects
            .iter()
            .map(|object| format!("{}\n", self.oid(object)));
        let names: String = names.collect();
        let spooled = spool(&self.git(&["pack-objects", "-q", "--stdout"], names.as_bytes()));
        Pack::open(spooled, ObjectFormat::Sha1, &PackLimits::default()).unwrap()
    }
}

fn spool(octets: &[u8]) -> Spooled {
    let mut pack = tempfile::tempfile().unwrap();
    pack.write_all(octets).unwrap();
    Spooled {
        pack,
        arrived: Arrived::whole(octets.len() as u64),
        scratch: tempfile::tempfile().unwrap(),
        room: |_| Ok(()),
        stop: Stop::new(),
    }
}
