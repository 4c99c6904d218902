//! After a run that used every kind of credential that is given out as it is kept: no secret is anywhere that an agent or a reader of the
//! record could look.

use std::fs;
use std::path::{Path, PathBuf};

use ringfence_e2e::Ended;
use ringfence_testkit::api::{Api, echo};
use ringfence_testkit::process;

use super::desk::Desk;
use super::encodings::places;

/// The kinds, with the settings, the secret's canary, and what is given on standard input.
const KINDS: &[(&str, &[&str], &str)] = &[
    (
        "header",
        &["--set", "name=x-api-key", "--set", "prefix=key "],
        "canary-header-7Qm/x+f2=9",
    ),
    ("bearer", &[], "canary-bearer-1Zp/k+c8=4"),
    (
        "basic",
        &["--set", "username=robot"],
        "canary-basic-5Wd/u+n3=6",
    ),
    (
        "query",
        &["--set", "name=api_key"],
        "canary-query-8Rt/e+b7=1",
    ),
    (
        "aws-sigv4",
        &[
            "--set",
            "access_key=AKIDEXAMPLE",
            "--set",
            "region=eu-central-1",
            "--set",
            "service=execute-api",
        ],
        "canary-sigv4-3Hy/o+s6=0",
    ),
];

/// What the sweep must find, or it could not find a secret either.
const DECOY: &str = "decoy-2Lk/v+j5=8";

/// Uses each credential, and then takes a copy of all that an agent can look at.
const SWEEP: &str = r#"
import os, re, stat, sys, urllib.error, urllib.request
os.mkdir("sweep")
with open("sweep/traffic", "wb") as traffic:
    for kind in sys.argv[2:]:
        request = urllib.request.Request(f"https://{kind}.acme.test/a?b=c", b"body", {"Content-Type": "text/plain"})
        try:
            answer = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        traffic.write(str(answer.status).encode() + str(answer.headers).encode() + answer.read())
        print(kind, answer.status)
with open("/tmp/kept", "w") as kept:
    kept.write(sys.argv[1])
print(sys.argv[1])

def copy(name, octets):
    with open(f"sweep/{name}", "ab") as file:
        file.write(octets)

def files(top):
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            try:
                if stat.S_ISREG(os.lstat(path).st_mode) and os.path.getsize(path) < 8 << 20:
                    with open(path, "rb") as file:
                        yield file.read()
            except OSError:
                pass

for top in ["/etc", "/home", "/run", "/tmp", "/var", "/dev/shm", "/root", "/opt", "/srv", os.environ["HOME"]]:
    for octets in files(top):
        copy("files", octets)
for pid in filter(str.isdigit, os.listdir("/proc")):
    for part in ["environ", "cmdline", "auxv", "mountinfo"]:
        try:
            with open(f"/proc/{pid}/{part}", "rb") as file:
                copy(part, file.read())
        except OSError:
            pass
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                begin, end, access = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
                if access.startswith("rw"):
                    try:
                        memory.seek(int(begin, 16))
                        copy("memory", memory.read(int(end, 16) - int(begin, 16)))
                    except OSError:
                        pass
    except OSError:
        pass
"#;

/// An API for each kind, its credential, and the profile `all` that uses them.
fn one_api_of_each_kind(desk: &mut Desk) -> Vec<Api> {
    let mut apis = Vec::new();
    let mut rules = String::new();
    for (kind, settings, secret) in KINDS {
        let name = format!("{kind}.acme.test");
        apis.push(desk.api(&name, echo));
        let usual = [*kind, "--kind", kind, "--host", &name];
        desk.keep(&[&usual, *settings].concat(), secret);
        rules += &format!("  - allow: {{ host: {name}, credential: {kind} }}\n");
    }
    let profile = format!("apiVersion: ringfence/v1\nkind: Profile\nname: all\napi:\n{rules}");
    desk.host.profile("all", &profile);
    apis
}

/// Everything that is looked at, as files and directories.
fn looked_at(desk: &Desk, ended: &Ended) -> Vec<PathBuf> {
    let host = &desk.host;
    let workdir = host.workdir();
    let answers = [
        vec!["events", "--json"],
        vec!["events"],
        vec!["events", "export", "--format", "ocsf"],
        vec!["denied", "--json"],
        vec!["credential", "list", "--json"],
        vec!["credential", "list"],
        vec!["credential", "show", "basic", "--json"],
        vec!["token", "list", "--all", "--json"],
    ];
    let mut said = format!("{}{}", ended.stdout, ended.stderr);
    for arguments in answers {
        let ended = desk.ringfence(&arguments);
        said += &format!("{}{}", ended.stdout, ended.stderr);
    }
    let said = workdir.file("said", said).unwrap();
    let private = workdir.dir("sweep").unwrap();
    fs::rename(host.project().join("sweep"), private.join("agent")).unwrap();
    vec![
        said,
        private,
        workdir.join("spool"),
        host.data(),
        host.project().to_owned(),
        host.home().join("report.json"),
    ]
}

#[test]
fn no_secret_is_where_an_agent_or_a_reader_of_the_record_could_look() {
    let mut desk = Desk::new();
    let apis = one_api_of_each_kind(&mut desk);
    let report = desk.host.home().join("report.json").display().to_string();
    let kinds = KINDS.iter().map(|(kind, ..)| *kind);
    let command: Vec<&str> = ["python3", "-c", SWEEP, DECOY]
        .into_iter()
        .chain(kinds)
        .collect();
    let running = desk
        .host
        .run()
        .profile("all")
        .env(&format!("DECOY={DECOY}"))
        .option("--json-report", &report)
        .spawn(&command);
    let ended = running.wait();
    // The verbs that ask take the spool into the store.
    let spool = desk.host.workdir().join("spool");
    fs::rename(desk.host.data().join("spool"), &spool).unwrap();
    let mut copy = process::command("cp");
    copy.arg("-rp").arg(&spool).arg(desk.host.data());
    process::run(&mut copy).unwrap();
    assert_eq!(ended.code, 0, "{ended}");
    for ((kind, ..), api) in KINDS.iter().zip(&apis) {
        assert!(ended.stdout.contains(&format!("{kind} 200\n")), "{ended}");
        assert_eq!(api.requests().len(), 1, "{kind}");
    }
    let looked_at = looked_at(&desk, &ended);
    let paths: Vec<&Path> = looked_at.iter().map(PathBuf::as_path).collect();
    let decoys = places(&desk.host, DECOY, &paths).join("\n");
    for place in [
        "agent/memory",
        "agent/environ",
        "agent/files",
        "agent/cmdline",
        "/said",
        "store.db",
        "/spool/",
    ] {
        assert!(decoys.contains(place), "{place} is not looked at: {decoys}");
    }
    for (kind, _, secret) in KINDS {
        let found = places(&desk.host, secret, &paths);
        assert_eq!(found, Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn the_secret_did_arrive_upstream() {
    let mut desk = Desk::new();
    let apis = one_api_of_each_kind(&mut desk);
    let fetch = |(kind, ..): &(&str, &[&str], &str)| {
        format!("curl -sS --fail -o /dev/null 'https://{kind}.acme.test/a?b=c' || exit 1\n")
    };
    let script: String = KINDS.iter().map(fetch).collect();
    let ended = desk.host.run().profile("all").sh(&script);
    assert_eq!(ended.code, 0, "{ended}");
    let sent: Vec<_> = apis.iter().map(|api| api.requests().remove(0)).collect();
    assert_eq!(
        sent[0].header("x-api-key"),
        Some("key canary-header-7Qm/x+f2=9")
    );
    assert_eq!(
        sent[1].header("authorization"),
        Some("Bearer canary-bearer-1Zp/k+c8=4")
    );
    // robot:canary-basic-5Wd/u+n3=6
    let basic = "Basic cm9ib3Q6Y2FuYXJ5LWJhc2ljLTVXZC91K24zPTY=";
    assert_eq!(sent[2].header("authorization"), Some(basic));
    assert_eq!(sent[3].query, "b=c&api_key=canary-query-8Rt%2Fe%2Bb7%3D1");
    let signed = sent[4].header("authorization").unwrap();
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        "{signed}"
    );
}
