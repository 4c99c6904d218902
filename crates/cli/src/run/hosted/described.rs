//! Servers that are started, as the documents describe them, with every path made whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ringfence_model::mcp::ServerName;
use ringfence_policy::{BuiltinTools, McpServerTerms, Started};
use ringfence_protocols::hosted::NotLaunched;
use serde_json::json;

use crate::failure::Failure;
use crate::paths;

/// A server that is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(super) name: ServerName,
    /// The program and its arguments; empty for our own.
    pub(super) command: Vec<String>,
    /// What our own program serves.
    served: Option<Served>,
    /// The profile of its sandbox, as `--profile` takes it.
    pub(super) profile: String,
    pub(super) workspace: PathBuf,
    /// Whether the workspace is one that is made for it.
    pub(super) is_own: bool,
    pub(super) read: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) sessions: u16,
}

/// What our own program serves.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Served {
    kind: &'static str,
    file: Option<PathBuf>,
}

impl Described {
    /// The server of `terms`, which stand in a document of the folder `folder`. None where it is
    /// not started.
    pub(crate) fn of(terms: &McpServerTerms, folder: &Path) -> Result<Option<Self>, Failure> {
        let (Some(started), Some(profile)) = (terms.started(), &terms.profile) else {
            return Ok(None);
        };
        let whole = |path: &str| std::path::absolute(folder.join(path)).map_err(Failure::internal);
        let (mut command, mut served) = (Vec::new(), None);
        let of = |kind, file| Some(Served { kind, file });
        match started {
            Started::Command(words) => command = words,
            Started::Tools(file) => served = of("tools", Some(whole(&file)?)),
            Started::Openapi(file) => served = of("openapi", Some(whole(&file)?)),
            Started::Builtin(BuiltinTools::Cloud) => served = of("cloud", None),
        }
        let is_file =
            profile.contains('/') || profile.ends_with(".yaml") || profile.ends_with(".yml");
        let profile = match is_file {
            true => whole(profile)?.display().to_string(),
            false => profile.clone(),
        };
        let own = || {
            let state = paths::state().map_err(Failure::usage)?;
            Ok::<_, Failure>(state.join("servers").join(terms.name.as_str()))
        };
        let workspace = match &terms.workspace {
            Some(path) => whole(path)?,
            None => own()?,
        };
        Ok(Some(Self {
            name: terms.name.clone(),
            command,
            served,
            profile,
            is_own: terms.workspace.is_none(),
            workspace,
            read: terms.read.clone().unwrap_or_default(),
            environment: terms.environment.clone().unwrap_or_default(),
            sessions: terms.most_sessions(),
        }))
    }

    /// Its name.
    pub(crate) const fn name(&self) -> &ServerName {
        &self.name
    }

    /// Whether both have one name.
    pub(crate) fn is_called_as(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// The files that decide about the server: the agent must not be able to write them.
    pub(crate) fn steering(&self) -> Vec<PathBuf> {
        let served = self.served.iter().filter_map(|it| it.file.clone());
        let profile = crate::profiles::file_of(&self.profile);
        served.chain(profile).collect()
    }

    /// What our own program reads first, with what it serves in it.
    pub(super) fn first_line(&self) -> Result<Option<Vec<u8>>, NotLaunched> {
        let Some(served) = &self.served else {
            return Ok(None);
        };
        let text = match &served.file {
            None => String::new(),
            Some(path) => read(path).map_err(|error| {
                NotLaunched(format!("{} cannot be read: {error}", path.display()))
            })?,
        };
        let mut line = json!({"kind": served.kind, "text": text}).to_string();
        line.push('\n');
        Ok(Some(line.into_bytes()))
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    file.take(SERVED_OCTETS + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SERVED_OCTETS {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

/// Longest file that describes tools, in octets.
const SERVED_OCTETS: u64 = 8 << 20;
