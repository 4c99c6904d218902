//! The header of an object in a pack: what it is, how large, and what it is a delta of.

use ringfence_model::git::{ObjectFormat, Oid};

use super::input::Input;
use super::{Kind, PackError};

/// What lies in the pack for an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// How its content is told.
    pub(super) form: Form,
    /// Octets of what is deflated after the header.
    pub(super) size: u64,
    /// Where the header is.
    pub(super) at: u64,
}

/// How a content is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// As it is.
    Whole(Kind),
    /// As a delta against the object whose header is there in the pack.
    DeltaAt(u64),
    /// As a delta against the object of this name.
    DeltaOf(Oid),
}

impl Header {
    /// Reads a header. Numbers are read as git reads them, and refused where git would not write
    /// them so: with needless octets, or larger than any object may be.
    pub(super) fn read(input: &mut Input, format: ObjectFormat) -> Result<Self, PackError> {
        let at = input.at();
        let first = input.octet()?;
        let size = size(input, first)?;
        let form = match (first >> 4) & 0b111 {
            1 => Form::Whole(Kind::Commit),
            2 => Form::Whole(Kind::Tree),
            3 => Form::Whole(Kind::Blob),
            4 => Form::Whole(Kind::Tag),
            6 => Form::DeltaAt(base_at(input, at)?),
            7 => Form::DeltaOf(base_of(input, format)?),
            _ => return Err(PackError::malformed(at, "there is no such kind of object")),
        };
        Ok(Self { form, size, at })
    }
}

fn size(input: &mut Input, first: u8) -> Result<u64, PackError> {
    let mut size = u64::from(first & 0b1111);
    let mut shift = 4;
    let mut octet = first;
    while octet & 0x80 != 0 {
        octet = input.octet()?;
        if shift > 46 || octet == 0 {
            return Err(PackError::malformed(input.at(), "a size is not one"));
        }
        size |= u64::from(octet & 0x7f) << shift;
        shift += 7;
    }
    Ok(size)
}

fn base_at(input: &mut Input, at: u64) -> Result<u64, PackError> {
    let mut octet = input.octet()?;
    let mut distance = u64::from(octet & 0x7f);
    while octet & 0x80 != 0 {
        octet = input.octet()?;
        distance = ((distance + 1) << 7) | u64::from(octet & 0x7f);
        if distance > at {
            break;
        }
    }
    at.checked_sub(distance)
        .filter(|base| *base < at)
        .ok_or_else(|| PackError::malformed(at, "a delta is against nothing"))
}

fn base_of(input: &mut Input, format: ObjectFormat) -> Result<Oid, PackError> {
    let mut octets = [0; 32];
    let place = octets.get_mut(..format.octets()).unwrap_or_default();
    input.octets(place)?;
    Oid::new(format, place).map_err(|_| PackError::malformed(input.at(), "no name of an object"))
}
