//! A directory as standard input is a handle on the host's tree: `openat(0, "../..")`.

use std::fs::File;

use ringfence_e2e::Host;

#[test]
fn a_directory_is_not_handed_in() {
    let host = Host::new();
    host.home_file("private/secret", "from-the-caller\n");
    let directory = File::open(host.home().join("private")).unwrap();
    let ended = host.run().stdin(directory).python(
        "import os\n\
         from wire import *\n\
         show(os.readlink('/proc/self/fd/0').split(':')[0])\n\
         for path in ('secret', '../private/secret', '/proc/self/fd/0/secret'):\n\
         \x20   try: show(os.read(os.open(path, os.O_RDONLY, dir_fd=0), 100))\n\
         \x20   except OSError as error: show(type(error).__name__)\n\
         try: os.fchdir(0); show(os.listdir('.'))\n\
         except OSError as error: show(type(error).__name__)\n",
    );
    assert!(ended.stdout.starts_with("pipe\n"), "{ended}");
    assert_eq!(
        ended.stdout.matches("NotADirectoryError").count(),
        4,
        "{ended}"
    );
    assert!(!ended.stdout.contains("from-the-caller"), "{ended}");
}

#[test]
fn a_handle_for_looking_around_is_not_handed_in() {
    let host = Host::new();
    let secret = host.home_file("private/secret", "from-the-caller\n");
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let handle = rustix::fs::open(&secret, flags, rustix::fs::Mode::empty()).unwrap();
    let ended = host
        .run()
        .stdin(handle)
        .sh("readlink /proc/self/fd/0; cat /proc/self/fd/0; cat");
    assert!(ended.stdout.starts_with("pipe:"), "{ended}");
    assert!(!ended.stdout.contains("from-the-caller"), "{ended}");
}
