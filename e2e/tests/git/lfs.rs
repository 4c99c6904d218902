//! Git LFS by Debian's git-lfs: objects come and go by addresses of the gateway's, and what the
//! server said about where they are stays out of the sandbox.

use ringfence_e2e::Host;
use ringfence_testkit::Ca;
use ringfence_testkit::git::GitServer;
use ringfence_testkit::lfs::{LfsServer, OBJECT_TOKEN, OBJECTS, sha256};

use super::forge::{Forge, RULES, TOKEN, USER};

const BIG: &[u8] = b"this stands for a large file\n";
const DOCS: &str = "https://github.com/acme/docs.git";
const WEB: &str = "https://github.com/acme/web.git";

/// `acme/docs` and `acme/web` have a file `big.bin` by LFS.
fn forge() -> (Forge, LfsServer) {
    let mut host = Host::new();
    let ca = Ca::new(host.workdir()).unwrap();
    let (workdir, user) = (host.workdir(), (USER, TOKEN));
    let server = GitServer::start_with_password(workdir, &ca, &["github.com"], user).unwrap();
    let lfs = LfsServer::start(workdir, &ca, ("github.com", &server), user).unwrap();
    let pointer = lfs.put(BIG);
    let files: &[(&str, &[u8])] = &[
        (
            ".gitattributes",
            b"*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ),
        ("big.bin", pointer.as_bytes()),
    ];
    for name in ["acme/docs", "acme/web"] {
        server
            .repository(name, &[("README", b"read me\n")])
            .unwrap();
        // In a second step, and without the filter: the pointer is committed as it is.
        server.commit(name, files).unwrap();
    }
    host.trust(&ca).name("github.com", lfs.https());
    host.name(OBJECTS, lfs.objects());
    let forge = Forge { host, ca, server };
    forge.keep_token();
    forge.rules(RULES);
    (forge, lfs)
}

/// Makes git use git-lfs for a user, as most people have it. The sandbox's own settings do as well.
const INSTALL: &str = "export HOME=/tmp; git lfs install --skip-repo > /tmp/installed\n";

/// The same for the hook that uploads before a push, in the repository at hand.
const HOOK: &str = "git lfs install --local > /tmp/installed";

/// Asks for the batch of one object as git-lfs does, and writes the answer to `batch`.
fn batch(url: &str, operation: &str, octets: &[u8]) -> String {
    let (oid, size) = (sha256(octets), octets.len());
    format!(
        r#"curl -sS -o batch -w '%{{http_code}}\n' -H 'Accept: application/vnd.git-lfs+json' -H 'Content-Type: application/vnd.git-lfs+json' \
            -d '{{"operation":"{operation}","transfers":["basic"],"objects":[{{"oid":"{oid}","size":{size}}}]}}' {url}/info/lfs/objects/batch
        "#
    )
}

/// The address in the answer.
const HREF: &str = "href() { python3 -c 'import json,sys; print(json.load(open(\"batch\"))[\"objects\"][0][\"actions\"][sys.argv[1]][\"href\"])' $1; }\n";

#[test]
fn files_are_downloaded_by_both_addresses() {
    let (forge, lfs) = forge();
    let ended = forge.works(&format!(
        "export GIT_TRACE_CURL=$PWD/trace GIT_CURL_VERBOSE=1
         git clone -q {DOCS} docs 2>> trace; cat docs/big.bin
         git clone -q https://git.ringfence.internal/github/acme/docs.git short 2>> trace; cat short/big.bin"
    ));
    let big = String::from_utf8_lossy(BIG);
    assert_eq!(ended.stdout, format!("{big}{big}"), "{ended}");
    let trace = std::fs::read_to_string(forge.host.project().join("trace")).unwrap();
    assert!(trace.contains("info/lfs/objects/"), "{trace}");
    for secret in [TOKEN, OBJECT_TOKEN, "a-url-that-is-a-credential", OBJECTS] {
        assert!(!trace.contains(secret), "{secret}: {trace}");
    }
    let requests = lfs.requests();
    let of_objects = requests
        .iter()
        .filter(|it| it.header("host") == Some(OBJECTS));
    let shown: Vec<_> = of_objects.map(|it| it.header("authorization")).collect();
    assert_eq!(shown, [Some(OBJECT_TOKEN); 2]);
}

#[test]
fn files_are_uploaded_and_verified_where_a_branch_may_be_written() {
    let (forge, lfs) = forge();
    let ended = forge.works(&format!(
        "{INSTALL} git clone -q {WEB} web; cd web; {HOOK}; git checkout -q -b agent/x
         head -c 3000000 /dev/urandom > new.bin; git add new.bin; git commit -qm new
         git push -q origin agent/x; git lfs ls-files -l | cut -d' ' -f1; sha256sum new.bin"
    ));
    let oid = ended.stdout.lines().last().unwrap();
    let oid = oid.split(' ').next().unwrap().to_owned();
    assert!(forge.resolve("acme/web", "refs/heads/agent/x").is_some());
    let store = lfs.store();
    assert_eq!(sha256(&store.objects[&oid]), oid);
    assert_eq!(store.verified, [oid]);
}

#[test]
fn nothing_is_uploaded_without_a_write_grant_or_for_another_branch() {
    let (forge, lfs) = forge();
    let (steps, _) = forge.steps(&format!(
        "{INSTALL} git clone -q {DOCS} docs; cd docs; git checkout -q -b agent/x
         head -c 3000 /dev/urandom > new.bin; git add new.bin; git commit -qm new
         step read git lfs push origin agent/x
         cd ..; git clone -q {WEB} web; cd web; git checkout -q -b other
         head -c 3000 /dev/urandom > new.bin; git add new.bin; git commit -qm new
         step branch git lfs push origin other"
    ));
    steps["read"].assert_refused("read", &["read, not written"]);
    steps["branch"].assert_refused("branch", &["refs/heads/other"]);
    let store = lfs.store();
    assert_eq!((store.objects.len(), store.verified.len()), (1, 0));
}

#[test]
fn an_upload_that_is_not_what_it_was_announced_as_does_not_arrive() {
    let (forge, lfs) = forge();
    let new = b"new octets";
    let upload = batch(WEB, "upload", new);
    let (steps, _) = forge.steps(&format!(
        "{HREF} {upload}
         put() {{ curl -sS -w '%{{http_code}}' -X PUT --data-binary \"$1\" -H 'Content-Type: application/octet-stream' $(href upload); }}
         step other put 'new OCTETS'; step short put 'new octet'; step long put 'new octets!'
         step good put 'new octets'"
    ));
    for name in ["other", "short", "long"] {
        let said = &steps[name].said;
        assert!(said.ends_with("400"), "{said}");
        assert!(said.contains("not what it is announced as"), "{said}");
    }
    assert_eq!(steps["good"].said, "200");
    let puts = lfs.requests().into_iter().filter(|it| it.method == "PUT");
    let bodies: Vec<_> = puts.map(|it| it.body).collect();
    assert_eq!(bodies, [new]);
}

#[test]
fn an_upload_does_not_carry_the_credential_away() {
    let (forge, lfs) = forge();
    let token = format!("it is {TOKEN}.");
    let (with, without) = (
        batch(WEB, "upload", token.as_bytes()),
        batch(WEB, "upload", b"harmless"),
    );
    let (steps, _) = forge.steps(&format!(
        "{HREF} put() {{ curl -sS -w '%{{http_code}}' -X PUT --data-binary \"$1\" -H 'Content-Type: application/octet-stream' $(href upload); }}
         {with} step with put 'it is {TOKEN}.'
         {without} step without put 'harmless'"
    ));
    let said = &steps["with"].said;
    assert!(said.contains("holds a credential"), "{said}");
    assert!(said.contains("}403"), "{said}");
    assert_eq!(steps["without"].said, "200");
    assert_eq!(lfs.store().objects.len(), 2);
}

#[test]
fn an_upload_is_searched_for_what_looks_like_a_secret() {
    let (forge, lfs) = forge();
    // Written apart, so that it is none here.
    let token = ["hvs.", "q7RkX2Vb9Zt4Mw3Jh8Pd5Lx1Gc6Ns0"].concat();
    let text = format!("binary\u{1}\nkey = {token}\n");
    forge.host.file("planted.bin", &text);
    let upload = batch(WEB, "upload", text.as_bytes());
    let script = format!(
        "{INSTALL} git clone -q {WEB} web; cd web; {HOOK}; git checkout -q -b agent/x
         cp ../planted.bin new.bin; git add new.bin; git commit -qm new; step push git push origin agent/x
         cd ..; {HREF} {upload}
         put() {{ curl -sS -w '%{{http_code}}' -X PUT --data-binary @planted.bin -H 'Content-Type: application/octet-stream' $(href upload); }}
         step put put; {upload} step told cat batch; {upload} href upload > again"
    );
    let (steps, ended) = forge.steps(&script);
    let said = &steps["put"].said;
    assert!(said.contains("}403"), "{said}");
    for said in [said, &steps["push"].said, &steps["told"].said] {
        assert!(said.contains("what looks like a secret"), "{said}");
        assert!(said.contains("found: line 2: vault-token"), "{said}");
        assert!(!said.contains(&token), "{said}");
    }
    assert_ne!(steps["push"].code, 0, "{ended}");
    assert_eq!(lfs.store().objects.len(), 1);
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/x"), None);
    let events = ended.events.iter();
    let refused = events.filter(|it| {
        let action = &it["action"];
        action["operation"] == "lfs-transfer" && action["direction"] == "upload"
    });
    let findings: Vec<_> = refused
        .map(|it| &it["closing"]["git"]["findings"])
        .collect();
    // By curl and by git-lfs once each: what the second batch of git-lfs says ends it.
    assert_eq!(findings.len(), 2, "{ended}");
    assert!(
        findings.iter().all(|it| it[0] == "line 2: vault-token"),
        "{findings:?}"
    );
    forge.rules(&RULES.replace("      refs:", "      secrets: observe\n      refs:"));
    let (steps, ended) = forge.steps(&format!("{HREF} {upload} put() {{ curl -sS -w '%{{http_code}}' -X PUT --data-binary @planted.bin -H 'Content-Type: application/octet-stream' $(href upload); }}
         step put put"));
    assert_eq!(steps["put"].said, "200", "{ended}");
    assert_eq!(lfs.store().objects.len(), 2);
}

#[test]
fn places_that_are_not_public_and_encrypted_are_not_used() {
    let (forge, lfs) = forge();
    let download = batch(DOCS, "download", BIG);
    "http://objects.acme.test".clone_into(&mut lfs.store().base);
    let ended = forge.works(&format!("{download} cat batch"));
    assert!(ended.stdout.contains("not encrypted"), "{ended}");
    assert!(!ended.stdout.contains("href"), "{ended}");
    assert_eq!(ended.codes(), ["response-refused"], "{ended}");
    for base in [
        "https://127.0.0.1",
        "https://10.1.2.3",
        "https://git.ringfence.internal",
    ] {
        base.clone_into(&mut lfs.store().base);
        let (steps, ended) = forge.steps(&format!(
            "{HREF} {download} step get curl -sS -w '%{{http_code}}' $(href download)"
        ));
        let said = &steps["get"].said;
        assert!(
            said.contains("\"message\"") && said.ends_with("403"),
            "{base}: {ended}"
        );
        assert!(!ended.codes().is_empty(), "{base}: {ended}");
    }
    let gets = |lfs: &LfsServer| {
        lfs.requests()
            .iter()
            .filter(|it| it.method == "GET")
            .count()
    };
    assert_eq!(gets(&lfs), 0);
    lfs.store().base = format!("https://{OBJECTS}");
    forge.works(&format!(
        "{HREF} {download} curl -sS --fail $(href download)"
    ));
    assert_eq!(gets(&lfs), 1);
}

#[test]
fn another_object_than_the_one_that_was_asked_for_never_arrives_whole() {
    let (forge, lfs) = forge();
    lfs.store().is_corrupt = true;
    let download = batch(DOCS, "download", BIG);
    let (steps, ended) = forge.steps(&format!(
        "{HREF} {download} step get curl -sS -o got $(href download)"
    ));
    assert_ne!(steps["get"].code, 0, "{ended}");
    assert!(
        ended.codes().contains(&"response-refused".to_owned()),
        "{ended}"
    );
    let got = std::fs::read(forge.host.project().join("got")).unwrap_or_default();
    assert!(got.len() < BIG.len());
    lfs.store().is_corrupt = false;
    let (steps, ended) = forge.steps(&format!(
        "{HREF} {download} step get curl -sS $(href download)"
    ));
    assert_eq!(steps["get"].said.as_bytes(), BIG, "{ended}");
}

#[test]
fn tickets_are_good_for_their_time_and_for_their_sandbox_alone() {
    let (forge, lfs) = forge();
    lfs.store().seconds = 2;
    let download = batch(DOCS, "download", BIG);
    let get = "get() { curl -sS -w '%{http_code}' $1; }\n";
    let (steps, _) = forge.steps(&format!(
        "{HREF}{get}{download} step now get $(href download); sleep 2.1; step late get $(href download)
         step changed get $(href download | sed s/ticket=./ticket=0/)"
    ));
    let big = String::from_utf8_lossy(BIG);
    assert_eq!(steps["now"].said, format!("{big}200"));
    for name in ["late", "changed"] {
        let said = &steps[name].said;
        assert!(
            said.ends_with("403") && said.contains("expired"),
            "{name}: {said}"
        );
    }
    lfs.store().seconds = 600;
    let first = forge.run().sh(&format!(
        "{HREF}{get}{download} href download > address; get $(cat address)"
    ));
    assert!(first.stdout.ends_with("200"), "{first}");
    let other = forge.run().sh(&format!("{get} get $(cat address)"));
    assert!(other.stdout.ends_with("403"), "{other}");
    assert!(!other.stdout.contains("stands for"), "{other}");
}

#[test]
fn batches_that_can_be_read_in_two_ways_are_refused() {
    let (forge, lfs) = forge();
    let oid = sha256(BIG);
    let ask = format!(
        "ask() {{ curl -sS -w '%{{http_code}}' -H 'Content-Type: application/vnd.git-lfs+json' -d \"$1\" {DOCS}/info/lfs/objects/batch; }}
         "
    );
    let objects = format!(r#""objects":[{{"oid":"{oid}","size":{}}}]"#, BIG.len());
    let (steps, _) = forge.steps(&format!(
        r#"{ask}
         step twice ask '{{"operation":"download","operation":"upload",{objects}}}'
         step escaped ask '{{"operation":"download","operatio\u006e":"upload",{objects}}}'
         step tus ask '{{"operation":"download","transfers":["tus"],{objects}}}'
         step good ask '{{"operation":"download",{objects}}}'"#
    ));
    for name in ["twice", "escaped", "tus"] {
        assert!(steps[name].said.ends_with("422"), "{}", steps[name].said);
    }
    assert!(
        steps["good"].said.ends_with("200"),
        "{}",
        steps["good"].said
    );
    assert_eq!(lfs.requests().len(), 1);
}

#[test]
fn locks_are_taken_listed_and_given_back_where_writing_is_allowed() {
    let (forge, lfs) = forge();
    let (steps, ended) = forge.steps(&format!(
        "{INSTALL} git clone -q {WEB} web; git clone -q {DOCS} docs; cd web; {HOOK}
         git lfs lock big.bin; git lfs locks; git lfs unlock big.bin; git lfs locks
         git lfs lock big.bin; git checkout -q -b agent/x; echo x > x; git add x; git commit -qm x; git push -q origin agent/x
         cd ../docs; step read git lfs lock big.bin; git lfs locks > listed; cat listed"
    ));
    assert!(ended.stdout.contains("Locked big.bin"), "{ended}");
    assert!(ended.stdout.contains("Unlocked big.bin"), "{ended}");
    steps["read"].assert_refused("read", &["read, not written"]);
    assert_eq!(lfs.store().locks.len(), 1);
    let verified = lfs
        .requests()
        .into_iter()
        .filter(|it| it.path.ends_with("/locks/verify"));
    assert!(verified.count() > 0);
}
