//! Standard output that is a file or a shared pipe: more than a stream, if it is handed in.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use ringfence_e2e::Host;

#[test]
fn a_log_is_written_and_nothing_else_is_done_to_it() {
    let host = Host::new();
    let log = host.home_file("log", "earlier\n");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o640)).unwrap();
    let attack = "
import fcntl, os
for attempt in (
    lambda: os.fchmod(1, 0o777),
    lambda: fcntl.fcntl(1, fcntl.F_SETFL, 0),
    lambda: os.lseek(1, 0, 0),
    lambda: os.ftruncate(1, 0),
    lambda: os.utime(1, (0, 0)),
    lambda: os.pwrite(1, b'forged\\n', 0),
):
    try: attempt()
    except OSError: pass
os.write(1, b'later\\n')
";
    let status = host
        .command()
        .args(["run", "-q", "--", "python3", "-c", attack])
        .stdout(File::options().append(true).open(&log).unwrap())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(fs::read_to_string(&log).unwrap(), "earlier\nlater\n");
    let meta = fs::metadata(&log).unwrap();
    assert_eq!(meta.permissions().mode() & 0o7777, 0o640);
    assert!(meta.modified().unwrap() > std::time::UNIX_EPOCH);
}

#[test]
fn what_others_write_into_a_shared_pipe_cannot_be_read() {
    let host = Host::new();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"of another job\n").unwrap();
    let attack = "exec 3< /proc/self/fd/1; timeout 1 cat <&3 >&2; echo done";
    let output = host
        .command()
        .args(["run", "-q", "--", "bash", "-c", attack])
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert_eq!(read, "of another job\ndone\n");
}
