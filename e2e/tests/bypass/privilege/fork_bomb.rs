//! A fork bomb: the sandbox runs out of processes, the machine does not (OpenShell #869).

use ringfence_e2e::Host;

#[test]
fn processes_are_bounded_and_gone_afterwards() {
    for host in [Host::new(), Host::as_caller()] {
        let ended = host.run().option("--processes", "40").python(
            "import os\n\
             from wire import *\n\
             made = 0\n\
             reader, writer = os.pipe()\n\
             try:\n\
             \x20   while made < 200:\n\
             \x20       if os.fork() == 0:\n\
             \x20           os.setsid(); os.close(writer); os.read(reader, 1); os._exit(0)\n\
             \x20       made += 1\n\
             except OSError as error: show(type(error).__name__)\n\
             show(20 < made < 41)\n\
             os._exit(3)\n",
        );
        assert_eq!(ended.code, 3, "{ended}");
        assert_eq!(ended.stdout, "BlockingIOError\nTrue\n", "{ended}");
    }
}
