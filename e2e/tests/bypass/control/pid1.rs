//! Pid 1 holds the channel to the launcher: whoever can read, trace or end it has the sandbox.

use ringfence_e2e::Host;

#[test]
fn pid1_cannot_be_ended_read_or_traced() {
    for host in [Host::new(), Host::as_caller()] {
        let ended = host.run().sh(
            "for signal in KILL TERM STOP INT HUP SEGV QUIT USR1 PIPE ALRM; do kill -$signal 1; done 2>/dev/null
             for file in environ mem maps auxv stack syscall fd/0 root/etc/passwd cwd/x; do
               head -c 64 /proc/1/$file >/dev/null 2>&1 && echo \"read $file\"; done
             python3 -c 'import ctypes; print(ctypes.CDLL(None).ptrace(16, 1, 0, 0))'
             echo alive; exit 7",
        );
        // 7 came through pid 1, so it lives and answers.
        assert_eq!(ended.code, 7, "{ended}");
        assert_eq!(ended.stdout, "-1\nalive\n", "{ended}");
    }
}

#[test]
fn no_process_of_the_hosts_can_be_seen_or_signalled() {
    let host = Host::new();
    let own = std::process::id();
    let script = format!(
        "ls -d /proc/[0-9]* | wc -l | {{ read count; [ $count -lt 8 ] && echo few; }}
         kill -0 {own} 2>/dev/null && echo reached; [ -e /proc/{own} ] && echo seen; true"
    );
    let ended = host.run().sh(&script);
    assert_eq!(ended.stdout, "few\n", "{ended}");
}
