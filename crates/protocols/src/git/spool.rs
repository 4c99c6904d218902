//! Keeps a pushed pack on disk while it is checked. The file has no name, so nothing is left of it
//! whatever happens, and nobody else can read it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ringfence_gateway::http::{BodyError, RequestBody};
use ringfence_git::pack::{self, Stop};
use ringfence_model::SandboxId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::limits::{SPOOL_WAIT, SPOOL_WRITE_OCTETS, SPOOLED_AT_ONCE, SPOOLED_BY_SANDBOX};

/// What a file is kept for. What upstreams answer waits for no push, so that no push waits for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    /// A pack that is pushed.
    Push,
    /// What an upstream answers while a push is looked at.
    Answer,
}

static PUSHES: Semaphore = Semaphore::const_new(SPOOLED_AT_ONCE);
static ANSWERS: Semaphore = Semaphore::const_new(SPOOLED_AT_ONCE);

/// Those of each sandbox, so that none takes all.
static OWN: Mutex<BTreeMap<(Kept, SandboxId), Weak<Semaphore>>> = Mutex::new(BTreeMap::new());

/// Room for one file.
struct Slot {
    _of_all: SemaphorePermit<'static>,
    _of_sandbox: OwnedSemaphorePermit,
}

impl Slot {
    async fn take(kept: Kept, sandbox: SandboxId) -> io::Result<Self> {
        let all = match kept {
            Kept::Push => &PUSHES,
            Kept::Answer => &ANSWERS,
        };
        let own = own(kept, sandbox);
        let taking = async {
            let of_sandbox = own.acquire_owned().await.map_err(io::Error::other)?;
            let of_all = all.acquire().await.map_err(io::Error::other)?;
            Ok(Self {
                _of_all: of_all,
                _of_sandbox: of_sandbox,
            })
        };
        let busy = || io::Error::other("other pushes are under way; try again later");
        timeout(SPOOL_WAIT, taking).await.map_err(|_| busy())?
    }
}

fn own(kept: Kept, sandbox: SandboxId) -> Arc<Semaphore> {
    let mut all = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|_, slots| slots.strong_count() > 0);
    let known = all.get(&(kept, sandbox)).and_then(Weak::upgrade);
    known.unwrap_or_else(|| {
        let slots = Arc::new(Semaphore::new(SPOOLED_BY_SANDBOX));
        all.insert((kept, sandbox), Arc::downgrade(&slots));
        slots
    })
}

/// A file that is being filled.
pub(super) struct Spool {
    file: Option<File>,
    waiting: Vec<u8>,
    octets: u64,
    slot: Slot,
}

/// A file that is full.
pub(super) struct Spooled {
    /// From its beginning on.
    file: File,
    /// How long it is.
    pub(super) octets: u64,
    slot: Slot,
}

impl Spool {
    /// An empty file, when there is room for one.
    ///
    /// # Errors
    /// When there is none for too long, or on this machine.
    pub(super) async fn open(kept: Kept, sandbox: SandboxId) -> io::Result<Self> {
        let slot = Slot::take(kept, sandbox).await?;
        let file = spawn_blocking(temporary)
            .await
            .map_err(io::Error::other)??;
        Ok(Self {
            file: Some(file),
            waiting: Vec::with_capacity(SPOOL_WRITE_OCTETS),
            octets: 0,
            slot,
        })
    }

    /// Octets so far.
    pub(super) const fn octets(&self) -> u64 {
        self.octets
    }

    /// Adds to it.
    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.octets += octets.len() as u64;
        self.waiting.extend_from_slice(octets);
        if self.waiting.len() >= SPOOL_WRITE_OCTETS {
            self.flush().await?;
        }
        Ok(())
    }

    /// The whole file, from its beginning on.
    pub(super) async fn finish(mut self) -> io::Result<Spooled> {
        self.flush().await?;
        let mut file = self.file.take().ok_or_else(lost)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Spooled {
            file,
            octets: self.octets,
            slot: self.slot,
        })
    }

    async fn flush(&mut self) -> io::Result<()> {
        let mut file = self.file.take().ok_or_else(lost)?;
        let mut waiting = std::mem::take(&mut self.waiting);
        let written = spawn_blocking(move || {
            file.write_all(&waiting)?;
            waiting.clear();
            io::Result::Ok((file, waiting))
        });
        let (file, waiting) = written.await.map_err(io::Error::other)??;
        self.file = Some(file);
        self.waiting = waiting;
        Ok(())
    }
}

fn lost() -> io::Error {
    io::Error::other("the file of the push was lost by an earlier error")
}

/// On a disk rather than in memory, where the two differ.
fn temporary() -> io::Result<File> {
    tempfile::tempfile_in(Path::new("/var/tmp")).or_else(|_| tempfile::tempfile())
}

impl Spooled {
    /// The same file for who reads the pack. It may be read by both at once.
    pub(super) fn pack(&self, stop: Stop) -> io::Result<pack::Spooled> {
        Ok(pack::Spooled {
            pack: self.file.try_clone()?,
            octets: self.octets,
            scratch: temporary()?,
            stop,
        })
    }

    /// A request body: `head`, then the whole file.
    pub(super) fn into_body(self, head: Vec<u8>) -> RequestBody {
        let octets = head.len() as u64 + self.octets;
        RequestBody::new(FileBody {
            head: Some(head.into()),
            left: octets,
            at: 0,
            state: State::Idle(self.file),
            _slot: self.slot,
        })
    }
}

struct FileBody {
    head: Option<Bytes>,
    left: u64,
    /// Where in the file the next octets are.
    at: u64,
    state: State,
    _slot: Slot,
}

enum State {
    Idle(File),
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
    Over,
}

impl FileBody {
    fn give(&mut self, octets: Bytes) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.left = self.left.saturating_sub(octets.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(octets))))
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(head) = self.head.take().filter(|head| !head.is_empty()) {
            return self.give(head);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Idle(file) if self.left > 0 => {
                    let most = usize::try_from(self.left).unwrap_or(usize::MAX);
                    let at = self.at;
                    let reading = spawn_blocking(move || read_some(file, at, most));
                    self.state = State::Reading(reading);
                }
                State::Idle(_) | State::Over => return Poll::Ready(None),
                State::Reading(mut reading) => {
                    let Poll::Ready(read) = Pin::new(&mut reading).poll(cx) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    let read = read.map_err(io::Error::other).and_then(|read| read);
                    let (file, octets) = match read {
                        Ok(read) => read,
                        Err(error) => {
                            let reason = format!("the pack on disk cannot be read: {error}");
                            return Poll::Ready(Some(Err(BodyError::Refused(reason))));
                        }
                    };
                    self.state = State::Idle(file);
                    self.at += octets.len() as u64;
                    return self.give(octets);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn read_some(file: File, at: u64, most: usize) -> io::Result<(File, Bytes)> {
    let mut octets = vec![0; most.min(SPOOL_WRITE_OCTETS)];
    let read = file.read_at(&mut octets, at)?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    octets.truncate(read);
    Ok((file, octets.into()))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_spooled_is_sent_after_its_head() {
        let mut spool = Spool::open(Kept::Push, SandboxId::new()).await.unwrap();
        let pack: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        for part in pack.chunks(70_001) {
            spool.write(part).await.unwrap();
        }
        assert_eq!(spool.octets(), 1_000_000);
        let body = spool.finish().await.unwrap().into_body(b"head".to_vec());
        assert_eq!(body.size_hint().exact(), Some(1_000_004));
        let sent = body.collect().await.unwrap().to_bytes();
        assert_eq!(sent, [b"head".as_slice(), &pack].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn one_sandbox_leaves_room_for_others() {
        let (greedy, other) = (SandboxId::new(), SandboxId::new());
        let mut held = Vec::new();
        for _ in 0..SPOOLED_BY_SANDBOX {
            held.push(Slot::take(Kept::Push, greedy).await.unwrap());
        }
        assert!(Slot::take(Kept::Push, greedy).await.is_err());
        assert!(Slot::take(Kept::Answer, greedy).await.is_ok());
        assert!(Slot::take(Kept::Push, other).await.is_ok());
        held.pop();
        assert!(Slot::take(Kept::Push, greedy).await.is_ok());
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_it_was_is_an_error() {
        let mut spool = Spool::open(Kept::Push, SandboxId::new()).await.unwrap();
        spool.write(b"0123456789").await.unwrap();
        let spooled = spool.finish().await.unwrap();
        spooled.file.set_len(4).unwrap();
        assert!(spooled.into_body(Vec::new()).collect().await.is_err());
    }
}
