//! What a call of the program left behind.

use std::fmt;

use serde_json::Value;

/// The end of one call of the program.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, 128 and the signal where one ended it.
    pub code: i32,
    /// Standard output, lossily as text.
    pub stdout: String,
    /// Standard error, lossily as text.
    pub stderr: String,
    /// The events that the run recorded, as `ringfence events --json` prints them; only after [`crate::Run`].
    pub events: Vec<Value>,
}

/// Something that the gateway refused, before or after the decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// `HOST:PORT`.
    pub destination: String,
    /// The stable reason code.
    pub code: String,
}

impl Ended {
    /// What was refused in this run, in order: denied by the decision, or closed as refused after it.
    pub fn refusals(&self) -> Vec<Refused> {
        self.events.iter().filter_map(refused).collect()
    }

    /// The reason codes of [`Ended::refusals`].
    pub fn codes(&self) -> Vec<String> {
        let refusals = self.refusals().into_iter();
        refusals.map(|refused| refused.code).collect()
    }

    /// Whether this destination was refused for this reason.
    pub fn was_refused(&self, destination: &str, code: &str) -> bool {
        self.refusals()
            .iter()
            .any(|refused| refused.destination == destination && refused.code == code)
    }

    /// The destinations that the decision allowed, in order.
    pub fn allowed(&self) -> Vec<String> {
        let allowed = |event: &&Value| event["decision"]["effect"] == "allow";
        self.events
            .iter()
            .filter(allowed)
            .map(destination)
            .collect()
    }

    /// The events without their ids and times, for the message of a failed assertion.
    fn describe_events(&self) -> String {
        let lines = self.events.iter().map(|event| {
            let decision = &event["decision"];
            let closing = event.get("closing").unwrap_or(&Value::Null);
            format!("{} {decision} {closing}\n", event["action"])
        });
        lines.collect()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "exit code {}\n--- stdout\n{}\n--- stderr\n{}\n--- events\n{}",
            self.code,
            self.stdout,
            self.stderr,
            self.describe_events()
        )
    }
}

fn refused(event: &Value) -> Option<Refused> {
    let decision = &event["decision"];
    let code = if decision["effect"] == "deny" {
        &decision["code"]
    } else {
        let outcome = &event["closing"]["outcome"];
        (outcome["outcome"] == "refused").then(|| &outcome["code"])?
    };
    Some(Refused {
        destination: destination(event),
        code: code.as_str()?.to_owned(),
    })
}

fn destination(event: &Value) -> String {
    let destination = &event["action"]["destination"];
    let host = destination["host"].as_str().unwrap_or("?");
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    format!("{host}:{}", destination["port"])
}
