//! Searches everything that a push writes: files, messages of commits and tags, names of files, and
//! the names of refs and push options, which reach the upstream as well.
//!
//! Credentials and tokens of this gateway are found in every encoding that [`ScrubSet`] knows;
//! what only looks like a secret, as it is written: no archive, no base64 is opened for it. What was
//! found is never repeated, so a name in which something was found is not told either.

use std::io;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use ringfence_git::pack::{Kind, Object, Pack, PackError, Reached};
use ringfence_git::wire::push::PushRequest;
use ringfence_git::wire::text::one_line_of;
use ringfence_inspect::secrets::{Detector, Finding};
use ringfence_inspect::{ScrubSet, Scrubber};
use ringfence_model::git::Oid;

use super::super::limits::{FINDINGS, READ_OCTETS};
use super::tips;

/// What was found in a push: of each kind, at most [`FINDINGS`] are told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Written {
    /// Where a credential or a token of ours is.
    pub(in super::super) own: Vec<String>,
    /// Where something else looks like a secret, and by which rule.
    pub(in super::super) findings: Vec<String>,
}

/// The rules are compiled when the first push comes, once for the process.
static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

/// Searches every object of the pack, and the names of refs and options.
pub(in super::super) fn written(
    pack: Option<&Pack>,
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
    let mut search = Search::new(own);
    let mut failed = None;
    pack.visit(&mut |object| match search.object(pack, object) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let reached = pack.reached(&tips(request))?;
    for found in search.found {
        found.tell(&reached, own, &mut written)?;
    }
    Ok(written)
}

impl Written {
    fn note_text(&mut self, place: &str, text: &[u8], own: &ScrubSet) {
        if own.finds(text) {
            self.note_own(place.to_owned());
        }
        for finding in DETECTOR.find(text) {
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

/// An object with something in it.
struct Found {
    oid: Oid,
    kind: Kind,
    is_own: bool,
    findings: Vec<Finding>,
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
        let is_silent = |path: &Vec<u8>| !own.finds(path) && DETECTOR.find(path).is_empty();
        let place = match path.filter(is_silent) {
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

/// Whether it is a token of ours, of whichever sandbox.
fn is_own(finding: &Finding) -> bool {
    finding.rule == OWN_TOKEN
}

const OWN_TOKEN: &str = "ringfence-token";

struct Search<'a> {
    own: &'a ScrubSet,
    found: Vec<Found>,
    /// How many own ones and how many others were found.
    counts: (usize, usize),
    piece: Vec<u8>,
    scrubbed: Vec<u8>,
}

impl<'a> Search<'a> {
    fn new(own: &'a ScrubSet) -> Self {
        Self {
            own,
            found: Vec::new(),
            counts: (0, 0),
            piece: vec![0; READ_OCTETS],
            scrubbed: Vec::new(),
        }
    }

    fn object(&mut self, pack: &Pack, object: &mut Object<'_>) -> Result<(), PackError> {
        let (is_own, findings) = match object.kind {
            // Between the names are octets of hashes, in which nobody writes.
            Kind::Tree => match pack.tree(&object.oid)? {
                Some(tree) => {
                    let names: Vec<&[u8]> = tree.entries().map(|entry| entry.name).collect();
                    self.read(&mut names.join(b"\n".as_slice()).as_slice())
                }
                None => Ok((false, Vec::new())),
            },
            _ => self.read(&mut object.content),
        }
        .map_err(PackError::Io)?;
        // Enough others do not hide one of ours.
        let is_own = (is_own || findings.iter().any(self::is_own)) && self.counts.0 < FINDINGS;
        let left = FINDINGS.saturating_sub(self.counts.1);
        let findings: Vec<Finding> = findings.into_iter().take(left).collect();
        if !is_own && findings.is_empty() {
            return Ok(());
        }
        self.counts.0 += usize::from(is_own);
        self.counts.1 += findings.len();
        self.found.push(Found {
            oid: object.oid,
            kind: object.kind,
            is_own,
            findings,
        });
        Ok(())
    }

    /// Whether there is an own secret in a text, and what else is in it.
    fn read(&mut self, text: &mut impl io::Read) -> io::Result<(bool, Vec<Finding>)> {
        let mut own = Scrubber::new(self.own.clone());
        let mut others = DETECTOR.search();
        loop {
            let read = text.read(&mut self.piece)?;
            let Some(octets) = self.piece.get(..read).filter(|octets| !octets.is_empty()) else {
                break;
            };
            if !self.own.is_empty() {
                own.feed(octets, &mut self.scrubbed);
                self.scrubbed.clear();
            }
            others.feed(octets);
        }
        own.finish(&mut self.scrubbed);
        self.scrubbed.clear();
        Ok((own.found() > 0, others.finish()))
    }
}

#[cfg(test)]
mod tests;
