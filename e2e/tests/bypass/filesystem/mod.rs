//! Files that are not the agent's: the person's secrets, what the person's tools will run, and Ringfence's own.

mod data_and_policy;
mod hard_links;
mod hidden_files;
mod linked_directories;
mod overlay_apply;
mod pid1_as_deputy;
mod protected_paths;
mod read_only_workspace;
mod rename_parents;
mod reopened_stdin;
mod secrets_of_the_home;
mod set_id_modes;
mod workspace_too_wide;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Everything below a directory: path, type and permissions, link target or content. Two equal ones are the same tree.
fn tree(directory: &Path) -> Vec<String> {
    let mut entries = Vec::new();
    collect(directory, directory, &mut entries);
    entries.sort();
    entries
}

fn collect(root: &Path, directory: &Path, entries: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let content = if meta.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if meta.is_file() {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
        } else {
            String::new()
        };
        entries.push(format!("{name} {:o} {content}", meta.mode()));
        if meta.is_dir() {
            collect(root, &path, entries);
        }
    }
}
