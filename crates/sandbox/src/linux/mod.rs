//! The Linux driver, seen from outside: what goes into a sandbox, its launch, and what is left
//! when it has ended. Everything here runs as the caller, on the host.

pub mod doctor;
pub mod guard;
mod launch;
pub mod nested;
pub mod overlay;
mod plan;
mod protect;
mod spare;
mod streams;

pub use launch::{
    Building, Control, Event, LaunchError, Launched, Listeners, Prepared, Sandbox, launch, prepare,
};
pub use plan::{Given, PlanError, Request, Workspace, WorkspaceMode};
pub(crate) use protect::JOURNAL;
use protect::make_directory;
pub use protect::sweep;
pub(crate) use streams::is_null;
pub use streams::{Copies, Streams, prepare as prepare_streams};
