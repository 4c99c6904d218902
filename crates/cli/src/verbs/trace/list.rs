//! `ringfence trace list`.

use ringfence_model::RunId;
use ringfence_store::Store;
use ringfence_trace::story::{duration, number};
use ringfence_trace::{Builder, Run, Totals};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

/// A run and what it took. Its JSON is a promise.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    run: Run,
    totals: Totals,
}

/// Shows the runs.
pub(super) async fn list(store: &Store, runs: &[RunId], json: bool) -> Result<i32, Failure> {
    let mut lines = Vec::new();
    for run in runs {
        lines.extend(line(store, *run).await?);
    }
    if json {
        output::json(&lines);
        return Ok(0);
    }
    if lines.is_empty() {
        output::say("there is no run yet");
        return Ok(0);
    }
    output::table(&HEADING, lines.iter().map(row).collect());
    Ok(0)
}

async fn line(store: &Store, run: RunId) -> Result<Option<Line>, Failure> {
    let (mut builder, mut totals) = (Builder::default(), Totals::default());
    super::each(store, run, |record| {
        totals.feed(record);
        builder.feed(record);
        builder.take_ready();
    })
    .await?;
    let run = builder.finish().0;
    Ok(run.map(|run| Line { run, totals }))
}

fn row(line: &Line) -> Vec<String> {
    let Line { run, totals } = line;
    let agent = run.agent.as_ref().map_or("?", |agent| agent.as_str());
    let took = run.ended.map(|ended| duration(run.started, ended));
    let exit = run.exit_code.map(|code| code.to_string());
    let cost = if totals.estimated > 0 { "<= " } else { "" };
    let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let command: String = run.command.join(" ").chars().take(COMMAND).collect();
    vec![
        run.run.to_string(),
        agent.to_owned(),
        run.started.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        shown(took),
        shown(exit),
        number(totals.calls),
        number(totals.tokens.total()),
        format!("{cost}${}", totals.cost),
        number(totals.tools),
        number(totals.denied),
        command,
    ]
}

const HEADING: [&str; 11] = [
    "run", "agent", "started", "took", "exit", "calls", "tokens", "cost", "tools", "denied",
    "command",
];
/// Characters of the command that are listed.
const COMMAND: usize = 40;
