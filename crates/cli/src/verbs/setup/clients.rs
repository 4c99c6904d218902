//! `ringfence setup mcp`: the settings by which a client finds MCP servers, to be put where it reads
//! them. Nothing is written: the files are the person's.

use jiff::Timestamp;
use ringfence_model::Generation;

use crate::args::setup::SetupMcpArguments;
use crate::failure::Failure;
use crate::output;
use crate::profiles::Sources;
use crate::run::agents::{config, is_told, place};

/// Prints them. Returns the exit code.
pub(super) fn show(asked: &SetupMcpArguments) -> Result<i32, Failure> {
    let sources = Sources::new(&asked.profiles, &[], &asked.of)?;
    let policy = sources.load(Generation(1))?;
    let servers = policy.mcp_open(Timestamp::now());
    if servers.is_empty() {
        output::say(
            "no rule allows anything of an MCP server: ringfence mcp server add --help, then a rule in `mcp`",
        );
        return Ok(0);
    }
    let settings = config(asked.client, &servers);
    settings.lines().for_each(output::line);
    let place = place(asked.client);
    output::say(&match is_told(asked.client) {
        true => format!("`ringfence run` gives these settings to the agent; elsewhere: {place}"),
        false => format!("where it is read: {place}"),
    });
    Ok(0)
}
