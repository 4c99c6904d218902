//! A user namespace of one's own gives every capability over it, and with those a large part of the kernel to attack (srt #429).

use ringfence_e2e::Host;

#[test]
fn no_tool_makes_a_namespace() {
    for host in [Host::new(), Host::as_caller()] {
        let ended = host.run().sh(
            "for kind in U r n m p i u C T; do unshare -$kind true 2>/dev/null && echo made $kind; done
             unshare -Urnm true 2>/dev/null && echo made all
             nsenter -t 1 -m -n -p true 2>/dev/null && echo entered; nsenter -t $$ -U true 2>/dev/null && echo entered own
             python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(56, 0x10000000 | 17, 0, 0, 0, 0))'",
        );
        assert_eq!(ended.stdout, "-1\n", "{ended}");
    }
}
