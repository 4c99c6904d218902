//! cargo with a sparse registry: the toolchain of these tests, shown to the sandbox, builds a crate that it downloads.

use std::fs;
use std::path::{Path, PathBuf};

use ringfence_e2e::Host;
use ringfence_testkit::process::{command, run};
use serde_json::json;

use super::super::site::{Site, assert_prints};

const MANIFEST: &str =
    "[package]\nname = \"ringfence-sample\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
const LIBRARY: &str = "pub const WORDS: &str = \"installed from the registry\";\n";
const PROJECT: &str = "[package]\nname = \"project\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nringfence-sample = { version = \"1\", registry = \"local\" }\n";
const MAIN: &str = "fn main() { println!(\"{}\", ringfence_sample::WORDS); }\n";

/// The toolchain that runs these tests.
fn toolchain() -> PathBuf {
    let cargo = std::env::var_os("CARGO").map(PathBuf::from).unwrap();
    cargo.ancestors().nth(2).unwrap().to_owned()
}

fn publish(site: &Site) {
    let workdir = site.host.workdir();
    let base = Path::new("crate/ringfence-sample-1.0.0");
    workdir.file(base.join("Cargo.toml"), MANIFEST).unwrap();
    workdir.file(base.join("src/lib.rs"), LIBRARY).unwrap();
    let archive = workdir.join("sample.crate");
    run(command("tar")
        .arg("-czf")
        .arg(&archive)
        .arg("-C")
        .arg(workdir.join("crate"))
        .arg("ringfence-sample-1.0.0"))
    .unwrap();
    let digest = run(command("sha256sum").arg(&archive)).unwrap().stdout;
    let digest = String::from_utf8(digest).unwrap();
    site.nginx
        .file("ringfence-sample-1.0.0.crate", fs::read(archive).unwrap())
        .unwrap();
    let config = json!({ "dl": "https://web.test/{crate}-{version}.crate" });
    site.nginx
        .file("index/config.json", config.to_string())
        .unwrap();
    let entry = json!({ "name": "ringfence-sample", "vers": "1.0.0", "deps": [], "cksum": &digest[..64], "features": {}, "yanked": false });
    site.nginx
        .file("index/ri/ng/ringfence-sample", format!("{entry}\n"))
        .unwrap();
}

#[test]
fn cargo_builds_with_a_crate_from_a_registry() {
    // The toolchain may lie in a directory that only the caller can read.
    let site = Site::start_for(Host::as_caller());
    publish(&site);
    site.host.file("Cargo.toml", PROJECT);
    site.host.file("src/main.rs", MAIN);
    site.host.file(
        ".cargo/config.toml",
        "[registries.local]\nindex = \"sparse+https://web.test/index/\"\n",
    );
    let toolchain = toolchain().display().to_string();
    let ended = site
        .run()
        .option("--read", &toolchain)
        .env(&format!("PATH={toolchain}/bin:/usr/bin:/bin"))
        .exec(&["cargo", "run", "--quiet"]);
    assert_prints(&ended, "installed from the registry\n");
}
