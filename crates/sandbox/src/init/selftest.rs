//! The self-test before every start: a process that is confined exactly as the agent will be
//! tries the ways out that would hurt most. If one works, the agent is not started.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::pipe::{PipeFlags, pipe_with};

use super::{Built, Job, confine};
use crate::attempt::{self, Outcome, Scene};
use crate::sys::{self, Forked};

/// Runs the self-test. Returns what got out, in words; nothing is what is hoped for.
pub(crate) fn run(job: &Job, built: &Built) -> io::Result<Vec<String>> {
    if job.spec.weakening.is_off("self-test") {
        return Ok(Vec::new());
    }
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    match sys::fork()? {
        Forked::Child => {
            drop(reader);
            let found = attempt_all(job, built);
            let written = serde_json::to_vec(&found)
                .map_err(io::Error::from)
                .and_then(|bytes| File::from(writer).write_all(&bytes));
            sys::exit_now(i32::from(written.is_err()))
        }
        Forked::Parent { .. } => {
            drop(writer);
            let mut bytes = Vec::new();
            File::from(reader).read_to_end(&mut bytes)?;
            // No readable answer is no proof that the sandbox holds.
            Ok(serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| vec!["the self-test itself broke off".to_owned()]))
        }
    }
}

fn attempt_all(job: &Job, built: &Built) -> Vec<String> {
    if let Err(error) = confine::agent(&job.spec, &[], &built.filters) {
        return vec![format!("the self-test could not be confined: {error}")];
    }
    let scene = Scene::startup(&job.spec);
    attempt::all()
        .iter()
        .filter(|attempt| attempt.at_startup)
        .filter_map(|attempt| match (attempt.run)(&scene) {
            Outcome::Stopped(_) => None,
            Outcome::Escaped(evidence) => Some(format!("{}: {evidence}", attempt.name)),
        })
        .collect()
}
