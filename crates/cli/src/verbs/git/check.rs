//! `ringfence git check`: the decision of the gateway, without a gateway.

use jiff::Timestamp;
use ringfence_model::git::{
    GitOperation, GitService, ObjectFormat, Oid, RefChange, RefName, RefUpdate,
};
use ringfence_model::{Action, Generation};

use crate::args::git::{CheckArguments, Wish};
use crate::failure::{Failure, REFUSED};
use crate::output;
use crate::profiles::Sources;

/// Explains the decision. Returns the exit code.
pub(super) fn check(asked: &CheckArguments) -> Result<i32, Failure> {
    let policy = Sources::new(&asked.profiles, &[], &asked.agent)?.load(Generation(1))?;
    let request = policy
        .git_request(&asked.repo, operation(asked)?)
        .map_err(|error| {
            let context = format!(
                "{}: a repository is named as in github/acme/docs",
                asked.repo
            );
            Failure::Usage(anyhow::Error::new(error).context(context))
        })?;
    let explanation = policy.explain(&Action::Git(request), Timestamp::now());
    if asked.json {
        output::json(&explanation);
    } else {
        output::line(explanation.to_string().trim_end());
    }
    let is_allowed = explanation.decision.is_allow();
    Ok(if is_allowed { 0 } else { REFUSED })
}

fn operation(asked: &CheckArguments) -> Result<GitOperation, Failure> {
    match (asked.wish, &asked.reference) {
        (Wish::Fetch, None) => Ok(GitOperation::Fetch {
            wants: 1,
            filter: None,
            shallow: false,
        }),
        (Wish::Fetch, Some(_)) => Err(Failure::Usage(anyhow::anyhow!(
            "a fetch is decided on for the repository; REF is for a push"
        ))),
        (Wish::Push, None) => Ok(GitOperation::Discover {
            service: GitService::ReceivePack,
        }),
        (Wish::Push, Some(name)) => {
            let change = asked.change.map(|change| change.change());
            Ok(GitOperation::Push {
                updates: vec![update(name, change).map_err(Failure::internal)?],
                options: Vec::new(),
                atomic: false,
            })
        }
    }
}

/// An update of objects that do not matter: a ref that is made has no old one, one that is deleted
/// no new one.
fn update(
    name: &RefName,
    stated: Option<RefChange>,
) -> Result<RefUpdate, ringfence_model::git::OidError> {
    let format = ObjectFormat::Sha1;
    let usual = if name.is_tag() {
        RefChange::TagCreate
    } else {
        RefChange::Update
    };
    let change = stated.unwrap_or(usual);
    let is_made = matches!(change, RefChange::Create | RefChange::TagCreate);
    let is_gone = change == RefChange::Delete;
    let object = |octet: u8, is_none: bool| {
        let octet = if is_none { 0 } else { octet };
        Oid::new(format, &[octet; 20])
    };
    Ok(RefUpdate {
        name: name.clone(),
        old: object(1, is_made)?,
        new: object(2, is_gone)?,
        change,
    })
}
