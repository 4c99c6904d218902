//! Files that would run with the person's rights for everybody on the host who starts them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ringfence_e2e::Host;

#[test]
fn no_file_is_left_that_runs_as_its_owner() {
    let host = Host::new();
    let ended = host.run().python(
        "import ctypes, os\n\
         libc = ctypes.CDLL(None, use_errno=True)\n\
         def made(name): return os.open(name, os.O_CREAT | os.O_WRONLY, 0o755)\n\
         for attempt in (\n\
         \x20   lambda: os.chmod('plain', 0o4755),\n\
         \x20   lambda: os.fchmod(made('plain'), 0o2755),\n\
         \x20   lambda: os.open('opened', os.O_CREAT | os.O_WRONLY, 0o4755),\n\
         \x20   lambda: os.mknod('made', 0o104755),\n\
         \x20   lambda: libc.syscall(437, -100, b'newer', (ctypes.c_uint64 * 3)(0o101, 0o4755, 0), 24),\n\
         \x20   lambda: libc.syscall(452, -100, b'plain', 0o6755, 0),\n\
         ):\n\
         \x20   made('plain')\n\
         \x20   try: attempt()\n\
         \x20   except PermissionError: pass\n\
         os.chmod('plain', 0o1711)\n",
    );
    assert_eq!(ended.code, 0, "{ended}");
    for entry in fs::read_dir(host.project()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o6000, 0, "{:?} {mode:o}", entry.file_name());
    }
    let plain = fs::metadata(host.project().join("plain")).unwrap();
    assert_eq!(plain.permissions().mode() & 0o7777, 0o1711);
}
