//! The options of `ringfence run`, one file each.

mod env;
mod hide;
mod read;
mod report;
mod workspace;
