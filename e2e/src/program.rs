//! Where the program under test is.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one call of the program may take, on a slow and busy machine.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The binary under test: `RINGFENCE_BIN`, else the debug build of this workspace.
pub fn program() -> PathBuf {
    built("RINGFENCE_BIN", "debug/ringfence", "cargo build")
}

/// The build whose protections can be switched off one by one: `RINGFENCE_WEAK_BIN`, else its usual place.
pub fn weak_program() -> PathBuf {
    built(
        "RINGFENCE_WEAK_BIN",
        "weaken/debug/ringfence",
        "cargo build -p ringfence-cli --features weaken --target-dir target/weaken",
    )
}

fn built(variable: &str, below_target: &str, build: &str) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| target().join(below_target), PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not there; run: {build}",
        path.display()
    );
    path
}

fn target() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
}
