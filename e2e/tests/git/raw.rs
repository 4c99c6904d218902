//! Pushes as no client writes them: where git's own server reads more, or other, refs than a strict reader does.

use std::collections::BTreeMap;

use ringfence_e2e::Ended;

use super::forge::Forge;

/// `old` is the tip of `agent/x` and of `main`, `new` is a commit on it, `good` its pack.
const BEGIN: &str = r#"
import gzip, os
from wire import *
from wire_git import *
old = git("ls-remote", "https://github.com/acme/web.git", "refs/heads/main").split()[0]
tree = git("-C", "web", "rev-parse", "origin/main^{tree}")
made = commit(tree, [old])
new = oid(b"commit", made)
good = pack([(1, made)])
X, MAIN = b"refs/heads/agent/x", b"refs/heads/main"
caps = b"\0 " + CAPABILITIES
def cmd(name, to=None, before=None, tail=b""):
    return pkt((before or old) + b" " + (to or new) + b" " + name + tail)
def first(name=X, **more):
    return cmd(name, tail=caps, **more)
"#;

impl Forge {
    /// Runs a Python program that pushes by hand: each outcome by its name, and what was said.
    fn by_hand(&self, program: &str) -> (BTreeMap<String, (bool, String)>, Ended) {
        self.host.file("wire_git.py", include_str!("wire_git.py"));
        let ended = self.run().python(&format!("{BEGIN}{program}"));
        assert_eq!(ended.code, 0, "{ended}");
        let read = |line: &str| {
            let (name, rest) = line.split_once(' ').unwrap();
            (
                name.to_owned(),
                (rest.starts_with("accepted"), rest.to_owned()),
            )
        };
        (ended.stdout.lines().map(read).collect(), ended)
    }

    /// A forge whose branch `agent/x` is where `main` is, and a clone of it in the project.
    fn with_branch() -> Self {
        let forge = Self::start();
        forge.works(
            "git clone -q https://github.com/acme/web.git; cd web; git push -q origin origin/main:refs/heads/agent/x",
        );
        forge
    }
}

#[test]
fn what_another_parser_could_read_otherwise_is_refused() {
    let forge = Forge::with_branch();
    let before = forge.state("acme/web");
    let (outcomes, ended) = forge.by_hand(
        r#"
flush = b"0000"
both = cmd(MAIN)
forms = {
    "delimiter-ends": first() + b"0001" + good,
    "response-end-ends": first() + b"0002" + good,
    "delimiter-then-main": first() + b"0001" + both + flush + good,
    "late-capabilities": pkt(old + b" " + new + b" " + X) + cmd(MAIN, tail=caps) + flush + good,
    "second-capabilities": first() + cmd(b"refs/heads/agent/y", before=ZERO, tail=caps) + flush + good,
    "shallow-between": first() + pkt(b"shallow " + old) + cmd(b"refs/heads/agent/y", before=ZERO) + flush + good,
    "shallow-after": first() + pkt(b"shallow " + old) + flush + good,
    "certificate": pkt(b"push-cert\0" + CAPABILITIES) + pkt(b"certificate version 0.1\n") + pkt(b"pusher a <a@b> 1 +0000\n")
        + pkt(b"\n") + pkt(old + b" " + new + b" " + X + b"\n") + pkt(b"push-cert-end\n") + both + flush + good,
    "certificate-after": first() + pkt(b"push-cert\n") + pkt(b"push-cert-end\n") + flush + good,
    "certificate-capability": cmd(X, tail=caps + b" push-cert=nonce") + flush + good,
    "two-newlines": cmd(X, tail=b"\n\n") + flush + good,
    "newline-before-capabilities": cmd(X, tail=b"\n" + caps) + flush + good,
    "upper-case-length": b"%04X" % (len(first()) ) + first()[4:] + flush + good,
    "upper-case-oid": cmd(X, to=new.upper(), tail=caps) + flush + good,
    "signed-length": b"+0a2" + first()[4:] + flush + good,
    "blank-length": b" %3x" % len(first()) + first()[4:] + flush + good,
    "length-three": b"0003" + first() + flush + good,
    "short-length": b"0005" + first() + flush + good,
    "huge-length": b"ffff" + first()[4:] + flush + good,
    "octets-behind-pack": first() + flush + good + b"PACK" + good,
    "newline-behind-pack": first() + flush + good + b"\n",
    "pack-version-3": first() + flush + pack([(1, made)], version=3),
    "pack-version-4": first() + flush + pack([(1, made)], version=4),
    "ref-twice": first() + cmd(X) + flush + good,
    "ref-twice-main": first(MAIN) + cmd(X) + cmd(MAIN) + flush + good,
    "notes": first(b"refs/notes/commits", before=ZERO) + flush + good,
    "replace": first(b"refs/replace/" + old, before=ZERO) + flush + good,
    "meta": first(b"refs/meta/config", before=ZERO) + flush + good,
    "for": first(b"refs/for/main", before=ZERO) + flush + good,
    "pull": first(b"refs/pull/1/head", before=ZERO) + flush + good,
    "head": first(b"HEAD") + flush + good,
    "no-refs": first(b"heads/agent/x") + flush + good,
    "dots": first(b"refs/heads/agent/../main") + flush + good,
    "slashes": first(b"refs/heads/agent//x") + flush + good,
    "lock": first(b"refs/heads/agent/x.lock", before=ZERO) + flush + good,
    "tilde": first(b"refs/heads/agent/x~1", before=ZERO) + flush + good,
    "wildcard": first(b"refs/heads/agent/*", before=ZERO) + flush + good,
    "not-utf8": first(b"refs/heads/agent/\xff", before=ZERO) + flush + good,
    "escape": first(b"refs/heads/agent/\x1b[31mx", before=ZERO) + flush + good,
    "blank-in-name": first(b"refs/heads/agent/x refs/heads/main", before=ZERO) + flush + good,
    "tab": pkt(old + b"\t" + new + b" " + X + caps) + flush + good,
    "two-blanks": pkt(old + b"  " + new + b" " + X + caps) + flush + good,
    "zero-to-zero": first(b"refs/heads/agent/y", to=ZERO, before=ZERO) + flush,
    "other-format": cmd(X, tail=b"\0report-status object-format=sha256") + flush + good,
    "unknown-format": cmd(X, tail=b"\0report-status object-format=md5") + flush + good,
    "two-formats": cmd(X, tail=b"\0report-status object-format=sha1 object-format=sha256") + flush + good,
    "no-flush": first() + good,
    "cut-in-command": first()[:30],
    "cut-in-pack": first() + flush + good[:-10],
    "no-pack": first() + flush,
    "wrong-hash": first() + flush + good[:-1] + bytes([good[-1] ^ 1]),
    "empty-line": first() + pkt(b"") + flush + good,
    "options-without-asking": first() + flush + pkt(b"ci.skip") + flush + good,
    "deletion-with-pack": first(to=ZERO) + flush + good,
    "nothing": b"",
    "flush-and-more": flush + first() + flush + good,
}
for name, body in forms.items():
    outcome(name, push(body))
"#,
    );
    assert!(outcomes.len() >= 55, "{ended}");
    for (name, (is_accepted, said)) in &outcomes {
        assert!(!is_accepted, "{name}: {said}");
    }
    assert_eq!(forge.state("acme/web"), before, "{ended}");
}

#[test]
fn what_other_clients_write_is_taken_and_written_anew() {
    let forge = Forge::with_branch();
    let (outcomes, ended) = forge.by_hand(
        r#"
flush = b"0000"
forms = {
    "plain": first(b"refs/heads/agent/plain", before=ZERO) + flush + good,
    "newline": cmd(b"refs/heads/agent/newline", before=ZERO, tail=b"\n") + flush + good,
    "newline-last": first(b"refs/heads/agent/one", before=ZERO) + cmd(b"refs/heads/agent/two", before=ZERO, tail=b"\n") + flush + good,
    "unknown-capability": cmd(b"refs/heads/agent/caps", before=ZERO, tail=caps + b" session-id=evil push-unicorn=1") + flush + good,
    "shallow": pkt(b"shallow " + old) + first(b"refs/heads/agent/shallow", before=ZERO) + flush + good,
    "forward": first() + flush + good,
}
for name, body in forms.items():
    outcome(name, push(body))
chunks = first(b"refs/heads/agent/chunks", before=ZERO) + flush + good
chunked = b"".join(b"%x\r\n%s\r\n" % (len(chunks[n:n + 7]), chunks[n:n + 7]) for n in range(0, len(chunks), 7)) + b"0\r\n\r\n"
outcome("chunks", push(chunked, headers={"Transfer-Encoding": "chunked"}, encode=True))
"#,
    );
    for name in [
        "plain",
        "newline-last",
        "unknown-capability",
        "shallow",
        "forward",
        "chunks",
    ] {
        assert!(outcomes[name].0, "{name}: {ended}");
    }
    for name in [
        "plain", "newline", "one", "two", "caps", "shallow", "chunks", "x",
    ] {
        let tip = forge.resolve("acme/web", &format!("refs/heads/agent/{name}"));
        assert!(tip.is_some(), "{name}: {ended}");
    }
    let main = forge.resolve("acme/web", "refs/heads/main");
    assert_ne!(
        forge.resolve("acme/web", "refs/heads/agent/x"),
        main,
        "{ended}"
    );
}

#[test]
fn packs_that_are_hostile_do_not_arrive() {
    let forge = Forge::with_branch();
    let before = forge.state("acme/web");
    let (outcomes, ended) = forge.by_hand(
        r#"
flush = b"0000"
Y = b"refs/heads/agent/y"
blob, other = b"hidden\n", b"zeros\n"
def entry(kind, octets, says=None):
    size = len(octets) if says is None else says
    head = kind << 4 | size & 15
    size >>= 4
    out = b""
    while size:
        out += bytes([head | 128]); head = size & 127; size >>= 7
    return out + bytes([head])
def raw(*entries, count=None):
    out = b"PACK" + struct.pack("!II", 2, len(entries) if count is None else count) + b"".join(entries)
    return out + hashlib.sha1(out).digest()
whole = entry(1, made) + zlib.compress(made)
base = bytes.fromhex(old.decode())
thin = entry(7, b"", 4) + base + zlib.compress(b"\x01\x01\x01a")
loop = entry(6, b"", 4) + b"\x00" + zlib.compress(b"\x01\x01\x01a")
def tree_of(mode, name, to):
    return mode + b" " + name + b"\0" + bytes.fromhex(to.decode())
def with_tree(text, extra=()):
    tree_oid = oid(b"tree", text)
    top = commit(tree_oid, [old])
    return oid(b"commit", top), pack([(1, top), (2, text)] + list(extra))
def send(name, packed, to=new):
    outcome(name, push(first(Y, before=ZERO, to=to) + flush + packed))
send("hidden-object", pack([(1, made), (3, blob)]))
send("hidden-commit", pack([(1, made), (1, commit(tree, [old], b"other\n"))]))
send("twice", raw(whole, whole))
send("count-too-high", raw(whole, count=2))
send("count-too-low", raw(whole, whole, count=1))
send("count-huge", raw(whole, count=0xffffffff))
send("thin", raw(whole, thin))
send("delta-on-itself", raw(loop))
send("says-more", raw(entry(1, made, len(made) + 9) + zlib.compress(made)))
send("says-less", raw(entry(1, made, len(made) - 9) + zlib.compress(made)))
send("says-huge", raw(entry(1, made, 1 << 60) + zlib.compress(made)))
send("no-zlib", raw(entry(1, made) + b"x" * 50))
send("type-0", raw(entry(0, made) + zlib.compress(made)))
send("type-5", raw(entry(5, made) + zlib.compress(made)))
send("bomb", raw(whole, entry(3, b"", 1 << 32) + zlib.compress(bytes(1 << 26))))
send("not-the-tip", pack([(1, commit(tree, [old], b"other\n"))]))
for name, text in {
    "dot-git": tree_of(b"40000", b".git", tree),
    "dot-git-case": tree_of(b"40000", b".GiT", tree),
    "dot-git-ntfs": tree_of(b"40000", b"git~1", tree),
    "dot-git-hfs": tree_of(b"40000", b".g\xe2\x80\x8cit", tree),
    "dots": tree_of(b"40000", b"..", tree),
    "slash": tree_of(b"40000", b"a/b", tree),
    "empty-name": tree_of(b"40000", b"", tree),
    "mode": tree_of(b"170000", b"a", tree),
    "twice-in-tree": tree_of(b"40000", b"a", tree) * 2,
    "unsorted": tree_of(b"40000", b"b", tree) + tree_of(b"40000", b"a", tree),
    "cut-tree": tree_of(b"40000", b"a", tree)[:-4],
    "slash-workflow": tree_of(b"100644", b".github/workflows/x.yml", oid(b"blob", blob)),
}.items():
    to, packed = with_tree(text)
    send(name, packed, to)
link = b"/etc/passwd"
to, packed = with_tree(tree_of(b"120000", b".gitmodules", oid(b"blob", link)), [(3, link)])
send("modules-link", packed, to)
"#,
    );
    assert!(outcomes.len() >= 29, "{ended}");
    for (name, (is_accepted, said)) in &outcomes {
        assert!(!is_accepted, "{name}: {said}");
    }
    assert_eq!(forge.state("acme/web"), before, "{ended}");
}

#[test]
fn a_pack_that_is_refused_while_it_still_comes_is_refused_readably() {
    let forge = Forge::with_branch();
    let before = forge.state("acme/web");
    let (outcomes, ended) = forge.by_hand(
        r#"
flush, rest = b"0000", bytes(80 << 20)
begin = first(b"refs/heads/agent/y", before=ZERO) + flush
outcome("version", push(begin + b"PACK" + struct.pack("!II", 3, 1) + rest))
outcome("object", push(begin + b"PACK" + struct.pack("!II", 2, 1) + rest))
noise = os.urandom(8 << 20)
whole = begin + pack([(1, made), (3, noise)])
for _ in range(6):
    connection = http.client.HTTPSConnection("github.com", timeout=30, context=ssl.create_default_context())
    connection.putrequest("POST", "/acme/web.git/git-receive-pack")
    connection.putheader("Content-Type", PUSH)
    connection.putheader("Content-Length", str(len(whole)))
    connection.endheaders()
    connection.send(whole[:5 << 20])
    connection.close()
outcome("hidden", push(whole))
"#,
    );
    for (name, words) in [
        ("version", "not a pack of version 2"),
        ("object", "no such kind of object"),
        ("hidden", "which no pushed ref leads to"),
    ] {
        let (is_accepted, said) = &outcomes[name];
        assert!(!is_accepted && said.contains("200"), "{name}: {ended}");
        assert!(said.contains(words), "{name}: {ended}");
    }
    assert_eq!(forge.state("acme/web"), before, "{ended}");
    let requests = forge.server.requests().unwrap();
    let pushes = requests.iter().filter(|request| {
        let uri = request["uri"].as_str().unwrap_or_default();
        uri.ends_with("/git-receive-pack") && request["method"] == "POST"
    });
    // That of the branch, before.
    assert_eq!(pushes.count(), 1, "{ended}");
}

#[test]
fn method_path_query_and_type_must_agree() {
    let forge = Forge::with_branch();
    let before = forge.state("acme/web");
    let (outcomes, ended) = forge.by_hand(
        r#"
body = first() + b"0000" + good
P = "/acme/web.git/git-receive-pack"
for name, answer in {
    "fetch-type": push(body, headers={"Content-Type": FETCH}),
    "no-type": request("POST", P, body),
    "type-with-parameter": push(body, headers={"Content-Type": PUSH + "; charset=utf-8"}),
    "type-upper": push(body, headers={"Content-Type": PUSH.upper()}),
    "type-list": push(body, headers={"Content-Type": FETCH + ", " + PUSH}),
    "put": request("PUT", P, body, {"Content-Type": PUSH}),
    "patch": request("PATCH", P, body, {"Content-Type": PUSH}),
    "lower-method": request("post", P, body, {"Content-Type": PUSH}),
    "override": request("POST", "/acme/web.git/git-upload-pack", body, {"Content-Type": FETCH, "X-HTTP-Method-Override": "PUT"}),
    "query": push(body, P + "?service=git-upload-pack"),
    "empty-query": push(body, P + "?"),
    "upload-path": push(body, "/acme/web.git/git-upload-pack"),
    "gzip": push(gzip.compress(body), headers={"Content-Encoding": "gzip"}),
    "gzip-unsaid": push(gzip.compress(body)),
    "identity": push(body, headers={"Content-Encoding": "identity"}),
    "deflate": push(zlib.compress(body), headers={"Content-Encoding": "deflate"}),
    "length-and-chunks": push(b"4\r\n0000\r\n0\r\n\r\n" + body, headers={"Transfer-Encoding": "chunked", "Content-Length": "4"}),
    "odd-chunks": push(b"4\r\n0000\r\n0\r\n\r\n", headers={"Transfer-Encoding": "xchunked"}, encode=True),
    "two-lengths": push(body, headers={"content-length": "4", "Content-Length": str(len(body))}),
    "trailing-slash": push(body, P + "/"),
    "dumb-refs": request("GET", "/acme/web.git/info/refs"),
    "dumb-head": request("GET", "/acme/web.git/HEAD"),
    "dumb-packs": request("GET", "/acme/web.git/objects/info/packs"),
    "dumb-alternates": request("GET", "/acme/web.git/objects/info/http-alternates"),
    "dumb-object": request("GET", "/acme/web.git/objects/" + old[:2].decode() + "/" + old[2:].decode()),
    "config": request("GET", "/acme/web.git/config"),
    "archive": request("POST", "/acme/web.git/git-upload-archive", b"0000", {"Content-Type": "application/x-git-upload-archive-request"}),
    "propfind": request("PROPFIND", "/acme/web.git/"),
    "mkcol": request("MKCOL", "/acme/web.git/refs/heads/agent/y"),
    "lock": request("LOCK", "/acme/web.git/refs/heads/agent/y"),
    "put-ref": request("PUT", "/acme/web.git/refs/heads/main", new),
    "move": request("MOVE", "/acme/web.git/refs/heads/agent/x", None, {"Destination": "https://github.com/acme/web.git/refs/heads/main"}),
    "head-of-refs": request("HEAD", "/acme/web.git/info/refs?service=git-receive-pack"),
    "post-of-refs": request("POST", "/acme/web.git/info/refs?service=git-upload-pack", b""),
    "two-services": request("GET", "/acme/web.git/info/refs?service=git-upload-pack&service=git-receive-pack"),
    "other-service": request("GET", "/acme/web.git/info/refs?service=git-upload-archive"),
    "encoded-service": request("GET", "/acme/web.git/info/refs?service=git%2Dupload-pack"),
    "more-query": request("GET", "/acme/web.git/info/refs?service=git-upload-pack&a=b"),
}.items():
    print(name, "refused" if answer[0] != 200 or b"ERR " in answer[1] else "accepted", answer[0], repr(answer[1])[:300])
"#,
    );
    assert!(outcomes.len() >= 38, "{ended}");
    for (name, (is_accepted, said)) in &outcomes {
        assert!(!is_accepted, "{name}: {said}");
    }
    assert_eq!(forge.state("acme/web"), before, "{ended}");
}

#[test]
fn requests_to_fetch_that_are_odd_are_refused_and_bounded() {
    let forge = Forge::with_branch();
    let (outcomes, ended) = forge.by_hand(
        r#"
def fetch(body, version="version=2", **more):
    headers = {"Content-Type": FETCH}
    if version:
        headers["Git-Protocol"] = version
    headers.update(more)
    return request("POST", "/acme/web.git/git-upload-pack", body, headers)
def told(name, answer):
    status, said = answer
    text = "".join(c if c.isprintable() else " " for c in said.decode("latin-1"))
    print(name, "accepted" if status == 200 and b"ERR " not in said else "refused", status, text[:300])
ls = pkt(b"command=ls-refs") + pkt(b"agent=git/2") + pkt(b"object-format=sha1") + b"0001" + pkt(b"peel") + b"0000"
wants = pkt(b"command=fetch") + pkt(b"object-format=sha1") + b"0001" + pkt(b"want " + old) + pkt(b"done") + b"0000"
told("list", fetch(ls))
told("want", fetch(wants))
told("gzip", fetch(gzip.compress(wants), **{"Content-Encoding": "gzip"}))
told("newlines", fetch(pkt(b"command=ls-refs\n") + b"0001" + pkt(b"peel\n") + b"0000"))
for name, body in {
    "object-info": pkt(b"command=object-info") + b"0001" + pkt(b"size") + pkt(b"oid " + old) + b"0000",
    "bundle-uri": pkt(b"command=bundle-uri") + b"0000",
    "server-option": pkt(b"command=ls-refs") + pkt(b"server-option=x") + b"0001" + b"0000",
    "packfile-uris": pkt(b"command=fetch") + b"0001" + pkt(b"want " + old) + pkt(b"packfile-uris https") + pkt(b"done") + b"0000",
    "promisor": pkt(b"command=fetch") + pkt(b"promisor-remote=x") + b"0001" + pkt(b"want " + old) + pkt(b"done") + b"0000",
    "unknown-argument": pkt(b"command=fetch") + b"0001" + pkt(b"want " + old) + pkt(b"evil") + pkt(b"done") + b"0000",
    "two-commands": pkt(b"command=ls-refs") + pkt(b"command=fetch") + b"0001" + b"0000",
    "behind-the-end": ls + wants,
    "upper-oid": pkt(b"command=fetch") + b"0001" + pkt(b"want " + old.upper()) + pkt(b"done") + b"0000",
    "cut": wants[:-6],
    "push": first() + b"0000" + good,
}.items():
    told(name, fetch(body))
told("bomb", fetch(gzip.compress(bytes(1 << 27)), **{"Content-Encoding": "gzip"}))
told("brotli", fetch(ls, **{"Content-Encoding": "br"}))
told("many-haves", fetch(pkt(b"command=fetch") + b"0001" + pkt(b"want " + old) + pkt(b"have " + old) * 200000 + b"0000"))
told("version-9", fetch(ls, version="version=9"))
told("version-odd", fetch(ls, version="version=2:evil=1\x7f"))
"#,
    );
    for name in ["list", "want", "gzip", "newlines"] {
        assert!(outcomes[name].0, "{name}: {ended}");
    }
    assert!(outcomes.len() >= 19, "{ended}");
    let refused = outcomes.iter().filter(|(_, (is_accepted, _))| !is_accepted);
    let odd = outcomes.iter().filter(|(_, (is_accepted, _))| *is_accepted);
    let odd: Vec<&String> = odd.map(|(name, _)| name).collect();
    assert_eq!(refused.count(), outcomes.len() - 4, "{odd:?} {ended}");
}
