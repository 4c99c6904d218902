use super::super::{Filter, verdicts};
use super::*;
use crate::weaken::Weakening;

/// What the kernel hands to the program.
#[derive(Debug, Clone, Copy)]
struct Call {
    architecture: u32,
    number: u32,
    arguments: [u64; 6],
}

impl Call {
    fn native(number: u32, arguments: [u64; 6]) -> Self {
        Self {
            architecture: ARCHITECTURE,
            number,
            arguments,
        }
    }

    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.architecture,
            _ => {
                let offset = usize::try_from(offset).unwrap() - 16;
                assert_eq!(offset % 8, 0, "only low halves are read");
                (self.arguments[offset / 8] & 0xffff_ffff) as u32
            }
        }
    }
}

/// Runs a program as the kernel would. What it does not know, or a jump past the end, panics.
fn run(program: &[sock_filter], call: Call) -> u32 {
    let (mut at, mut value) = (0, 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        let mut branch = |holds: bool| at += usize::from(if holds { jt } else { jf });
        match code {
            LOAD => value = call.word(k),
            AND => value &= k,
            JUMP => at += usize::try_from(k).unwrap(),
            JUMP_IF_EQUAL => branch(value == k),
            JUMP_IF_AT_LEAST => branch(value >= k),
            RETURN => return k,
            _ => panic!("instruction {code:#x}"),
        }
    }
}

/// The same, from the list itself.
fn expected(verdicts: &BTreeMap<u32, Verdict>, otherwise: &Verdict, call: Call) -> u32 {
    let holds = |condition: &Condition| {
        let argument = call.arguments[usize::from(condition.argument)];
        let bits = argument & u64::from(condition.mask);
        (bits == u64::from(condition.value)) == condition.equal
    };
    match verdicts.get(&call.number).unwrap_or(otherwise) {
        Verdict::Allow => libc::SECCOMP_RET_ALLOW,
        Verdict::AllowIf(rules, _) if rules.iter().any(|rule| rule.iter().all(holds)) => {
            libc::SECCOMP_RET_ALLOW
        }
        Verdict::AllowIf(_, error) | Verdict::Refuse(error) => libc::SECCOMP_RET_ERRNO | error,
    }
}

/// Values of which each condition of the list tells some apart.
fn samples() -> Vec<u64> {
    let bits = (0..64).map(|bit| 1u64 << bit);
    let small = 0..20u64;
    let requests = [libc::TIOCSTI, libc::TIOCLINUX, libc::TIOCSETD];
    let high = requests.map(|request| request | 0xffff_ffff_0000_0000);
    bits.chain(small)
        .chain(requests)
        .chain(high)
        .chain([u64::MAX, 0xffff_ffff, 0o4755, 0o2755, 0o755])
        .collect()
}

#[test]
fn every_call_gets_the_verdict_of_the_list() {
    let none = Weakening::none();
    let verdicts = verdicts(&none);
    let program = Filter::compile(&none).0.unwrap();
    let refused = Verdict::Refuse(libc::EPERM.cast_unsigned());
    let numbers = (0..1200).chain([0x4000_0000, 0x4000_003b, u32::MAX - 1, u32::MAX]);
    for number in numbers {
        for first in samples() {
            for arguments in [
                [first, 1, 0, 0, 0, 0],
                [2, first, 6, 0, 0, 0],
                [2, 1, first, 0, 0, 0],
                [10, 2, first, first, 0, 0],
                [16, 3, 0, first, 0, 0],
                [0, first, first, 0o644, 0, 0],
            ] {
                let call = Call::native(number, arguments);
                assert_eq!(
                    run(&program, call),
                    expected(&verdicts, &refused, call),
                    "{call:x?}"
                );
            }
        }
    }
}

#[test]
fn a_call_of_another_architecture_ends_the_process() {
    const I386: u32 = 0x4000_0003;
    let program = compile(&BTreeMap::new(), &Verdict::Allow);
    let mut call = Call::native(0, [0; 6]);
    assert_eq!(run(&program, call), libc::SECCOMP_RET_ALLOW);
    call.architecture = I386;
    assert_eq!(run(&program, call), libc::SECCOMP_RET_KILL_PROCESS);
}

#[test]
fn a_search_longer_than_a_jump_reaches_its_end() {
    let rule = vec![Condition {
        argument: 0,
        mask: u32::MAX,
        value: 7,
        equal: true,
    }];
    let verdicts: BTreeMap<u32, Verdict> = (0..400)
        .map(|number| (number, Verdict::AllowIf(vec![rule.clone()], number)))
        .collect();
    let program = compile(&verdicts, &Verdict::Refuse(1000));
    for number in 0..500 {
        for first in [6, 7] {
            let call = Call::native(number, [first, 0, 0, 0, 0, 0]);
            assert_eq!(
                run(&program, call),
                expected(&verdicts, &Verdict::Refuse(1000), call)
            );
        }
    }
}
