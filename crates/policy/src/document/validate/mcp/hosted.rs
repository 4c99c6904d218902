//! What the description of a server that Ringfence starts must satisfy.

use super::super::super::McpServerTerms;
use super::super::super::outline::Part;
use super::Fault;
use crate::limits::{HOSTED_TEXT_OCTETS, HOSTED_WORDS, MOST_HOSTED_SESSIONS};

/// A server that is elsewhere has nothing of one that is started.
pub(super) fn check_none(terms: &McpServerTerms) -> Result<(), Fault> {
    for (key, is_there) in [
        ("command", terms.command.is_some()),
        ("tools", terms.tools.is_some()),
        ("openapi", terms.openapi.is_some()),
        ("builtin", terms.builtin.is_some()),
        ("profile", terms.profile.is_some()),
        ("workspace", terms.workspace.is_some()),
        ("read", terms.read.is_some()),
        ("environment", terms.environment.is_some()),
        ("sessions", terms.sessions.is_some()),
    ] {
        if is_there {
            let message = format!(
                "`{key}` belongs to a server that Ringfence starts, and this one has a `url`"
            );
            return Err(fault(key, message, "leave one of them out"));
        }
    }
    Ok(())
}

/// Checks a server that is started.
pub(super) fn check(terms: &McpServerTerms) -> Result<(), Fault> {
    let ways = [
        terms.command.is_some(),
        terms.tools.is_some(),
        terms.openapi.is_some(),
        terms.builtin.is_some(),
    ];
    if ways.iter().filter(|it| **it).count() != 1 {
        return Err(Fault::new(
            &[],
            format!(
                "the server `{}` is neither elsewhere nor started in one way",
                terms.name
            ),
            "write one of `url`, `command`, `tools`, `openapi` and `builtin`",
        ));
    }
    if terms.server().destination.host.name().is_none() {
        let message = format!(
            "`{}` is no name of a host, which a server that is started has",
            terms.name
        );
        return Err(fault("name", message, "end it in a letter or a digit"));
    }
    if terms.profile.is_none() {
        return Err(Fault::new(
            &[],
            format!(
                "the server `{}` is started in a sandbox of its own, and no `profile` says what it may reach",
                terms.name
            ),
            "add `profile: NAME`; `profile: offline` allows it nothing",
        ));
    }
    if terms.credential.is_some() {
        let message =
            "a server that Ringfence starts gets no credential from here: it never holds one";
        let help =
            "leave it out, and let `tokens` and `api` rules of its `profile` name the credential";
        return Err(fault("credential", message, help));
    }
    if terms.addresses.is_some() {
        let message = "a server that Ringfence starts is at no address";
        let help = "leave it out; its `profile` says what it may reach";
        return Err(fault("addresses", message, help));
    }
    if terms
        .sessions
        .is_some_and(|it| it == 0 || it > MOST_HOSTED_SESSIONS)
    {
        let message = format!("`sessions` is from 1 to {MOST_HOSTED_SESSIONS}");
        return Err(fault("sessions", message, "leave it out for 4"));
    }
    check_command(terms)?;
    check_texts(terms)?;
    check_variables(terms)
}

fn check_command(terms: &McpServerTerms) -> Result<(), Fault> {
    let Some(command) = &terms.command else {
        return Ok(());
    };
    if command.len() > HOSTED_WORDS {
        let message = format!("a command has at most {HOSTED_WORDS} words");
        return Err(fault("command", message, "put it into a script"));
    }
    if command.first().is_none_or(String::is_empty) {
        let help = "as in `command: [npx, \"@modelcontextprotocol/server-everything\"]`";
        return Err(fault("command", "a command begins with a program", help));
    }
    match command.iter().position(|word| !is_text(word)) {
        None => Ok(()),
        Some(index) => Err(Fault::new(
            &[Part::Key("command"), Part::Item(index)],
            format!("a word of a command has no NUL, and at most {HOSTED_TEXT_OCTETS} octets"),
            "no shell reads it: write each argument by itself",
        )),
    }
}

fn check_texts(terms: &McpServerTerms) -> Result<(), Fault> {
    for (key, text) in [
        ("tools", &terms.tools),
        ("openapi", &terms.openapi),
        ("profile", &terms.profile),
        ("workspace", &terms.workspace),
    ] {
        let is_bad = |text: &String| text.is_empty() || text.starts_with('-') || !is_text(text);
        if text.as_ref().is_some_and(is_bad) {
            let message =
                format!("`{key}` is a name or a path, not empty, without NUL, and not an option");
            return Err(fault(
                key,
                message,
                "write `./` before a path that begins with `-`",
            ));
        }
    }
    let paths = terms.read.iter().flatten();
    let is_path = |path: &String| path.starts_with('/') && is_text(path);
    match paths.clone().position(|path| !is_path(path)) {
        None if paths.count() <= HOSTED_WORDS => Ok(()),
        None => {
            let message = format!("`read` has at most {HOSTED_WORDS} paths");
            Err(fault("read", message, "name a directory that holds them"))
        }
        Some(index) => Err(Fault::new(
            &[Part::Key("read"), Part::Item(index)],
            "a path that a server may read is absolute",
            "as in `/opt/tools`",
        )),
    }
}

fn check_variables(terms: &McpServerTerms) -> Result<(), Fault> {
    let Some(variables) = &terms.environment else {
        return Ok(());
    };
    let is_name = |name: &str| {
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        begins && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let is_fine =
        |(name, value): (&String, &String)| is_name(name) && is_text(name) && is_text(value);
    if variables.len() > HOSTED_WORDS || !variables.iter().all(is_fine) {
        let message = format!(
            "`environment` has at most {HOSTED_WORDS} variables, whose names are letters, digits and `_`, without NUL"
        );
        return Err(fault(
            "environment",
            message,
            "as in `environment: {LOG_LEVEL: debug}`",
        ));
    }
    Ok(())
}

fn is_text(text: &str) -> bool {
    text.len() <= HOSTED_TEXT_OCTETS && !text.contains('\0')
}

fn fault(key: &'static str, message: impl Into<String>, help: &'static str) -> Fault {
    Fault::new(&[Part::Key(key)], message, help)
}

#[cfg(test)]
mod tests;
