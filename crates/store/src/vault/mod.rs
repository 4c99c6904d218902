//! The vault: sealed credentials and the digests of tokens, in the same database as the events. A
//! run opens it only if its policy names a credential.

mod error;
mod pages;
mod rekey;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::limits::VAULT_CONNECTIONS;
use crate::seal::{self, KeySource, MasterKey, Place};
use crate::{database, private};
use error::VaultError as Error;

pub use error::VaultError;
pub use rekey::Rekeyed;

/// The sealed part of the store. Clones share one pool and one unlocked key.
#[derive(Debug, Clone)]
pub struct Vault {
    pub(crate) pool: SqlitePool,
    data: PathBuf,
    source: KeySource,
    unlocked: Arc<Mutex<Option<Arc<Unlocked>>>>,
    /// Whether the key was the right one before.
    was_unlocked: Arc<AtomicBool>,
}

/// The master key with the proof that it is the one in force.
#[derive(Debug)]
pub(crate) struct Unlocked {
    pub(crate) key: MasterKey,
    proof: String,
}

/// The turn to use a secret that is good for one use.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// The file in the data directory that is written after every change: who watches it learns at
/// once what another process changed.
#[must_use]
pub fn changes_file(data: &Path) -> PathBuf {
    data.join("credentials.changed")
}

impl Vault {
    /// Opens the vault in the data directory. The master key is not needed yet.
    ///
    /// # Errors
    /// Where files are not the user's own, or the database fails.
    pub async fn open(data: &Path, source: KeySource) -> Result<Self, Error> {
        private::directory(data)?;
        let _lock = database::lock(data).await?;
        Ok(Self {
            pool: database::open(data, VAULT_CONNECTIONS).await?,
            data: data.to_owned(),
            source,
            unlocked: Arc::default(),
            was_unlocked: Arc::default(),
        })
    }

    /// Sees that the master key is there and the right one; on the first use ever, makes it.
    ///
    /// # Errors
    /// Where it is missing or another one.
    pub async fn unlock(&self) -> Result<(), Error> {
        self.key().await.map(drop)
    }

    /// Takes another key than the one that the vault was opened with, where it is the one in force:
    /// its source was asked again.
    ///
    /// # Errors
    /// Where it is not.
    pub async fn unlock_with(&self, key: MasterKey) -> Result<(), Error> {
        let _lock = database::lock(&self.data).await?;
        let mut db = self.pool.acquire().await?;
        let proof = proof(&mut db).await?.filter(|proof| opens(&key, proof));
        let proof = proof.ok_or_else(|| self.wrong_key())?;
        self.remember(Some(Arc::new(Unlocked { key, proof })));
        Ok(())
    }

    /// The file that the master key is in; none where it comes from elsewhere.
    #[must_use]
    pub fn key_file(&self) -> Option<&Path> {
        match &self.source {
            KeySource::File(path) => Some(path),
            KeySource::Given { .. } => None,
        }
    }

    /// A number that grows with every change of a credential or a token.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn changes(&self) -> Result<u64, Error> {
        let changes: i64 = sqlx::query_scalar("SELECT changes FROM vault WHERE id = 1")
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(changes).unwrap_or(0))
    }

    /// Waits until no other process on this machine uses a secret that is good for one use. The
    /// turn ends when the value is dropped.
    ///
    /// # Errors
    /// Where the file of the turn cannot be used.
    pub async fn turn(&self) -> Result<Turn, Error> {
        let file = database::lock_file(self.data.join("credentials.turn")).await?;
        Ok(Turn(file))
    }

    /// Ends all work with the database.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// A transaction, and the key that is in force in it.
    pub(crate) async fn begin(
        &self,
        how: &'static str,
    ) -> Result<(Transaction<'static, Sqlite>, Arc<Unlocked>), Error> {
        for _ in 0..KEY_ATTEMPTS {
            let unlocked = self.key().await?;
            let mut tx = self.pool.begin_with(how).await?;
            if proof(&mut tx).await?.as_deref() == Some(unlocked.proof.as_str()) {
                return Ok((tx, unlocked));
            }
            // The key was changed by another process. Whoever does that holds the lock and waits
            // for this transaction.
            tx.rollback().await?;
            self.remember(None);
        }
        Err(self.wrong_key())
    }

    /// Commits a change, and tells those who watch.
    pub(crate) async fn commit(&self, mut tx: Transaction<'static, Sqlite>) -> Result<(), Error> {
        sqlx::query("UPDATE vault SET changes = changes + 1 WHERE id = 1")
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        // It is done, whether it can be announced or not: who does not see the file change asks the
        // database once a second.
        let _ = self
            .announcement()
            .map(|path| std::fs::write(path, b"changed\n"));
        Ok(())
    }

    /// When a change was last announced: one look at a file, so that who uses a secret can ask
    /// every time. None where nothing was announced yet.
    #[must_use]
    pub fn announced(&self) -> Option<SystemTime> {
        let path = changes_file(&self.data);
        std::fs::metadata(path).and_then(|it| it.modified()).ok()
    }

    fn announcement(&self) -> Result<PathBuf, Error> {
        let path = changes_file(&self.data);
        private::open_or_create(&path).map_err(crate::error::StoreError::file(&path))?;
        Ok(path)
    }

    async fn key(&self) -> Result<Arc<Unlocked>, Error> {
        let remembered = self.unlocked.lock();
        let remembered = remembered.unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(unlocked) = remembered {
            return Ok(unlocked);
        }
        let lock = database::lock(&self.data).await?;
        self.key_within(&lock).await
    }

    /// The key from its source, checked against the proof.
    async fn key_within(&self, _lock: &File) -> Result<Arc<Unlocked>, Error> {
        let mut db = self.pool.acquire().await?;
        let unlocked = match proof(&mut db).await? {
            Some(proof) => Unlocked {
                key: self.proven(&proof)?,
                proof,
            },
            None => self.establish(&mut db).await?,
        };
        let unlocked = Arc::new(unlocked);
        self.remember(Some(Arc::clone(&unlocked)));
        Ok(unlocked)
    }

    fn remember(&self, unlocked: Option<Arc<Unlocked>>) {
        self.was_unlocked
            .fetch_or(unlocked.is_some(), Ordering::Relaxed);
        *self.unlocked.lock().unwrap_or_else(PoisonError::into_inner) = unlocked;
    }

    /// The key that opens the proof. A file that is not named yet is that of a change of keys that
    /// was broken off after its commit; it is named now.
    fn proven(&self, proof: &str) -> Result<MasterKey, Error> {
        let path = match &self.source {
            KeySource::Given { key, .. } if opens(key, proof) => return Ok(key.clone()),
            KeySource::Given { origin, .. } => return Err(self.wrong_given(origin)),
            KeySource::File(path) => path,
        };
        let present = MasterKey::read(path)?;
        if let Some(key) = present.as_ref().filter(|key| opens(key, proof)) {
            return Ok(key.clone());
        }
        let next = rekey::next(path);
        if let Some(key) = MasterKey::read(&next)?.filter(|key| opens(key, proof)) {
            rekey::name(&next, path)?;
            return Ok(key);
        }
        Err(match present {
            Some(_) => self.wrong_key(),
            None => Error::KeyMissing(path.clone()),
        })
    }

    /// The first key. A crash before the proof is stored leaves a key that the next start takes.
    async fn establish(&self, db: &mut SqliteConnection) -> Result<Unlocked, Error> {
        let key = match &self.source {
            KeySource::Given { key, .. } => key.clone(),
            KeySource::File(path) => match MasterKey::read(path)? {
                Some(key) => key,
                None => {
                    let key = MasterKey::generate().map_err(|_| Error::Random)?;
                    key.write(path)?;
                    key
                }
            },
        };
        let proof = prove(&key)?;
        sqlx::query("UPDATE vault SET proof = $1 WHERE id = 1 AND proof IS NULL")
            .bind(&proof)
            .execute(db)
            .await?;
        Ok(Unlocked { key, proof })
    }

    /// A key that is given is known once; that it was changed since is another fault than that it
    /// was never right.
    fn wrong_given(&self, origin: &str) -> Error {
        let origin = origin.to_owned();
        match self.was_unlocked.load(Ordering::Relaxed) {
            true => Error::KeyChanged { origin },
            false => Error::KeyWrong { origin },
        }
    }

    fn wrong_key(&self) -> Error {
        Error::KeyWrong {
            origin: self.origin(),
        }
    }

    fn origin(&self) -> String {
        match &self.source {
            KeySource::File(path) => path.display().to_string(),
            KeySource::Given { origin, .. } => origin.clone(),
        }
    }
}

async fn proof(db: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT proof FROM vault WHERE id = 1")
        .fetch_one(db)
        .await
}

fn prove(key: &MasterKey) -> Result<String, Error> {
    seal::seal(key.secret(), &PROOF, b"").map_err(|_| Error::Random)
}

fn opens(key: &MasterKey, proof: &str) -> bool {
    seal::open(key.secret(), &PROOF, proof).is_ok()
}

/// What the proof of the master key stands for.
const PROOF: Place<'_> = Place {
    table: "vault",
    id: "1",
    field: "proof",
    revision: 0,
    context: b"",
};

/// How often a key that was changed meanwhile is read again.
const KEY_ATTEMPTS: u32 = 3;

#[cfg(test)]
mod tests;
