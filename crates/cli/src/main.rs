//! The one binary: reads the command line, wires the crates together and prints. What is worth
//! testing by itself lives in the crates below.

#![forbid(unsafe_code)]

mod args;
mod config;
mod failure;
mod link;
mod output;
mod paths;
mod profiles;
mod run;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    // Before anything else: the init process of a sandbox must start fast and know nothing.
    if std::env::args_os().nth(1).as_deref() == Some(ringfence_sandbox::init::SUBCOMMAND.as_ref()) {
        return exit_code(ringfence_sandbox::init::main());
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors and go to standard output.
            let code = if error.use_stderr() {
                failure::USAGE
            } else {
                0
            };
            let _ = error.print();
            return exit_code(code);
        }
    };
    match dispatch(arguments) {
        Ok(code) => exit_code(code),
        Err(failure) => {
            failure.print();
            exit_code(failure.code())
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<i32, Failure> {
    let config = arguments.config;
    match arguments.verb {
        Verb::Run(run) => run::run(*run, config.as_deref()),
        Verb::Prove(prove) => verbs::prove::prove(&prove),
        Verb::Doctor(doctor) => verbs::doctor::doctor(&doctor),
        Verb::Gateway(gateway) => verbs::gateway::gateway(gateway, config.as_deref()),
        Verb::Events(events) => verbs::events::events(events),
        Verb::Trace(trace) => {
            let settings = config::settings(config.as_deref())?;
            verbs::trace::trace(trace, &settings)
        }
        Verb::Denied(denied) => verbs::denied::denied(&denied),
        Verb::Proposals(proposals) => verbs::proposals::proposals(&proposals),
        Verb::Allow(allow) => verbs::allow::allow(&allow),
        Verb::Policy(policy) => verbs::policy::policy(policy),
        Verb::Profile(profile) => verbs::profile::profile(profile),
        Verb::Credential(credential) => {
            let settings = config::settings(config.as_deref())?;
            verbs::credential::credential(credential, &settings)
        }
        Verb::Setup(setup) => {
            let settings = config::settings(config.as_deref())?;
            verbs::setup::setup(&setup, &settings)
        }
        Verb::Token(token) => {
            let settings = config::settings(config.as_deref())?;
            verbs::token::token(&token, &settings)
        }
        Verb::Approvals(approvals) => verbs::approve::list(&approvals),
        Verb::Approve(approve) => verbs::approve::approve(&approve),
        Verb::Reject(reject) => verbs::approve::reject(&reject),
        Verb::Git(git) => verbs::git::git(&git),
        Verb::Llm(llm) => verbs::llm::llm(llm),
        Verb::Mcp(mcp) => {
            let settings = config::settings(config.as_deref())?;
            verbs::mcp::mcp(&mcp, &settings)
        }
        Verb::Budget(budget) => verbs::budget::budget(&budget),
        Verb::Overlay(overlay) => verbs::overlay::overlay(&overlay),
        Verb::Inspect(inspect) => verbs::inspect::inspect(&inspect),
        Verb::SandboxAttempts => verbs::prove::attempt_all(),
    }
}

fn exit_code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
