//! Where a secret comes from: a file, standard input or a person at a terminal. Never the command
//! line, which other users of the machine can see.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, anyhow};
use ringfence_control::credential::{Kind, Secrets, SecretsError};
use ringfence_control::credentials::Origin;
use ringfence_control::limits::SECRET_OCTETS;
use ringfence_model::Secret;

use super::prompt;
use crate::args::credential::SecretArguments;
use crate::failure::Failure;

/// The secret of a credential, or where it comes from at use.
pub(in crate::verbs) fn origin(kind: Kind, arguments: &SecretArguments) -> Result<Origin, Failure> {
    if let Some(source) = &arguments.from {
        return Ok(Origin::Source(source.clone()));
    }
    let mut secrets = from_files(kind, &arguments.secret_files)?;
    if arguments.file.is_some() || secrets.is_empty() || secrets.check(kind).is_err() {
        let rest = match &arguments.file {
            Some(file) => Secrets::read(kind, &read(Some(file))?).map_err(Failure::usage)?,
            None if io::stdin().is_terminal() => ask(kind, &secrets)?,
            None => Secrets::read(kind, &read(None)?).map_err(Failure::usage)?,
        };
        for (name, secret) in rest.iter() {
            if secrets.get(name).is_some() {
                return Err(Failure::usage(SecretsError::Twice(name.to_owned())));
            }
            secrets.set(name, secret.clone());
        }
    }
    secrets.check(kind).map_err(Failure::usage)?;
    Ok(Origin::Sealed(secrets))
}

/// Everything in a file, or on standard input, as far as a secret can be long.
pub(in crate::verbs) fn read(file: Option<&Path>) -> Result<Secret, Failure> {
    let read = match file {
        Some(path) => File::open(path)
            .and_then(bounded)
            .with_context(|| format!("cannot read {}", path.display())),
        None => bounded(io::stdin().lock()).context("cannot read standard input"),
    };
    read.map_err(Failure::Usage)
}

fn bounded(from: impl Read) -> io::Result<Secret> {
    let limit = SECRET_OCTETS + 1;
    // With room for all of it, so that no copy is left behind by growing.
    let mut octets = Vec::with_capacity(limit + 1);
    from.take(limit as u64).read_to_end(&mut octets)?;
    Ok(Secret::new(octets))
}

fn from_files(kind: Kind, files: &[(String, String)]) -> Result<Secrets, Failure> {
    let mut fields = Vec::new();
    for (field, file) in files {
        let secret = read(Some(file.as_ref()))?;
        let text = secret.expose();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        fields.push((field.clone(), Secret::new(text)));
    }
    Secrets::named(kind, fields).map_err(Failure::usage)
}

/// Asks for each field that is needed and not there yet.
fn ask(kind: Kind, present: &Secrets) -> Result<Secrets, Failure> {
    let mut fields = Vec::new();
    let has_required = kind.secrets().iter().any(|field| field.is_required);
    for (position, field) in kind.secrets().iter().enumerate() {
        // Where the kind takes one or another, the first is the one to be typed.
        let is_wanted = field.is_required || (!has_required && position == 0);
        if !is_wanted || present.get(field.name).is_some() {
            continue;
        }
        if Secrets::has_lines(field.name) {
            return Err(Failure::Usage(anyhow!(
                "{} ({}) has several lines: give it by --secret-file {}=FILE",
                field.name,
                field.about,
                field.name
            )));
        }
        let question = format!("{} ({}): ", field.name, field.about);
        let answer = prompt::hidden(&question).map_err(|error| {
            let error = anyhow::Error::new(error);
            Failure::Usage(error.context("no secret was read from the terminal"))
        })?;
        fields.push((field.name.to_owned(), answer));
    }
    Secrets::named(kind, fields).map_err(Failure::usage)
}
