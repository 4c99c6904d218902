//! Whether a value could be found by trying. It is an estimate by its form, on the safe side for what
//! issuers make: a long password that people made up may pass for one of those.

use ringfence_model::Secret;

/// Octets that a value has at least which nobody can guess.
const LEAST_OCTETS: usize = 16;
/// Different octets of one.
const LEAST_DIFFERENT: usize = 8;

pub(super) fn is_guessable(value: &Secret) -> bool {
    let value = value.expose();
    let mut different = [false; 256];
    for octet in value {
        if let Some(is_there) = different.get_mut(usize::from(*octet)) {
            *is_there = true;
        }
    }
    let different = different.iter().filter(|is_there| **is_there).count();
    let has = |of: fn(&u8) -> bool| value.iter().any(of);
    let mixed = has(u8::is_ascii_digit)
        || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
        || has(|octet| !octet.is_ascii());
    value.len() < LEAST_OCTETS || different < LEAST_DIFFERENT || !mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_or_made_of_words_or_of_few_octets_could_be_guessed() {
        for value in [
            "",
            "hunter2",
            "Tr0ub4dor&3",
            "fifteen-octets1",
            "correct horse battery staple",
            "aaaaaaaaaaaaaaaaaaaaaaa1",
            "0000-0000-0000-0000-0001",
        ] {
            assert!(is_guessable(&Secret::new(value)), "{value}");
        }
        for value in [
            "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
            "0123456789abcdef",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "YWRtaW46aHVudGVyMmh1bnRlcjI=",
        ] {
            assert!(!is_guessable(&Secret::new(value)), "{value}");
        }
    }
}
