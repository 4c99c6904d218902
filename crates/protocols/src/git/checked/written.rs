//! Searches everything that a push writes: files, messages of commits and tags, names of files, and
//! the names of refs and push options, which reach the upstream as well.
//!
//! Credentials and tokens of this gateway are found in every encoding that [`ScrubSet`] knows;
//! what only looks like a secret, as it is written: no archive, no base64 is opened for it. What was
//! found is never repeated, so a name in which something was found is not told either.

use ringfence_git::pack::{Kind, Pack, PackError, Reached};
use ringfence_git::wire::push::PushRequest;
use ringfence_git::wire::text::one_line_of;
use ringfence_inspect::ScrubSet;
use ringfence_inspect::secrets::{Detector, Finding};

use super::super::limits::FINDINGS;
use super::search::{Found, Searched, search_again};
use super::tips;

/// What was found in a push: of each kind, at most [`FINDINGS`] are told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Written {
    /// Where a credential or a token of ours is.
    pub(in super::super) own: Vec<String>,
    /// Where something else looks like a secret, and by which rule.
    pub(in super::super) findings: Vec<String>,
}

/// The rules, for who searches something else than a pack.
pub(in super::super) fn detector() -> &'static Detector {
    Detector::shared()
}

/// What is written in a push: in the names of refs and options, and in every object of the pack, which
/// were searched while it was read, unless there is something more to look for now.
pub(in super::super) fn written(
    pack: Option<&Pack>,
    searched: Option<Searched>,
    request: &PushRequest,
    own: &ScrubSet,
) -> Result<Written, PackError> {
    let mut written = Written::default();
    let refs = request.updates.iter().map(|update| update.name.as_str());
    let names = refs.map(|name| ("the name of a ref", name));
    let options = request.options.iter();
    let options = options.map(|option| ("a push option", option.as_str()));
    for (place, text) in names.chain(options) {
        written.note_text(place, text.as_bytes(), own);
    }
    let Some(pack) = pack else {
        return Ok(written);
    };
    let searched = match searched.filter(|searched| searched.own.covers(own)) {
        Some(searched) => searched,
        None => search_again(pack, own.clone())?,
    };
    if searched.found.is_empty() {
        return Ok(written);
    }
    let reached = pack.reached(&tips(request))?;
    for found in searched.found {
        found.tell(&reached, own, &mut written)?;
    }
    Ok(written)
}

impl Written {
    fn note_text(&mut self, place: &str, text: &[u8], own: &ScrubSet) {
        if own.finds(text) {
            self.note_own(place.to_owned());
        }
        for finding in detector().find(text) {
            match is_own(&finding) {
                true => self.note_own(place.to_owned()),
                false => self.note_finding(format!("{place}: {}", finding.rule)),
            }
        }
    }

    fn note_own(&mut self, place: String) {
        if self.own.len() < FINDINGS && !self.own.contains(&place) {
            self.own.push(place);
        }
    }

    fn note_finding(&mut self, finding: String) {
        if self.findings.len() < FINDINGS && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

impl Found {
    /// Names the places.
    fn tell(
        &self,
        reached: &Reached<'_>,
        own: &ScrubSet,
        written: &mut Written,
    ) -> Result<(), PackError> {
        let path = match self.kind {
            Kind::Blob => reached.path_of(&self.oid)?,
            _ => None,
        };
        let place = match path.filter(|path| is_silent(path, own)) {
            Some(path) => one_line_of(&path),
            None => format!("{} {}", self.kind.as_str(), self.oid),
        };
        if self.is_own {
            written.note_own(place.clone());
        }
        for finding in self.findings.iter().filter(|finding| !is_own(finding)) {
            written.note_finding(match self.kind {
                // Names have no lines.
                Kind::Tree => format!("{place}: {}", finding.rule),
                _ => format!("{place}:{}: {}", finding.line, finding.rule),
            });
        }
        Ok(())
    }
}

/// Whether nothing was found in a name, so that it may be told.
pub(super) fn is_silent(name: &[u8], own: &ScrubSet) -> bool {
    !own.finds(name) && detector().find(name).is_empty()
}

/// Whether it is a token of ours, of whichever sandbox.
pub(in super::super) fn is_own(finding: &Finding) -> bool {
    finding.rule == OWN_TOKEN
}

const OWN_TOKEN: &str = "ringfence-token";

#[cfg(test)]
mod tests;
