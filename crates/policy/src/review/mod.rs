//! What people do with a policy besides enforcing it: ask why, get the narrowest rule for a
//! denial, test, compare, and try a change on what really happened. All of it asks the same
//! decision as the gateway.

mod diff;
mod explain;
mod simulate;
mod suggest;
mod testing;

pub use diff::{PolicyDiff, RuleChange, diff};
pub use explain::{Considered, Explanation};
pub use simulate::{DecisionChange, Observed, Simulation, simulate};
pub use testing::{TestOutcome, run_tests};

#[cfg(test)]
mod tests;
