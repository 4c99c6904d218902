//! What a person accepted of a server, what waits, and how the two differ.

use anyhow::anyhow;
use jiff::Timestamp;
use ringfence_mcp::definition::{Difference, differences};
use ringfence_mcp::suspicion::suspicions;
use ringfence_model::mcp::McpServer;
use ringfence_store::{Pinned, PinnedServer, Pins};
use serde::Serialize;

use super::server;
use crate::args::mcp::ChosenArguments;
use crate::failure::Failure;
use crate::{output, paths};

/// One definition. Its JSON is a promise.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    kind: &'a str,
    name: &'a str,
    /// `accepted`, `new`, `changed` or `gone`.
    state: &'static str,
    since: Timestamp,
    /// What is odd in it: codes.
    suspicions: Vec<&'static str>,
}

/// What waits of one definition.
#[derive(Debug, Serialize)]
struct Waiting<'a> {
    kind: &'a str,
    name: &'a str,
    state: &'static str,
    differences: Vec<ShownDifference>,
    suspicions: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ShownDifference {
    /// JSON pointer.
    at: String,
    before: Option<String>,
    now: Option<String>,
}

impl From<Difference> for ShownDifference {
    fn from(difference: Difference) -> Self {
        Self {
            at: difference.at,
            before: difference.before,
            now: difference.now,
        }
    }
}

const fn state(pinned: &Pinned) -> &'static str {
    match (&pinned.accepted, &pinned.waiting) {
        (_, None) if pinned.is_gone => "gone",
        (Some(_), Some(_)) => "changed",
        (None, Some(_)) => "new",
        (_, None) => "accepted",
    }
}

fn chosen(arguments: &ChosenArguments) -> Result<(Pins, McpServer), Failure> {
    let name = &arguments.server;
    let mut servers = server::described(&arguments.profiles)?.into_iter();
    let found = servers.find(|(server, _)| server.name == *name);
    let (server, _) = found.ok_or_else(|| {
        Failure::Usage(anyhow!(
            "no profile describes a server `{name}`: name the profile with --profile"
        ))
    })?;
    let data = paths::data().map_err(Failure::usage)?;
    Ok((Pins::new(&data), server))
}

fn known(pins: &Pins, server: &McpServer) -> Result<Option<PinnedServer>, Failure> {
    pins.of(server).map_err(Failure::internal)
}

/// All definitions of a server. Returns the exit code.
pub(super) fn tools(arguments: &ChosenArguments, json: bool) -> Result<i32, Failure> {
    let (pins, server) = chosen(arguments)?;
    let known = known(&pins, &server)?;
    let all = known.iter().flat_map(|it| &it.kinds);
    let shown = all.flat_map(|(kind, known)| {
        known.iter().map(move |(name, pinned)| {
            let text = pinned.waiting.as_ref().or(pinned.accepted.as_ref());
            let odd = text.map(|text| suspicions(text)).unwrap_or_default();
            Shown {
                kind,
                name,
                state: state(pinned),
                since: pinned.at,
                suspicions: odd.iter().map(|it| it.code).collect(),
            }
        })
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    if json {
        output::json(&shown);
        return Ok(0);
    }
    if shown.is_empty() {
        output::say("nothing is known of this server yet: a run that uses it looks at it");
        return Ok(0);
    }
    let row = |it: &Shown<'_>| {
        vec![
            it.kind.to_owned(),
            output::name(it.name),
            it.state.to_owned(),
            it.since.strftime("%Y-%m-%d %H:%M").to_string(),
            it.suspicions.join(", "),
        ]
    };
    let heading = ["kind", "name", "state", "since (UTC)", "odd"];
    output::table(&heading, shown.iter().map(row).collect());
    Ok(0)
}

/// What waits, and how it differs from what was accepted. Returns the exit code.
pub(super) fn diff(arguments: &ChosenArguments, json: bool) -> Result<i32, Failure> {
    let (pins, server) = chosen(arguments)?;
    let known = known(&pins, &server)?;
    let mut waiting = Vec::new();
    for (kind, of_kind) in known.iter().flat_map(|it| &it.kinds) {
        for (name, pinned) in of_kind {
            let Some(now) = &pinned.waiting else { continue };
            let before = pinned.accepted.as_deref().unwrap_or("null");
            waiting.push(Waiting {
                kind,
                name,
                state: state(pinned),
                differences: differences(before, now)
                    .into_iter()
                    .map(Into::into)
                    .collect(),
                suspicions: suspicions(now).into_iter().map(|it| it.detail).collect(),
            });
        }
    }
    if json {
        output::json(&waiting);
    } else {
        waiting.iter().for_each(tell);
        if waiting.is_empty() {
            output::say("nothing of this server waits for a person");
        } else {
            let name = &server.name;
            let mark = known.as_ref().map(PinnedServer::mark).unwrap_or_default();
            output::line(&format!(
                "to accept all of it: ringfence mcp approve {name} --seen {mark}"
            ));
        }
    }
    Ok(if waiting.is_empty() { 0 } else { WAITS })
}

/// The exit code for something that is held.
const WAITS: i32 = 77;

fn tell(waiting: &Waiting<'_>) {
    let (kind, state) = (waiting.kind, waiting.state);
    output::line(&format!("{kind} {} is {state}", output::name(waiting.name)));
    for difference in &waiting.differences {
        let at = match difference.at.as_str() {
            "" => "all of it",
            at => at,
        };
        output::line(&format!("  {}", output::name(at)));
        for (sign, text) in [("-", &difference.before), ("+", &difference.now)] {
            if let Some(text) = text.as_ref().filter(|text| *text != "null") {
                output::line(&format!("    {sign} {}", output::name(text)));
            }
        }
    }
    for suspicion in &waiting.suspicions {
        output::line(&format!("  odd: {}", output::name(suspicion)));
    }
}

/// Accepts what waits. Returns the exit code.
pub(super) fn approve(
    arguments: &ChosenArguments,
    chosen_by: (&[String], Option<&str>),
) -> Result<i32, Failure> {
    let (pins, server) = chosen(arguments)?;
    let accepted = pins
        .accept(&server, chosen_by, Timestamp::now())
        .map_err(Failure::internal)?;
    let Some(accepted) = accepted else {
        let name = &server.name;
        output::say(&format!(
            "nothing was accepted: {name} has said something else since; look at it with `ringfence mcp diff {name}`"
        ));
        return Ok(WAITS);
    };
    if accepted.is_empty() {
        output::say("nothing of this waits for a person");
        return Ok(0);
    }
    for (kind, name) in accepted {
        output::line(&format!("accepted: {kind} {}", output::name(&name)));
    }
    Ok(0)
}

/// Forgets what was accepted. Returns the exit code.
pub(super) fn forget(arguments: &ChosenArguments) -> Result<i32, Failure> {
    let (pins, server) = chosen(arguments)?;
    let was_known = pins.forget(&server).map_err(Failure::internal)?;
    let name = &server.name;
    output::say(&match was_known {
        true => format!("forgotten: what {name} says next is what is seen first"),
        false => format!("nothing was known of {name}"),
    });
    Ok(0)
}
