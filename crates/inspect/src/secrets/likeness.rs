//! Whether a value looks random, like words, like a placeholder or like a hash.

use super::around::holds;

/// What is in placeholders, and in keys that manuals publish.
const PLACEHOLDERS: &[&[u8]] = &[
    b"example",
    b"sample",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"your",
    b"dummy",
    b"redacted",
    b"replace",
    b"insert",
    b"secret",
    b"passw",
    b"fake",
    b"todo",
    b"xxx",
    b"foobar",
    b"...",
    b"***",
    b"deadbeef",
    // The storage emulator of Azure has one key for everybody.
    b"Eby8vdM02xNO",
    // RFC 6749 and RFC 6750.
    b"2YotnFZF",
    b"tGzv3JOk",
    b"mF_9.B5f",
];

/// Words of passwords that nobody keeps secret.
const WEAK: &[&[u8]] = &[
    b"test",
    b"admin",
    b"hunter",
    b"demo",
    b"root",
    b"qwert",
    b"user",
    b"guest",
    b"default",
    b"local",
    b"letmein",
    b"welcome",
    b"pass",
    b"p@ss",
    b"p4ss",
    b"p@55",
    b"secret",
    b"s3cr",
    b"postgres",
    b"mysql",
    b"mongo",
    b"redis",
    b"rabbit",
    b"token",
    b"value",
    b"string",
    b"none",
    b"null",
    b"true",
    b"false",
    b"dev",
    b"abc",
    b"super",
    b"strong",
    b"correct",
    b"horse",
    b"open",
    b"foo",
    b"bar",
    b"my_",
    b"my-",
    b"some",
    b"key",
];

/// Whether a value is a placeholder, an example, or has a repetition or a sequence that no random
/// value has.
pub(super) fn is_made_up(value: &[u8]) -> bool {
    // The words are what costs most, so they come last.
    is_monotonous(value)
        || longest(value, 0) >= REPEATED
        || longest(value, 1) >= SEQUENCE
        || is_placeholder(value)
}

fn is_placeholder(value: &[u8]) -> bool {
    // In a long value short words turn up by chance.
    let most = if value.len() > LONG_OCTETS { 5 } else { 0 };
    let words = PLACEHOLDERS.iter().filter(|word| word.len() > most);
    words.into_iter().any(|word| holds(value, word))
}

/// From this length on, a value is long.
const LONG_OCTETS: usize = 100;
/// So many equal characters in a row are no chance.
const REPEATED: usize = 5;
/// So many characters in a row, each the one after the last, are no chance.
const SEQUENCE: usize = 6;

/// How many characters in a row are each so far from the last.
fn longest(value: &[u8], step: u8) -> usize {
    let (mut run, mut most) = (1, 0);
    for pair in value.windows(2) {
        let [first, second] = pair else { continue };
        run = match second.wrapping_sub(*first) == step {
            true => run + 1,
            false => 1,
        };
        most = most.max(run);
    }
    most
}

/// Whether it has too few different characters for its length.
fn is_monotonous(value: &[u8]) -> bool {
    let different = counts(value).iter().filter(|count| **count > 0).count();
    different < (value.len() / 3).min(8)
}

fn counts(value: &[u8]) -> [u32; 256] {
    let mut counts = [0_u32; 256];
    for octet in value {
        if let Some(count) = counts.get_mut(usize::from(*octet)) {
            *count += 1;
        }
    }
    counts
}

/// Shannon's entropy of the characters, in hundredths of a bit each.
fn entropy(value: &[u8]) -> u32 {
    let total = value.len() as f64;
    let bits: f64 = counts(value)
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "octets have at most eight bits of entropy, and never less than none"
    )]
    let hundredths = (bits * 100.0) as u32;
    hundredths
}

/// Whether a value that stands where a secret would be is random.
pub(super) fn is_random(value: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| value.iter().any(kind);
    let (digits, letters) = (has(u8::is_ascii_digit), has(u8::is_ascii_alphabetic));
    if !digits || !letters {
        return false;
    }
    let least = match value.len() {
        ..20 => 300,
        20..32 => 330,
        _ if is_hex(value) => 300,
        _ => 340,
    };
    let has_words = !is_hex(value) && is_wordy(value, VALUE_WORDS);
    entropy(value) >= least && !has_words && !is_made_up(value)
}

const VALUE_WORDS: usize = 65;

/// Whether a value is a password that a person chose to be hard to guess.
pub(super) fn is_password(value: &[u8]) -> bool {
    if value.len() >= 12 && is_random(value) {
        return true;
    }
    if !(10..=64).contains(&value.len()) {
        return false;
    }
    let kinds: [fn(&u8) -> bool; 4] = [
        u8::is_ascii_digit,
        u8::is_ascii_lowercase,
        u8::is_ascii_uppercase,
        u8::is_ascii_punctuation,
    ];
    let has_all = kinds.iter().all(|kind| value.iter().any(kind));
    let weak = WEAK.iter().any(|word| holds(value, word));
    has_all && !weak && !is_made_up(value) && entropy(value) >= 300
}

pub(super) fn is_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562).
pub(super) fn is_uuid(value: &[u8]) -> bool {
    let groups = value.split(|octet| *octet == b'-');
    groups.clone().map(<[u8]>::len).eq([8, 4, 4, 4, 12]) && groups.clone().all(is_hex)
}

/// Whether of a hundred pairs of letters, more than so many are frequent in English words.
pub(super) fn is_wordy(value: &[u8], hundredths: usize) -> bool {
    let (mut pairs, mut frequent) = (0, 0);
    for pair in value.windows(2) {
        let [first, second] = pair else { continue };
        if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() {
            pairs += 1;
            frequent += usize::from(follows(*first, *second));
        }
    }
    pairs > 0 && frequent * 100 > pairs * hundredths
}

/// Whether the second letter often follows the first in English words. About every third pair does.
fn follows(first: u8, second: u8) -> bool {
    let followers: &[u8] = match first.to_ascii_lowercase() {
        b'a' => b"bcdgilmnprstuvy",
        b'b' => b"aeilorsu",
        b'c' => b"aehikloprtu",
        b'd' => b"adeiorsu",
        b'e' => b"acdeflmnprstvwxy",
        b'f' => b"aefiortu",
        b'g' => b"aehiloru",
        b'h' => b"aeiortu",
        b'i' => b"acdefglmnoprstvz",
        b'j' => b"aeou",
        b'k' => b"eins",
        b'l' => b"adeilostuy",
        b'm' => b"abeimopsu",
        b'n' => b"acdegikostu",
        b'o' => b"abcdfgiklmnoprstuvw",
        b'p' => b"aehilorpstu",
        b'q' => b"u",
        b'r' => b"acdegikmnorstuvy",
        b's' => b"acehikmopsstuw",
        b't' => b"acehilmorstuy",
        b'u' => b"abcdegilmnprst",
        b'v' => b"aeio",
        b'w' => b"aehinors",
        b'x' => b"aceipt",
        b'y' => b"aeimopst",
        b'z' => b"aeio",
        _ => b"",
    };
    followers.contains(&second.to_ascii_lowercase())
}
