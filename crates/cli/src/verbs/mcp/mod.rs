//! `ringfence mcp`: servers of the Model Context Protocol, and what a person knows of them.

mod check;
mod login;
mod pins;
mod serve;
mod server;

use crate::args::mcp::{McpArguments, McpVerb, ServerVerb};
use crate::config::Settings;
use crate::failure::Failure;

/// Runs the verb. Returns the exit code.
pub(crate) fn mcp(arguments: &McpArguments, settings: &Settings) -> Result<i32, Failure> {
    match &arguments.verb {
        McpVerb::Server(server) => match &server.verb {
            ServerVerb::Add(arguments) => server::add(arguments),
            ServerVerb::List { profiles, json } => server::list(profiles, *json, settings),
            ServerVerb::Remove { name, profile } => server::remove(name, profile.as_deref()),
        },
        McpVerb::Login(arguments) => login::login(arguments, settings),
        McpVerb::Logout { chosen } => login::logout(chosen, settings),
        McpVerb::Tools { chosen, json } => pins::tools(chosen, *json),
        McpVerb::Diff { chosen, json } => pins::diff(chosen, *json),
        McpVerb::Approve {
            chosen,
            names,
            seen,
        } => pins::approve(chosen, (names, seen.as_deref())),
        McpVerb::Forget { chosen } => pins::forget(chosen),
        McpVerb::Check { file, json } => check::check(file, *json),
        McpVerb::Serve => serve::serve(),
    }
}
