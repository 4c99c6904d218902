//! The metrics of a run: served while it goes on, where somebody wants them.

use std::net::SocketAddr;
use std::sync::Arc;

use ringfence_control::budgets::LocalBudgets;
use ringfence_control::metrics::{Endpoint, Listen, Metrics};
use ringfence_gateway::Identity;

use crate::config::Settings;
use crate::failure::Failure;
use crate::output;

/// The metrics of a run, where they are served.
#[derive(Default)]
pub(crate) struct Served {
    counted: Option<(Metrics, Endpoint)>,
    /// Where they are served, be it for this run or for another one: the gateway never dials it.
    pub(crate) address: Option<SocketAddr>,
}

impl Served {
    /// Starts to serve where the flag says, else where the configuration does. What a person asked for
    /// just now has to work. The configuration speaks to all runs, and those that go on at the same
    /// time cannot share a port: the later one is not measured, and says so.
    pub(crate) fn start(
        flag: Option<Listen>,
        settings: &Settings,
        of: (&Identity, &Arc<LocalBudgets>),
    ) -> Result<Self, Failure> {
        let Some(listen) = flag.or(settings.metrics.listen) else {
            return Ok(Self::default());
        };
        let (identity, budgets) = of;
        let metrics = Metrics::new(identity, Arc::clone(budgets));
        match Endpoint::start(listen, metrics.clone()) {
            Ok(endpoint) => {
                if flag.is_some() {
                    let address = endpoint.address();
                    output::say(&format!("ringfence: metrics at http://{address}/metrics"));
                }
                Ok(Self {
                    address: Some(endpoint.address()),
                    counted: Some((metrics, endpoint)),
                })
            }
            Err(error) if flag.is_some() => Err(Failure::Unavailable(error.into())),
            Err(error) => {
                output::error(&format!("{error}; this run goes on without"));
                Ok(Self {
                    address: Some(listen.0),
                    counted: None,
                })
            }
        }
    }

    /// What counts the records of the run.
    pub(crate) fn metrics(&self) -> Option<Metrics> {
        self.counted.as_ref().map(|(metrics, _)| metrics.clone())
    }
}
