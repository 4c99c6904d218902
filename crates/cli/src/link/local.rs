//! The local link: policy from files, events to the spool.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use ringfence_control::metrics::Metrics;
use ringfence_control::traces::Tee;
use ringfence_gateway::{Audit, AuditError, Identity};
use ringfence_model::{Closing, Event, Generation, Notice, NoticeKind, Record};
use ringfence_policy::{Profile, Snapshot};
use ringfence_store::{Counts, Spool, SpoolError, Tally};
use tokio::sync::watch;

use super::watch::{Look, on_change};
use crate::failure::Failure;
use crate::profiles::Sources;

/// Writes events to the spool and counts them for the summary.
pub(crate) struct LocalAudit {
    spool: Spool,
    tally: Mutex<Tally>,
    identity: Identity,
    /// What sends traces, where somebody wants them.
    tee: Option<Tee>,
    /// What is counted, where somebody may look.
    metrics: Option<Metrics>,
}

impl LocalAudit {
    /// An audit port for `identity` whose spool is in the data directory `data`.
    pub(crate) fn create(data: &Path, identity: Identity) -> Result<Self, Failure> {
        let spool = Spool::create(data, identity.run).map_err(|error| {
            Failure::Unavailable(anyhow::Error::new(error).context("the event log is not usable"))
        })?;
        Ok(Self {
            spool,
            tally: Mutex::new(Tally::default()),
            identity,
            tee: None,
            metrics: None,
        })
    }

    /// Gives every record to the exporter of traces as well.
    pub(crate) fn with(self, tee: Option<Tee>) -> Self {
        Self { tee, ..self }
    }

    /// Counts every record as well.
    pub(crate) fn counted(self, metrics: Option<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Records what is not an action.
    pub(crate) fn record(&self, kind: NoticeKind) -> Result<(), AuditError> {
        self.notice(&Notice {
            time: Timestamp::now(),
            run: self.identity.run,
            sandbox: self.identity.sandbox,
            agent: self.identity.agent.clone(),
            kind,
        })
    }

    /// What was counted so far.
    pub(crate) fn counts(&self) -> Counts {
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .counts()
    }

    /// Makes everything durable.
    pub(crate) fn sync(&self) -> Result<(), AuditError> {
        self.spool.sync().map_err(failed)
    }

    fn append(&self, record: &Record) -> Result<(), AuditError> {
        self.spool.append(record).map_err(failed)?;
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .feed(record);
        if let Some(tee) = &self.tee {
            tee.offer(record);
        }
        if let Some(metrics) = &self.metrics {
            metrics.feed(record);
        }
        Ok(())
    }
}

fn failed(error: SpoolError) -> AuditError {
    AuditError {
        reason: error.to_string(),
    }
}

impl Audit for LocalAudit {
    fn open(&self, event: &Event) -> Result<(), AuditError> {
        self.append(&Record::Opened(event.clone()))
    }

    fn close(&self, closing: &Closing) -> Result<(), AuditError> {
        self.append(&Record::Closed(closing.clone()))
    }

    fn notice(&self, notice: &Notice) -> Result<(), AuditError> {
        self.append(&Record::Notice(notice.clone()))
    }
}

/// The policy in force, reloaded when a file of it changes.
pub(crate) struct Link {
    sources: Sources,
    /// How the files looked just before they were loaded.
    loaded: Look,
    profiles: Vec<Profile>,
    policy: watch::Sender<Arc<Snapshot>>,
}

impl Link {
    /// Loads the policy. A policy that is not usable starts nothing.
    pub(crate) fn open(sources: Sources) -> Result<Self, Failure> {
        let loaded = Look::at(&sources.files());
        let profiles = sources.profiles()?;
        let snapshot = Snapshot::compile(Generation(1), &profiles)?;
        let (policy, _) = watch::channel(Arc::new(snapshot));
        Ok(Self {
            sources,
            loaded,
            profiles,
            policy,
        })
    }

    /// The profiles as they were at the start.
    pub(crate) fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// What the gateway decides by.
    pub(crate) fn policy(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.policy.subscribe()
    }

    /// The files that the policy comes from.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.sources.files()
    }

    /// Loads the policy again for ever, at every change of its files.
    pub(crate) fn keep_fresh(self, audit: Arc<LocalAudit>) -> Result<(), Failure> {
        self.sources.make_watchable();
        let (files, loaded) = (self.sources.files(), self.loaded.clone());
        on_change(files, loaded, move || self.reload(&audit)).map_err(|error| {
            let error = anyhow::Error::new(error);
            Failure::Unavailable(error.context("changes of the policy cannot be watched for"))
        })
    }

    /// A policy that cannot be read leaves the one before in force; the person is told by the
    /// event log.
    fn reload(&self, audit: &LocalAudit) {
        let generation = Generation(self.policy.borrow().generation().0 + 1);
        let recorded = match self.sources.load(generation) {
            Ok(snapshot) => {
                self.policy.send_replace(Arc::new(snapshot));
                audit.record(NoticeKind::PolicyLoaded { generation })
            }
            Err(failure) => audit.record(NoticeKind::PolicyRejected {
                error: failure.to_string(),
            }),
        };
        // An event log that is not writable stops every decision by itself.
        drop(recorded);
    }
}
