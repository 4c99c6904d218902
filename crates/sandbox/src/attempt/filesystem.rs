//! Ways to files that are not the agent's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Category::Filesystem;
use super::{Attempt, Outcome, escaped_if_ok, unstaged};

pub(super) const ATTEMPTS: &[Attempt] = &[
    Filesystem
        .attempt(
            "read-secret",
            "read a secret of the caller's",
            &["root"],
            |scene| {
                with(scene.canary.as_ref(), "secret", |path| {
                    escaped_if_ok(fs::read(path), "it was read")
                })
            },
        )
        .at_startup(),
    Filesystem
        .attempt(
            "read-secret-through-proc",
            "read a secret through /proc/self/root",
            &["root"],
            |scene| {
                with(scene.canary.as_ref(), "secret", |path| {
                    let name = path.strip_prefix("/").unwrap_or(path);
                    escaped_if_ok(
                        fs::read(Path::new("/proc/self/root").join(name)),
                        "it was read",
                    )
                })
            },
        )
        .at_startup(),
    Filesystem
        .attempt(
            "climb-out",
            "reach a secret by going up from the root",
            &["pivot", "landlock"],
            |scene| {
                with(scene.canary.as_ref(), "secret", |path| {
                    let name = path.strip_prefix("/").unwrap_or(path);
                    let up: PathBuf = std::iter::repeat_n("..", 32).collect();
                    escaped_if_ok(fs::read(up.join(name)), "it was read")
                })
            },
        )
        .at_startup(),
    Filesystem
        .attempt(
            "write-beside-secret",
            "leave a file beside a secret of the caller's",
            &["root"],
            |scene| {
                with(scene.canary.as_ref(), "secret", |path| {
                    escaped_if_ok(
                        fs::write(path.with_extension("attempt"), b"x"),
                        "it was written",
                    )
                })
            },
        )
        .at_startup(),
    Filesystem.attempt(
        "write-read-only",
        "write into a directory that is mounted read-only",
        &["read-only", "landlock"],
        |scene| {
            with(scene.read_only.as_ref(), "read-only directory", |path| {
                escaped_if_ok(fs::write(path.join("attempt"), b"x"), "it was written")
            })
        },
    ),
    Filesystem
        .attempt(
            "write-root",
            "make a directory in the root",
            &["read-only", "landlock"],
            |_| escaped_if_ok(fs::create_dir("/ringfence-attempt"), "it was made"),
        )
        .at_startup(),
    Filesystem.attempt(
        "rename-git",
        "rename .git away, to put another in its place",
        &["protect"],
        |scene| {
            with(scene.workspace.as_ref(), "workspace", |path| {
                let (there, away) = (path.join(".git"), path.join("moved"));
                let renamed = fs::rename(&there, &away);
                // The next attempts aim at it.
                let _ = fs::rename(&away, &there);
                escaped_if_ok(renamed, "it was renamed")
            })
        },
    ),
    Filesystem.attempt(
        "remove-hooks",
        "remove the hooks directory, to make another",
        &["protect"],
        |scene| {
            with(scene.workspace.as_ref(), "workspace", |path| {
                escaped_if_ok(fs::remove_dir(path.join(".git/hooks")), "it was removed")
            })
        },
    ),
    Filesystem.attempt(
        "remove-git-config",
        "remove .git/config, to make another",
        &["protect"],
        |scene| {
            with(scene.workspace.as_ref(), "workspace", |path| {
                escaped_if_ok(fs::remove_file(path.join(".git/config")), "it was removed")
            })
        },
    ),
    Filesystem.attempt(
        "kernel-switches",
        "open a switch of the kernel's for writing",
        &["proc-masks", "landlock"],
        |_| {
            escaped_if_ok(
                open_for_writing("/proc/sys/vm/overcommit_ratio"),
                "it was opened",
            )
        },
    ),
    Filesystem.attempt(
        "interrupts",
        "open the routing of interrupts for writing",
        &["proc-masks", "landlock"],
        |_| {
            escaped_if_ok(
                open_for_writing("/proc/irq/default_smp_affinity"),
                "it was opened",
            )
        },
    ),
    Filesystem.attempt(
        "read-keys",
        "list the kernel's keys",
        &["proc-masks"],
        |_| {
            escaped_if_ok(
                fs::metadata("/proc/keys").and_then(|meta| regular(&meta)),
                "they were listed",
            )
        },
    ),
];

fn with(part: Option<&PathBuf>, what: &str, run: impl FnOnce(&Path) -> Outcome) -> Outcome {
    part.map_or_else(|| unstaged(what), |path| run(path))
}

fn open_for_writing(path: &str) -> io::Result<fs::File> {
    fs::File::options().write(true).open(path)
}

/// The null device that covers a file of the kernel's is no regular file.
fn regular(meta: &fs::Metadata) -> io::Result<()> {
    if meta.is_file() {
        return Ok(());
    }
    Err(io::Error::other("covered"))
}
