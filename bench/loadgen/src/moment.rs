//! Moments that travel in the text of events: from when the provider wrote one to when the client has it.

use rustix::time::{ClockId, clock_gettime};

const MARK: char = '@';

/// Microseconds of the clock that all processes of the machine share.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let micros = time.tv_sec * 1_000_000 + time.tv_nsec / 1_000;
    u64::try_from(micros).unwrap_or_default()
}

/// The text of an event that is written now.
pub fn stamp() -> String {
    format!("{MARK}{}{MARK} ", now())
}

/// The moments in what arrived.
pub fn stamps(octets: &[u8]) -> impl Iterator<Item = u64> {
    let mut parts = octets.split(|octet| *octet == MARK as u8);
    // Before the first mark stands no moment.
    parts.next();
    parts.filter_map(|part| std::str::from_utf8(part).ok()?.parse().ok())
}
