//! How git gets the token that stands for a server's credential.

use std::collections::BTreeSet;

use ringfence_model::CredentialName;
use ringfence_model::git::GitUpstream;
use ringfence_policy::{Profile, VariableName};

/// The variable with a token for what the rules about this server send.
pub(super) fn variable<'a>(
    server: &GitUpstream,
    profiles: &'a [Profile],
) -> Option<&'a VariableName> {
    let rules = profiles.iter().flat_map(|profile| &profile.git);
    let allows = rules.filter(|rule| !rule.is_forbid());
    let about = allows.filter(|rule| rule.terms().upstream() == Some(&server.name));
    let sent: BTreeSet<&CredentialName> = about
        .filter_map(|rule| {
            rule.terms()
                .credential
                .as_ref()
                .or(server.credential.as_ref())
        })
        .collect();
    let mut grants = profiles.iter().flat_map(Profile::tokens);
    let grant = grants.find(|grant| grant.credentials.iter().any(|it| sent.contains(it)))?;
    grant.env.first()
}

/// A credential helper (gitcredentials(7)) that answers with what the variable holds.
pub(super) fn helper(variable: &VariableName) -> String {
    let variable = variable.as_str();
    format!(
        "!f() {{ test \"$1\" = get && test -n \"${variable}\" && printf 'username={USER}\\npassword=%s\\n' \"${variable}\"; }}; f"
    )
}

/// A user of which the gateway takes no notice: the token says who asks.
const USER: &str = "ringfence";
