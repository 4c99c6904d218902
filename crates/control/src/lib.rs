//! The control side of Ringfence: what credentials are, how they are made ready for the gateway,
//! and which tokens stand for them. It knows no HTTP server and no SQL; the store below it keeps
//! what is sealed, and the gateway, through its port, injects what it is given.

pub mod approvals;
mod broker;
pub mod budgets;
mod cache;
pub mod command;
pub mod credential;
pub mod credentials;
mod endpoint;
mod fixed;
pub mod keys;
mod known;
pub mod limits;
pub mod login;
pub mod metrics;
pub mod mint;
pub mod pins;
mod reach;
pub mod source;
pub mod tokens;
pub mod traces;
mod trial;

pub use broker::{Broker, Prepared};
pub use reach::{OpenError, Reach};
pub use trial::TrialError;
