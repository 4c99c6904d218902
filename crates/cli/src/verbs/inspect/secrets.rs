//! `ringfence inspect secrets`: what looks like a secret, by line and rule.

use std::io::{self, BufRead, Read, Write};

use anyhow::{Context, Result};
use ringfence_inspect::secrets::{Detector, Finding};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CHUNK_OCTETS;
use crate::args::inspect::SecretsArguments;
use crate::failure::Failure;

pub(super) fn search_input(arguments: &SecretsArguments) -> Result<i32, Failure> {
    let (input, output) = (io::stdin().lock(), io::stdout().lock());
    let detector = Detector::new();
    let done = match arguments.jsonl {
        true => search_lines(input, output, &detector),
        false => search_stream(input, output, &detector).map_err(anyhow::Error::new),
    };
    done.map_err(Failure::Usage)?;
    Ok(0)
}

fn search_stream(
    mut input: impl Read,
    mut output: impl Write,
    detector: &Detector,
) -> io::Result<()> {
    let mut search = detector.search();
    let mut chunk = vec![0; CHUNK_OCTETS];
    loop {
        let octets = input.read(&mut chunk)?;
        if octets == 0 {
            break;
        }
        search.feed(chunk.get(..octets).unwrap_or_default());
    }
    for Finding { line, rule } in search.finish() {
        writeln!(output, "{line}: {rule}")?;
    }
    output.flush()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Value,
    text: String,
}

#[derive(Serialize)]
struct Searched {
    id: Value,
    score: u8,
    findings: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    line: u64,
    rule: &'static str,
}

fn search_lines(input: impl BufRead, mut output: impl Write, detector: &Detector) -> Result<()> {
    for (number, line) in input.lines().enumerate() {
        let place = || format!("line {} of the input", number + 1);
        let Line { id, text } = serde_json::from_str(&line?).with_context(place)?;
        let found = detector.find(text.as_bytes()).into_iter();
        let findings: Vec<Place> = found
            .map(|Finding { line, rule }| Place { line, rule })
            .collect();
        let score = u8::from(!findings.is_empty());
        let searched = Searched {
            id,
            score,
            findings,
        };
        serde_json::to_writer(&mut output, &searched)?;
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that gives a name a value which is made here, so that it stands nowhere.
    fn assignment() -> String {
        let parts = ["q7RkX2", "Vb9Zt4", "Mw3Jh8", "Pd5Lx1", "Gc6Ns0"];
        format!("API_KEY={}", parts.concat())
    }

    #[test]
    fn findings_of_a_stream_are_told_by_line_and_rule() {
        let text = format!("# one\n{}\n", assignment());
        let mut out = Vec::new();
        search_stream(text.as_bytes(), &mut out, &Detector::new()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "2: secret-value\n");
    }

    #[test]
    fn each_line_of_json_has_a_score() {
        let text = serde_json::json!({"id": "a", "text": assignment()});
        let input = format!("{text}\n{{\"id\":7,\"text\":\"nothing\"}}\n");
        let mut out = Vec::new();
        search_lines(input.as_bytes(), &mut out, &Detector::new()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"id\":\"a\",\"score\":1,\"findings\":[{\"line\":1,\"rule\":\"secret-value\"}]}\n\
             {\"id\":7,\"score\":0,\"findings\":[]}\n"
        );
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        let input = "{\"id\":1,\"text\":\"a\"}\n{\"id\":1}\n";
        let error = search_lines(input.as_bytes(), Vec::new(), &Detector::new()).unwrap_err();
        assert!(format!("{error:#}").contains("line 2"), "{error:#}");
    }
}
