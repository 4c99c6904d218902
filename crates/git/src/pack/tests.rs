//! Packs that git makes, and packs that nobody should.

mod changes;
mod deltas;
mod git;
mod hostile;
mod maker;
mod objects;
mod reach;
