//! Writes heads from their parsed form. Nothing is copied that was not understood.

use std::io::Write as _;

use super::{BodyKind, Headers, RequestHead, ResponseHead, Target, Version};

/// The form of the target that the next server needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`: to an origin server.
    Origin,
    /// `http://host/path?query`: to a proxy.
    Absolute,
}

/// Appends a request head. `CONNECT` and `OPTIONS *` keep their own form of the target.
/// Absolute form means `http`: what is inside TLS does not go to a proxy like that.
pub fn write_request(head: &RequestHead, form: TargetForm, out: &mut Vec<u8>) {
    out.extend_from_slice(head.method.as_bytes());
    out.push(b' ');
    write_target(head, form, out);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    write_display(&head.authority, out);
    out.extend_from_slice(b"\r\n");
    write_fields(&head.headers, out);
    write_framing(head.body, out);
    if head.expect_continue {
        out.extend_from_slice(b"Expect: 100-continue\r\n");
    }
    write_end(head.keep_alive, out);
}

/// Appends the head of a request that is served here, in the version and with the connection that
/// the client has: for a reader behind this one. The target is in origin form.
pub fn write_canonical(head: &RequestHead, out: &mut Vec<u8>) {
    out.extend_from_slice(head.method.as_bytes());
    out.push(b' ');
    write_target(head, TargetForm::Origin, out);
    out.extend_from_slice(match head.version {
        Version::Http10 => b" HTTP/1.0\r\nHost: ",
        Version::Http11 => b" HTTP/1.1\r\nHost: ",
    });
    write_display(&head.authority, out);
    out.extend_from_slice(b"\r\n");
    write_fields(&head.headers, out);
    write_framing(head.body, out);
    if head.expect_continue {
        out.extend_from_slice(b"Expect: 100-continue\r\n");
    }
    out.extend_from_slice(match (head.websocket, head.keep_alive, head.version) {
        (true, _, _) => b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".as_slice(),
        (false, false, _) => b"Connection: close\r\n\r\n",
        (false, true, Version::Http10) => b"Connection: keep-alive\r\n\r\n",
        (false, true, Version::Http11) => b"\r\n",
    });
}

/// Appends a response head. Call [`ResponseHead::adapt`] first.
pub fn write_response(head: &ResponseHead, out: &mut Vec<u8>) {
    write_display(&format_args!("HTTP/1.1 {} ", head.status), out);
    out.extend_from_slice(head.reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    write_fields(&head.headers, out);
    match (head.body, head.content_length) {
        (BodyKind::None, Some(length)) => write_framing(BodyKind::Length(length), out),
        (body, _) => write_framing(body, out),
    }
    write_end(head.keep_alive || head.is_interim(), out);
}

fn write_target(head: &RequestHead, form: TargetForm, out: &mut Vec<u8>) {
    let (path, query) = match &head.target {
        Target::Authority(destination) => return write_display(destination, out),
        Target::Asterisk => return out.push(b'*'),
        Target::Origin { path, query } | Target::Absolute { path, query, .. } => (path, query),
    };
    if form == TargetForm::Absolute {
        out.extend_from_slice(b"http://");
        write_display(&head.authority, out);
    }
    out.extend_from_slice(path.as_bytes());
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
}

fn write_fields(headers: &Headers, out: &mut Vec<u8>) {
    for (name, value) in headers.iter() {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
}

fn write_framing(body: BodyKind, out: &mut Vec<u8>) {
    match body {
        BodyKind::None | BodyKind::UntilClose => {}
        BodyKind::Length(length) => {
            write_display(&format_args!("Content-Length: {length}\r\n"), out);
        }
        BodyKind::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
}

fn write_end(keep_alive: bool, out: &mut Vec<u8>) {
    if !keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_display(value: &dyn std::fmt::Display, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value}");
}
