//! `ringfence inspect`: the gateway's inspectors on what comes by standard input.

mod secrets;

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use ringfence_inspect::{ScrubSet, Scrubber};
use ringfence_model::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::inspect::{InspectArguments, InspectVerb, ScrubArguments};
use crate::failure::Failure;

pub(crate) fn inspect(arguments: &InspectArguments) -> Result<i32, Failure> {
    match &arguments.verb {
        InspectVerb::Scrub(scrub) => scrub_input(scrub),
        InspectVerb::Secrets(arguments) => secrets::search_input(arguments),
    }
}

fn scrub_input(arguments: &ScrubArguments) -> Result<i32, Failure> {
    let values = arguments.values.iter().map(|path| read_value(path));
    let values = values.collect::<Result<Vec<_>>>().map_err(Failure::Usage)?;
    let (input, output) = (io::stdin().lock(), io::stdout().lock());
    let done = if arguments.jsonl {
        scrub_lines(input, output, &values)
    } else {
        let set = ScrubSet::new(&values).map_err(Failure::usage)?;
        scrub_stream(input, output, set).map_err(anyhow::Error::new)
    };
    done.map_err(Failure::Usage)?;
    Ok(0)
}

fn read_value(path: &Path) -> Result<Secret> {
    let mut value =
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if value.ends_with(b"\n") {
        value.pop();
    }
    if value.ends_with(b"\r") {
        value.pop();
    }
    Ok(Secret::new(value))
}

fn scrub_stream(mut input: impl Read, mut output: impl Write, set: ScrubSet) -> io::Result<()> {
    let mut scrubber = Scrubber::new(set);
    let mut chunk = vec![0; CHUNK_OCTETS];
    let mut clean = Vec::new();
    loop {
        let octets = input.read(&mut chunk)?;
        if octets == 0 {
            break;
        }
        scrubber.feed(chunk.get(..octets).unwrap_or_default(), &mut clean);
        output.write_all(&clean)?;
        clean.clear();
    }
    scrubber.finish(&mut clean);
    output.write_all(&clean)?;
    output.flush()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Value,
    text: String,
    #[serde(default)]
    known: Vec<String>,
}

#[derive(Serialize)]
struct Scrubbed {
    id: Value,
    text: String,
}

/// Each line has values of its own, beside those that are for all.
fn scrub_lines(input: impl BufRead, mut output: impl Write, values: &[Secret]) -> Result<()> {
    for (number, line) in input.lines().enumerate() {
        let line = line?;
        let place = || format!("line {} of the input", number + 1);
        let Line { id, text, known } = serde_json::from_str(&line).with_context(place)?;
        let known = known.into_iter().map(Secret::new);
        let all: Vec<Secret> = known.chain(values.iter().cloned()).collect();
        let set = ScrubSet::new(&all).with_context(place)?;
        let text = match set.scrub(text.as_bytes()) {
            Some(clean) => String::from_utf8_lossy(&clean).into_owned(),
            None => text,
        };
        serde_json::to_writer(&mut output, &Scrubbed { id, text })?;
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(())
}

const CHUNK_OCTETS: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_scrubbed_whatever_its_pieces_are() {
        let set = ScrubSet::new(&[Secret::new("s3cret-value-1")]).unwrap();
        let text = [vec![b'x'; CHUNK_OCTETS - 5], b"s3cret-value-1 end".to_vec()].concat();
        let mut clean = Vec::new();
        scrub_stream(text.as_slice(), &mut clean, set).unwrap();
        let clean = String::from_utf8(clean).unwrap();
        assert!(!clean.contains("s3cret") && clean.ends_with(" end"));
    }

    #[test]
    fn a_line_has_values_of_its_own() {
        let input = "{\"id\":7,\"text\":\"a c2VjcmV0LXZhbHVl b\",\"known\":[\"secret-value\"]}\n";
        let mut out = Vec::new();
        scrub_lines(input.as_bytes(), &mut out, &[]).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("{\"id\":7,\"text\":\"a ") && !out.contains("c2VjcmV0"));
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        let input = "{\"id\":1,\"text\":\"a\"}\n{\"id\":1}\n";
        let error = scrub_lines(input.as_bytes(), Vec::new(), &[]).unwrap_err();
        assert!(format!("{error:#}").contains("line 2"), "{error:#}");
    }
}
