//! Packs that git makes, and packs that nobody should.

mod arrival;
mod changes;
mod deltas;
mod git;
mod hostile;
mod maker;
mod objects;
mod reach;
