//! Whose addresses the commits of a push carry, and who signed them: as far as rules ask for it.

use std::io::Read as _;
use std::ops::ControlFlow;

use ringfence_gateway::git::{CommitSignature, GitTerms, PushedCommit};
use ringfence_git::pack::{Commit, Kind, Object, Pack, PackError, Signature, Signed, email_of};
use ringfence_inspect::ScrubSet;
use ringfence_model::git::ObjectFormat;
use ssh_key::{HashAlg, PublicKey, SshSig};

use super::written::is_silent;

/// What git signs commits for, so that a signature of something else is none.
const NAMESPACE: &str = "git";

/// Those of the commits of a pack that some rule refuses, at most one for each rule. Every commit of
/// the pack is looked at, whichever ref leads to it.
pub(in super::super) fn authors(
    pack: Option<&Pack>,
    terms: &GitTerms,
    own: &ScrubSet,
) -> Result<Vec<PushedCommit>, PackError> {
    let mut refused = Vec::new();
    let Some(pack) = pack.filter(|_| terms.minds_commits()) else {
        return Ok(refused);
    };
    let reading = Reading {
        format: pack.format(),
        with_signatures: terms.minds_signers(),
        own,
    };
    let mut failed = None;
    pack.visit(&mut |object| {
        if object.kind != Kind::Commit {
            return ControlFlow::Continue(());
        }
        match reading.commit(object) {
            Ok(commit) => {
                if terms.refuses_anew(&commit, &refused) {
                    refused.push(commit);
                }
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(refused), Err)
}

struct Reading<'a> {
    format: ObjectFormat,
    with_signatures: bool,
    own: &'a ScrubSet,
}

impl Reading<'_> {
    fn commit(&self, object: &mut Object<'_>) -> Result<PushedCommit, PackError> {
        let mut octets = Vec::new();
        let read = object.content.read_to_end(&mut octets);
        read.map_err(PackError::Io)?;
        let commit = Commit::parse(self.format, &octets).map_err(|fault| PackError::Invalid {
            kind: Kind::Commit,
            oid: object.oid,
            fault,
        })?;
        let signature = match self.with_signatures {
            true => self.signature(&octets),
            false => CommitSignature::Missing,
        };
        Ok(PushedCommit {
            oid: object.oid,
            author: self.email(&commit.author),
            committer: self.email(&commit.committer),
            signature,
        })
    }

    /// An address in which there is a secret is not told.
    fn email(&self, person: &[u8]) -> Option<String> {
        let email = email_of(person)?;
        is_silent(email.as_bytes(), self.own).then(|| email.to_owned())
    }

    fn signature(&self, commit: &[u8]) -> CommitSignature {
        match Signature::of(self.format, commit) {
            Signature::Missing => CommitSignature::Missing,
            Signature::Ambiguous => CommitSignature::Unchecked,
            Signature::One(signed) => checked(&signed),
        }
    }
}

/// Who signed it, if the signature is one of it (PROTOCOL.sshsig of OpenSSH).
fn checked(signed: &Signed) -> CommitSignature {
    let Ok(signature) = SshSig::from_pem(&signed.signature) else {
        return CommitSignature::Unchecked;
    };
    let key = PublicKey::from(signature.public_key().clone());
    let is_of_it = key.verify(NAMESPACE, &signed.payload, &signature).is_ok();
    match key.to_openssh().ok().filter(|_| is_of_it) {
        Some(text) => CommitSignature::By {
            key: text.trim_end().to_owned(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        },
        None => CommitSignature::Wrong,
    }
}

#[cfg(test)]
mod tests;
