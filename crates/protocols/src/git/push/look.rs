//! Looks at a push before it goes on.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use ringfence_gateway::Permit;
use ringfence_gateway::Stopped;
use ringfence_gateway::git::{ChangedFiles, GitDenial, GitTerms, PushFacts, PushedCommit};
use ringfence_gateway::http::{RequestBody, ResponseBody};
use ringfence_git::pack::{Pack, PackError, Stop as PackStop};
use ringfence_git::wire::push::PushRequest;
use ringfence_git::wire::text::one_line;
use ringfence_model::git::{Oid, RefChange, RefName, RefUpdate};
use ringfence_model::{Decision, ReasonCode};
use tokio::task::{JoinHandle, spawn_blocking};

use super::super::alias::Upstream;
use super::super::checked::{self, Proven, Searched, Written};
use super::super::driven::Progress;
use super::super::heard::clean;
use super::super::limits::ASKED_REFS;
use super::super::proof::{Asker, Unproven};
use super::super::say::Words;
use super::super::service::{Client, Odd};
use super::super::shown::Viewer;
use super::super::spool::Spooled;
use super::drain;
use super::noted::Noting;
use super::receive::Received;

/// What a push is looked at with.
pub(super) struct Looking<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a PushRequest,
    pub(super) permit: &'a Permit,
    pub(super) terms: &'a Arc<GitTerms>,
    pub(super) progress: &'a Progress,
    pub(super) viewer: Viewer,
    pub(super) authorization: Option<&'a HeaderValue>,
}

/// Why a push does not go on.
pub(super) enum Stop {
    /// Policy changed meanwhile.
    Revoked(Decision),
    /// The rule does not allow it, now that all of it is known; and where in the pack that is.
    Denied(Box<GitDenial>, Vec<String>),
    /// The pack cannot be read, or has too much in it.
    Pack(ReasonCode, String),
    /// The client broke off, or took too long.
    Client(Odd),
    /// The file cannot be kept.
    Disk(io::Error),
}

impl Looking<'_> {
    /// Reads, checks and judges the whole push; gives back its pack, if it may go on.
    pub(super) async fn look(self, begin: Bytes, mut body: RequestBody) -> Result<Spooled, Stop> {
        let stop = PackStop::new();
        // Whatever still reads the pack when this is dropped gives up.
        let _stopping = Stopping(stop.clone());
        let Received { spooled, pack } = match self.receive(begin, &mut body, &stop).await {
            Ok(received) => received,
            Err(stop) => {
                drain(&mut body).await;
                return Err(stop);
            }
        };
        let (pack, searched) = pack.unzip();
        if let Some(pack) = &pack {
            self.permit.git().note(|facts| {
                facts.pack_octets = Some(spooled.octets);
                facts.objects = Some(pack.len() as u64);
                facts.commits = Some(pack.commits() as u64);
            });
        }
        let head = self.no_alias(&stop).await?;
        let known = (pack.as_ref(), searched, head);
        let facts = self.facts(known, &stop).await?;
        let (facts, places) = facts;
        self.note_updates(&facts.updates);
        match self.judge(facts).await {
            Ok(()) => Ok(spooled),
            Err(denial) => Err(Stop::Denied(Box::new(denial), places)),
        }
    }

    /// All that is known of the push, and the places where something was found.
    async fn facts(
        &self,
        (pack, searched, head): (Option<&Arc<Pack>>, Option<Searched>, Option<Oid>),
        stop: &PackStop,
    ) -> Result<(PushFacts, Vec<String>), Stop> {
        let updates = self.updates(pack, stop).await?;
        let mut facts = PushFacts {
            updates,
            options: self.request.options.clone(),
            files: ChangedFiles::Known(Vec::new()),
            ..PushFacts::default()
        };
        if let Some(pack) = pack {
            facts.pack_octets = pack.octets();
            facts.objects = pack.len() as u64;
            facts.inflated_octets = pack.inflated_octets();
            let tips = self.tips(head);
            let is_all_read = self.terms.reads_all_refs();
            if self.terms.minds_files() || self.terms.minds_filters() || !is_all_read {
                let before = self.before(pack, &tips, stop).await?;
                if !is_all_read {
                    self.nothing_foreign(pack, before.as_ref(), stop).await?;
                }
                if let Some(before) = before {
                    let (pack, terms) = (Arc::clone(pack), Arc::clone(self.terms));
                    let files = move || checked::files(&pack, before.as_deref(), &terms, &tips);
                    facts.files = blocking(files).await?;
                } else {
                    facts.files = ChangedFiles::Unknown;
                }
            }
        }
        facts.commits = Some(self.authors(pack).await?);
        let written = self.written(pack, searched).await?;
        facts.own_secrets = written.own.len() as u64;
        facts.findings = written.findings.len() as u64;
        let places: Vec<String> = written.own.into_iter().chain(written.findings).collect();
        self.permit
            .git()
            .note(|noted| noted.findings.extend(places.iter().cloned()));
        Ok((facts, places))
    }

    /// The refs, with what could be proven of each.
    async fn updates(
        &self,
        pack: Option<&Arc<Pack>>,
        stop: &PackStop,
    ) -> Result<Vec<RefUpdate>, Stop> {
        let (known, asked) = (pack.cloned(), self.request.updates.clone());
        let proven = blocking(move || checked::changes(known.as_deref(), &asked)).await?;
        let mut updates = self.request.updates.clone();
        let mut asked = 0;
        for (update, proven) in updates.iter_mut().zip(proven) {
            update.change = match proven {
                Proven::Known(change) => change,
                Proven::Rests(_) if asked == ASKED_REFS => RefChange::Update,
                Proven::Rests(commits) => {
                    asked += 1;
                    self.ask(update, &commits, stop).await
                }
            };
        }
        Ok(updates)
    }

    /// What cannot be proven stays what it is, and no rule takes it for a step forward.
    async fn ask(&self, update: &RefUpdate, commits: &[Oid], stop: &PackStop) -> RefChange {
        self.progress
            .say_sometimes(|| format!("Ringfence: asking where {} is", update.name));
        match self.asker(stop).is_ancestor(&update.old, commits).await {
            Ok(true) => RefChange::FastForward,
            Ok(false) => RefChange::Force,
            Err(unproven) => {
                let reason = self.scrubbed(&unproven);
                self.permit.git().note(|facts| {
                    facts.findings.push(format!("{}: {reason}", update.name));
                });
                RefChange::Update
            }
        }
    }

    /// Checks that the refs are what they are called; gives back the commit that a clone begins with.
    async fn no_alias(&self, stop: &PackStop) -> Result<Option<Oid>, Stop> {
        let reason = match self.asker(stop).refs(&self.request.updates).await {
            Ok(Upstream {
                alias: None,
                moved: None,
                head,
            }) => return Ok(head),
            Ok(Upstream {
                alias: None,
                moved: Some(name),
                ..
            }) => one_line(&format!(
                "{name} is another commit upstream now: fetch first"
            )),
            Ok(Upstream {
                alias: Some((name, target)),
                ..
            }) => one_line(&format!(
                "{name} stands for {target} upstream, which would change: push to that by its name"
            )),
            Err(unproven) => format!(
                "it cannot be told what the refs of the push are upstream: {}",
                self.scrubbed(&unproven)
            ),
        };
        Err(Stop::Pack(ReasonCode::RefNotAllowed, reason))
    }

    async fn authors(&self, pack: Option<&Arc<Pack>>) -> Result<Vec<PushedCommit>, Stop> {
        let (pack, terms) = (pack.cloned(), Arc::clone(self.terms));
        let own = self.client.gateway.withheld();
        blocking(move || checked::authors(pack.as_deref(), &terms, &own)).await
    }

    async fn written(
        &self,
        pack: Option<&Arc<Pack>>,
        searched: Option<Searched>,
    ) -> Result<Written, Stop> {
        self.progress
            .say_sometimes(|| "Ringfence: searching for secrets".to_owned());
        let (pack, request) = (pack.cloned(), self.request.clone());
        let own = self.client.gateway.withheld();
        blocking(move || checked::written(pack.as_deref(), searched, &request, &own)).await
    }

    pub(super) fn asker<'s>(&'s self, stop: &'s PackStop) -> Asker<'s> {
        Asker {
            gateway: &self.client.gateway,
            session: &self.client.session,
            pool: &self.client.pool,
            permit: self.permit,
            authorization: self.authorization,
            format: self.request.object_format(),
            stop,
        }
    }

    /// The words of an upstream may hold what it was sent.
    pub(super) fn scrubbed(&self, unproven: &Unproven) -> String {
        clean(&self.client.gateway.withheld(), unproven.to_string())
    }

    fn note_updates(&self, updates: &[RefUpdate]) {
        self.permit.git().note(|facts| {
            for (result, update) in facts.updates.iter_mut().zip(updates) {
                result.change = update.change;
            }
        });
    }
}

/// Stops what reads a pack elsewhere.
struct Stopping(PackStop);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.stop();
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackError> + Send + 'static,
) -> Result<T, Stop> {
    join(spawn_blocking(work)).await
}

/// What work on another thread came to.
pub(super) async fn join<T>(working: JoinHandle<Result<T, PackError>>) -> Result<T, Stop> {
    let done = working.await;
    done.map_err(|error| Stop::Disk(io::Error::other(error)))?
        .map_err(Stop::from)
}

impl From<PackError> for Stop {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Io(error) => Self::Disk(error),
            PackError::TooMuch(_) => Self::Pack(ReasonCode::LimitReached, error.to_string()),
            _ => Self::Pack(ReasonCode::Malformed, with_cause(&error)),
        }
    }
}

fn with_cause(error: &PackError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl Stop {
    /// Closes the event, and says why.
    pub(super) fn settle(
        self,
        permit: Permit,
        request: &PushRequest,
        noting: &Noting,
    ) -> http::Response<ResponseBody> {
        let mut about = None;
        let mut places = Vec::new();
        let stopped = match self {
            Self::Revoked(decision) => Stopped::Refused(permit.revoke(decision)),
            Self::Denied(denial, found) => {
                if denial.code == ReasonCode::ContentRefused {
                    places = found;
                }
                about = denial.ref_name.clone();
                Stopped::Refused(permit.refuse_git(*denial))
            }
            Self::Pack(code, reason) => Stopped::Refused(permit.refuse(code, &reason)),
            Self::Client(odd) => Stopped::Refused(permit.refuse(odd.code(), &odd.to_string())),
            Self::Disk(error) => {
                let reason = format!("the pack cannot be kept while it is looked at: {error}");
                Stopped::Refused(permit.refuse(ReasonCode::Unavailable, &reason))
            }
        };
        let of = |name: &RefName| match &about {
            Some(denied) if denied != name => Some(format!("not sent: {denied} was refused")),
            _ => None,
        };
        noting.stopped(&stopped, of);
        let words = Words::of(&stopped).with("found", &places);
        words.as_push(request, of)
    }
}
