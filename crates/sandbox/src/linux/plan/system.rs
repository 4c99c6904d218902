//! The parts of the host that every sandbox has.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Given, Request, account};
use crate::spec::{Access, MOST_COPIED_OCTETS, Mount};

/// The mounts before the workspace, in the order in which they are made.
pub(super) fn mounts(request: &Request) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = DIRECTORIES.iter().filter_map(|path| same(path)).collect();
    mounts.extend(
        ETC.iter()
            .filter_map(|name| settings(&Path::new("/etc").join(name))),
    );
    mounts.extend([Mount::Proc, Mount::Dev]);
    mounts.extend(read(Path::new(PROCESSORS)));
    for (at, mode) in [("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/run", 0o755)] {
        mounts.push(memory(Path::new(at), mode));
    }
    mounts.push(memory(&request.home, 0o700));
    mounts.extend(
        TOOLS
            .iter()
            .filter_map(|name| read(&request.home.join(name))),
    );
    mounts.extend(request.read.iter().filter_map(|path| read(path)));
    mounts.extend(given(&request.given));
    let files = account::files(&request.home, &request.hostname)
        .into_iter()
        .chain(request.files.iter().cloned());
    mounts.extend(files.map(|(at, content)| Mount::File { at, content }));
    mounts
}

/// A directory of the system at its own path; where it is a link (`/bin` to `usr/bin`), a link.
fn same(path: &str) -> Option<Mount> {
    let path = Path::new(path);
    if let Ok(target) = fs::read_link(path) {
        return Some(Mount::Symlink {
            target,
            at: path.to_owned(),
        });
    }
    read(path)
}

fn read(path: &Path) -> Option<Mount> {
    path.exists().then(|| Mount::Bind {
        from: path.to_owned(),
        at: path.to_owned(),
        access: Access::Read,
    })
}

/// A small file is copied, everything else is mounted.
fn settings(path: &Path) -> Option<Mount> {
    let meta = fs::metadata(path).ok()?;
    if meta.is_file() && meta.len() <= MOST_COPIED_OCTETS {
        return Some(Mount::Copy {
            path: path.to_owned(),
        });
    }
    read(path)
}

/// The given files, whose contents follow each other in this order.
fn given(files: &[Given]) -> impl Iterator<Item = Mount> {
    let mut end = 0;
    files.iter().map(move |file| {
        let (start, octets) = (end, u64::try_from(file.content.len()).unwrap_or(u64::MAX));
        end += octets;
        Mount::Given {
            at: file.at.clone(),
            instead_of: file.instead_of.clone(),
            start,
            octets,
        }
    })
}

fn memory(at: &Path, mode: u32) -> Mount {
    Mount::Tmpfs {
        at: PathBuf::from(at),
        octets: memory_octets(),
        mode,
    }
}

/// The system's programs and libraries.
pub(super) const DIRECTORIES: [&str; 9] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix",
];

/// What programs read in `/etc`. Nothing here holds a secret, a key or a password.
const ETC: [&str; 50] = [
    "alternatives",
    "bash.bashrc",
    "bash_completion.d",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "ethertypes",
    "fonts",
    "gai.conf",
    "host.conf",
    "inputrc",
    "java",
    "java-8-openjdk",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "java-25-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "lsb-release",
    "magic",
    "magic.mime",
    "mime.types",
    "nanorc",
    "networks",
    "os-release",
    "papersize",
    "perl",
    "pki/ca-trust",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "profile",
    "protocols",
    "python3",
    "python3.11",
    "redhat-release",
    "rpc",
    "services",
    "shells",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
    "vim",
];

/// Tools that people install below their home directory; none of these holds credentials.
const TOOLS: [&str; 18] = [
    ".asdf",
    ".bun/bin",
    ".cargo/bin",
    ".cargo/env",
    ".deno/bin",
    ".local/bin",
    ".local/lib",
    ".local/share/claude",
    ".local/share/mise/installs",
    ".local/share/uv/python",
    ".local/share/uv/tools",
    ".nvm/versions",
    ".pyenv",
    ".rustup/settings.toml",
    ".rustup/toolchains",
    ".sdkman/candidates",
    ".volta",
    "go/bin",
];

/// Which processors there are: runtimes size their thread pools by it.
const PROCESSORS: &str = "/sys/devices/system/cpu";

/// The most that one file system in memory takes: a share of what the machine has.
fn memory_octets() -> u64 {
    let facts = rustix::system::sysinfo();
    let octets = u64::from(facts.mem_unit).saturating_mul(facts.totalram);
    (octets / MEMORY_SHARE).max(LEAST_MEMORY_OCTETS)
}

const MEMORY_SHARE: u64 = 8;
const LEAST_MEMORY_OCTETS: u64 = 256 * 1024 * 1024;
