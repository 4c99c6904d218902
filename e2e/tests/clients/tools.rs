//! Real tools under the system call filter, without any network.

use ringfence_e2e::Host;

use super::site::assert_prints;

#[test]
fn a_shell_with_its_usual_company_works() {
    let ended = Host::new().run().sh(
        "set -eo pipefail
         mkdir -p tree/sub; seq 1000 > tree/sub/numbers; ln -s sub/numbers tree/link; ln tree/sub/numbers tree/hard
         tar czf all.tgz tree; rm -r tree; tar xzf all.tgz
         find tree -type f | sort | xargs wc -l | tail -1
         sed -i 's/^1$/one/' tree/sub/numbers; grep -c one tree/link; awk '{s+=$1} END {print s}' tree/sub/numbers
         mkfifo pipe; (echo through > pipe &); cat pipe
         (flock 9; echo locked) 9> lock
         timeout 5 sh -c 'kill -STOP $$; echo never' & sleep 0; kill -CONT $! ; wait $! 2>/dev/null || true
         diff <(sort tree/link) <(sort tree/link) && nice -n 5 echo nice && nproc > /dev/null",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stdout.contains("through\nlocked\n"), "{ended}");
    assert!(ended.stdout.ends_with("nice\n"), "{ended}");
}

#[test]
fn gcc_compiles_and_the_program_runs() {
    let host = Host::new();
    host.file("threads.c", include_str!("threads.c"));
    let ended = host
        .run()
        .sh("gcc -O2 -Wall -o threads threads.c -lpthread && ./threads");
    assert_prints(&ended, "32 threads, 2 processes\n");
}

#[test]
fn python_uses_processes_threads_and_events() {
    let ended = Host::new().run().exec(&[
        "python3",
        "-c",
        "
import asyncio, concurrent.futures, multiprocessing, sqlite3, subprocess, tempfile
with concurrent.futures.ProcessPoolExecutor(4) as pool:
    print(sum(pool.map(abs, range(-50, 50))))
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(abs, range(-50, 50))))
async def main():
    process = await asyncio.create_subprocess_exec('echo', 'asynchronous', stdout=-1)
    print((await process.communicate())[0].decode().strip())
asyncio.run(main())
queue = multiprocessing.Queue()
queue.put('queued')
print(queue.get())
with tempfile.NamedTemporaryFile() as file:
    base = sqlite3.connect(file.name)
    base.execute('pragma journal_mode=wal')
    base.execute('create table t (x)')
    print(base.execute('select count(*) from t').fetchone()[0])
",
    ]);
    assert_prints(&ended, "2500\n2500\nasynchronous\nqueued\n0\n");
}

#[test]
fn node_uses_workers_processes_and_file_watchers() {
    let host = Host::new();
    host.file("work.mjs", include_str!("work.mjs"));
    assert_prints(
        &host.run().exec(&["node", "work.mjs"]),
        "worker 42\nchild ok\nwatched\n",
    );
}

#[test]
fn tmux_has_terminals() {
    let ended = Host::new()
        .run()
        .sh("mkfifo said; TERM=xterm tmux -f /dev/null new-session -d 'tty > said' && cat said");
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stdout.starts_with("/dev/pts/"), "{ended}");
}
