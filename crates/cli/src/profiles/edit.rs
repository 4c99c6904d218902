//! Changes of a profile's file: read, changed by the crate of policies, and replaced whole.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use ringfence_model::ProfileName;
use ringfence_policy::Profile;

use super::{file_of, own_profile, profile_name};
use crate::failure::Failure;

/// A file with one profile.
pub(crate) struct Document {
    pub(crate) path: PathBuf,
    pub(crate) name: ProfileName,
    pub(crate) text: String,
}

impl Document {
    /// A profile of the person's own; one that is not there yet is empty.
    pub(crate) fn own(path: PathBuf) -> Result<Self, Failure> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = profile_name(&name)?;
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                format!("apiVersion: ringfence/v1\nkind: Profile\nname: {name}\nnetwork: []\n")
            }
            read => readable(&path, read)?,
        };
        Ok(Self { path, name, text })
    }

    /// The profile of that name or file, or the person's own for all agents.
    pub(crate) fn named(name: Option<&str>) -> Result<Self, Failure> {
        let Some(name) = name else {
            return Self::own(own_profile(None)?);
        };
        let path = file_of(name).ok_or_else(|| {
            Failure::Usage(anyhow!("there is no file of a profile `{name}` to change"))
        })?;
        let text = readable(&path, fs::read_to_string(&path))?;
        let profiles = Profile::parse(&path.to_string_lossy(), &text)?;
        let [profile] = profiles.as_slice() else {
            return Err(Failure::Usage(anyhow!(
                "{} holds {} profiles; change it by hand",
                path.display(),
                profiles.len()
            )));
        };
        let name = profile.name.clone();
        Ok(Self { path, name, text })
    }

    /// Replaces the file whole, so that no reader sees half of it.
    pub(crate) fn replace(&self, text: &str) -> Result<(), Failure> {
        write(&self.path, text).map_err(Failure::Unavailable)
    }
}

fn readable(path: &Path, read: std::io::Result<String>) -> Result<String, Failure> {
    let context = || format!("cannot read {}", path.display());
    read.with_context(context).map_err(Failure::Usage)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
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
