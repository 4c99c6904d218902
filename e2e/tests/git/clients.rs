//! Git clients that are not git: they get what git gets, and are told why not.

use ringfence_e2e::Ended;

use super::forge::{FILES, Forge};

impl Forge {
    /// Runs a program with Debian's Python, which has Debian's modules.
    fn debian_python(&self, program: &str) -> Ended {
        self.host.file("client.py", program);
        self.run().exec(&["/usr/bin/python3", "client.py"])
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
