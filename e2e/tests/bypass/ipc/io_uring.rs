//! `IORING_OP_SOCKET` and `IORING_OP_CONNECT` never pass a filter of `socket()` and `connect()`; and other calls past the filter.

use ringfence_e2e::Host;

#[test]
fn calls_that_go_past_the_filter_do_not_exist() {
    let host = Host::new();
    let ended = host.run().python(
        "from wire import *\n\
         import ctypes, os\n\
         libc = ctypes.CDLL(None, use_errno=True)\n\
         # io_uring_setup, io_uring_enter, io_uring_register, clone3 (38: no such call); then bpf, perf_event_open, keyctl,\n\
         # userfaultfd, kexec_load, init_module, open_by_handle_at, mount (1: not permitted)\n\
         for number in (425, 426, 427, 435, 321, 298, 250, 323, 246, 175, 304, 165):\n\
         \x20   show(libc.syscall(number, 0, 0, 0, 0, 0, 0), ctypes.get_errno())\n\
         # The same socket() by the numbers of the x32 interface.\n\
         show(libc.syscall(0x40000000 + 41, 2, 3, 1), ctypes.get_errno())\n",
    );
    let expected = "-1\n38\n".repeat(4) + &"-1\n1\n".repeat(9);
    assert_eq!(ended.stdout, expected, "{ended}");
}
