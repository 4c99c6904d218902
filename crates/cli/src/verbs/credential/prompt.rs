//! A question at the terminal whose answer is not shown.

use std::io::{self, BufRead, Write};

use ringfence_control::limits::SECRET_OCTETS;
use ringfence_model::Secret;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// Ends a line like Enter does, so that the terminal is given back as it was before the program
/// ends.
const INTERRUPT: u8 = 3;

/// Asks, and reads a line that the terminal does not show.
pub(in crate::verbs) fn hidden(question: &str) -> io::Result<Secret> {
    let quiet = Quiet::begin()?;
    let mut stderr = io::stderr().lock();
    stderr.write_all(question.as_bytes())?;
    stderr.flush()?;
    // At its whole length at once, so that no copy is left behind by growing.
    let mut line = Vec::with_capacity(SECRET_OCTETS + 2);
    let read = read_line(&mut line);
    drop(quiet);
    stderr.write_all(b"\n")?;
    let secret = Secret::new(line);
    read?;
    Ok(secret)
}

fn read_line(line: &mut Vec<u8>) -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    loop {
        let read = stdin.fill_buf()?;
        let end = read
            .iter()
            .position(|octet| matches!(octet, b'\n' | &INTERRUPT));
        let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
        if line.len() + part.len() > SECRET_OCTETS {
            return Err(io::Error::other("it is too long"));
        }
        line.extend_from_slice(part);
        let last = end.and_then(|end| read.get(end)).copied();
        let (used, is_over) = (part.len() + usize::from(last.is_some()), read.is_empty());
        stdin.consume(used);
        match last {
            Some(INTERRUPT) => return Err(io::ErrorKind::Interrupted.into()),
            Some(_) => return Ok(()),
            None if is_over => return Ok(()),
            None => {}
        }
    }
}

/// The terminal without echo, until dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
