//! Which profiles are in force for an agent: those that were named, what was allowed on the
//! command line, and what the person allowed before by `ringfence allow`.

pub(crate) mod edit;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use ringfence_model::{AgentName, Generation, ProfileName};
use ringfence_policy::{NetworkRule, Profile, Snapshot};

use crate::failure::Failure;
use crate::paths;
use crate::run::hosted::Described;

/// Where the policy of a run comes from; can be read again when a file changes.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    named: Vec<String>,
    own: Vec<PathBuf>,
    allowed: Vec<NetworkRule>,
}

impl Sources {
    /// The sources for `agent`. The rules of `allow` are read now, the files at every load.
    pub(crate) fn new(
        named: &[String],
        allow: &[String],
        agent: &AgentName,
    ) -> Result<Self, Failure> {
        let allowed = allow
            .iter()
            .map(|spec| Profile::from_allow(spec))
            .collect::<Result<Vec<_>, _>>()?;
        // Who asks for no network at all does not mean "except what I allowed last month".
        let own = if named.iter().any(|name| name == OFFLINE) {
            Vec::new()
        } else {
            // The directory must be there to be watched: the first `ringfence allow` counts too.
            let directory = paths::config().map_err(Failure::usage)?.join("profiles");
            let _ = fs::create_dir_all(directory);
            vec![own_profile(None)?, own_profile(Some(agent))?]
        };
        Ok(Self {
            named: named.to_vec(),
            own,
            allowed,
        })
    }

    /// Reads and compiles all of them.
    pub(crate) fn load(&self, generation: Generation) -> Result<Snapshot, Failure> {
        Ok(Snapshot::compile(generation, &self.profiles()?)?)
    }

    /// Reads all of them.
    pub(crate) fn profiles(&self) -> Result<Vec<Profile>, Failure> {
        let mut profiles = Vec::new();
        for name in &self.named {
            profiles.extend(find(name)?);
        }
        for path in &self.own {
            profiles.extend(read_optional(path)?);
        }
        if !self.allowed.is_empty() {
            let name = profile_name("command-line")?;
            profiles.push(Profile::new(name, self.allowed.clone()));
        }
        Ok(profiles)
    }

    /// The same for a server that is started for an agent: what the person allows all agents of
    /// theirs is not for it.
    pub(crate) fn without_user(mut self) -> Self {
        let user = own_profile(None).ok();
        self.own.retain(|path| Some(path) != user.as_ref());
        self
    }

    /// The servers that are started by what the documents say.
    pub(crate) fn started(&self) -> Result<Vec<Described>, Failure> {
        let mut documents = Vec::new();
        for name in &self.named {
            let folder = file_of(name).and_then(|path| Some(path.parent()?.to_owned()));
            documents.push((folder.unwrap_or_default(), find(name)?));
        }
        for path in &self.own {
            let folder = path.parent().unwrap_or(path).to_owned();
            documents.push((folder, read_optional(path)?));
        }
        let mut started = Vec::new();
        for (folder, profiles) in &documents {
            let servers = profiles.iter().flat_map(|it| &it.mcp_servers);
            for described in servers.filter_map(|terms| Described::of(terms, folder).transpose()) {
                add(&mut started, described?)?;
            }
        }
        Ok(started)
    }

    /// Makes the directory of the person's own profiles: only in one that exists can the first
    /// profile be seen to appear.
    pub(crate) fn make_watchable(&self) {
        for directory in self.own.iter().filter_map(|path| path.parent()) {
            // Without it there is no live change, and a later run reads the file anyway.
            let _ = fs::create_dir_all(directory);
        }
    }

    /// The names for the record.
    pub(crate) fn names(&self) -> Vec<String> {
        self.named.clone()
    }

    /// The files whose change is a change of policy, whether they exist or not.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let named = self.named.iter().filter_map(|name| file_of(name));
        named.chain(self.own.iter().cloned()).collect()
    }
}

/// The profiles behind a name on the command line: a file if it looks like a path, else one of
/// the person's own, else a built-in one.
pub(crate) fn find(name: &str) -> Result<Vec<Profile>, Failure> {
    if let Some(path) = file_of(name) {
        return read(&path);
    }
    Profile::builtin(name)
        .map(|profile| vec![profile])
        .ok_or_else(|| {
            Failure::Usage(anyhow!(
                "there is no profile `{name}`: not a file, not in {}, and the built-in ones are {}",
                paths::config()
                    .map(|path| path.join("profiles").display().to_string())
                    .unwrap_or_default(),
                Profile::builtin_names().join(", ")
            ))
        })
}

/// The file of the person's own profile, for all agents or for one.
pub(crate) fn own_profile(agent: Option<&AgentName>) -> Result<PathBuf, Failure> {
    let directory = paths::config().map_err(Failure::usage)?.join("profiles");
    Ok(directory.join(match agent {
        None => "user.yaml".to_owned(),
        Some(agent) => format!("agent-{agent}.yaml"),
    }))
}

/// The person's own profiles, as far as they can be read.
pub(crate) fn own() -> Vec<Profile> {
    let directory = paths::config().map(|config| config.join("profiles"));
    let entries = directory.ok().and_then(|path| fs::read_dir(path).ok());
    let paths = entries.into_iter().flatten().flatten().map(|it| it.path());
    let documents = paths.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    let read = documents.filter_map(|path| read(&path).ok());
    read.flatten().collect()
}

/// A profile name that this program chose.
pub(crate) fn profile_name(text: &str) -> Result<ProfileName, Failure> {
    text.parse().map_err(Failure::internal)
}

/// Adds a server. Two folders may make two servers of the same words, of which none is meant.
fn add(started: &mut Vec<Described>, described: Described) -> Result<(), Failure> {
    match started.iter().find(|it| it.is_called_as(&described)) {
        None => {
            started.push(described);
            Ok(())
        }
        Some(other) if *other == described => Ok(()),
        Some(other) => Err(Failure::Usage(anyhow!(
            "two profiles describe the server `{}` by other files: give one of them another name",
            other.name()
        ))),
    }
}

/// The file that a name on the command line stands for; none for what is built in.
pub(crate) fn file_of(name: &str) -> Option<PathBuf> {
    if name.contains('/') || name.ends_with(".yaml") || name.ends_with(".yml") {
        return Some(PathBuf::from(name));
    }
    let own = paths::config()
        .ok()?
        .join("profiles")
        .join(format!("{name}.yaml"));
    own.is_file().then_some(own)
}

fn read(path: &Path) -> Result<Vec<Profile>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::Usage(anyhow::Error::new(error).context(format!("cannot read {}", path.display())))
    })?;
    Ok(Profile::parse(&path.to_string_lossy(), &text)?)
}

fn read_optional(path: &Path) -> Result<Vec<Profile>, Failure> {
    if path.exists() {
        read(path)
    } else {
        Ok(Vec::new())
    }
}

/// The built-in profile that allows nothing, whatever else was allowed.
const OFFLINE: &str = "offline";
