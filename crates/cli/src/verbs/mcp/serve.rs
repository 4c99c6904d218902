//! `ringfence mcp serve`: tools that a person describes, as a server on standard input and output.
//! It runs inside of a sandbox of its own, and has nothing that the sandbox does not give it.

use std::collections::BTreeMap;
use std::fs::File;

use anyhow::anyhow;
use ringfence_tools::ServeError;

use crate::failure::Failure;

/// Serves until the client goes. Returns the exit code.
pub(super) fn serve() -> Result<i32, Failure> {
    let variables = std::env::vars_os();
    let variables = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment: BTreeMap<String, String> = variables.collect();
    if environment.get("RINGFENCE").is_none_or(|it| it != "1") {
        return Err(Failure::Usage(anyhow!(
            "this runs programs and sends requests, so it runs inside of a sandbox alone: describe the server under `mcpServers` of a profile, or write `ringfence run --profile NAME -- ringfence mcp serve`"
        )));
    }
    let input = rustix::io::dup(std::io::stdin()).map_err(Failure::internal)?;
    let output = rustix::io::dup(std::io::stdout()).map_err(Failure::internal)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let ended = runtime.block_on(ringfence_tools::serve(
        tokio::fs::File::from_std(File::from(input)),
        tokio::fs::File::from_std(File::from(output)),
        environment,
    ));
    // A read of standard input may still be under way, and would be waited for.
    runtime.shutdown_background();
    match ended {
        Ok(()) => Ok(0),
        Err(error @ ServeError::Protocol(_)) => Err(Failure::internal(error)),
        Err(error) => Err(Failure::usage(error)),
    }
}
