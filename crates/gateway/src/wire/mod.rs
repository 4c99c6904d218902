//! The parsers and writers of everything that comes over a wire: TLS ClientHello, HTTP/1,
//! JSON, SOCKS5 and DNS. They are pure (no I/O, no clock, no task), refuse what they do not fully
//! understand, never panic, and hold every length to a constant of [`limits`].
//!
//! All readers take the octets received so far and say "incomplete", a parsed value with the
//! number of octets it took, or why the input is refused. What is sent on is written from
//! the parsed value, never copied from the input.

pub mod client_hello;
mod cursor;
pub mod dns;
pub mod http;
pub mod json;
pub mod limits;
pub mod socks5;
