//! Commands of protocol 2.

use ringfence_model::git::{ObjectFormat, RefName};

use super::{Fetch, FetchRequest, Form, ListRefs};
use crate::limits::{CAPABILITY_LINES, FETCH_OIDS, FETCH_REFS, FILTER_OCTETS, REF_TEXT_OCTETS};
use crate::wire::pkt::{self, Digits, Pkt};
use crate::wire::{WireError, words};

/// Reads one command.
pub(super) fn read(body: &[u8]) -> Result<FetchRequest, WireError> {
    let mut lines = Lines { rest: body };
    let Line::Text(command) = lines.next_line()? else {
        return Err(WireError::Malformed("no command"));
    };
    match command {
        "command=ls-refs" => read_list_refs(lines).map(FetchRequest::ListRefs),
        "command=fetch" => read_fetch(lines).map(|fetch| FetchRequest::Fetch(Box::new(fetch))),
        "command=bundle-uri" => Err(WireError::Refused("bundle-uri")),
        "command=object-info" => Err(WireError::Refused("object-info")),
        _ => Err(WireError::Refused("this command")),
    }
}

/// The lines of a command.
struct Lines<'a> {
    rest: &'a [u8],
}

enum Line<'a> {
    Text(&'a str),
    Delim,
    End,
}

impl<'a> Lines<'a> {
    fn next_line(&mut self) -> Result<Line<'a>, WireError> {
        let (pkt, rest) = pkt::split(self.rest, Digits::Lower)?.ok_or(WireError::Truncated)?;
        self.rest = rest;
        match pkt {
            Pkt::Data(data) => pkt::text(data).map(Line::Text),
            Pkt::Delim => Ok(Line::Delim),
            Pkt::Flush if rest.is_empty() => Ok(Line::End),
            Pkt::Flush => Err(WireError::Malformed("octets behind the request")),
            Pkt::ResponseEnd => Err(WireError::Malformed("a packet out of place")),
        }
    }

    /// Reads the lines up to the arguments: the format of objects, and whether there are any
    /// arguments.
    fn capabilities(&mut self) -> Result<(ObjectFormat, bool), WireError> {
        let mut format = None;
        for _ in 0..CAPABILITY_LINES {
            let line = match self.next_line()? {
                Line::Text(line) => line,
                Line::Delim => return Ok((format.unwrap_or(ObjectFormat::Sha1), true)),
                Line::End => return Ok((format.unwrap_or(ObjectFormat::Sha1), false)),
            };
            match words::split(line) {
                ("agent", Some(agent)) if words::is_agent(agent) => {}
                ("object-format", Some(value)) if format.is_none() => {
                    format = Some(words::object_format(value)?);
                }
                ("server-option", _) => return Err(WireError::Refused("a server option")),
                ("session-id", _) => return Err(WireError::Refused("session-id")),
                _ => return Err(WireError::Refused("this capability")),
            }
        }
        Err(WireError::TooLarge("the number of lines"))
    }

    /// The next argument.
    fn argument(&mut self) -> Result<Option<&'a str>, WireError> {
        match self.next_line()? {
            Line::Text(line) => Ok(Some(line)),
            Line::End => Ok(None),
            Line::Delim => Err(WireError::Malformed("a packet out of place")),
        }
    }
}

fn read_list_refs(mut lines: Lines<'_>) -> Result<ListRefs, WireError> {
    let (format, has_arguments) = lines.capabilities()?;
    let mut list = ListRefs::new(format, Vec::new());
    while has_arguments && let Some(line) = lines.argument()? {
        match line.split_once(' ') {
            None if line == "peel" => list.peel = true,
            None if line == "symrefs" => list.symrefs = true,
            None if line == "unborn" => list.unborn = true,
            Some(("ref-prefix", prefix)) if is_ref_text(prefix) => {
                words::push(&mut list.prefixes, prefix.to_owned(), FETCH_REFS)?;
            }
            _ => return Err(WireError::Refused("this argument of ls-refs")),
        }
    }
    Ok(list)
}

fn read_fetch(mut lines: Lines<'_>) -> Result<Fetch, WireError> {
    let (format, has_arguments) = lines.capabilities()?;
    let mut fetch = Fetch::new(format);
    while has_arguments && let Some(line) = lines.argument()? {
        match line.split_once(' ') {
            Some((key, value)) => read_value(&mut fetch, key, value)?,
            None => read_flag(&mut fetch, line)?,
        }
    }
    if fetch.wants.is_empty() && fetch.want_refs.is_empty() {
        return Err(WireError::Malformed("a fetch that wants nothing"));
    }
    Ok(fetch)
}

fn read_flag(fetch: &mut Fetch, flag: &str) -> Result<(), WireError> {
    match flag {
        "thin-pack" => fetch.thin_pack = true,
        "no-progress" => fetch.no_progress = true,
        "include-tag" => fetch.include_tag = true,
        "ofs-delta" => fetch.ofs_delta = true,
        "deepen-relative" => fetch.deepen.relative = true,
        "done" => fetch.done = true,
        "wait-for-done" => {
            fetch.form = Form::V2 {
                wait_for_done: true,
            };
        }
        _ => return Err(WireError::Refused("this argument of fetch")),
    }
    Ok(())
}

fn read_value(fetch: &mut Fetch, key: &str, value: &str) -> Result<(), WireError> {
    match key {
        "want" => words::push(
            &mut fetch.wants,
            words::oid(value, fetch.format)?,
            FETCH_OIDS,
        ),
        "have" => words::push(
            &mut fetch.haves,
            words::oid(value, fetch.format)?,
            FETCH_OIDS,
        ),
        "want-ref" => {
            let name =
                RefName::new(value).map_err(|_| WireError::Malformed("the name of a ref"))?;
            words::push(&mut fetch.want_refs, name, FETCH_REFS)
        }
        "packfile-uris" => Err(WireError::Refused("packfile-uris")),
        _ => read_boundary(fetch, key, value),
    }
}

/// What protocol 0 says in the same words: where history is cut off, and a filter.
pub(super) fn read_boundary(fetch: &mut Fetch, key: &str, value: &str) -> Result<(), WireError> {
    let set = |place: &mut Option<u64>| {
        let value = words::count(value)?;
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(WireError::Malformed("a line that is there twice")),
        }
    };
    match key {
        "shallow" => words::push(
            &mut fetch.shallow,
            words::oid(value, fetch.format)?,
            FETCH_OIDS,
        ),
        "deepen" => set(&mut fetch.deepen.depth),
        "deepen-since" => set(&mut fetch.deepen.since),
        "deepen-not" if is_ref_text(value) => {
            words::push(&mut fetch.deepen.not, value.to_owned(), FETCH_REFS)
        }
        "filter" if fetch.filter.is_none() && is_filter(value) => {
            fetch.filter = Some(value.to_owned());
            Ok(())
        }
        _ => Err(WireError::Refused("this argument of fetch")),
    }
}

pub(super) fn write_list_refs(list: &ListRefs) -> Vec<u8> {
    let mut out = command("ls-refs", list.format);
    for (asked, flag) in [
        (list.peel, "peel"),
        (list.symrefs, "symrefs"),
        (list.unborn, "unborn"),
    ] {
        if asked {
            pkt::write_line(flag, &mut out);
        }
    }
    for prefix in &list.prefixes {
        pkt::write_line(&format!("ref-prefix {prefix}"), &mut out);
    }
    pkt::write_flush(&mut out);
    out
}

pub(super) fn write_fetch(fetch: &Fetch, wait_for_done: bool) -> Vec<u8> {
    let mut out = command("fetch", fetch.format);
    for (asked, flag) in [
        (fetch.thin_pack, "thin-pack"),
        (fetch.no_progress, "no-progress"),
        (fetch.include_tag, "include-tag"),
        (fetch.ofs_delta, "ofs-delta"),
        (wait_for_done, "wait-for-done"),
        (fetch.deepen.relative, "deepen-relative"),
    ] {
        if asked {
            pkt::write_line(flag, &mut out);
        }
    }
    write_boundary(fetch, &mut out);
    for oid in &fetch.wants {
        pkt::write_line(&format!("want {oid}"), &mut out);
    }
    for name in &fetch.want_refs {
        pkt::write_line(&format!("want-ref {name}"), &mut out);
    }
    for oid in &fetch.haves {
        pkt::write_line(&format!("have {oid}"), &mut out);
    }
    if fetch.done {
        pkt::write_line("done", &mut out);
    }
    pkt::write_flush(&mut out);
    out
}

pub(super) fn write_boundary(fetch: &Fetch, out: &mut Vec<u8>) {
    for oid in &fetch.shallow {
        pkt::write_line(&format!("shallow {oid}"), out);
    }
    if let Some(depth) = fetch.deepen.depth {
        pkt::write_line(&format!("deepen {depth}"), out);
    }
    if let Some(since) = fetch.deepen.since {
        pkt::write_line(&format!("deepen-since {since}"), out);
    }
    for name in &fetch.deepen.not {
        pkt::write_line(&format!("deepen-not {name}"), out);
    }
    if let Some(filter) = &fetch.filter {
        pkt::write_line(&format!("filter {filter}"), out);
    }
}

fn command(name: &str, format: ObjectFormat) -> Vec<u8> {
    let mut out = Vec::new();
    pkt::write_line(&format!("command={name}"), &mut out);
    pkt::write_line(words::AGENT, &mut out);
    pkt::write_line(&format!("object-format={}", format.as_str()), &mut out);
    pkt::write_delim(&mut out);
    out
}

/// Whether a text can be a ref, or the begin of one.
fn is_ref_text(text: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && c != ' ';
    (1..=REF_TEXT_OCTETS).contains(&text.len()) && text.chars().all(is_plain)
}

/// Whether a text is a filter that goes on (git-rev-list(1), `--filter`). `sparse:oid=` names a file
/// of any ref, and the answer tells what is in it; in `combine:` a server undoes escapes.
fn is_filter(text: &str) -> bool {
    if !(1..=FILTER_OCTETS).contains(&text.len()) {
        return false;
    }
    match text.strip_prefix("combine:") {
        Some(parts) => parts.split('+').all(is_one_filter),
        None => is_one_filter(text),
    }
}

fn is_one_filter(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    match text.split_once(':') {
        Some(("blob", "none")) => true,
        Some(("blob", limit)) => limit
            .strip_prefix("limit=")
            .is_some_and(|size| is_number(size.trim_end_matches(['k', 'm', 'g', 'K', 'M', 'G']))),
        Some(("tree", depth)) => is_number(depth),
        Some(("object", kind)) => {
            ["type=blob", "type=tree", "type=commit", "type=tag"].contains(&kind)
        }
        _ => false,
    }
}
