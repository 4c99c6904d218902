//! The verbs other than `run`, one file each.

pub(crate) mod allow;
pub(crate) mod approve;
pub(crate) mod budget;
pub(crate) mod credential;
pub(crate) mod denied;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod gateway;
pub(crate) mod git;
pub(crate) mod inspect;
pub(crate) mod llm;
pub(crate) mod mcp;
pub(crate) mod overlay;
pub(crate) mod policy;
pub(crate) mod profile;
pub(crate) mod proposals;
pub(crate) mod prove;
pub(crate) mod setup;
pub(crate) mod token;
pub(crate) mod trace;

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use ringfence_model::{ActionKind, Effect};
use ringfence_store::{Filter, Store};

use crate::args::{EffectName, FilterArguments, ProtocolName};
use crate::failure::Failure;
use crate::{output, paths};

/// Opens the store, takes in what runs have written, and asks it something.
fn with_store<T, F, Asked>(ask: F) -> Result<T, Failure>
where
    F: FnOnce(Store) -> Asked,
    Asked: Future<Output = Result<T, Failure>>,
{
    let data = paths::data().map_err(Failure::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    runtime.block_on(async {
        let store = Store::open(&data).await.map_err(unavailable)?;
        take_in(&store).await;
        let answer = ask(store.clone()).await;
        store.close().await;
        answer
    })
}

/// Takes in what runs have written since. What could not be is said; the rest is shown anyway.
async fn take_in(store: &Store) {
    match store.ingest_spools().await {
        Ok(ingested) => {
            for broken in &ingested.broken {
                output::error(&format!(
                    "the log of run {} is broken at record {}: {}; it was set aside",
                    broken.run, broken.seq, broken.why
                ));
            }
        }
        Err(error) => output::error(&format!("{:#}", anyhow::Error::new(error))),
    }
}

fn unavailable(error: ringfence_store::StoreError) -> Failure {
    Failure::Unavailable(anyhow::Error::new(error).context("the event store is not usable"))
}

impl FilterArguments {
    fn filter(&self) -> Filter {
        Filter {
            agent: self.agent.clone(),
            decision: self.decision.map(|decision| match decision {
                EffectName::Allow => Effect::Allow,
                EffectName::Deny => Effect::Deny,
            }),
            since: self.since,
            host: self.host.clone(),
            run: self.run,
            kind: self.protocol.map(|protocol| match protocol {
                ProtocolName::Connect => ActionKind::Connect,
                ProtocolName::Http => ActionKind::Http,
                ProtocolName::Git => ActionKind::Git,
                ProtocolName::Llm => ActionKind::Llm,
                ProtocolName::Mcp => ActionKind::Mcp,
            }),
            limit: self.limit,
            ..Filter::default()
        }
    }
}

/// Reads `30m`, `12h`, `7d`, `45s`.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{text}` is not a time like 30m, 12h or 7d");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .filter(|seconds| (1..=LONGEST_SECONDS).contains(seconds))
        .map(SignedDuration::from_secs)
        .ok_or_else(wrong)
}

/// Reads a time, or how long ago it was.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago = duration(text)?;
    Timestamp::now()
        .checked_sub(ago)
        .map_err(|error| error.to_string())
}

/// A hundred years.
const LONGEST_SECONDS: i64 = 100 * 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("30m"), Ok(SignedDuration::from_mins(30)));
        assert_eq!(duration("7d"), Ok(SignedDuration::from_hours(168)));
        for bad in ["", "m", "1", "-1h", "0s", "1w", "1.5h", "9999999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_is_absolute_or_ago() {
        assert!(since("2026-01-31T12:00:00Z").is_ok());
        assert!(since("1h").unwrap() < Timestamp::now());
        assert!(since("yesterday").is_err());
    }
}
