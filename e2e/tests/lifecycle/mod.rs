//! The life of a sandbox: how it starts, what passes through, how it ends, and that nothing is left.

mod bounds;
mod exit_codes;
mod leaks;
mod many;
mod notices;
mod options;
mod overlay;
mod publish;
mod read_only;
mod repository;
mod sharing;
mod signals;
mod streams;
mod stubborn;
mod terminal;
mod usage;
