//! A device node of one's own reaches the disk or the memory past every file system.

use ringfence_e2e::Host;

#[test]
fn no_device_can_be_made_or_used() {
    for host in [Host::new(), Host::as_caller()] {
        let ended = host.run().sh(
            "for place in . /tmp /dev /dev/shm ~; do for device in 'b 8 0' 'b 254 0' 'c 1 1' 'c 10 229' 'c 5 1'; do
               mknod $place/node $device 2>/dev/null && echo \"made $device in $place\"; done; done
             ls /dev | tr '\\n' ' '",
        );
        let devices = "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero";
        let there: Vec<_> = ended
            .stdout
            .split_whitespace()
            .filter(|name| !devices.contains(name))
            .collect();
        assert_eq!(there, [""; 0], "{ended}");
    }
}
