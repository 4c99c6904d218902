//! Which values are withheld, and which are forgotten where there are too many.

use ringfence_model::{CredentialName, Host, Secret};

use crate::limits::{GUESSABLE_PLACES, WITHHELD_VALUES};

/// The values that were made ready.
#[derive(Clone, Default)]
pub(super) struct Given {
    /// The oldest first.
    made: Vec<Generation>,
    /// Which credentials that could be guessed were used with which hosts.
    places: Vec<(CredentialName, Host)>,
}

/// What one making of a credential added.
#[derive(Clone)]
struct Generation {
    credential: CredentialName,
    values: Values,
}

/// The values of a credential.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    /// What is searched for in all responses.
    pub(super) shared: Vec<Secret>,
    /// What is searched for in the responses of hosts that the credential was used with.
    pub(super) guessable: Vec<Secret>,
    /// What is searched for in the responses to requests with the credential.
    pub(super) own: Vec<Secret>,
}

/// Generations of a credential that are never forgotten: the one in use and the one before, with
/// which requests may still be under way.
const KEPT: usize = 2;

impl Given {
    /// Adds the values of a credential. False where all of them are the newest already.
    ///
    /// # Errors
    /// Where there would be too many: a value is not sent that could not be searched for.
    pub(super) fn add(
        &mut self,
        credential: &CredentialName,
        values: Values,
    ) -> Result<bool, String> {
        let is_same = |of: &Generation| of.credential == *credential && of.values == values;
        let latest = self
            .made
            .iter()
            .rev()
            .find(|of| of.credential == *credential);
        if latest.is_some_and(is_same) {
            return Ok(false);
        }
        self.made.retain(|of| !is_same(of));
        self.made.push(Generation {
            credential: credential.clone(),
            values,
        });
        while self.is_too_much() {
            let forgotten = self.superseded().ok_or_else(|| {
                format!(
                    "the credentials in use have more than {WITHHELD_VALUES} values to keep from \
                     the sandbox"
                )
            })?;
            self.made.remove(forgotten);
        }
        Ok(true)
    }

    /// Notes that a credential is used with a host. False where that is known.
    ///
    /// # Errors
    /// Where there would be too many hosts.
    pub(super) fn used(
        &mut self,
        credential: &CredentialName,
        host: &Host,
    ) -> Result<bool, String> {
        let is_this = |(name, at): &(CredentialName, Host)| name == credential && at == host;
        if self.places.iter().any(is_this) {
            return Ok(false);
        }
        if self.places.len() == GUESSABLE_PLACES {
            return Err(format!(
                "it could be guessed, and such credentials are used with no more than \
                 {GUESSABLE_PLACES} hosts"
            ));
        }
        self.places.push((credential.clone(), host.clone()));
        Ok(true)
    }

    /// What is searched for in all responses.
    pub(super) fn everywhere(&self) -> Vec<Secret> {
        distinct(self.made.iter().flat_map(|of| &of.values.shared))
    }

    /// What is searched for in all responses of one host.
    pub(super) fn guessable(&self) -> Vec<(&Host, Vec<Secret>)> {
        let mut found: Vec<(&Host, Vec<Secret>)> = Vec::new();
        for (_, host) in &self.places {
            if !found.iter().any(|(at, _)| *at == host) {
                found.push((host, self.guessable_at(host)));
            }
        }
        found
    }

    fn guessable_at(&self, host: &Host) -> Vec<Secret> {
        let is_used = |name: &CredentialName| {
            let mut places = self.places.iter();
            places.any(|(used, at)| used == name && at == host)
        };
        let made = self.made.iter().filter(|of| is_used(&of.credential));
        distinct(made.flat_map(|of| &of.values.guessable))
    }

    /// What is searched for in responses to requests with one credential.
    pub(super) fn own(&self) -> Vec<(&CredentialName, Vec<Secret>)> {
        let mut found: Vec<(&CredentialName, Vec<Secret>)> = Vec::new();
        for of in self.made.iter().filter(|of| !of.values.own.is_empty()) {
            if !found.iter().any(|(name, _)| *name == &of.credential) {
                found.push((&of.credential, self.own_of(&of.credential)));
            }
        }
        found
    }

    fn own_of(&self, credential: &CredentialName) -> Vec<Secret> {
        let its = self.made.iter().filter(|of| of.credential == *credential);
        distinct(its.flat_map(|of| &of.values.own))
    }

    fn is_too_much(&self) -> bool {
        let own = self.own();
        let most = own.iter().map(|(_, own)| own.len()).max().unwrap_or(0);
        let guessable = distinct(self.made.iter().flat_map(|of| &of.values.guessable));
        let most = most + guessable.len();
        self.everywhere().len() + most > WITHHELD_VALUES || self.made.len() > WITHHELD_VALUES
    }

    /// The oldest that may be forgotten.
    fn superseded(&self) -> Option<usize> {
        self.made.iter().enumerate().position(|(at, of)| {
            let after = self.made.iter().skip(at + 1);
            let newer = after.filter(|newer| newer.credential == of.credential);
            newer.count() >= KEPT
        })
    }
}

fn distinct<'a>(values: impl Iterator<Item = &'a Secret>) -> Vec<Secret> {
    let mut found: Vec<Secret> = Vec::new();
    for value in values.filter(|value| !value.expose().is_empty()) {
        if !found.contains(value) {
            found.push(value.clone());
        }
    }
    found
}
