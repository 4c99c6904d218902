//! The harness of the end-to-end tests: the built binary as a black box, run by an ordinary user with a home, a project and a
//! configuration of its own.
//!
//! ```no_run
//! use ringfence_e2e::Host;
//! use ringfence_testkit::http::HttpUpstream;
//!
//! let mut host = Host::new();
//! let upstream = HttpUpstream::ok().unwrap();
//! host.name("api.acme.test", upstream.address());
//! let ended = host.run().allow("api.acme.test:80").sh("curl -sS http://api.acme.test/");
//! assert_eq!(ended.code, 0, "{ended}");
//! assert_eq!(ended.refusals(), []);
//! ```
//!
//! The binary is the one that `RINGFENCE_BIN` names, else `target/debug/ringfence`. Whatever goes wrong here fails the test.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a harness has nobody to hand an error to: it fails the test and says why"
)]

mod ended;
mod host;
mod name_server;
mod program;
mod run;

pub use ended::{Ended, Refused};
pub use host::Host;
pub use name_server::{NameServer, Question};
pub use program::{TIME_LIMIT, program, weak_program};
pub use run::{Run, Running};
