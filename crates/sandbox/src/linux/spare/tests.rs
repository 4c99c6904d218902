use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A run's directory with a private copy of a directory and one of a file.
    fn begin(&self, run: &str) -> PathBuf {
        let state = self.0.path().join("runs").join(run);
        take(&state).unwrap();
        let _ = make_directory(&state.join(name(true, 0)));
        if !state.join(name(false, 1)).exists() {
            fs::write(state.join(name(false, 1)), "").unwrap();
        }
        state
    }

    fn inode(path: &Path) -> u64 {
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap())
    }
}

#[test]
fn what_nobody_touched_serves_the_next_run() {
    let scene = Scene::new();
    let first = scene.begin("one");
    fs::write(first.join("manifest.json"), "{}").unwrap();
    let before = [name(true, 0), name(false, 1)].map(|name| Scene::inode(&first.join(name)));
    give(&first).unwrap();
    assert!(!first.exists());
    let second = scene.begin("two");
    let after = [name(true, 0), name(false, 1)].map(|name| Scene::inode(&second.join(name)));
    assert_eq!(after, before);
    assert!(!second.join("manifest.json").exists());
}

#[test]
fn what_an_agent_touched_does_not() {
    let touches: [fn(&Path, &Path); 7] = [
        |directory, _| fs::write(directory.join("note"), "x").unwrap(),
        |directory, _| fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap(),
        |_, file| fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap(),
        |_, file| fs::write(file, "x").unwrap(),
        |_, file| fs::hard_link(file, file.with_file_name("other")).unwrap(),
        |directory, _| {
            fs::remove_dir(directory).unwrap();
            std::os::unix::fs::symlink("/tmp", directory).unwrap();
        },
        |_, file| {
            let file = fs::File::open(file).unwrap();
            let flags = ioctl_getflags(&file).unwrap();
            rustix::fs::ioctl_setflags(&file, flags | IFlags::NODUMP).unwrap();
        },
    ];
    for (index, touch) in touches.into_iter().enumerate() {
        let scene = Scene::new();
        let first = scene.begin("one");
        let (directory, file) = (first.join(name(true, 0)), first.join(name(false, 1)));
        let kept = [&directory, &file].map(|path| Scene::inode(path));
        touch(&directory, &file);
        give(&first).unwrap();
        let spare = scene.0.path().join(SPARE);
        let left: Vec<u64> = [name(true, 0), name(false, 1)]
            .map(|name| spare.join(name))
            .iter()
            .filter(|path| path.exists())
            .map(|path| Scene::inode(path))
            .collect();
        assert_eq!(left.len(), 1, "touch {index}");
        assert!(kept.contains(&left[0]), "touch {index}");
    }
}

#[test]
fn an_attribute_or_a_time_does_not_pass_from_run_to_run() {
    let scene = Scene::new();
    let first = scene.begin("one");
    let directory = first.join(name(true, 0));
    let file = fs::File::open(&directory).unwrap();
    let past = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1);
    let times = fs::FileTimes::new().set_accessed(past).set_modified(past);
    file.set_times(times).unwrap();
    rustix::fs::setxattr(
        first.join(name(false, 1)),
        "user.note",
        b"x",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    give(&first).unwrap();
    let spare = scene.0.path().join(SPARE);
    let meta = fs::metadata(spare.join(name(true, 0))).unwrap();
    assert_ne!(meta.modified().unwrap(), past);
    assert_ne!(meta.accessed().unwrap(), past);
    assert!(!spare.join(name(false, 1)).exists());
}

#[test]
fn there_is_one_spare_at_most() {
    let scene = Scene::new();
    let (first, second) = (scene.begin("one"), scene.begin("two"));
    give(&first).unwrap();
    assert!(give(&second).is_err());
    assert!(second.exists());
}
