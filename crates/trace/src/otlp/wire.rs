//! Protocol Buffers on the wire: what OTLP needs of it, and no more.

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn into_octets(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn number(&mut self, field: u32, number: u64) {
        self.key(field, VARINT);
        self.varint(number);
    }

    pub(super) fn fixed64(&mut self, field: u32, number: u64) {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u32, number: u32) {
        self.key(field, FIXED32);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn octets(&mut self, field: u32, octets: &[u8]) {
        self.key(field, LENGTH);
        self.varint(octets.len() as u64);
        self.0.extend_from_slice(octets);
    }

    /// A text that is left out where it is empty, as the format has it.
    pub(super) fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.octets(field, text.as_bytes());
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a message is written once, into another one"
    )]
    pub(super) fn message(&mut self, field: u32, message: Self) {
        self.octets(field, &message.0);
    }

    fn key(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(low(number) | 0x80);
            number >>= 7;
        }
        self.0.push(low(number));
    }
}

/// A message that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64),
    Octets(&'a [u8]),
    Other,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The first field of this number that holds octets. None where there is none, or before it
    /// something that is not of this format.
    pub(super) fn octets(self, wanted: u32) -> Option<&'a [u8]> {
        self.find(wanted, |field| match field {
            Field::Octets(octets) => Some(octets),
            Field::Number(_) | Field::Other => None,
        })
    }

    /// The same for a number.
    pub(super) fn number(self, wanted: u32) -> Option<u64> {
        self.find(wanted, |field| match field {
            Field::Number(number) => Some(number),
            Field::Octets(_) | Field::Other => None,
        })
    }

    /// All fields of this number that hold octets, up to what is not of this format.
    pub(super) fn each(mut self, wanted: u32) -> impl Iterator<Item = &'a [u8]> {
        std::iter::from_fn(move || {
            while !self.0.is_empty() {
                if let (number, Field::Octets(octets)) = self.next()?
                    && number == u64::from(wanted)
                {
                    return Some(octets);
                }
            }
            None
        })
    }

    fn find<T>(mut self, wanted: u32, read: impl Fn(Field<'a>) -> Option<T>) -> Option<T> {
        while !self.0.is_empty() {
            let (number, field) = self.next()?;
            if number == u64::from(wanted) {
                return read(field);
            }
        }
        None
    }

    fn next(&mut self) -> Option<(u64, Field<'a>)> {
        let key = self.varint()?;
        let field = match key & 7 {
            VARINT => Field::Number(self.varint()?),
            LENGTH => {
                let length = usize::try_from(self.varint()?).ok()?;
                Field::Octets(self.take(length)?)
            }
            FIXED64 => self.take(8).map(|_| Field::Other)?,
            FIXED32 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((key >> 3, field))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let octet = *self.take(1)?.first()?;
            number |= u64::from(octet & 0x7f).checked_shl(shift)?;
            if octet & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

/// The lowest seven bits.
const fn low(number: u64) -> u8 {
    let [octet, ..] = number.to_le_bytes();
    octet & 0x7f
}
