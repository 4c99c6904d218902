//! Refs that stand for others upstream. A server that is told to change such a ref changes the
//! one that it stands for, which no rule was asked about.

use std::collections::HashSet;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use ringfence_gateway::http::ResponseBody;
use ringfence_git::wire::fetch::{FetchRequest, ListRefs};
use ringfence_git::wire::fetched::{RefsFilter, SeenRef};
use ringfence_model::git::{Oid, RefUpdate};
use tokio::time::timeout;

use super::limits::ASKED_WAIT;
use super::proof::{Asker, Unproven};

const HEAD: &str = "HEAD";

/// What the refs of a push are upstream.
#[derive(Debug, Default)]
pub(super) struct Upstream {
    /// The first that stands for another one: both names. A ref that is made is there under no name
    /// yet.
    pub(super) alias: Option<(String, String)>,
    /// The commit of the branch that a clone begins with.
    pub(super) head: Option<Oid>,
    /// The first that is not what the client takes it for: its push would fail, so that nothing more
    /// is asked for it.
    pub(super) moved: Option<String>,
}

impl Asker<'_> {
    /// Asks what the refs of a push are upstream.
    pub(super) async fn refs(&self, updates: &[RefUpdate]) -> Result<Upstream, Unproven> {
        let known = updates.iter().filter(|update| !update.old.is_null());
        let names = known.map(|update| update.name.to_string());
        let names: Vec<String> = names.chain([HEAD.to_owned()]).collect();
        let request = FetchRequest::ListRefs(ListRefs {
            format: self.format,
            peel: false,
            symrefs: true,
            unborn: false,
            prefixes: names.clone(),
        });
        let olds: Vec<(String, Oid)> = updates
            .iter()
            .filter(|update| !update.old.is_null())
            .map(|update| (update.name.to_string(), update.old))
            .collect();
        let asking = async {
            let asked = self
                .gateway
                .ask_git(
                    self.session,
                    self.pool,
                    self.permit,
                    self.question(Bytes::from(request.write())),
                )
                .await;
            let body = asked.map_err(|error| Unproven::Unanswered(error.to_string()))?;
            self.read_refs(body, &olds).await
        };
        timeout(ASKED_WAIT, asking)
            .await
            .map_err(|_| Unproven::Late)?
    }

    async fn read_refs(
        &self,
        mut body: ResponseBody,
        olds: &[(String, Oid)],
    ) -> Result<Upstream, Unproven> {
        let failed = |error: &dyn std::fmt::Display| Unproven::Unanswered(error.to_string());
        let mut found = Upstream::default();
        let mut as_expected = HashSet::new();
        let note = |seen: &SeenRef<'_>| {
            if seen.name == HEAD {
                // It is asked about once more for what it stands for, without its object.
                found.head = found.head.or(seen.oid);
                return false;
            }
            let Some((name, old)) = olds.iter().find(|(name, _)| name == seen.name) else {
                return false;
            };
            if let Some(target) = seen.target.filter(|_| found.alias.is_none()) {
                found.alias = Some((name.clone(), target.to_owned()));
            }
            if seen.oid == Some(*old) {
                as_expected.insert(name.clone());
            }
            false
        };
        let mut refs = RefsFilter::new(self.format, note);
        let mut unread = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| failed(&error))?;
            if let Ok(octets) = frame.into_data() {
                refs.feed(&octets, &mut unread)
                    .map_err(|error| failed(&error))?;
                unread.clear();
            }
        }
        let _asked = refs.finish().map_err(|error| failed(&error))?;
        let moved = olds.iter().find(|(name, _)| !as_expected.contains(name));
        found.moved = moved.map(|(name, _)| name.clone());
        Ok(found)
    }
}
