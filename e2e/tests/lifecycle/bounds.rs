//! What a command may use up: processes are bounded, and ended ones are put away.

use ringfence_e2e::Host;

#[test]
fn a_fork_bomb_is_bounded_and_leaves_the_machine_alone() {
    let host = Host::new();
    let ended = host.run().option("--processes", "100").exec(&[
        "python3",
        "-c",
        "
import os
made = 0
reader, writer = os.pipe()
try:
    while made < 1000:
        if os.fork() == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        made += 1
except BlockingIOError:
    print('bounded', 50 < made <= 100)
",
    ]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "bounded True\n"),
        "{ended}"
    );
}

#[test]
fn orphans_are_reaped_as_they_end() {
    let ended = Host::new().run().exec(&[
        "python3",
        "-c",
        "
import os
for _ in range(500):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
def zombies():
    count = 0
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                count += ' Z ' in open(f'/proc/{name}/stat').read()
            except OSError:
                pass
    return count
while zombies():
    pass
print('none left')
",
    ]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "none left\n"),
        "{ended}"
    );
}

#[test]
fn open_files_are_bounded() {
    let ended = Host::new().run().sh("ulimit -Hn");
    let limit: u64 = ended.stdout.trim().parse().unwrap();
    assert!(limit <= 65_536, "{ended}");
}
