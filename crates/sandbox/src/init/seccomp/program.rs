//! From the list to a program for the kernel's filter machine (seccomp(2), classic BPF).
//!
//! The kernel runs the program for every call, and once for each call number when it is installed,
//! to learn which calls need no run. So the number is searched by halves: a handful of
//! comparisons where a list would take hundreds.

use std::collections::BTreeMap;

use seccompiler::sock_filter;

/// What holds for the low 32 bits of one argument of a call. All flags, modes and families that
/// the list asks about are there, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) argument: u8,
    /// The bits that count.
    pub(super) mask: u32,
    /// What they are compared with.
    pub(super) value: u32,
    /// Whether they must be equal to it, or must not be.
    pub(super) equal: bool,
}

/// Conditions that hold together.
pub(super) type Rule = Vec<Condition>;

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is made.
    Allow,
    /// It is made if one of the rules holds, else refused with this error number.
    AllowIf(Vec<Rule>, u32),
    /// It is refused with this error number.
    Refuse(u32),
}

/// A program that gives every call of the native architecture its verdict, and those without one
/// `otherwise`. A call of another architecture ends the process.
pub(super) fn compile(verdicts: &BTreeMap<u32, Verdict>, otherwise: &Verdict) -> Vec<sock_filter> {
    let mut program = vec![
        instruction(LOAD, 0, 0, ARCHITECTURE_OFFSET),
        instruction(JUMP_IF_EQUAL, 1, 0, ARCHITECTURE),
        instruction(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        instruction(LOAD, 0, 0, NUMBER_OFFSET),
    ];
    program.extend(search(&ranges(verdicts, otherwise)));
    program
}

/// Where each run of equal verdicts begins, from number 0 on.
fn ranges<'a>(
    verdicts: &'a BTreeMap<u32, Verdict>,
    otherwise: &'a Verdict,
) -> Vec<(u32, &'a Verdict)> {
    let mut ranges: Vec<(u32, &Verdict)> = Vec::new();
    let mut begin = |number, verdict| match ranges.last() {
        Some((_, last)) if *last == verdict => {}
        _ => ranges.push((number, verdict)),
    };
    let mut next = 0;
    for (number, verdict) in verdicts {
        if *number > next {
            begin(next, otherwise);
        }
        begin(*number, verdict);
        next = number.saturating_add(1);
    }
    begin(next, otherwise);
    ranges
}

/// Finds the range that the number is in, by halves.
fn search(ranges: &[(u32, &Verdict)]) -> Vec<sock_filter> {
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let Some((first, verdict)) = high.first() else {
        return Vec::new();
    };
    if low.is_empty() {
        return decide(verdict);
    }
    let (low, high) = (search(low), search(high));
    let mut program = jump_if_at_least(*first, low.len());
    program.extend(low);
    program.extend(high);
    program
}

/// Skips so many instructions if the number is not below `first`. What a comparison itself can
/// skip is limited.
fn jump_if_at_least(first: u32, skipped: usize) -> Vec<sock_filter> {
    match u8::try_from(skipped) {
        Ok(near) => vec![instruction(JUMP_IF_AT_LEAST, near, 0, first)],
        Err(_) => vec![
            instruction(JUMP_IF_AT_LEAST, 0, 1, first),
            instruction(JUMP, 0, 0, u32::try_from(skipped).unwrap_or(u32::MAX)),
        ],
    }
}

fn decide(verdict: &Verdict) -> Vec<sock_filter> {
    match verdict {
        Verdict::Allow => vec![instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW)],
        Verdict::Refuse(error) => vec![refuse(*error)],
        Verdict::AllowIf(rules, error) => {
            let mut program: Vec<sock_filter> = rules.iter().flat_map(check).collect();
            program.push(refuse(*error));
            program
        }
    }
}

/// Allows the call if all conditions hold, else goes on behind.
fn check(rule: &Rule) -> Vec<sock_filter> {
    let mut program = vec![instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW)];
    // From the last condition to the first: each one skips what is already there if it fails.
    for condition in rule.iter().rev() {
        let rest = u8::try_from(program.len()).unwrap_or(u8::MAX);
        let (if_equal, if_not) = if condition.equal {
            (0, rest)
        } else {
            (rest, 0)
        };
        let offset = ARGUMENTS_OFFSET + u32::from(condition.argument) * ARGUMENT_OCTETS;
        let mut test = vec![instruction(LOAD, 0, 0, offset)];
        if condition.mask != u32::MAX {
            test.push(instruction(AND, 0, 0, condition.mask));
        }
        test.push(instruction(
            JUMP_IF_EQUAL,
            if_equal,
            if_not,
            condition.value,
        ));
        test.append(&mut program);
        program = test;
    }
    program
}

fn refuse(error: u32) -> sock_filter {
    instruction(
        RETURN,
        0,
        0,
        libc::SECCOMP_RET_ERRNO | (error & libc::SECCOMP_RET_DATA),
    )
}

const fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

// The machine's instructions: linux/bpf_common.h.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

// struct seccomp_data of linux/seccomp.h. The low half of an argument comes first: both
// architectures are little-endian.
const NUMBER_OFFSET: u32 = 0;
const ARCHITECTURE_OFFSET: u32 = 4;
const ARGUMENTS_OFFSET: u32 = 16;
const ARGUMENT_OCTETS: u32 = 8;

/// AUDIT_ARCH_* of linux/audit.h.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

#[cfg(test)]
mod tests;
