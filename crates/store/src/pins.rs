//! What a person accepted of servers of the Model Context Protocol: one private file for each server
//! in the data directory, where no sandbox reaches. It is read whenever a gateway asks.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ringfence_model::mcp::{McpServer, ServerName};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::limits::{PINS_ENTRIES, PINS_OCTETS};
use crate::private;

/// The version of the form of the files.
const VERSION: u16 = 1;

/// What was accepted on this machine.
#[derive(Debug, Clone)]
pub struct Pins {
    data: PathBuf,
}

/// What is known of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedServer {
    version: u16,
    /// Its name in rules.
    pub server: ServerName,
    /// Where it is: `https://host:443/mcp`.
    pub place: String,
    /// By kind (`tool`, `prompt`, `template`, `server`), then by name.
    pub kinds: BTreeMap<String, BTreeMap<String, Pinned>>,
}

impl PinnedServer {
    /// What tells one state of what waits from another.
    #[must_use]
    pub fn mark(&self) -> String {
        let all = self.kinds.iter().flat_map(|(kind, known)| {
            let waiting = known
                .iter()
                .filter_map(|(name, pinned)| Some((name, pinned.waiting.as_ref()?)));
            waiting.flat_map(move |(name, text)| [kind, name, text])
        });
        let parts: Vec<&[u8]> = all.map(String::as_bytes).collect();
        let mut mark = Digest::of_framed(&parts).to_string();
        mark.truncate(MARK_DIGITS);
        mark
    }
}

/// Digits of a mark: as many as nobody finds a second text for.
const MARK_DIGITS: usize = 32;

/// One definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// As it was accepted, with its members in order. None: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// As the server gives it, where that is something else and waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// Whether the server did not give it when it was looked at last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_gone: bool,
    /// When this changed last.
    pub at: Timestamp,
}

/// How a definition stands to what was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is what was accepted.
    Known,
    /// It was never accepted.
    New,
    /// It is another one than was accepted.
    Changed,
}

/// What becomes of definitions that were never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstSight {
    /// They are accepted where nothing of the kind was seen of the server before.
    Accept,
    /// They wait.
    Wait,
}

impl Pins {
    /// Those below the data directory `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// How each of `seen`, all definitions of one kind that a server gives now as names and texts,
    /// stands; what is not known waits from now on.
    ///
    /// # Errors
    /// Where the file cannot be read or written, or is full.
    pub fn check(
        &self,
        server: &McpServer,
        kind: &str,
        (seen, first): (&[(String, String)], FirstSight),
        now: Timestamp,
    ) -> Result<Vec<Standing>, StoreError> {
        self.change(server, |pins| {
            let is_first = !pins.kinds.contains_key(kind);
            let known = pins.kinds.entry(kind.to_owned()).or_default();
            let accepts = is_first && first == FirstSight::Accept;
            let mut standings = Vec::with_capacity(seen.len());
            for (name, text) in seen {
                standings.push(stand(known, (name, text), accepts, now));
            }
            for (name, pinned) in known {
                let is_gone = !seen.iter().any(|(other, _)| other == name);
                if pinned.is_gone != is_gone {
                    pinned.is_gone = is_gone;
                    pinned.at = now;
                }
            }
            standings
        })
    }

    /// Accepts what waits of a server: all of it, or the definitions of these names. Gives the kinds
    /// and names of what was accepted; none where `seen` is not the mark of what waits now
    /// ([`PinnedServer::mark`]), because a server may say something else a moment after a person has
    /// looked.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn accept(
        &self,
        server: &McpServer,
        (names, seen): (&[String], Option<&str>),
        now: Timestamp,
    ) -> Result<Option<Vec<(String, String)>>, StoreError> {
        self.change(server, |pins| {
            if seen.is_some_and(|seen| seen != pins.mark()) {
                return None;
            }
            let is_meant = |name: &String| names.is_empty() || names.contains(name);
            let all = pins.kinds.iter_mut().flat_map(|(kind, known)| {
                let meant = known.iter_mut().filter(|(name, _)| is_meant(name));
                meant.map(move |(name, pinned)| (kind, name, pinned))
            });
            let mut accepted = Vec::new();
            for (kind, name, pinned) in all {
                if let Some(text) = pinned.waiting.take() {
                    pinned.accepted = Some(text);
                    pinned.at = now;
                    accepted.push((kind.clone(), name.clone()));
                }
            }
            Some(accepted)
        })
    }

    /// Forgets a server: what it says next is what is seen first. False where it was not known.
    ///
    /// # Errors
    /// Where the file cannot be removed.
    pub fn forget(&self, server: &McpServer) -> Result<bool, StoreError> {
        let path = self.path(server);
        let _lock = self.lock()?;
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::file(&path)(error)),
        }
    }

    /// What is known of a server; none where nothing is.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not as it was written.
    pub fn of(&self, server: &McpServer) -> Result<Option<PinnedServer>, StoreError> {
        let path = self.path(server);
        let Some(octets) = read(&path)? else {
            return Ok(None);
        };
        let pins: PinnedServer = serde_json::from_slice(&octets)
            .map_err(|error| StoreError::file(&path)(io::Error::other(error)))?;
        if pins.version != VERSION || pins.place != place(server) || pins.server != server.name {
            return Err(StoreError::insecure(&path)("it is about something else"));
        }
        Ok(Some(pins))
    }

    fn change<T>(
        &self,
        server: &McpServer,
        change: impl FnOnce(&mut PinnedServer) -> T,
    ) -> Result<T, StoreError> {
        let path = self.path(server);
        let _lock = self.lock()?;
        let before = self.of(server)?;
        let mut pins = before.clone().unwrap_or_else(|| PinnedServer {
            version: VERSION,
            server: server.name.clone(),
            place: place(server),
            kinds: BTreeMap::new(),
        });
        let done = change(&mut pins);
        if before.as_ref() != Some(&pins) {
            let count: usize = pins.kinds.values().map(BTreeMap::len).sum();
            let octets = serde_json::to_vec(&pins)
                .map_err(|error| StoreError::file(&path)(io::Error::other(error)))?;
            if count > PINS_ENTRIES || octets.len() as u64 > PINS_OCTETS {
                let full = io::Error::other("the server has more definitions than are kept");
                return Err(StoreError::file(&path)(full));
            }
            private::write(&path, &octets)?;
        }
        Ok(done)
    }

    /// The lock of all files, held while the value lives.
    fn lock(&self) -> Result<File, StoreError> {
        let folder = self.folder();
        private::directory(&self.data)?;
        private::directory(&folder)?;
        let path = folder.join("lock");
        let file = private::open_or_create(&path).map_err(StoreError::file(&path))?;
        private::lock(&file).map_err(StoreError::file(&path))?;
        Ok(file)
    }

    fn folder(&self) -> PathBuf {
        self.data.join("mcp-pins")
    }

    fn path(&self, server: &McpServer) -> PathBuf {
        let place = place(server);
        let digest = Digest::of_framed(&[server.name.as_str().as_bytes(), place.as_bytes()]);
        self.folder().join(format!("{digest}.json"))
    }
}

/// Where a server is.
fn place(server: &McpServer) -> String {
    let (scheme, path) = (server.scheme.as_str(), &server.path);
    format!("{scheme}://{}{path}", server.destination)
}

/// How one definition stands; what is not known waits from now on.
fn stand(
    known: &mut BTreeMap<String, Pinned>,
    (name, text): (&str, &str),
    accepts: bool,
    now: Timestamp,
) -> Standing {
    let Some(pinned) = known.get_mut(name) else {
        let text = Some(text.to_owned());
        let (accepted, waiting) = if accepts { (text, None) } else { (None, text) };
        let pinned = Pinned {
            accepted,
            waiting,
            is_gone: false,
            at: now,
        };
        known.insert(name.to_owned(), pinned);
        return if accepts {
            Standing::Known
        } else {
            Standing::New
        };
    };
    let is_known = pinned.accepted.as_deref() == Some(text);
    let waiting = (!is_known).then(|| text.to_owned());
    if pinned.waiting != waiting {
        pinned.waiting = waiting;
        pinned.at = now;
    }
    match (is_known, &pinned.accepted) {
        (true, _) => Standing::Known,
        (false, Some(_)) => Standing::Changed,
        (false, None) => Standing::New,
    }
}

/// What is in a file of this user alone; none where there is no file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match private::open_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file(path)(error)),
    };
    if !private::is_private(&file).map_err(StoreError::file(path))? {
        return Err(StoreError::insecure(path)(
            "other users can read or write it",
        ));
    }
    let mut octets = Vec::new();
    let read = file.take(PINS_OCTETS + 1).read_to_end(&mut octets);
    read.map_err(StoreError::file(path))?;
    if octets.len() as u64 > PINS_OCTETS {
        return Err(StoreError::insecure(path)("it is longer than it can be"));
    }
    Ok(Some(octets))
}
