//! Follows the chain of a spool that is still there from its start, through the place up to which
//! it was taken in.

use std::io::ErrorKind;
use std::path::Path;

use ringfence_model::RunId;

use super::Broken;
use super::walk::Fault;
use crate::error::StoreError;
use crate::spool::{Ending, Position, Reader, SpoolError, Spooled, Step};

/// Checks a spool. Returns how many of its records are not taken in yet.
pub(super) fn check(path: &Path, run: RunId, ingested: Option<Position>) -> Result<u64, Fault> {
    let mut reader = match Reader::open(path) {
        Ok(reader) => reader,
        // It was taken in and removed since the folder was listed.
        Err(SpoolError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Ok(0);
        }
        Err(SpoolError::File { source, .. }) => return Err(StoreError::file(path)(source).into()),
        Err(error) => return Err(broken(run, 1, &error.to_string())),
    };
    let mut check = Check {
        run,
        ingested,
        next: 1,
        pending: 0,
    };
    loop {
        match reader.step().map_err(StoreError::file(path))? {
            Step::Record(spooled) => check.record(&spooled)?,
            Step::End(ending) => return check.end(&ending),
        }
    }
}

struct Check {
    run: RunId,
    /// Up to where the spool was taken in; none once that place is behind.
    ingested: Option<Position>,
    next: u64,
    pending: u64,
}

impl Check {
    fn record(&mut self, spooled: &Spooled) -> Result<(), Fault> {
        self.next = spooled.seq + 1;
        let Some(position) = self.ingested else {
            self.pending += 1;
            return Ok(());
        };
        if position.seq != self.next {
            return Ok(());
        }
        if (position.prev, position.offset) != (spooled.hash, spooled.end) {
            let why = "it is not the record that was taken in";
            return Err(broken(self.run, spooled.seq, why));
        }
        self.ingested = None;
        Ok(())
    }

    fn end(&self, ending: &Ending) -> Result<u64, Fault> {
        match ending {
            Ending::Broken(found) => Err(broken(self.run, found.seq, found.why)),
            Ending::Unsupported { version } => {
                let why = format!("version {version} of spools is not known");
                Err(broken(self.run, self.next, &why))
            }
            Ending::Whole | Ending::Torn { .. } if self.ingested.is_some() => {
                let why = "the spool is shorter than what was taken in of it";
                Err(broken(self.run, self.next, why))
            }
            Ending::Whole | Ending::Torn { .. } => Ok(self.pending),
        }
    }
}

fn broken(run: RunId, seq: u64, why: &str) -> Fault {
    Fault::Broken(Broken {
        spool: Some(run),
        seq,
        why: why.to_owned(),
    })
}
