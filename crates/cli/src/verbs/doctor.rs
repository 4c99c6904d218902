//! `ringfence doctor`: what this host supports.

use ringfence_sandbox::linux::doctor::{self, Check};

use crate::args::JsonArguments;
use crate::failure::Failure;
use crate::output;

/// Runs the verb. Returns 0 if sandboxes can run here, else 69.
pub(crate) fn doctor(arguments: &JsonArguments) -> Result<i32, Failure> {
    let checks = doctor::examine();
    if arguments.json {
        output::json(&checks);
    } else {
        checks.iter().for_each(show);
    }
    let lost = checks.iter().any(|check| check.required && !check.works);
    if lost {
        return Err(Failure::Unavailable(anyhow::anyhow!(
            "this host lacks what is marked with `no`"
        )));
    }
    if !arguments.json {
        output::line("sandboxes can run here");
    }
    Ok(0)
}

fn show(check: &Check) {
    let mark = match (check.works, check.required) {
        (true, _) => "yes",
        (false, true) => "no ",
        (false, false) => "-  ",
    };
    output::line(&format!("{mark} {}: {}", check.name, check.detail));
    if check.works {
        return;
    }
    output::line(&format!("      costs: {}", check.cost));
    output::line(&format!("      remedy: {}", check.remedy));
    if let Some(layer) = check.layer.filter(|layer| layer.can_be_given_up()) {
        output::line(&format!(
            "      or run without it: --without {}",
            layer.as_str()
        ));
    }
}
