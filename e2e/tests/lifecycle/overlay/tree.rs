//! A directory as text, to compare.

use std::fs;
use std::path::Path;

/// One line for each file (with its content), link and empty directory, sorted.
pub(super) fn of(directory: &Path) -> String {
    let mut lines = Vec::new();
    collect(directory, "", &mut lines);
    lines.sort();
    lines.concat()
}

fn collect(directory: &Path, prefix: &str, lines: &mut Vec<String>) {
    let mut is_empty = true;
    for entry in fs::read_dir(directory).unwrap() {
        is_empty = false;
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().display());
        if let Ok(target) = fs::read_link(&path) {
            lines.push(format!("{name} -> {}\n", target.display()));
        } else if path.is_dir() {
            collect(&path, &format!("{name}/"), lines);
        } else {
            lines.push(format!("{name}: {}", fs::read_to_string(&path).unwrap()));
        }
    }
    if is_empty && !prefix.is_empty() {
        lines.push(format!("{prefix}\n"));
    }
}
