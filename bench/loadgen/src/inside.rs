//! The load generator inside of a sandbox: it measures what it is told by standard input, line by line. Whoever told it, outside, looks at
//! the gateway meanwhile, which cannot be seen from inside.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::observer::{Moment, Seen};

/// Between the words of a command.
const TAB: char = '\t';

/// Measures what each line says: a number, and the words of a command.
pub fn serve(perform: impl Fn(Vec<String>) -> Result<Value>) -> Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(TAB).map(str::to_owned);
        let number = words.next().unwrap_or_default();
        let mut command = vec!["loadgen".to_owned()];
        command.extend(words);
        command.extend(["--mark".to_owned(), number.clone()]);
        match perform(command) {
            Ok(result) => println!("{number} {result}"),
            Err(error) => println!("{number} error {error:#}"),
        }
    }
    Ok(())
}

#[derive(Args)]
pub struct Options {
    /// The pipe to the one inside.
    #[arg(long)]
    to: PathBuf,
    /// The pipe from it.
    #[arg(long)]
    from: PathBuf,
    /// The gateway's process. What it started is not looked at: the load generator is among it.
    #[arg(long)]
    pid: u32,
    /// What to measure.
    #[arg(last = true)]
    command: Vec<String>,
}

/// Has the one inside measure something, and looks at the gateway when told.
pub fn ask(options: &Options) -> Result<Value> {
    let number = std::process::id().to_string();
    // Opened for both, it is there before the other side is, and has no end.
    let open = |path| OpenOptions::new().read(true).write(true).open(path);
    let mut to: File = open(&options.to).context("pipe to the sandbox")?;
    let from = open(&options.from).context("pipe from the sandbox")?;
    let separator = TAB.to_string();
    let line = [std::slice::from_ref(&number), options.command.as_slice()].concat();
    writeln!(to, "{}", line.join(&separator))?;
    let mut begin = None;
    let mut end = None;
    for line in BufReader::new(from).lines() {
        let line = line?;
        // What an earlier command still says, that nobody waited for, has another number.
        let Some(told) = line
            .strip_prefix(&number)
            .and_then(|it| it.strip_prefix(' '))
        else {
            continue;
        };
        if let Some(moment) = Moment::ALL.into_iter().find(|it| it.name() == told) {
            let seen = Some(Seen::of_one(options.pid));
            match moment {
                Moment::Begin => begin = seen,
                Moment::End => end = seen,
            }
            continue;
        }
        if let Some(why) = told.strip_prefix("error ") {
            bail!("in the sandbox: {why}");
        }
        let mut result: Value = serde_json::from_str(told)?;
        if let (Some(begin), Some(end)) = (&begin, &end) {
            begin.report(end, &mut result);
        }
        return Ok(result);
    }
    bail!("the load generator in the sandbox has ended")
}
