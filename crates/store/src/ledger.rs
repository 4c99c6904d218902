//! The ledger: what was spent of budgets, and what is set aside for requests that are under way.
//! All processes of a user on this machine share one, in `<data>/ledger`, where no sandbox reaches.
//! It knows no rule: a request names the accounts that it is paid from, and their limits.
//!
//! # What holds
//!
//! - A request takes what it can cost at most from all of its accounts or from none, under a lock
//!   that all processes share. What was spent and what is set aside is never more than the limit
//!   that the request was held to, whatever runs beside it.
//! - A change is with the kernel before anybody acts on it, so the death of a process at any
//!   instruction loses nothing. It is made durable a moment later ([`LEDGER_SYNC`]): a power cut
//!   can lose what was spent in the last moment before it.
//! - What a process had set aside when it died is spent in full. It counts as spent from the
//!   beginning, so that nobody has to find out for the limit to hold; the next process that opens
//!   the ledger, or is refused, only gives it its right name.
//! - What is set aside counts in the window in which it was, also where it is settled in the next.
//! - Time does not go back behind the latest that was seen, so that a clock that is set back gives
//!   nothing anew. One that is set forward does, and until then is not believed again.
//! - A file that is not as it was written is not read, and nothing is taken.
//!
//! # The file
//!
//! A request changes one or two accounts. So `ledger.jsonl` is a log of changes, each line chained
//! to the one before by its hash, and written anew when it is long. A process that holds the lock
//! reads the lines that others have added since, and adds its own with one `write(2)`.

mod account;
mod book;
mod durable;
mod file;
mod holder;
mod line;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

use self::book::{Book, Refused};
use self::durable::Syncer;
use self::file::LedgerFile;
use self::holder::Holder;
use crate::error::StoreError;
use crate::limits::LEDGER_WAIT;
use crate::private;

pub use self::account::{Account, Amount, Limits, Scope, Window};
pub use self::book::{Balance, Claim, Shortfall, Taken};

#[cfg(doc)]
use crate::limits::LEDGER_SYNC;

/// The ledger of this user on this machine. It may be shared between threads.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    open: Mutex<Open>,
    holder: Holder,
    syncer: Syncer,
}

#[derive(Debug)]
struct Open {
    lock: File,
    /// None until it is read, or is read again.
    file: Option<LedgerFile>,
}

/// A ledger that ends with the process, of what nobody else spends from.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<Book>);

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file or directory cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is not as it was written.
    #[error(
        "{} is damaged: {why}; `ringfence budget reset --all` sets it aside and begins a new one",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another process holds it for longer than any does that works.
    #[error("{} is held by another process", .0.display())]
    Busy(PathBuf),
    /// There are too many accounts.
    #[error("there are too many budgets")]
    Full,
    /// What was written could not be made durable.
    #[error("the disk failed to keep {}", .0.display())]
    Lost(PathBuf),
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// An account has not enough left.
    #[error(transparent)]
    Short(#[from] Shortfall),
    /// It cannot be told, or not be written down.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Ledger {
    /// Opens the ledger below the data directory, and makes what is missing of it.
    ///
    /// # Errors
    /// Where files are not the user's own, or the ledger is damaged.
    pub fn open(data: &Path) -> Result<Self, LedgerError> {
        let folder = data.join(FOLDER);
        for path in [data, &folder, &folder.join(HOLDERS)] {
            private::directory(path)?;
        }
        let path = folder.join(LOCK);
        let lock = private::open_or_create(&path).map_err(StoreError::file(&path))?;
        // The file of a holder is never seen without its lock.
        let guard = wait_for(&lock, &path, Instant::now() + LEDGER_WAIT)?;
        let holder = Holder::create(&folder.join(HOLDERS))?;
        drop(guard);
        let syncer = Syncer::start().map_err(StoreError::file(&folder))?;
        let ledger = Self {
            folder,
            open: Mutex::new(Open { lock, file: None }),
            holder,
            syncer,
        };
        ledger.with(|file| ledger.bury(file, true))?;
        Ok(ledger)
    }

    /// Takes `most` from all accounts, or from none.
    ///
    /// # Errors
    /// The first account that has not enough left, or why it cannot be told.
    pub fn take(&self, claims: &[Claim], most: Amount, now: Timestamp) -> Result<Taken, NotTaken> {
        self.with(|file| {
            let id = self.holder.id;
            let mut taken = file.book.take(claims, most, id, now);
            match &taken {
                Err(Refused::Full) => file.book.prune(now),
                // What the dead had set aside is not to be waited for.
                Err(Refused::Short(short)) if short.under_way != Amount::default() => {
                    self.bury(file, false)?;
                }
                _ => {}
            }
            if taken.is_err() {
                taken = file.book.take(claims, most, id, now);
            }
            match taken {
                Ok((change, taken)) => {
                    self.commit(file, change)?;
                    Ok(taken)
                }
                Err(Refused::Short(short)) => Err(short.into()),
                Err(Refused::Full) => Err(LedgerError::Full.into()),
            }
        })
    }

    /// States what was spent of what was taken; more than that is taken as well.
    ///
    /// # Errors
    /// Where it cannot be written down: then all that was taken stays so.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what was settled cannot be settled again"
    )]
    pub fn settle(&self, taken: Taken, spent: Amount) -> Result<(), LedgerError> {
        self.with(|file| {
            let change = file.book.settle(&taken, self.holder.id, spent);
            self.commit(file, change)?;
            // A ledger that cannot be made shorter is used for as long as it is not too long.
            let _ = file.compact();
            Ok(())
        })
    }

    /// As [`Self::take`], for a thread that must not wait: none where another holds the ledger, where
    /// there is more to do than to add a line, and where the accounts have not enough left.
    ///
    /// # Errors
    /// Why the ledger cannot be used.
    #[must_use]
    pub fn take_at_once(
        &self,
        claims: &[Claim],
        most: Amount,
        now: Timestamp,
    ) -> Option<Result<Taken, LedgerError>> {
        self.at_once(|file| {
            let taken = file.book.take(claims, most, self.holder.id, now);
            let (change, taken) = taken.ok()?;
            Some(self.commit(file, change).map(|()| taken))
        })
    }

    /// As [`Self::settle`], for a thread that must not wait.
    ///
    /// # Errors
    /// What is still to be settled, where that has to wait.
    pub fn settle_at_once(
        &self,
        taken: Taken,
        spent: Amount,
    ) -> Result<Result<(), LedgerError>, Taken> {
        let settled = self.at_once(|file| {
            let change = file.book.settle(&taken, self.holder.id, spent);
            Some(self.commit(file, change))
        });
        settled.ok_or(taken)
    }

    /// What all accounts hold whose window is not over.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn balances(&self, now: Timestamp) -> Result<Vec<Balance>, LedgerError> {
        self.with(|file| {
            self.bury(file, false)?;
            Ok(file.book.balances(now))
        })
    }

    /// Gives the accounts anew for which `is_chosen` says so. What is set aside stays set aside.
    ///
    /// # Errors
    /// Where the ledger cannot be read or written.
    pub fn reset(
        &self,
        is_chosen: &dyn Fn(&Account) -> bool,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.with(|file| {
            let change = file.book.reset(is_chosen, now);
            self.commit(file, change)
        })
    }

    /// Sets a file aside that cannot be read, so that the next one to open the ledger makes a new
    /// one. Returns where it is now; none where there was nothing to set aside.
    ///
    /// # Errors
    /// Where it cannot be renamed.
    pub fn set_aside(data: &Path, now: Timestamp) -> Result<Option<PathBuf>, LedgerError> {
        let folder = data.join(FOLDER);
        let path = folder.join(LOCK);
        let lock = private::open_or_create(&path).map_err(StoreError::file(&path))?;
        let _guard = wait_for(&lock, &path, Instant::now() + LEDGER_WAIT)?;
        let file = folder.join(FILE);
        let aside = folder.join(format!("{FILE}.damaged-{}", now.as_second()));
        match std::fs::rename(&file, &aside) {
            Ok(()) => Ok(Some(aside)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::file(&file)(error).into()),
        }
    }

    /// Does something while no other process or thread does.
    fn with<T, E: From<LedgerError>>(
        &self,
        work: impl FnOnce(&mut LedgerFile) -> Result<T, E>,
    ) -> Result<T, E> {
        let until = Instant::now() + LEDGER_WAIT;
        let path = self.folder.join(FILE);
        if self.syncer.has_failed() {
            return Err(LedgerError::Lost(path).into());
        }
        // What a thread that panicked left is what it had read, and is read on.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { lock, file } = &mut *open;
        let _guard = wait_for(lock, &path, until)?;
        match file {
            Some(file) => file.refresh()?,
            None => *file = Some(LedgerFile::open(&path)?),
        }
        match file {
            Some(file) => work(file),
            None => Err(LedgerError::Busy(path).into()),
        }
    }

    /// The same where nobody else does anything, nobody has since we did, and the file is not due to
    /// be written anew.
    fn at_once<T>(
        &self,
        work: impl FnOnce(&mut LedgerFile) -> Option<Result<T, LedgerError>>,
    ) -> Option<Result<T, LedgerError>> {
        if self.syncer.has_failed() {
            return None;
        }
        let mut open = self.open_soon()?;
        let Open { lock, file } = &mut *open;
        let file = file.as_mut()?;
        if !private::try_lock(lock).ok()? {
            return None;
        }
        let _guard = Guard(lock);
        if file.is_due() || !file.is_current() {
            return None;
        }
        work(file)
    }

    /// The ledger, once no other thread has it; none where one has it for longer than it takes to
    /// add a line. To go to another thread at once would cost more, and that thread would be in the
    /// way of the next.
    fn open_soon(&self) -> Option<MutexGuard<'_, Open>> {
        (0..TURNS_AT_ONCE).find_map(|_| match self.open.try_lock() {
            Ok(open) => Some(open),
            Err(TryLockError::Poisoned(left)) => Some(left.into_inner()),
            Err(TryLockError::WouldBlock) => {
                std::thread::yield_now();
                None
            }
        })
    }

    fn commit(&self, file: &mut LedgerFile, change: book::Change) -> Result<(), LedgerError> {
        if change.rows.is_empty() {
            return Ok(());
        }
        file.append(change)?;
        self.syncer.written(file.file());
        Ok(())
    }

    /// Holds to be spent what the dead had set aside.
    fn bury(&self, file: &mut LedgerFile, with_files: bool) -> Result<(), LedgerError> {
        let folder = self.folder.join(HOLDERS);
        let others: BTreeSet<Uuid> = file.book.holders().collect();
        let gone: BTreeSet<Uuid> = others
            .into_iter()
            .filter(|id| *id != self.holder.id && holder::is_gone(&folder, *id))
            .collect();
        let change = file.book.bury(&|id| gone.contains(&id));
        self.commit(file, change)?;
        if with_files || !gone.is_empty() {
            holder::sweep(&folder, &gone)?;
        }
        Ok(())
    }
}

impl MemoryLedger {
    /// Takes `most` from all accounts, or from none.
    ///
    /// # Errors
    /// The first account that has not enough left.
    pub fn take(&self, claims: &[Claim], most: Amount, now: Timestamp) -> Result<Taken, NotTaken> {
        let mut book = self.book();
        let mut taken = book.take(claims, most, Uuid::nil(), now);
        if taken == Err(Refused::Full) {
            book.prune(now);
            taken = book.take(claims, most, Uuid::nil(), now);
        }
        match taken {
            Ok((change, taken)) => {
                book.apply(change);
                Ok(taken)
            }
            Err(Refused::Short(short)) => Err(short.into()),
            Err(Refused::Full) => Err(LedgerError::Full.into()),
        }
    }

    /// States what was spent of what was taken; more than that is taken as well.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what was settled cannot be settled again"
    )]
    pub fn settle(&self, taken: Taken, spent: Amount) {
        let mut book = self.book();
        let change = book.settle(&taken, Uuid::nil(), spent);
        book.apply(change);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lock of a file, until it is dropped.
struct Guard<'a>(&'a File);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let _ = private::unlock(self.0);
    }
}

/// Whoever holds the lock has it for some microseconds, so it is asked for often at first.
fn wait_for<'a>(lock: &'a File, path: &Path, until: Instant) -> Result<Guard<'a>, LedgerError> {
    let mut pause = SHORTEST_PAUSE;
    while !private::try_lock(lock).map_err(StoreError::file(path))? {
        if Instant::now() >= until {
            return Err(LedgerError::Busy(path.to_owned()));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(Guard(lock))
}

const FOLDER: &str = "ledger";
const FILE: &str = "ledger.jsonl";
const LOCK: &str = "ledger.lock";
const HOLDERS: &str = "holders";
/// How often a thread that must not wait lets others go first.
const TURNS_AT_ONCE: usize = 50;
const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests;
