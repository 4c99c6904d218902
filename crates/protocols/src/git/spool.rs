//! Keeps a pushed pack on disk while it is checked. The file has no name, so nothing is left of it
//! whatever happens, and nobody else can read it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ringfence_gateway::http::{BodyError, RequestBody};
use ringfence_git::pack::{self, Arrived, Arriving, Stop};
use ringfence_model::SandboxId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::disk;
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

/// A file that is being filled. What is handed to it is written while more comes.
pub(super) struct Spool {
    file: Arc<File>,
    waiting: Vec<u8>,
    octets: u64,
    /// What is being written; it gives back its buffer.
    writing: Option<JoinHandle<io::Result<Vec<u8>>>>,
    /// Told when more lies in the file, where somebody reads along.
    arriving: Option<Arc<Arriving>>,
    slot: Slot,
}

/// A file that is full.
pub(super) struct Spooled {
    file: Arc<File>,
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
            file: Arc::new(file),
            waiting: Vec::with_capacity(SPOOL_WRITE_OCTETS),
            octets: 0,
            writing: None,
            arriving: None,
            slot,
        })
    }

    /// Octets so far.
    pub(super) const fn octets(&self) -> u64 {
        self.octets
    }

    /// The same file for who reads the pack while it comes. Whoever reads gives up when this is
    /// dropped before it is full.
    pub(super) fn read_along(&mut self, stop: Stop) -> io::Result<pack::Spooled> {
        let (arriving, arrived) = Arriving::new();
        self.arriving = Some(Arc::new(arriving));
        spooled(&self.file, arrived, stop)
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

    /// The whole file.
    pub(super) async fn finish(mut self) -> io::Result<Spooled> {
        self.flush().await?;
        self.written().await?;
        if let Some(arriving) = self.arriving {
            arriving.finish();
        }
        Ok(Spooled {
            file: self.file,
            octets: self.octets,
            slot: self.slot,
        })
    }

    /// Begins to write what waits.
    async fn flush(&mut self) -> io::Result<()> {
        let free = self.written().await?;
        let waiting = std::mem::replace(&mut self.waiting, free);
        let (file, octets) = (Arc::clone(&self.file), self.octets);
        let arriving = self.arriving.clone();
        self.writing = Some(spawn_blocking(move || {
            disk::has_room(&file)?;
            (&*file).write_all(&waiting)?;
            if let Some(arriving) = arriving {
                arriving.has(octets);
            }
            Ok(waiting)
        }));
        Ok(())
    }

    /// Waits until nothing is being written; an empty buffer.
    async fn written(&mut self) -> io::Result<Vec<u8>> {
        let Some(writing) = &mut self.writing else {
            return Ok(Vec::with_capacity(SPOOL_WRITE_OCTETS));
        };
        let written = writing.await;
        self.writing = None;
        let mut buffer = written.map_err(io::Error::other)??;
        buffer.clear();
        Ok(buffer)
    }
}

fn spooled(file: &File, arrived: Arrived, stop: Stop) -> io::Result<pack::Spooled> {
    Ok(pack::Spooled {
        pack: file.try_clone()?,
        arrived,
        scratch: temporary()?,
        room: disk::has_room,
        stop,
    })
}

/// On a disk rather than in memory, where the two differ.
fn temporary() -> io::Result<File> {
    tempfile::tempfile_in(Path::new("/var/tmp")).or_else(|_| tempfile::tempfile())
}

impl Spooled {
    /// The same file for who reads the pack. It may be read by both at once.
    pub(super) fn pack(&self, stop: Stop) -> io::Result<pack::Spooled> {
        spooled(&self.file, Arrived::whole(self.octets), stop)
    }

    /// A request body: `head`, then the whole file.
    pub(super) fn into_body(self, head: Vec<u8>) -> RequestBody {
        let left = head.len() as u64 + self.octets;
        RequestBody::new(FileBody {
            head: Some(head.into()),
            left,
            at: 0,
            unread: self.octets,
            file: self.file,
            reading: None,
            _slot: self.slot,
        })
    }
}

/// A body that reads on while what was read is sent.
struct FileBody {
    head: Option<Bytes>,
    /// Octets that were not given yet.
    left: u64,
    /// Where in the file the next octets are, and how many follow.
    at: u64,
    unread: u64,
    file: Arc<File>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    _slot: Slot,
}

impl FileBody {
    fn give(&mut self, octets: Bytes) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.left = self.left.saturating_sub(octets.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(octets))))
    }

    /// Begins to read what comes next, if anything does.
    fn read_on(&mut self) {
        let step = self.unread.min(SPOOL_WRITE_OCTETS as u64);
        if step == 0 {
            self.reading = None;
            return;
        }
        let (file, at) = (Arc::clone(&self.file), self.at);
        self.at += step;
        self.unread -= step;
        self.reading = Some(spawn_blocking(move || {
            let mut octets = vec![0; usize::try_from(step).unwrap_or(0)];
            file.read_exact_at(&mut octets, at)?;
            Ok(octets.into())
        }));
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.reading.is_none() {
            self.read_on();
        }
        if let Some(head) = self.head.take().filter(|head| !head.is_empty()) {
            return self.give(head);
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let read = std::task::ready!(Pin::new(reading).poll(cx));
        match read.map_err(io::Error::other).and_then(|read| read) {
            Ok(octets) => {
                self.read_on();
                self.give(octets)
            }
            Err(error) => {
                self.reading = None;
                self.unread = 0;
                let reason = format!("the pack on disk cannot be read: {error}");
                Poll::Ready(Some(Err(BodyError::Refused(reason))))
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

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use ringfence_git::pack::{Pack, PackError, PackLimits};
    use ringfence_model::git::ObjectFormat;

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

    /// Reads a pack that comes into a spool.
    fn reading(spool: &mut Spool) -> JoinHandle<Result<usize, PackError>> {
        let file = spool.read_along(Stop::new()).unwrap();
        spawn_blocking(move || {
            let limits = PackLimits::default();
            Ok(Pack::open(file, ObjectFormat::Sha1, &limits)?.len())
        })
    }

    #[tokio::test]
    async fn a_pack_is_read_while_it_comes() {
        let empty = b"PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";
        let mut spool = Spool::open(Kept::Push, SandboxId::new()).await.unwrap();
        let reading = reading(&mut spool);
        let (begin, end) = empty.split_at(14);
        spool.write(begin).await.unwrap();
        spool.write(end).await.unwrap();
        assert!(!reading.is_finished());
        spool.finish().await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn nobody_reads_on_where_a_pack_broke_off() {
        let mut spool = Spool::open(Kept::Push, SandboxId::new()).await.unwrap();
        let reading = reading(&mut spool);
        spool.write(b"PACK\0\0\0\x02").await.unwrap();
        drop(spool);
        assert!(matches!(reading.await.unwrap(), Err(PackError::Stopped)));
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
