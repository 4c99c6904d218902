//! Git clients that are not git: they get what git gets, and are told why not.

use std::path::Path;

use ringfence_e2e::Ended;
use ringfence_testkit::process::{command, run};

use super::forge::{FILES, Forge};

impl Forge {
    /// Runs a program with Debian's Python, which has Debian's modules.
    fn debian_python(&self, program: &str) -> Ended {
        self.host.file("client.py", program);
        self.run().exec(&["/usr/bin/python3", "client.py"])
    }

    /// Runs a program with Node and isomorphic-git, which are in the project. `failed` gives the words of a promise that
    /// must not be kept.
    fn isomorphic_git(&self, program: &str) -> Ended {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let script = root.join("scripts/npm.sh");
        let mut install = command(script);
        install.arg("e2e/isomorphic-git").current_dir(root);
        // Where its cache is, and how the registry is reached, is said by the environment.
        let modules = run(install.envs(std::env::vars_os()));
        let modules = String::from_utf8(modules.unwrap().stdout).unwrap();
        let copy = self.host.project().join("node_modules");
        run(command("cp").args(["-r", modules.trim()]).arg(copy)).unwrap();
        let program = format!("{ISOMORPHIC_GIT}(async () => {{\n{program}\n}})();\n");
        self.host.file("client.js", program);
        self.run().exec(&["node", "client.js"])
    }
}

#[test]
fn dulwich_clones_and_pushes_and_is_told_why_not() {
    let forge = Forge::start();
    let before = forge.resolve("acme/web", "refs/heads/main");
    let ended = forge.debian_python(
        r#"
import io
from dulwich import porcelain
porcelain.clone("https://github.com/acme/docs.git", "docs", errstream=porcelain.NoneStream()).close()
print(open("docs/README").read(), end="")
web = porcelain.clone("https://github.com/acme/web.git", "web", errstream=porcelain.NoneStream())
open("web/n", "w").write("n\n")
porcelain.add(web, ["web/n"])
made = porcelain.commit(web, b"by dulwich", author=b"a <a@acme.test>", committer=b"a <a@acme.test>")
quiet = dict(outstream=porcelain.NoneStream(), errstream=porcelain.NoneStream())
porcelain.push(web, "https://github.com/acme/web.git", [b"HEAD:refs/heads/agent/x"], **quiet)
print(made.decode())
said = io.BytesIO()
porcelain.push(web, "https://github.com/acme/web.git", [b"HEAD:refs/heads/main"], errstream=said)
print(said.getvalue().decode())
"#,
    );
    let x = forge
        .resolve("acme/web", "refs/heads/agent/x")
        .unwrap_or_default();
    let expected = format!("read me\n{x}\n");
    assert!(ended.stdout.starts_with(&expected), "{ended}");
    assert!(
        ended
            .stdout
            .contains("refs/heads/main failed: refused by Ringfence: "),
        "{ended}"
    );
    assert_eq!(forge.resolve("acme/web", "refs/heads/main"), before);
}

#[test]
fn libgit2_clones_and_pushes_and_is_told_why_not() {
    let forge = Forge::start();
    let before = forge.resolve("acme/web", "refs/heads/main");
    let ended = forge.debian_python(
        r#"
import pygit2
pygit2.clone_repository("https://github.com/acme/docs.git", "docs")
print(open("docs/README").read(), end="")
web = pygit2.clone_repository("https://github.com/acme/web.git", "web")
who = pygit2.Signature("a", "a@acme.test")
made = web.create_commit("refs/heads/x", who, who, "by libgit2", web.head.peel().tree.id, [web.head.target])
print(made)
class Told(pygit2.RemoteCallbacks):
    def push_update_reference(self, name, message):
        print(name, message)
for target in ("agent/x", "main"):
    web.remotes["origin"].push(["refs/heads/x:refs/heads/" + target], callbacks=Told())
"#,
    );
    let x = forge
        .resolve("acme/web", "refs/heads/agent/x")
        .unwrap_or_default();
    let expected =
        format!("read me\n{x}\nrefs/heads/agent/x None\nrefs/heads/main refused by Ringfence: ");
    assert!(ended.stdout.starts_with(&expected), "{ended}");
    assert_eq!(forge.resolve("acme/web", "refs/heads/main"), before);
}

/// What programs for isomorphic-git begin with.
const ISOMORPHIC_GIT: &str = r#"
const fs = require("fs");
const http = require("isomorphic-git/http/node");
const git = require("isomorphic-git");
const at = (dir, more) => ({ fs, http, dir, ...more });
const failed = (promise) => promise.then(() => { throw new Error("it went well"); }, (error) => [error.message, error.data.response].join(" "));
"#;

#[test]
fn isomorphic_git_clones_fetches_and_pushes_and_is_told_why_not() {
    let forge = Forge::start();
    let before = forge.resolve("acme/web", "refs/heads/main");
    let ended = forge.isomorphic_git(
        r#"
await git.clone(at("docs", { url: "https://github.com/acme/docs.git" }));
process.stdout.write(fs.readFileSync("docs/README", "utf8"));
const url = "https://github.com/acme/web.git";
for (const dir of ["web", "other"]) await git.clone(at(dir, { url, depth: 1 }));
fs.writeFileSync("web/n", "n\n");
await git.add(at("web", { filepath: "n" }));
const author = { name: "a", email: "a@acme.test" };
console.log(await git.commit(at("web", { author, message: "by isomorphic-git" })));
const pushed = await git.push(at("web", { ref: "main", remoteRef: "refs/heads/agent/x" }));
console.log(pushed.ok, JSON.stringify(pushed.refs));
await git.fetch(at("other", { ref: "agent/x", remote: "origin" }));
console.log(await git.resolveRef(at("other", { ref: "refs/remotes/origin/agent/x" })));
console.log(await failed(git.push(at("web", { ref: "main" }))));
console.log(await failed(git.clone(at("secret", { url: "https://github.com/acme/secret.git" }))));
console.log(await failed(git.push(at("web", { url: "https://github.com/acme/docs.git", ref: "main" }))));
"#,
    );
    let x = forge
        .resolve("acme/web", "refs/heads/agent/x")
        .unwrap_or_default();
    let done = r#"{"refs/heads/agent/x":{"ok":true,"error":""}}"#;
    let expected = format!("read me\n{x}\ntrue {done}\n{x}\n");
    assert!(ended.stdout.starts_with(&expected), "{ended}");
    for words in [
        "refs/heads/main: refused by Ringfence: rule agent/git/web allows to",
        "no rule allows git list refs of github/acme/secret",
        "rule agent/git/docs lets github/acme/docs be read, not written",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {ended}");
    }
    assert_eq!(forge.resolve("acme/web", "refs/heads/main"), before);
}

#[test]
fn other_programs_of_git_are_served_or_refused_readably() {
    let forge = Forge::start();
    forge.server.repository("acme/more", FILES).unwrap();
    let (steps, _) = forge.steps(
        "D=https://github.com/acme/docs.git
         step heads git ls-remote --heads $D
         step options git ls-remote -o x=y $D
         step dry-run git clone -q https://github.com/acme/web.git web
         cd web; step dry git push --dry-run origin HEAD:agent/x
         step remote git remote show origin
         step subtree git fetch -q $D main
         step all git fetch -q --all --prune --tags
         step bundle git clone -q --bundle-uri=https://github.com/acme/docs.git/bundle $D bundled
         step signed git push --signed origin HEAD:agent/x
         step thin git push --thin origin HEAD:agent/thin",
    );
    for name in [
        "heads", "dry-run", "dry", "remote", "subtree", "all", "bundle", "thin",
    ] {
        assert_eq!(steps[name].code, 0, "{name}: {}", steps[name].said);
    }
    assert_ne!(steps["options"].code, 0);
    assert!(
        steps["options"]
            .said
            .contains("server doesn't support 'server-option'")
    );
    assert_ne!(steps["signed"].code, 0);
    assert!(
        steps["signed"]
            .said
            .contains("does not support --signed push")
    );
    assert_eq!(forge.resolve("acme/web", "refs/heads/agent/x"), None);
}
