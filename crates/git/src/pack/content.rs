//! Contents of an open pack, read again from where they are.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;

use flate2::bufread::ZlibDecoder;
use ringfence_model::git::Oid;

use super::index::{Entry, Place};
use super::{Kind, PackError};
use crate::limits::PACK_STEP_OCTETS;

/// The files that contents are in.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) pack: File,
    pub(super) scratch: File,
}

impl Source {
    /// The content of an object whole: for commits, trees and tags, whose size is bounded.
    pub(super) fn read(&self, entry: &Entry) -> Result<Vec<u8>, PackError> {
        let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
        let mut octets = vec![0; size];
        if entry.place == Place::Scratch {
            let read = self.scratch.read_exact_at(&mut octets, entry.at);
            read.map_err(PackError::Io)?;
        } else {
            let mut content = Content::new(entry, self);
            content.read_exact(&mut octets).map_err(PackError::Io)?;
        }
        Ok(octets)
    }
}

/// An object that is shown to a visitor.
#[derive(Debug)]
pub struct Object<'a> {
    /// Its name.
    pub oid: Oid,
    /// What it is.
    pub kind: Kind,
    /// Octets of its content.
    pub size: u64,
    /// Its content, from the beginning; whatever is not read is skipped.
    pub content: Content<'a>,
}

impl<'a> Object<'a> {
    pub(super) fn new(entry: &Entry, source: &'a Source) -> Self {
        Self {
            oid: entry.oid,
            kind: entry.kind,
            size: entry.size,
            content: Content::new(entry, source),
        }
    }

    /// Gives the failure that a visitor met and may not have told.
    pub(super) fn finish(self) -> Result<(), PackError> {
        match self.content.failure {
            Some(kind) => Err(PackError::Io(kind.into())),
            None => Ok(()),
        }
    }
}

/// The content of an object, as a reader that gives exactly its octets. A failure of it also ends
/// the visit.
#[derive(Debug)]
pub struct Content<'a> {
    left: u64,
    form: Form<'a>,
    failure: Option<io::ErrorKind>,
}

#[derive(Debug)]
enum Form<'a> {
    Plain(Section<'a>),
    Deflated(Box<ZlibDecoder<BufReader<Section<'a>>>>),
}

impl<'a> Content<'a> {
    fn new(entry: &Entry, source: &'a Source) -> Self {
        if entry.place == Place::Pack {
            return Self::of_pack(entry, &source.pack);
        }
        Self {
            left: entry.size,
            form: Form::Plain(Section {
                file: &source.scratch,
                at: entry.at,
            }),
            failure: None,
        }
    }

    /// Of an object that lies deflated in the pack.
    pub(super) fn of_pack(entry: &Entry, file: &'a File) -> Self {
        let guess = usize::try_from(entry.size).unwrap_or(usize::MAX);
        let at = entry.at;
        let section = Section { file, at };
        let section = BufReader::with_capacity(guess.clamp(128, PACK_STEP_OCTETS), section);
        Self {
            left: entry.size,
            form: Form::Deflated(Box::new(ZlibDecoder::new(section))),
            failure: None,
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = most.min(place.len());
        let place = place.get_mut(..most).unwrap_or_default();
        if place.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.form {
            Form::Plain(section) => section.read(place),
            Form::Deflated(decoder) => decoder.read(place),
        };
        let read = read.and_then(|octets| match octets {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            octets => Ok(octets),
        });
        match &read {
            Ok(octets) => self.left -= *octets as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.failure = Some(error.kind()),
        }
        read
    }
}

/// A file from somewhere on.
#[derive(Debug)]
struct Section<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let octets = self.file.read_at(place, self.at)?;
        self.at += octets as u64;
        Ok(octets)
    }
}
