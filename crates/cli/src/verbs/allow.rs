//! `ringfence allow`: adds the narrowest rule to the person's own profile. Runs that are going
//! on see it at once.

use jiff::Timestamp;
use ringfence_policy::{NetworkRule, Profile, append_rule};

use crate::args::AllowArguments;
use crate::failure::Failure;
use crate::profiles::edit::Document;
use crate::{output, profiles};

/// Runs the verb. Returns the exit code.
pub(crate) fn allow(arguments: &AllowArguments) -> Result<i32, Failure> {
    let rule = rule(arguments)?;
    let document = Document::own(profiles::own_profile(arguments.agent.as_ref())?)?;
    let text = append_rule(&document.text, document.name.as_str(), &rule)?;
    document.replace(&text)?;
    output::line(&format!("allowed: {}", rule.to_line()));
    output::line(&format!("in {}", document.path.display()));
    Ok(0)
}

fn rule(arguments: &AllowArguments) -> Result<NetworkRule, Failure> {
    let mut rule = Profile::from_allow(&arguments.destination)?;
    let NetworkRule::Allow(terms) = &mut rule else {
        return Ok(rule);
    };
    terms.reason.clone_from(&arguments.reason);
    if let Some(lasting) = arguments.lasting {
        let end = Timestamp::now()
            .checked_add(lasting)
            .map_err(Failure::usage)?;
        terms.expires = Some(end);
    }
    Ok(rule)
}
