//! Texts to scrub, the same in every run.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUE_OCTETS: usize = 40;

/// A token as providers make them: a prefix that all have, and a random part.
pub fn value(index: usize) -> String {
    let mut random = Random(index as u64 + 1);
    (0..VALUE_OCTETS)
        .map(|_| char::from(random.of(ALPHABET)))
        .fold("sk-proj-".to_owned(), |mut value, next| {
            value.push(next);
            value
        })
}

/// A text of a kind, of about so many octets.
pub fn text(kind: &str, octets: usize, value: &str) -> Option<Vec<u8>> {
    let part: fn(&mut Random, &str) -> String = match kind {
        "random" => return Some(random_octets(octets)),
        "json" => json,
        "base64" => base64,
        "percent" => percent,
        "near" => near,
        "breaks" => breaks,
        "folded" => folded,
        "nested" => nested,
        "wide" => wide,
        _ => return None,
    };
    let mut random = Random(0);
    let mut text = Vec::with_capacity(octets + 1024);
    while text.len() < octets {
        text.extend_from_slice(part(&mut random, value).as_bytes());
    }
    Some(text)
}

fn random_octets(octets: usize) -> Vec<u8> {
    let mut random = Random(0);
    let mut text = Vec::with_capacity(octets + 8);
    while text.len() < octets {
        text.extend_from_slice(&random.next().to_le_bytes());
    }
    text
}

/// One event of a model's answer, with escapes as they are common in code.
fn json(random: &mut Random, _: &str) -> String {
    let words = [
        "the",
        "function",
        "returns",
        "\\\"none\\\"",
        "when",
        "key",
        "token",
        "is\\n",
        "sk-",
        "100%",
    ];
    let text: String = (0..12)
        .map(|_| random.of(&words).to_owned() + " ")
        .collect();
    let id = random.next() % 1_000_000;
    format!(
        "data: {{\"id\":\"msg_{id:06}\",\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
    )
}

fn base64(random: &mut Random, _: &str) -> String {
    let mut line: String = (0..76).map(|_| char::from(random.of(ALPHABET))).collect();
    line.push('\n');
    line
}

fn percent(random: &mut Random, _: &str) -> String {
    format!("%{:02X}", random.next() & 0xff)
}

/// The beginning of a value in each form, up to all but its last two characters.
fn near(random: &mut Random, value: &str) -> String {
    let length = 5 + (random.next() % (value.len() as u64 - 6)) as usize;
    let start: String = value.chars().take(length).collect();
    match random.next() % 4 {
        0 => start + " ",
        1 => start
            .bytes()
            .fold(String::new(), |text, octet| text + &format!("%{octet:02x}")),
        2 => start
            .bytes()
            .fold(String::new(), |text, octet| text + &format!("{octet:02x}")),
        _ => start.bytes().fold(String::new(), |text, octet| {
            text + &format!("\\u{octet:04x}")
        }),
    }
}

/// Soft line breaks of quoted-printable and nothing else.
fn breaks(_: &mut Random, _: &str) -> String {
    "=\n".repeat(64)
}

/// The beginning of a value in base64, with a soft line break after each symbol.
fn folded(_: &mut Random, _: &str) -> String {
    "c=\n2=\ns=\nt=\nc=\nH=\n".repeat(8)
}

/// A soft line break whose parts are escaped themselves.
fn nested(_: &mut Random, _: &str) -> String {
    "%3d%0a=3d=0a".repeat(8)
}

/// UTF-16 of what could be the beginning of a value.
fn wide(random: &mut Random, value: &str) -> String {
    let length = 1 + (random.next() % 12) as usize;
    let start = value.chars().take(length);
    start.flat_map(|octet| [octet, '\0']).collect()
}

/// A small generator (SplitMix64): the texts only have to be the same each time.
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.next() % choices.len() as u64) as usize]
    }
}
