//! Protocols that are neither HTTP nor TLS, by name and port: SSH, where the server speaks first, Redis, and PostgreSQL.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use ringfence_e2e::Host;
use ringfence_testkit::postgres::PostgresServer;
use ringfence_testkit::process::{command, run};
use ringfence_testkit::redis::RedisServer;
use ringfence_testkit::ssh::SshServer;

use super::site::assert_prints;

#[test]
fn ssh_runs_a_command_and_copies_a_file() {
    let mut host = Host::new();
    let server = SshServer::start(host.workdir()).unwrap();
    host.name("ssh.test", server.address());
    let key = host.file("key", fs::read(server.client_key()).unwrap());
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    host.file("known", server.known_host("ssh.test", 2222));
    let whoami = run(command("id").arg("-un")).unwrap().stdout;
    let whoami = String::from_utf8(whoami).unwrap();
    let options = "-F none -o BatchMode=yes -o UserKnownHostsFile=$PWD/known -i key";
    let ended = host.run().allow("ssh.test:2222").sh(&format!(
        "head -c 2000000 /dev/urandom > noise
         ssh {options} -p 2222 {user}@ssh.test cat < noise | cmp - noise && echo same",
        user = whoami.trim()
    ));
    assert_prints(&ended, "same\n");
}

#[test]
fn redis_cli_reads_what_it_wrote() {
    let mut host = Host::new();
    let server = RedisServer::start(host.workdir()).unwrap();
    host.name("redis.test", server.address());
    let ended = host
        .run()
        .allow("redis.test:6379")
        .sh("redis-cli -h redis.test set key value; redis-cli -h redis.test get key");
    assert_prints(&ended, "OK\nvalue\n");
}

#[test]
fn psql_copies_rows_in_and_out() {
    let mut host = Host::new();
    let server = PostgresServer::start(host.workdir()).unwrap();
    host.name("db.test", server.address());
    let ended = host.run().allow("db.test:5432").sh(&format!(
        "export PGUSER={user} PGHOST=db.test PGCONNECT_TIMEOUT=20
         seq 200000 > rows
         psql -qc 'create table numbers (n int)' -c '\\copy numbers from rows'
         psql -qAtc 'select count(*), sum(n) from numbers'
         psql -qc '\\copy (select n from numbers order by n) to copied' && cmp rows copied && echo same
         psql -qAtc 'select 1' -p 5433 2>&1 | grep -c 'psql: error'",
        user = PostgresServer::USER
    ));
    assert_prints(&ended, "200000|20000100000\nsame\n1\n");
    assert!(
        ended.was_refused("db.test:5433", "port-not-allowed"),
        "{ended}"
    );
}
