//! npm with a registry of its own.

use std::fs;

use ringfence_testkit::process::{command, run};
use serde_json::json;

use super::super::site::{Site, Way, assert_prints};

/// Publishes a package of one file.
fn publish(site: &Site) {
    let manifest = json!({ "name": "ringfence-sample", "version": "1.0.0", "main": "index.js" });
    let workdir = site.host.workdir();
    workdir
        .file("npm/package/package.json", manifest.to_string())
        .unwrap();
    workdir
        .file(
            "npm/package/index.js",
            "module.exports = 'installed from the registry';\n",
        )
        .unwrap();
    let archive = workdir.join("sample.tgz");
    run(command("tar")
        .arg("-czf")
        .arg(&archive)
        .arg("-C")
        .arg(workdir.join("npm"))
        .arg("package"))
    .unwrap();
    site.nginx
        .file("sample.tgz", fs::read(archive).unwrap())
        .unwrap();
    let mut version = manifest;
    version["dist"] = json!({ "tarball": "https://web.test/sample.tgz" });
    let packument = json!({ "name": "ringfence-sample", "dist-tags": { "latest": "1.0.0" }, "versions": { "1.0.0": version } });
    site.nginx
        .file("ringfence-sample", packument.to_string())
        .unwrap();
}

#[test]
fn npm_installs_from_a_registry() {
    let site = Site::start();
    publish(&site);
    for (number, way) in [Way::Transparent, Way::Proxy].into_iter().enumerate() {
        let script = way.script(&format!(
            "mkdir n{number}; cd n{number}; echo '{{}}' > package.json
             npm install --silent --no-audit --no-fund --no-update-notifier --registry https://web.test/ ringfence-sample > /dev/null
             node -p 'require(\"ringfence-sample\")'"
        ));
        let ended = site.run().sh(&script);
        assert_prints(&ended, "installed from the registry\n");
        assert!(ended.refusals().is_empty(), "{ended}");
    }
}
