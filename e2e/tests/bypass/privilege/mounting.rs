//! Mounting over, under and away what the sandbox is made of.

use ringfence_e2e::Host;

#[test]
fn no_tool_mounts_or_changes_the_root() {
    for host in [Host::new(), Host::as_caller()] {
        host.file(".git/config", "[core]\n");
        host.file(".env", "from-the-caller\n");
        let ended = host.run().option("--hide", ".env").sh(
            "mount -t tmpfs none /tmp && echo tmpfs; mount --bind / /tmp && echo bind; mount -o remount,rw / && echo remounted
             umount .git/config && echo unmounted; umount -l .env && echo unmounted; umount /proc/keys && echo unmounted
             mkdir -p /tmp/root; chroot /tmp/root true && echo chroot; pivot_root / /tmp && echo pivot; cat .env
             echo x > /ringfence-attempt && echo wrote; mkdir /new && echo made; true",
        );
        assert_eq!(ended.stdout, "", "{ended}");
        assert_eq!(ended.code, 0, "{ended}");
    }
}
