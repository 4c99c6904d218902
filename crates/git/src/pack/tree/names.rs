//! Names that must not be checked out, in every spelling that some file system takes for the same.

/// Whether a name may be checked out. What may not is empty, `.`, `..`, what has a slash, and
/// `.git` as Windows, macOS and everyone else spell it: git on those systems would write into its
/// own directory, where a file is a program to run.
pub(super) fn may_be_checked_out(name: &[u8]) -> bool {
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') {
        return false;
    }
    // To Windows a backslash is a slash, so every part counts by itself.
    !name.split(|octet| *octet == b'\\').any(is_dot_git)
}

/// Whether it is a file that git reads by itself in a working tree and must not read through a link.
pub(super) fn is_read_by_git(name: &[u8]) -> bool {
    let folded = without_ignored(name).to_ascii_lowercase();
    let windows = windows_name(&folded);
    let short = windows.strip_prefix(b"gitmod~".as_slice());
    windows == b".gitmodules"
        || short.is_some_and(|number| matches!(number, [b'1'..=b'4']))
        || windows.starts_with(b"gi7eba~")
}

/// Whether a name is that of a file that git reads by itself, in a spelling that only some file
/// systems take for it: whoever looks for the file by its name would not see it.
pub(super) fn is_disguised(name: &[u8]) -> bool {
    if !matches!(name.first(), Some(b'.' | b'g' | b'G' | 0xe2 | 0xef)) {
        return false;
    }
    let folded = without_ignored(name).to_ascii_lowercase();
    let windows = windows_name(&folded);
    let is_known = READ_BY_GIT.contains(&windows) && windows != name;
    let is_short = SHORT_NAMES.iter().any(|short| windows.starts_with(short));
    is_known || is_short
}

/// Files that git, or what belongs to it, reads by themselves.
const READ_BY_GIT: [&[u8]; 4] = [
    b".gitmodules",
    b".gitattributes",
    b".gitignore",
    b".lfsconfig",
];

/// How their names begin where Windows makes them short.
const SHORT_NAMES: [&[u8]; 7] = [
    b"gitmod~", b"gitatt~", b"gitign~", b"lfscon~", b"gi7eba~", b"gi7d29~", b"gi250a~",
];

fn is_dot_git(part: &[u8]) -> bool {
    // Most names begin otherwise, and need no copy.
    if !matches!(part.first(), Some(b'.' | b'g' | b'G' | 0xe2 | 0xef)) {
        return false;
    }
    let folded = without_ignored(part).to_ascii_lowercase();
    matches!(part, b"." | b"..") || matches!(windows_name(&folded), b".git" | b"git~1")
}

/// A name as Windows takes it: without the stream after a colon, and without dots and spaces at
/// the end.
fn windows_name(name: &[u8]) -> &[u8] {
    let name = name
        .split(|octet| *octet == b':')
        .next()
        .unwrap_or_default();
    let end = name.iter().rposition(|octet| !matches!(octet, b'.' | b' '));
    name.get(..end.map_or(0, |end| end + 1)).unwrap_or_default()
}

/// A name without the code points that macOS ignores in names.
fn without_ignored(name: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&octet, after)) = rest.split_first() {
        match rest {
            [0xe2, 0x80, 0x8c..=0x8f | 0xaa..=0xae, after @ ..]
            | [0xe2, 0x81, 0xaa..=0xaf, after @ ..]
            | [0xef, 0xbb, 0xbf, after @ ..] => rest = after,
            _ => {
                kept.push(octet);
                rest = after;
            }
        }
    }
    kept
}
