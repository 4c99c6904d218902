//! What a push rests on and does not carry: whether it goes forward from where the ref is, and
//! what the trees were before. The upstream is asked, within the permit of the push.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::BodyExt as _;
use ringfence_gateway::http::ResponseBody;
use ringfence_gateway::{Gateway, GitQuestion, Permit, Session, UpstreamPool};
use ringfence_git::pack::{Pack, PackError, PackLimits, Stop};
use ringfence_git::wire::fetch::Fetch;
use ringfence_git::wire::fetched::PackFilter;
use ringfence_model::SandboxId;
use ringfence_model::git::{ObjectFormat, Oid};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::limits::{ASKED_COMMITS, ASKED_OCTETS, ASKED_WAIT, INFLATED_OCTETS, INFLATED_TIMES};
use super::spool::{Kept, Spool};

/// Asks the upstream of one push.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) gateway: &'a Arc<Gateway>,
    pub(super) session: &'a Arc<Session>,
    pub(super) pool: &'a Arc<UpstreamPool>,
    pub(super) permit: &'a Permit,
    /// What the client of the push is authenticated by.
    pub(super) authorization: Option<&'a HeaderValue>,
    pub(super) format: ObjectFormat,
    pub(super) stop: &'a Stop,
}

/// Why the upstream's answer says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unproven {
    /// It did not answer.
    #[error("the upstream could not be asked about its history: {0}")]
    Unanswered(String),
    /// It did not answer in time.
    #[error("the upstream did not answer in time what its history is")]
    Late,
    /// The question would be too large, or the answer is.
    #[error("the upstream's history is too large to be looked at")]
    TooLarge,
    /// The answer is not a pack that can be read.
    #[error("the upstream's answer about its history cannot be read: {0}")]
    Unreadable(#[from] PackError),
}

impl Asker<'_> {
    pub(super) fn question(&self, body: Bytes) -> GitQuestion {
        GitQuestion {
            authorization: self.authorization.cloned(),
            body,
        }
    }

    /// Whether `old` is one of `commits` or an ancestor of one. All are with the upstream.
    ///
    /// Of what is reachable from `commits` and not from `old`, some commit has `old` as a parent
    /// exactly when it is an ancestor.
    pub(super) async fn is_ancestor(&self, old: &Oid, commits: &[Oid]) -> Result<bool, Unproven> {
        if commits.contains(old) {
            return Ok(true);
        }
        let mut fetch = Fetch::new(self.format);
        fetch.haves = vec![*old];
        let Some(pack) = self.fetch(fetch, commits, "tree:0").await? else {
            return Ok(false);
        };
        let (old, tips) = (*old, commits.to_vec());
        let looking = spawn_blocking(move || {
            let history = pack.history()?;
            for tip in &tips {
                if history.reaches(tip, &old)? == ringfence_git::pack::Reach::Yes {
                    return Ok(true);
                }
            }
            Ok(false)
        });
        let found: Result<bool, PackError> = looking
            .await
            .map_err(|error| Unproven::Unanswered(error.to_string()))?;
        Ok(found?)
    }

    /// The trees of `commits` down to `depth` directories, or all of them.
    pub(super) async fn trees(
        &self,
        commits: &[Oid],
        depth: Option<u32>,
    ) -> Result<Option<Pack>, Unproven> {
        if commits.is_empty() {
            return Ok(None);
        }
        let mut fetch = Fetch::new(self.format);
        fetch.deepen.depth = Some(1);
        let filter = match depth {
            Some(depth) => format!("tree:{depth}"),
            None => "blob:none".to_owned(),
        };
        self.fetch(fetch, commits, &filter).await
    }

    /// The pack of an answer; none where there is nothing to send. A server that knows no filters
    /// sends more than is asked for, or refuses; then it is asked for everything.
    async fn fetch(
        &self,
        mut fetch: Fetch,
        wants: &[Oid],
        filter: &str,
    ) -> Result<Option<Pack>, Unproven> {
        if wants.len() > ASKED_COMMITS {
            return Err(Unproven::TooLarge);
        }
        fetch.wants = wants.to_vec();
        fetch.done = true;
        fetch.ofs_delta = true;
        fetch.no_progress = true;
        fetch.filter = Some(filter.to_owned());
        match self.ask(&fetch).await {
            // A server that knows no filters breaks off, and says so to its own log at best.
            Err(Unproven::Unanswered(_)) => {
                fetch.filter = None;
                self.ask(&fetch).await
            }
            answered => answered,
        }
    }

    async fn ask(&self, fetch: &Fetch) -> Result<Option<Pack>, Unproven> {
        let body = Bytes::from(fetch.write());
        let asking = async {
            let asked = self
                .gateway
                .ask_git(self.session, self.pool, self.permit, self.question(body))
                .await;
            let body = asked.map_err(|error| Unproven::Unanswered(error.to_string()))?;
            read(body, fetch, self.session.identity().sandbox).await
        };
        let late = |_| Unproven::Late;
        let spool = timeout(ASKED_WAIT, asking).await.map_err(late)??;
        if spool.octets() == 0 {
            return Ok(None);
        }
        let spooled = spool
            .finish()
            .await
            .map_err(|error| Unproven::Unanswered(error.to_string()))?;
        let (format, stop) = (self.format, self.stop.clone());
        let opening = spawn_blocking(move || {
            let file = spooled.pack(stop).map_err(|error| {
                Unproven::Unanswered(format!("its answer cannot be kept: {error}"))
            })?;
            // As with a push: a small answer that inflates to much is made for that.
            let limits = PackLimits {
                inflated_times: INFLATED_TIMES,
                inflated_free: INFLATED_OCTETS,
                ..PackLimits::default()
            };
            Pack::open(file, format, &limits).map_err(Unproven::from)
        });
        let pack = opening
            .await
            .map_err(|error| Unproven::Unanswered(error.to_string()))??;
        Ok((!pack.is_empty()).then_some(pack))
    }
}

/// Takes the pack out of an answer.
async fn read(
    mut body: ResponseBody,
    fetch: &Fetch,
    sandbox: SandboxId,
) -> Result<Spool, Unproven> {
    let failed = |error: &dyn std::fmt::Display| Unproven::Unanswered(error.to_string());
    let mut spool = Spool::open(Kept::Answer, sandbox)
        .await
        .map_err(|error| failed(&error))?;
    let mut filter = PackFilter::extract(fetch);
    let mut pack = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failed(&error))?;
        let Ok(octets) = frame.into_data() else {
            continue;
        };
        pack.clear();
        filter
            .feed(&octets, &mut pack)
            .map_err(|error| failed(&error))?;
        if spool.octets() + pack.len() as u64 > ASKED_OCTETS {
            return Err(Unproven::TooLarge);
        }
        spool.write(&pack).await.map_err(|error| failed(&error))?;
    }
    let fetched = filter.finish().map_err(|error| failed(&error))?;
    match fetched.error {
        Some(words) => Err(Unproven::Unanswered(words)),
        None => Ok(spool),
    }
}
