//! Renames over a protected file are done by pid 1, which may read what the agent may not: it must not read it for the agent.

use ringfence_e2e::Host;

use super::tree;

#[test]
fn pid1_copies_nothing_that_the_agent_could_not_rename() {
    let host = Host::new();
    host.file(".git/config", "[core]\n");
    let before = tree(host.project());
    let ended = host.run().python(
        "import os\n\
         from wire import *\n\
         for path in ('/proc/self/maps', '/proc/1/maps', '/proc/self/environ', '/proc/self/cmdline', '/proc/self/mountinfo',\n\
         \x20            '/proc/self/fd/0', '/proc/self/status', '/etc/passwd', '/dev/zero', '/dev/stdin', '/proc/self/exe'):\n\
         \x20   try: os.rename(path, '.git/config'); show('renamed ' + path)\n\
         \x20   except OSError: pass\n\
         \x20   show(open('.git/config').read())\n",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(ended.stdout, "[core]\n\n".repeat(11), "{ended}");
    let after: Vec<_> = tree(host.project());
    let after: Vec<_> = after
        .into_iter()
        .filter(|entry| !entry.contains(".py") && !entry.contains("__pycache__"))
        .collect();
    assert_eq!(after, before);
}

#[test]
fn a_replaced_file_is_replaced_inside_only() {
    let host = Host::new();
    host.file(".git/config", "[core]\n");
    let before = tree(host.project());
    let ended = host.run().sh("echo '[smuggled]' > .git/config.lock && mv .git/config.lock .git/config && cat .git/config");
    assert_eq!(ended.stdout, "[smuggled]\n", "{ended}");
    assert_eq!(tree(host.project()), before, "{ended}");
}
