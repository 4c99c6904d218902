//! `ringfence profile`: the profiles that can be named, and presets to make them from.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use ringfence_policy::{Preset, Profile};
use serde::Serialize;

use crate::args::profile::{ProfileArguments, ProfileVerb};
use crate::failure::Failure;
use crate::{output, paths, profiles};

pub(crate) fn profile(arguments: ProfileArguments) -> Result<i32, Failure> {
    match arguments.verb {
        ProfileVerb::List { json } => list(json),
        ProfileVerb::Show { name } => show(&name),
        ProfileVerb::New {
            preset,
            settings,
            output,
            force,
        } => fill(&preset, settings, output, force),
    }
}

#[derive(Serialize)]
struct Listed {
    name: String,
    kind: &'static str,
    about: String,
}

fn list(json: bool) -> Result<i32, Failure> {
    let own = own_profiles()?.into_iter().map(|(name, about)| Listed {
        name,
        kind: "own",
        about,
    });
    let builtin = Profile::builtin_names().iter().map(|name| Listed {
        name: (*name).to_owned(),
        kind: "built-in",
        about: Profile::builtin(name)
            .and_then(|profile| profile.description)
            .unwrap_or_default(),
    });
    let presets = Preset::all().into_iter().map(|preset| Listed {
        name: preset.name.to_owned(),
        kind: "preset",
        about: preset.about.to_owned(),
    });
    let all: Vec<Listed> = own.chain(builtin).chain(presets).collect();
    if json {
        all.iter().for_each(output::json);
        return Ok(0);
    }
    let row = |it: Listed| vec![it.name, it.kind.to_owned(), it.about];
    output::table(
        &["NAME", "KIND", "WHAT FOR"],
        all.into_iter().map(row).collect(),
    );
    Ok(0)
}

/// The person's own profiles with what they say of themselves, or what is wrong with them.
fn own_profiles() -> Result<Vec<(String, String)>, Failure> {
    let directory = paths::config().map_err(Failure::usage)?.join("profiles");
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.file_stem().map(|name| name.to_string_lossy());
        let Some(name) = name.filter(|_| path.extension().is_some_and(|it| it == "yaml")) else {
            continue;
        };
        let about = match profiles::find(&path.to_string_lossy()) {
            Ok(profiles) => profiles
                .into_iter()
                .find_map(|profile| profile.description)
                .unwrap_or_default(),
            Err(failure) => format!("not usable: {failure}"),
        };
        found.push((name.into_owned(), about));
    }
    found.sort_unstable();
    Ok(found)
}

fn show(name: &str) -> Result<i32, Failure> {
    let own = paths::config().map_err(Failure::usage)?;
    let own = own.join("profiles").join(format!("{name}.yaml"));
    for path in [Path::new(name), own.as_path()] {
        if path.is_file() {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))
                .map_err(Failure::Unavailable)?;
            output::line(text.trim_end());
            return Ok(0);
        }
    }
    if let Some(source) = Profile::builtin_source(name) {
        output::line(source.trim_end());
        return Ok(0);
    }
    let preset = preset(name)?;
    output::line(preset.about);
    let rows = preset.settings.iter().map(|setting| {
        let default = setting.default.unwrap_or("(needed)");
        let same = default.trim_matches(['{', '}']);
        let default = if same == default {
            default.to_owned()
        } else {
            format!("the same as `{same}`")
        };
        vec![setting.name.to_owned(), default, setting.about.to_owned()]
    });
    output::table(&["SETTING", "DEFAULT", "MEANING"], rows.collect());
    Ok(0)
}

fn preset(name: &str) -> Result<Preset, Failure> {
    Preset::named(name).ok_or_else(|| {
        let known: Vec<_> = Preset::all().iter().map(|preset| preset.name).collect();
        let known = known.join(", ");
        Failure::Usage(anyhow!("there is no preset `{name}`; there are {known}"))
    })
}

fn fill(
    name: &str,
    settings: Vec<(String, String)>,
    wanted: Option<PathBuf>,
    force: bool,
) -> Result<i32, Failure> {
    let mut given = BTreeMap::new();
    for (name, value) in settings {
        if given.insert(name.clone(), value).is_some() {
            return Err(Failure::Usage(anyhow!(
                "the setting `{name}` is given twice"
            )));
        }
    }
    let text = preset(name)?.fill(&given).map_err(Failure::usage)?;
    // A preset gives a valid profile whatever the settings are; this says so if it ever does not.
    Profile::parse(name, &text)?;
    if wanted.as_deref() == Some(Path::new("-")) {
        output::line(text.trim_end());
        return Ok(0);
    }
    let path = match wanted {
        Some(path) => path,
        None => paths::config()
            .map_err(Failure::usage)?
            .join("profiles")
            .join(format!("{name}.yaml")),
    };
    write(&path, &text, force)?;
    output::say(&format!("wrote {}", path.display()));
    output::say(&format!("use it: ringfence run --profile {name} -- CMD"));
    Ok(0)
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))
            .map_err(Failure::Unavailable)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).truncate(true);
    let opened = if force {
        options.create(true).open(path)
    } else {
        options.create_new(true).open(path)
    };
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {} (--force replaces a file)", path.display()))
        .map_err(Failure::Unavailable)
}
