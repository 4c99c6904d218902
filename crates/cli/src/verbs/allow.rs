//! `ringfence allow`: adds the narrowest rule to the person's own profile. Runs that are going
//! on see it at once.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use ringfence_policy::{NetworkRule, Profile, append_rule};

use crate::args::AllowArguments;
use crate::failure::Failure;
use crate::{output, profiles};

/// Runs the verb. Returns the exit code.
pub(crate) fn allow(arguments: &AllowArguments) -> Result<i32, Failure> {
    let rule = rule(arguments)?;
    let path = profiles::own_profile(arguments.agent.as_ref())?;
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let name = profiles::profile_name(&name)?;
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("apiVersion: ringfence/v1\nkind: Profile\nname: {name}\nnetwork: []\n")
        }
        Err(error) => {
            let error =
                anyhow::Error::new(error).context(format!("cannot read {}", path.display()));
            return Err(Failure::Usage(error));
        }
    };
    let text = append_rule(&text, name.as_str(), &rule)?;
    replace(&path, &text).map_err(Failure::Unavailable)?;
    output::line(&format!("allowed: {}", rule.to_line()));
    output::line(&format!("in {}", path.display()));
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

/// Replaces the file whole, so that no reader sees half of it.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let directory = path.parent().context("the profile has no directory")?;
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let mut file =
        fs::File::create(&fresh).with_context(|| format!("cannot write {}", fresh.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&fresh, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
