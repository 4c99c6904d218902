//! The kernel's switches: as root's own files, the host's root could write them without any capability.

use ringfence_e2e::Host;

#[test]
fn no_switch_can_be_written() {
    for host in [Host::new(), Host::as_caller()] {
        let ended = host.run().sh(
            "for file in $(find /proc/sys /proc/irq /proc/fs /proc/bus /sys -type f 2>/dev/null | head -3000) /proc/sysrq-trigger; do
               { : >> $file; } 2>/dev/null && [ -f $file ] && echo writable $file; done; cat /proc/sys/kernel/ostype",
        );
        assert_eq!(ended.stdout, "Linux\n", "{ended}");
    }
}
