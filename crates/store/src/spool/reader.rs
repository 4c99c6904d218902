//! Reads a spool and checks its chain, line by line, in bounded memory. The file is never written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ringfence_model::{Record, RunId};

use super::SpoolError;
use super::line::{self, LineFault, Position};
use crate::digest::Digest;
use crate::limits::LINE_OCTETS;
use crate::private;

/// One record of a spool, with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// Its number, from 1.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// The octet offset after its line.
    pub end: u64,
    /// The record as it was written.
    pub text: String,
    /// The record.
    pub record: Record,
}

/// Where and why a chain breaks off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The number of the first record that is not as it was written.
    pub seq: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What a spool has next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A record.
    Record(Box<Spooled>),
    /// No more records.
    End(Ending),
}

/// What comes after the last record of a spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    Whole,
    /// A part of a line: a record that is being written, or whose writer died. It was never
    /// acknowledged.
    Torn {
        /// How many octets of it are there.
        octets: u64,
    },
    /// A line that does not continue the chain.
    Broken(Break),
    /// A line of a version that this program does not know.
    Unsupported {
        /// The version.
        version: u64,
    },
}

/// Reads the records of a spool from a place in it.
#[derive(Debug)]
pub struct Reader<R = File> {
    input: BufReader<R>,
    position: Position,
    line: Vec<u8>,
}

impl Reader {
    /// Opens a spool at its start.
    ///
    /// # Errors
    /// Where the file is not named like a spool or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, SpoolError> {
        let run = run_of(path).ok_or_else(|| SpoolError::Name(path.to_owned()))?;
        let file = private::open_to_read(path).map_err(|source| SpoolError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::over(file, Position::first(run)))
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Goes on at a place that an earlier reader came to.
    pub(crate) fn resume(mut input: R, position: Position) -> io::Result<Self> {
        input.seek(SeekFrom::Start(position.offset))?;
        Ok(Self::over(input, position))
    }
}

impl<R: Read> Reader<R> {
    fn over(input: R, position: Position) -> Self {
        Self {
            input: BufReader::new(input),
            position,
            line: Vec::new(),
        }
    }

    /// What comes next. After anything but a record there is nothing more to read.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn step(&mut self) -> io::Result<Step> {
        self.line.clear();
        let mut bounded = (&mut self.input).take(LINE_OCTETS);
        let octets = bounded.read_until(b'\n', &mut self.line)? as u64;
        if octets == 0 {
            return Ok(Step::End(Ending::Whole));
        }
        if self.line.last() != Some(&b'\n') {
            return Ok(Step::End(if octets < LINE_OCTETS {
                Ending::Torn { octets }
            } else {
                self.broken("a line is longer than any that is written")
            }));
        }
        Ok(match line::read(&self.position, &self.line) {
            Ok(line) => {
                let seq = self.position.seq;
                self.position = line.next;
                Step::Record(Box::new(Spooled {
                    seq,
                    hash: line.next.prev,
                    end: line.next.offset,
                    text: line.text,
                    record: line.record,
                }))
            }
            Err(LineFault::Version(version)) => Step::End(Ending::Unsupported { version }),
            Err(LineFault::Broken(why)) => Step::End(self.broken(why)),
        })
    }

    const fn broken(&self, why: &'static str) -> Ending {
        Ending::Broken(Break {
            seq: self.position.seq,
            why,
        })
    }
}

/// All that a spool holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The records up to the first thing that is not one.
    pub records: Vec<Record>,
    /// What comes after them: [`Ending::Whole`] for a spool in good order.
    pub ending: Ending,
}

/// Reads a whole spool into memory; for summaries and tests. Large spools are for [`Reader`].
///
/// # Errors
/// Where the file is not named like a spool or cannot be read.
pub fn read_all(path: &Path) -> Result<Contents, SpoolError> {
    let mut reader = Reader::open(path)?;
    let mut records = Vec::new();
    loop {
        let step = reader.step().map_err(|source| SpoolError::File {
            path: path.to_owned(),
            source,
        })?;
        match step {
            Step::Record(spooled) => records.push(spooled.record),
            Step::End(ending) => return Ok(Contents { records, ending }),
        }
    }
}

/// The run whose spool this is, by the one way in which its name is written.
pub(crate) fn run_of(path: &Path) -> Option<RunId> {
    let name = path.file_name()?.to_str()?;
    let run: RunId = name.strip_suffix(".jsonl")?.parse().ok()?;
    (format!("{run}.jsonl") == name).then_some(run)
}
