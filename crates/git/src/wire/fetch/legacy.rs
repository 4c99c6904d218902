//! Requests of protocol 0 and 1, as they are sent over HTTP: each of them whole.

use super::modern::{read_boundary, write_boundary};
use super::{Acks, Fetch, Form, SideBand};
use crate::limits::FETCH_OIDS;
use crate::wire::pkt::{self, Digits, Pkt};
use crate::wire::{WireError, words};
use ringfence_model::git::ObjectFormat;

/// Reads a request: what is wanted, `0000`, what is there, and `done` or `0000`.
pub(super) fn read(body: &[u8]) -> Result<Fetch, WireError> {
    let mut fetch = Fetch::new(ObjectFormat::Sha1);
    let rest = read_wants(body, &mut fetch)?;
    read_haves(rest, &mut fetch)?;
    Ok(fetch)
}

fn read_wants<'a>(body: &'a [u8], fetch: &mut Fetch) -> Result<&'a [u8], WireError> {
    let mut rest = body;
    loop {
        let (pkt, after) = pkt::split(rest, Digits::Lower)?.ok_or(WireError::Truncated)?;
        rest = after;
        let line = match pkt {
            Pkt::Data(data) => pkt::text(data)?,
            Pkt::Flush if !fetch.wants.is_empty() => return Ok(rest),
            _ => return Err(WireError::Malformed("a packet out of place")),
        };
        let (key, value) = line
            .split_once(' ')
            .ok_or(WireError::Malformed("a line of a fetch"))?;
        match key {
            "want" if fetch.wants.is_empty() => first_want(value, fetch)?,
            "want" => {
                let oid = words::oid(value, fetch.format)?;
                words::push(&mut fetch.wants, oid, FETCH_OIDS)?;
            }
            // What the lines mean depends on the capabilities behind the first `want`.
            _ if fetch.wants.is_empty() => return Err(WireError::Malformed("no `want` first")),
            _ => read_boundary(fetch, key, value)?,
        }
    }
}

/// The first line has the capabilities behind the object.
fn first_want(value: &str, fetch: &mut Fetch) -> Result<(), WireError> {
    let (oid, capabilities) = value.split_once(' ').unwrap_or((value, ""));
    let (mut acks, mut no_done, mut side_band) = (Acks::Single, false, None);
    let mut has_format = false;
    for word in capabilities.split(' ').filter(|word| !word.is_empty()) {
        match words::split(word) {
            ("multi_ack_detailed", None) => acks = Acks::Detailed,
            ("multi_ack", None) if acks == Acks::Single => acks = Acks::Multi,
            ("no-done", None) => no_done = true,
            ("side-band-64k", None) => side_band = Some(SideBand::Large),
            ("side-band", None) => side_band = side_band.or(Some(SideBand::Small)),
            ("thin-pack", None) => fetch.thin_pack = true,
            ("no-progress", None) => fetch.no_progress = true,
            ("include-tag", None) => fetch.include_tag = true,
            ("ofs-delta", None) => fetch.ofs_delta = true,
            ("deepen-relative", None) => fetch.deepen.relative = true,
            ("object-format", Some(value)) if !has_format => {
                fetch.format = words::object_format(value)?;
                has_format = true;
            }
            ("object-format", _) => return Err(WireError::Malformed("the object format")),
            ("session-id", _) => return Err(WireError::Refused("session-id")),
            // Said again by clients; the lines themselves tell. What is unknown is not sent on.
            _ => {}
        }
    }
    fetch.form = Form::Legacy {
        acks,
        no_done,
        side_band,
    };
    fetch.wants.push(words::oid(oid, fetch.format)?);
    Ok(())
}

fn read_haves(mut rest: &[u8], fetch: &mut Fetch) -> Result<(), WireError> {
    while !rest.is_empty() {
        let (pkt, after) = pkt::split(rest, Digits::Lower)?.ok_or(WireError::Truncated)?;
        rest = after;
        let line = match pkt {
            Pkt::Data(data) => pkt::text(data)?,
            Pkt::Flush if rest.is_empty() => return Ok(()),
            _ => return Err(WireError::Malformed("a packet out of place")),
        };
        match line.strip_prefix("have ") {
            Some(oid) => {
                let oid = words::oid(oid, fetch.format)?;
                words::push(&mut fetch.haves, oid, FETCH_OIDS)?;
            }
            None if line == "done" && rest.is_empty() => {
                fetch.done = true;
                return Ok(());
            }
            None => return Err(WireError::Malformed("a line of a fetch")),
        }
    }
    Ok(())
}

pub(super) fn write(
    fetch: &Fetch,
    acks: Acks,
    no_done: bool,
    side_band: Option<SideBand>,
) -> Vec<u8> {
    let mut out = Vec::new();
    for (position, oid) in fetch.wants.iter().enumerate() {
        let mut line = format!("want {oid}");
        if position == 0 {
            line.push_str(&capabilities(fetch, acks, no_done, side_band));
        }
        pkt::write_line(&line, &mut out);
    }
    write_boundary(fetch, &mut out);
    pkt::write_flush(&mut out);
    for oid in &fetch.haves {
        pkt::write_line(&format!("have {oid}"), &mut out);
    }
    if fetch.done {
        pkt::write_line("done", &mut out);
    } else if !fetch.haves.is_empty() {
        pkt::write_flush(&mut out);
    }
    out
}

fn capabilities(fetch: &Fetch, acks: Acks, no_done: bool, side_band: Option<SideBand>) -> String {
    let acks = match acks {
        Acks::Single => "",
        Acks::Multi => "multi_ack",
        Acks::Detailed => "multi_ack_detailed",
    };
    let side_band = match side_band {
        None => "",
        Some(SideBand::Small) => "side-band",
        Some(SideBand::Large) => "side-band-64k",
    };
    let deepen = &fetch.deepen;
    let words = [
        (!acks.is_empty(), acks),
        (no_done, "no-done"),
        (!side_band.is_empty(), side_band),
        (fetch.thin_pack, "thin-pack"),
        (fetch.no_progress, "no-progress"),
        (fetch.include_tag, "include-tag"),
        (fetch.ofs_delta, "ofs-delta"),
        (deepen.since.is_some(), "deepen-since"),
        (!deepen.not.is_empty(), "deepen-not"),
        (deepen.relative, "deepen-relative"),
        (fetch.filter.is_some(), "filter"),
    ];
    let mut text = String::new();
    for (_, word) in words.iter().filter(|(asked, _)| *asked) {
        text.push(' ');
        text.push_str(word);
    }
    format!(
        "{text} object-format={} {}",
        fetch.format.as_str(),
        words::AGENT
    )
}
