//! Octets that one core scrubs in a second: `scrub-bench TEXT VALUES` prints one line of JSON.
//!
//! The text goes through in the pieces that a connection gives. With no values it is only copied,
//! which is what the others are to be compared with.

mod text;

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ringfence_inspect::{ScrubSet, Scrubber};
use ringfence_model::Secret;
use serde_json::json;

const PIECE_OCTETS: usize = 16 * 1024;
const TEXT_OCTETS: usize = 8 << 20;
const MEASURE: Duration = Duration::from_millis(1000);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage =
        "usage: scrub-bench random|json|base64|percent|near|breaks|folded|nested|wide VALUES";
    let kind = arguments.next().context(usage)?;
    let count: usize = arguments.next().context(usage)?.parse()?;
    let values: Vec<String> = (0..count).map(text::value).collect();
    let text = text::text(&kind, TEXT_OCTETS, &text::value(0)).context(usage)?;

    let secrets: Vec<Secret> = values
        .iter()
        .map(|value| Secret::new(value.as_str()))
        .collect();
    let compiling = Instant::now();
    let set = ScrubSet::new(&secrets)?;
    let compile_us = compiling.elapsed().as_secs_f64() * 1e6;
    check(&set, &text, &values)?;

    let mut rates: Vec<f64> = Vec::new();
    let start = Instant::now();
    while start.elapsed() < MEASURE {
        let round = Instant::now();
        pass(&set, &text);
        rates.push(text.len() as f64 / round.elapsed().as_secs_f64() / 1e9);
    }
    rates.sort_by(f64::total_cmp);
    let result = json!({
        "n": rates.len(),
        "gb_per_s": rates.get(rates.len() / 2),
        "compile_us": compile_us,
    });
    println!("{result}");
    Ok(())
}

/// Scrubs all of a text, as a relay does: piece by piece into a buffer that is written and emptied.
fn pass(set: &ScrubSet, text: &[u8]) -> u64 {
    let mut scrubber = Scrubber::new(set.clone());
    let mut out = Vec::with_capacity(2 * PIECE_OCTETS);
    for piece in text.chunks(PIECE_OCTETS) {
        out.clear();
        scrubber.feed(black_box(piece), &mut out);
        black_box(&out);
    }
    out.clear();
    scrubber.finish(&mut out);
    black_box(&out);
    scrubber.found()
}

/// A fast wrong answer is worth nothing: the text is clean, and with the values in it, it is not.
fn check(set: &ScrubSet, text: &[u8], values: &[String]) -> Result<()> {
    ensure!(pass(set, text) == 0, "the text is not clean");
    for value in values {
        let mut with = text.get(..PIECE_OCTETS).unwrap_or(text).to_vec();
        with.push(b' ');
        with.extend_from_slice(value.as_bytes());
        ensure!(pass(set, &with) == 1, "a value was not found");
    }
    Ok(())
}
