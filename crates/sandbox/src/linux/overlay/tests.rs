use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use rustix::fs::Mode;

use super::limits::{LARGEST_COMPARED, MOST_DEPTH};
use super::*;

/// A workspace, and a run that keeps private copies of things in it.
struct Scene {
    _directory: tempfile::TempDir,
    workspace: PathBuf,
    state: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let workspace = directory.path().join("workspace");
        let state = directory.path().join("runs/one");
        fs::create_dir_all(&workspace).unwrap();
        fs::create_dir_all(state.join("upper")).unwrap();
        Self {
            _directory: directory,
            workspace,
            state,
        }
    }

    fn store(&self, name: &str) -> PathBuf {
        self.state.join("upper").join(name)
    }

    fn keep(&self, layer: Layer) -> Manifest {
        let manifest = Manifest::new(&self.workspace, vec![layer]);
        manifest.write(&self.state).unwrap();
        manifest
    }

    /// The whole workspace is kept apart.
    fn overlay(&self) -> Manifest {
        let upper = self.state.join("upper");
        self.keep(Layer::new(LayerKind::Overlay, &self.workspace, upper))
    }

    /// Only `.envrc` is.
    fn file(&self) -> Manifest {
        let target = self.workspace.join(".envrc");
        self.keep(Layer::new(LayerKind::File, &target, self.store("envrc")))
    }

    /// The kinds and names of what was changed.
    fn changes(&self, manifest: &Manifest) -> Vec<String> {
        let changes = manifest.changes();
        assert_eq!(changes.incomplete, None);
        let line = |change: &Change| {
            let name = change.path.strip_prefix(&self.workspace).unwrap();
            format!("{} {}", change.kind.letter(), name.display())
        };
        changes.list.iter().map(line).collect()
    }
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the standard library makes no pipes with names"
)]
fn sh(directory: &Path, script: &str) {
    let mut shell = Command::new("sh");
    let status = shell.args(["-ec", script]).current_dir(directory).status();
    assert!(status.unwrap().success());
}

/// Makes a tree that no path reaches the end of.
fn deepen(directory: &Path) {
    let mut at = tree::open_trusted(directory).unwrap();
    for _ in 0..3000 {
        rustix::fs::mkdirat(&at, "d", Mode::from(0o700)).unwrap();
        at = tree::open_directory(&at, "d".as_ref()).unwrap();
    }
}

#[test]
fn a_huge_sparse_file_is_a_change_that_is_not_read() {
    let scene = Scene::new();
    write(&scene.workspace.join(".envrc"), "a\n");
    write(&scene.store("envrc"), "");
    let huge = File::options().write(true).open(scene.store("envrc"));
    huge.unwrap().set_len(1 << 43).unwrap();
    assert_eq!(scene.changes(&scene.file()), ["M .envrc"]);
    fs::remove_file(scene.workspace.join(".envrc")).unwrap();
    assert_eq!(scene.changes(&scene.file()), ["A .envrc"]);
}

#[test]
fn applying_keeps_the_holes_of_a_file() {
    const SIZE: u64 = 1 << 30;
    const FILES: [(&str, &[u64]); 4] = [
        ("empty", &[]),
        ("start", &[0]),
        ("middle", &[SIZE / 2, SIZE / 2 + (8 << 20)]),
        ("end", &[0, SIZE - 4]),
    ];
    let scene = Scene::new();
    for (name, data) in FILES {
        let file = File::create_new(scene.store(name)).unwrap();
        file.set_len(SIZE).unwrap();
        for at in data {
            file.write_all_at(b"data", *at).unwrap();
        }
    }
    scene.overlay();
    assert_eq!(apply(&scene.state).unwrap().len(), 4);
    for (name, data) in FILES {
        let file = File::open(scene.workspace.join(name)).unwrap();
        let meta = file.metadata().unwrap();
        assert_eq!(meta.len(), SIZE, "{name}");
        assert!(meta.blocks() * 512 < 1 << 20, "{name}: {}", meta.blocks());
        for at in data {
            let mut read = [0; 4];
            file.read_exact_at(&mut read, *at).unwrap();
            assert_eq!(&read, b"data", "{name} at {at}");
        }
    }
}

#[test]
fn applying_copies_all_octets_between_holes() {
    let scene = Scene::new();
    let content: Vec<u8> = (0..3_000_001u32).flat_map(u32::to_le_bytes).collect();
    fs::write(scene.store("dense"), &content).unwrap();
    let file = File::create_new(scene.store("mixed")).unwrap();
    file.write_all_at(&content, 12_345).unwrap();
    file.write_all_at(&content, 64 << 20).unwrap();
    scene.overlay();
    assert_eq!(apply(&scene.state).unwrap().len(), 2);
    for name in ["dense", "mixed"] {
        let taken = fs::read(scene.workspace.join(name)).unwrap();
        assert!(taken == fs::read(scene.store(name)).unwrap(), "{name}");
    }
}

#[test]
fn files_of_one_size_are_compared_up_to_a_bound() {
    let scene = Scene::new();
    for (name, size) in [("small", 1 << 20), ("large", LARGEST_COMPARED + 1)] {
        for path in [scene.workspace.join(name), scene.store(name)] {
            write(&path, "same");
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(size).unwrap();
        }
    }
    write(&scene.workspace.join("other"), "before");
    write(&scene.store("other"), "after!");
    assert_eq!(scene.changes(&scene.overlay()), ["M large", "M other"]);
}

#[test]
fn a_tree_that_is_too_deep_is_incomplete_and_can_be_discarded() {
    let scene = Scene::new();
    deepen(&scene.state.join("upper"));
    let changes = scene.overlay().changes();
    assert_eq!(changes.list.len(), MOST_DEPTH);
    assert!(changes.incomplete.unwrap().contains("within each other"));
    assert!(discard_unchanged(&scene.state).is_err());
    assert!(apply(&scene.state).is_err());
    assert_eq!(fs::read_dir(&scene.workspace).unwrap().count(), 0);
    discard(&scene.state).unwrap();
    assert!(!scene.state.exists());
}

#[test]
fn directories_without_permissions_can_be_discarded() {
    let scene = Scene::new();
    scene.overlay();
    write(&scene.store("a/b/c/file"), "x");
    write(&scene.store("removing-1/file"), "x");
    for path in ["a/b/c", "a/b", "a"] {
        let none = fs::Permissions::from_mode(0o000);
        fs::set_permissions(scene.store(path), none).unwrap();
    }
    discard(&scene.state).unwrap();
    assert!(!scene.state.exists());
}

#[test]
fn discarding_does_not_follow_links() {
    let scene = Scene::new();
    scene.overlay();
    write(&scene.workspace.join("kept"), "x");
    symlink(&scene.workspace, scene.store("link")).unwrap();
    discard(&scene.state).unwrap();
    assert!(scene.workspace.join("kept").exists());
}

#[test]
fn what_is_below_a_directory_made_anew_is_removed_at_every_depth() {
    let scene = Scene::new();
    write(&scene.workspace.join("dir/sub/old"), "x");
    write(&scene.workspace.join("dir/old"), "x");
    write(&scene.store("dir/sub/new"), "x");
    let opaque = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(scene.store("dir"), "user.overlay.opaque", b"y", opaque).unwrap();
    assert_eq!(
        scene.changes(&scene.overlay()),
        ["D dir/old", "A dir/sub/new", "D dir/sub/old"]
    );
}

#[test]
fn a_living_run_is_neither_applied_nor_discarded() {
    let scene = Scene::new();
    scene.overlay();
    write(&scene.store("new"), "x");
    let left = init::Left {
        state: scene.state.clone(),
        placeholders: Vec::new(),
        groups: Vec::new(),
    };
    let alive = left.record().unwrap();
    assert!(is_alive(&scene.state).unwrap());
    let busy = |error: io::Error| error.kind() == io::ErrorKind::ResourceBusy;
    assert!(apply(&scene.state).is_err_and(busy));
    assert!(discard(&scene.state).is_err_and(busy));
    assert!(scene.store("new").exists() && !scene.workspace.join("new").exists());
    drop(alive);
    assert!(!is_alive(&scene.state).unwrap());
    assert_eq!(apply(&scene.state).unwrap().len(), 1);
    assert!(scene.workspace.join("new").exists());
}

#[test]
fn a_source_that_became_a_link_or_a_pipe_is_not_read() {
    let scene = Scene::new();
    let secret = scene.state.join("secret");
    write(&secret, "secret");
    write(&scene.store("file"), "x");
    write(&scene.store("pipe"), "x");
    write(&scene.store("dir/secret"), "x");
    write(&scene.workspace.join("file"), "kept");
    let manifest = scene.overlay();
    let changes = manifest.changes().list;
    fs::remove_file(scene.store("file")).unwrap();
    symlink(&secret, scene.store("file")).unwrap();
    fs::remove_file(scene.store("pipe")).unwrap();
    sh(
        &scene.state.join("upper"),
        "mkfifo pipe; rm -r dir; ln -s .. dir",
    );
    let applied = |name: &str| {
        let path = scene.workspace.join(name);
        let change = changes.iter().find(|change| change.path == path).unwrap();
        apply::apply(&scene.workspace, &manifest.layers, change)
    };
    // A link is taken over as a link; its content is not.
    applied("file").unwrap();
    assert_eq!(fs::read_link(scene.workspace.join("file")).unwrap(), secret);
    assert!(applied("pipe").is_err());
    assert!(applied("dir/secret").is_err());
    assert!(!scene.workspace.join("dir/secret").exists());
}

#[test]
fn a_name_that_is_not_utf_8_is_serialised() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let scene = Scene::new();
    let name = OsStr::from_bytes(b"bad\xff");
    fs::write(scene.state.join("upper").join(name), "x").unwrap();
    let changes = scene.overlay().changes().list;
    let json = serde_json::to_string(&changes).unwrap();
    assert!(json.contains("bad\u{fffd}"), "{json}");
}
