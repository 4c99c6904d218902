//! The calls that give a file its mode. They may set every bit but set-user-id and set-group-id:
//! a file with one of those in the person's workspace would run with the person's rights for
//! everybody on the host who starts it.

use super::{Condition, Rules, without_bits};

/// Adds the calls and the condition of each.
pub(super) fn insert(rules: &mut Rules) {
    for (call, mode) in MODES.iter().chain(OLDER_MODES) {
        rules.insert(*call, vec![vec![plain(*mode)]]);
    }
    for (call, flags) in OPENING.iter().chain(OLDER_OPENING) {
        // Without these flags there is no mode: whatever is in its place does not count.
        let opens = vec![without_bits(*flags, MAKES)];
        let makes = vec![plain(flags + 1)];
        rules.insert(*call, vec![opens, makes]);
    }
}

const fn plain(argument: u8) -> Condition {
    without_bits(argument, libc::S_ISUID | libc::S_ISGID)
}

/// Calls, and which argument of each is the mode.
const MODES: &[(i64, u8)] = &[
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (libc::SYS_fchmodat2, 2),
    (libc::SYS_mknodat, 2),
];
#[cfg(target_arch = "x86_64")]
const OLDER_MODES: &[(i64, u8)] = &[
    (libc::SYS_chmod, 1),
    (libc::SYS_mknod, 1),
    (libc::SYS_creat, 1),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_MODES: &[(i64, u8)] = &[];

/// Calls that make a file under certain flags, and which argument those are; the mode is next.
const OPENING: &[(i64, u8)] = &[(libc::SYS_openat, 2)];
#[cfg(target_arch = "x86_64")]
const OLDER_OPENING: &[(i64, u8)] = &[(libc::SYS_open, 1)];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_OPENING: &[(i64, u8)] = &[];

/// `O_CREAT`, and `O_TMPFILE` without the bit that only says that it is about a directory.
const MAKES: u32 = (libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY)).cast_unsigned();
