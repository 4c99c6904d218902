//! One spool that is being taken in: its file, its lock, and what becomes of it at the end.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use jiff::Timestamp;
use ringfence_model::{AgentName, Notice, NoticeKind, Record, RunId, SandboxId};
use sqlx::SqliteConnection;

use super::{BrokenSpool, Ingested};
use crate::entry::{self, Entry, Tip};
use crate::error::StoreError;
use crate::limits::{BATCH_OCTETS, BATCH_RECORDS};
use crate::project::project;
use crate::spool::{Break, Ending, Position, Reader, Spooled, Step};
use crate::{private, spool};

/// A spool that is being taken in. While this holds its lock, no writer lives.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) run: RunId,
    pub(super) finished: bool,
    file: File,
}

/// Where a batch ended.
pub(super) enum Stop {
    Full,
    At(Ending),
}

impl Source {
    /// Opens a spool, unless it is gone or was never written to.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>, StoreError> {
        let Some(run) = spool::run_of(&path) else {
            return Ok(None);
        };
        let file = match private::open_to_read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file(&path)(error)),
        };
        // The lock comes before the first read: once it is held, nothing more is appended.
        let finished = private::try_lock(&file).map_err(StoreError::file(&path))?;
        let found = file.metadata().map_err(StoreError::file(&path))?;
        if found.nlink() == 0 {
            return Ok(None);
        }
        let source = Self {
            path,
            run,
            finished,
            file,
        };
        if finished && found.len() == 0 {
            source.remove()?;
            return Ok(None);
        }
        Ok(Some(source))
    }

    pub(super) fn octets(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads on from a place, as far as one transaction goes.
    pub(super) fn read_batch(&self, position: Position) -> io::Result<(Vec<Spooled>, Stop)> {
        if self.octets()? < position.offset {
            let cut = Break {
                seq: position.seq,
                why: "the spool is shorter than what was taken in of it",
            };
            return Ok((Vec::new(), Stop::At(Ending::Broken(cut))));
        }
        let mut reader = Reader::resume(&self.file, position)?;
        let mut batch = Vec::new();
        let mut octets = 0;
        while batch.len() < BATCH_RECORDS && octets < BATCH_OCTETS {
            match reader.step()? {
                Step::Record(spooled) => {
                    octets += spooled.text.len();
                    batch.push(*spooled);
                }
                Step::End(ending) => return Ok((batch, Stop::At(ending))),
            }
        }
        Ok((batch, Stop::Full))
    }

    /// Adds the finding about a spool that does not end well to the log, once.
    pub(super) async fn find_fault(
        &self,
        db: &mut SqliteConnection,
        tip: &mut Tip,
        ending: &Ending,
        next: u64,
    ) -> Result<(), StoreError> {
        let (seq, code, detail) = match ending {
            Ending::Broken(found) => (
                found.seq,
                "spool-broken",
                format!("record {} of the spool: {}", found.seq, found.why),
            ),
            Ending::Torn { octets } if self.finished => (
                next,
                "spool-torn",
                format!(
                    "the spool ends in {octets} octets of a record that was never acknowledged"
                ),
            ),
            _ => return Ok(()),
        };
        if entry::is_found(db, self.run, seq).await? {
            return Ok(());
        }
        let (sandbox, agent) = whose(db, self.run).await?;
        let record = Record::Notice(Notice {
            time: Timestamp::now(),
            run: self.run,
            sandbox,
            agent,
            kind: NoticeKind::Finding {
                code: code.to_owned(),
                detail,
            },
        });
        let text = serde_json::to_string(&record)
            .map_err(|error| StoreError::corrupt(tip.seq + 1, error))?;
        let entry = Entry::of_store(tip, self.run, seq, text);
        project(db, entry.seq, &record).await?;
        entry.insert(db).await?;
        *tip = entry.tip();
        Ok(())
    }

    /// Does with the file what its end asks for.
    pub(super) fn settle(&self, ending: Ending, report: &mut Ingested) -> Result<(), StoreError> {
        match ending {
            Ending::Broken(Break { seq, why }) => {
                report.broken.push(BrokenSpool {
                    run: self.run,
                    seq,
                    why,
                });
                if self.finished {
                    return self.set_aside("broken");
                }
            }
            Ending::Unsupported { .. } => report.unsupported.push(self.run),
            Ending::Torn { .. } if self.finished => {
                report.torn.push(self.run);
                return self.set_aside("torn");
            }
            Ending::Whole if self.finished => {
                report.removed += 1;
                return self.remove();
            }
            Ending::Whole | Ending::Torn { .. } => report.live += 1,
        }
        Ok(())
    }

    fn remove(&self) -> Result<(), StoreError> {
        std::fs::remove_file(&self.path).map_err(StoreError::file(&self.path))
    }

    fn set_aside(&self, why: &str) -> Result<(), StoreError> {
        let aside = self.path.with_added_extension(why);
        std::fs::rename(&self.path, aside).map_err(StoreError::file(&self.path))
    }
}

/// The sandbox and the agent of a run, as its first record in the log names them.
async fn whose(
    db: &mut SqliteConnection,
    run: RunId,
) -> Result<(SandboxId, AgentName), StoreError> {
    let first: Option<(i64, String)> = sqlx::query_as(
        "SELECT seq, record FROM entries WHERE run = $1 AND source = $2 AND spool_seq = 1",
    )
    .bind(run.to_string())
    .bind(entry::FROM_SPOOL)
    .fetch_optional(db)
    .await?;
    let first = first
        .map(|(seq, record)| entry::parse(seq, &record))
        .transpose()?;
    match first {
        Some(Record::Opened(event)) => Ok((event.sandbox, event.agent)),
        Some(Record::Notice(notice)) => Ok((notice.sandbox, notice.agent)),
        Some(Record::Closed(_)) | None => {
            let nobody = UNKNOWN.parse();
            let nobody = nobody.map_err(|error| StoreError::corrupt(0, error))?;
            let nowhere = NIL.parse();
            let nowhere = nowhere.map_err(|error| StoreError::corrupt(0, error))?;
            Ok((nowhere, nobody))
        }
    }
}

/// Who a spool belongs to that has no readable record.
const UNKNOWN: &str = "unknown";
const NIL: &str = "00000000-0000-0000-0000-000000000000";
