//! The pages about credentials name what the program has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::desk::Desk;
use super::presets::CASES;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn every_preset_has_a_page_and_tells_what_can_be_set() {
    let desk = Desk::new();
    let listed = desk.ringfence(&["profile", "list"]).stdout;
    let name = |page: std::io::Result<fs::DirEntry>| {
        let path = page.unwrap().path();
        path.file_stem().unwrap().to_string_lossy().into_owned()
    };
    let pages = fs::read_dir(docs().join("guide/presets")).unwrap();
    let pages: BTreeSet<String> = pages.map(name).collect();
    let expected = CASES.iter().map(|case| case.preset.to_owned());
    let expected: BTreeSet<String> = expected.chain(["github-pr".to_owned()]).collect();
    assert_eq!(pages, expected);
    for preset in expected {
        assert!(listed.contains(&preset), "{listed}");
        let shown = desk.ringfence(&["profile", "show", &preset]).stdout;
        assert!(shown.contains("credential"), "{shown}");
    }
    let refused = desk.host.ringfence(&["profile", "new", "github-pr"]);
    assert_eq!(refused.code, 64, "{refused}");
    assert!(refused.stderr.contains("repos"), "{refused}");
}

#[test]
fn the_reference_names_every_kind_with_its_settings_and_secrets() {
    let page = fs::read_to_string(docs().join("reference/credentials.md")).unwrap();
    let help = Desk::new()
        .ringfence(&["credential", "add", "--help"])
        .stdout;
    let (_, kinds) = help.split_once("Kinds:\n").unwrap();
    let mut row = "";
    let mut named = 0;
    for line in kinds.lines() {
        let text = line.trim();
        let kind = line
            .strip_prefix("  ")
            .filter(|kind| !kind.starts_with(' '));
        if let Some(kind) = kind {
            let cell = format!("| `{kind}` |");
            row = page
                .lines()
                .find(|line| line.starts_with(&cell))
                .unwrap_or_else(|| panic!("{kind}: {page}"));
        }
        let field = text
            .strip_prefix("--set ")
            .or_else(|| text.strip_prefix("secret "));
        let Some(field) = field else { continue };
        let (field, _) = field.split_once(':').unwrap();
        let (field, is_optional) = match field.strip_suffix(" (optional)") {
            Some(field) => (field, true),
            None => (field, false),
        };
        let mark = if is_optional { "*" } else { "" };
        let field = format!("`{}`{mark}", field.trim_end_matches("=…"));
        assert!(row.contains(&field), "{field}: {row}");
        assert!(
            is_optional || !row.contains(&format!("{field}*")),
            "{field}: {row}"
        );
        named += 1;
    }
    assert!(named > 30, "{help}");
}
