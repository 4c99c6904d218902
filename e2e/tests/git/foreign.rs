//! A push takes nothing from what may not be read: it would be read by the ref that it is pushed to.

use super::forge::Forge;

/// Nothing but its own branches and tags may be read, and it may change whatever file it likes.
const RULE: &str = r#"  - allow:
      repo: github/acme/docs
      access: write
      readRefs: ["refs/heads/agent/**", "refs/tags/agent-*"]
      refs: { "refs/heads/agent/**": [create, fast-forward], "refs/tags/agent-*": [tag-create] }
      paths: { deny: [] }
      credential: forge
"#;

#[test]
fn what_a_push_names_and_does_not_carry_must_have_been_shown() {
    let forge = Forge::with_rules(RULE);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let said = forge
            .server
            .git("acme/docs", &[&who, arguments].concat())
            .unwrap();
        said.trim().to_owned()
    };
    let tree = git(&["rev-parse", "main^{tree}"]);
    let blob = git(&["rev-parse", "main:README"]);
    let empty = git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let hidden = git(&["commit-tree", "-m", "not for agents", &tree]);
    let base = git(&["commit-tree", "-m", "empty", &empty]);
    git(&["update-ref", "refs/heads/hidden", &hidden]);
    // What is rested on is not the tip itself, but before it.
    let tip = git(&["commit-tree", "-m", "next", "-p", &base, &empty]);
    git(&["update-ref", "refs/heads/agent/shown", &tip]);
    forge.host.file("wire_git.py", include_str!("wire_git.py"));
    let ended = forge.run().python(&format!(
        r#"
from wire import *
from wire_git import *
hidden, tree, blob, base, empty = b"{hidden}", b"{tree}", b"{blob}", b"{base}", b"{empty}"
git("ls-remote", "https://github.com/acme/docs.git")
def tag(target, kind, name):
    return b"object " + target + b"\ntype " + kind + b"\ntag " + name + b"\ntagger a <a@b> 1 +0000\n\nx\n"
def attempt(name, ref, kind, objects):
    new = oid(kind, objects[-1][1])
    body = pkt(ZERO + b" " + new + b" " + ref + b"\0 " + CAPABILITIES) + b"0000" + pack(objects)
    outcome(name, push(body, path="/acme/docs.git/git-receive-pack"))
inner = tag(hidden, b"commit", b"inner")
taken = b"100644 x\0" + bytes.fromhex(blob.decode())
attempt("tag-of-commit", b"refs/tags/agent-1", b"tag", [(4, inner)])
attempt("tag-of-tag", b"refs/tags/agent-2", b"tag", [(4, inner), (4, tag(oid(b"tag", inner), b"tag", b"outer"))])
attempt("tag-of-file", b"refs/tags/agent-3", b"tag", [(4, tag(blob, b"blob", b"t"))])
attempt("tree-of-commit", b"refs/heads/agent/1", b"commit", [(1, commit(tree, [base]))])
attempt("file-of-head", b"refs/heads/agent/2", b"commit", [(2, taken), (1, commit(oid(b"tree", taken), [base]))])
attempt("parent", b"refs/heads/agent/3", b"commit", [(1, commit(tree, [hidden]))])
attempt("own", b"refs/heads/agent/4", b"commit", [(1, commit(empty, [base]))])
attempt("tag-of-own", b"refs/tags/agent-4", b"tag", [(4, tag(base, b"commit", b"t"))])
"#
    ));
    assert_eq!(ended.code, 0, "{ended}");
    let accepted = |name: &str| {
        let mut lines = ended.stdout.lines();
        let line = lines.find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.map(|line| line.starts_with("accepted"))
    };
    for name in [
        "tag-of-commit",
        "tag-of-tag",
        "tag-of-file",
        "tree-of-commit",
        "file-of-head",
        "parent",
    ] {
        assert_eq!(accepted(name), Some(false), "{name}: {ended}");
    }
    for name in ["own", "tag-of-own"] {
        assert_eq!(accepted(name), Some(true), "{name}: {ended}");
    }
}
