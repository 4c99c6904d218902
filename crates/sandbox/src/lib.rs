//! Drivers that make sandboxes: confined processes whose only way out is a listener that the
//! gateway holds. The `linux` driver needs no root, no daemon and no container engine.
//!
//! This crate knows nothing of policy. `sys` is the only place of the workspace with unsafe
//! code; `init` is what runs inside; `linux` is what launches it from outside.

pub mod attempt;
mod control;
pub mod init;
pub mod linux;
mod spec;
mod sys;
mod weaken;

pub use spec::{Access, Layer, Limits, Mount, Spec, Terminal};
pub use weaken::Weakening;
