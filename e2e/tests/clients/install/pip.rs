//! pip in a fresh virtual environment.

use ringfence_testkit::process::{command, run};

use super::super::site::{Site, Way, assert_prints};

/// Writes a wheel with one module.
const WHEEL: &str = "
import sys, zipfile
info = 'ringfence_sample-1.0.dist-info/'
files = {
    'ringfence_sample.py': 'WORDS = \"installed from the registry\"\\n',
    info + 'METADATA': 'Metadata-Version: 2.1\\nName: ringfence-sample\\nVersion: 1.0\\n',
    info + 'WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n',
}
record = ''.join(f'{name},,\\n' for name in [*files, info + 'RECORD'])
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    for name, text in {**files, info + 'RECORD': record}.items():
        wheel.writestr(name, text)
";

#[test]
fn pip_installs_from_an_index() {
    let site = Site::start();
    let name = "ringfence_sample-1.0-py3-none-any.whl";
    let wheel = site.host.workdir().join(name);
    run(command("python3").args(["-c", WHEEL]).arg(&wheel)).unwrap();
    site.nginx
        .file(name, std::fs::read(wheel).unwrap())
        .unwrap();
    let index = format!("<!DOCTYPE html><a href=\"/{name}\">{name}</a>\n");
    site.nginx
        .file("simple/ringfence-sample/index.html", index)
        .unwrap();
    for (number, way) in [Way::Transparent, Way::Proxy].into_iter().enumerate() {
        let script = way.script(&format!(
            "/usr/bin/python3 -m venv v{number}
             v{number}/bin/pip install -q --disable-pip-version-check --index-url https://web.test/simple ringfence-sample
             v{number}/bin/python -c 'import ringfence_sample; print(ringfence_sample.WORDS)'"
        ));
        assert_prints(&site.run().sh(&script), "installed from the registry\n");
    }
}
