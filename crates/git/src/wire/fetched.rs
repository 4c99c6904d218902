//! Answers to requests for refs and objects, relayed in pieces and never held: read strictly,
//! written anew, with what must not come back left out.

mod pack;
mod refs;

pub use pack::{Fetched, PackFilter};
pub(crate) use refs::is_ref;
pub use refs::{RefsFilter, SeenRef};

#[cfg(test)]
mod tests;
