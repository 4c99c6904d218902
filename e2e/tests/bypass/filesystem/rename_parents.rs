//! Moving a parent of a protected path away, to put another one in its place (sandbox-runtime 383871c).

use std::os::unix::fs::symlink;

use ringfence_e2e::Host;

use super::tree;

#[test]
fn the_parents_of_protected_paths_stay_where_they_are() {
    let host = Host::new();
    host.file(".git/config", "[core]\n");
    host.file(".git/hooks/pre-commit", "#!/bin/sh\n");
    // The person's editor goes through the link.
    host.file("ops/editor/tasks.json", "{}\n");
    symlink("ops/editor", host.project().join(".vscode")).unwrap();
    let before = tree(host.project());
    let ended = host.run().python(
        "import ctypes, os\n\
         from wire import *\n\
         libc = ctypes.CDLL(None)\n\
         os.mkdir('other')\n\
         for parent in ('.git', '.git/hooks', 'ops', 'ops/editor', '.vscode', os.getcwd()):\n\
         \x20   for flags in (0, 1, 2):\n\
         \x20       if libc.renameat2(-100, parent.encode(), -100, b'moved' if flags < 2 else b'other', flags) == 0: show('moved ' + parent)\n\
         \x20   try: os.rmdir(parent); show('removed ' + parent)\n\
         \x20   except OSError: pass\n\
         os.rmdir('other')\n",
    );
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended}");
    let after: Vec<_> = tree(host.project());
    let after: Vec<_> = after
        .into_iter()
        .filter(|entry| !entry.contains(".py") && !entry.contains("__pycache__"))
        .collect();
    assert_eq!(after, before, "{ended}");
}
