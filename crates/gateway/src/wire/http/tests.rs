//! The HTTP reader and writer: what is refused, what is read, and that what is written reads
//! back as the same.

mod against_httparse;
mod chunks;
mod framing;
mod glimpses;
mod paths;
mod requests;
mod responses;
mod round_trip;

use super::*;

/// A request head of these lines, read whole.
fn request(lines: &[&str]) -> Result<RequestHead, HttpError> {
    read_whole_request(&joined(lines))
}

fn read_whole_request(wire: &[u8]) -> Result<RequestHead, HttpError> {
    let (head, length) = read_request(wire)?.unwrap_or_else(|| panic!("incomplete: {wire:?}"));
    assert_eq!(length, wire.len());
    let seen = Glimpse::Request(head.method.clone(), head.target.clone());
    assert_eq!(glimpse(wire), Some(seen));
    Ok(head)
}

/// Why a request head of these lines is refused.
fn request_error(lines: &[&str]) -> HttpError {
    match request(lines) {
        Err(error) => error,
        Ok(head) => panic!("{lines:?} was read as {head:?}"),
    }
}

/// A response head of these lines to a request with `method`, read whole.
fn response(method: &str, lines: &[&str]) -> Result<ResponseHead, HttpError> {
    let wire = joined(lines);
    let (head, length) = read_response(&wire, method)?.unwrap();
    assert_eq!(length, wire.len());
    Ok(head)
}

fn joined(lines: &[&str]) -> Vec<u8> {
    let mut wire = lines.join("\r\n").into_bytes();
    wire.extend_from_slice(b"\r\n\r\n");
    wire
}

fn names(headers: &Headers) -> Vec<&str> {
    headers.iter().map(|(name, _)| name).collect()
}
