//! `ringfence gateway`: the gateway alone, as an explicit proxy for this machine.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use ringfence_control::approvals::LocalApprovals;
use ringfence_control::budgets::LocalBudgets;
use ringfence_control::pins::LocalPins;
use ringfence_gateway::intercept::Authority;
use ringfence_gateway::{Admission, Capture, Gateway, Listeners, NoHosted, Ports};
use ringfence_model::{NoticeKind, RunId};
use ringfence_protocols::egress::Egress;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::GatewayArguments;
use crate::failure::Failure;
use crate::link::{Link, LocalAudit, LocalCredentials};
use crate::profiles::Sources;
use crate::run::metrics::Served;
use crate::run::traces::Traces;
use crate::{config, output, paths, run};

/// Serves until it is told to stop. Returns the exit code.
pub(crate) fn gateway(
    arguments: GatewayArguments,
    config_file: Option<&Path>,
) -> Result<i32, Failure> {
    of_loopback(arguments.listen)?;
    run::raise_open_files();
    let settings = config::settings(config_file)?;
    let mut config = settings.gateway.clone();
    let (listener, address) = listen(arguments.listen)?;
    config.forbidden.push(address);
    let sources = Sources::new(&arguments.profiles, &arguments.allow, &arguments.agent)?;
    let profiles = sources.names();
    let link = Link::open(sources)?;
    let identity = run::identity(&arguments.agent)?;
    let data = paths::data().map_err(Failure::usage)?;
    let budgets = Arc::new(LocalBudgets::new(&data));
    let served = Served::start(arguments.metrics, &settings, (&identity, &budgets))?;
    config.forbidden.extend(served.address);
    let traces = Traces::start(&settings, &data, identity.run)?;
    let audit = LocalAudit::create(&data, identity.clone())?.with(traces.tee());
    let audit = Arc::new(audit.counted(served.metrics()));
    let started = NoticeKind::RunStarted {
        command: vec!["gateway".to_owned(), address.to_string()],
        profiles,
        directory: String::new(),
        hosted_by: None,
    };
    audit.record(started).map_err(Failure::internal)?;
    let authority = Authority::new().map_err(Failure::internal)?;
    let authority = Arc::new(authority.not_installed());
    let shown = Shown::write(&data, identity.run, authority.pem()).map_err(Failure::Usage)?;
    let mut credentials = LocalCredentials::open(&settings, link.profiles(), &identity)?;
    let runtime = credentials.runtime()?;
    credentials.follow(&runtime)?;
    let gateway = Gateway::new(
        config,
        Ports {
            audit: audit.clone(),
            policy: link.policy(),
            credentials: credentials.port(),
            approvals: Arc::new(LocalApprovals::new(&data)),
            budgets,
            pins: Arc::new(LocalPins::new(&data)),
            hosted: Arc::new(NoHosted),
        },
    )
    .map_err(Failure::usage)?;
    link.keep_fresh(Arc::clone(&audit))?;
    output::say(&format!(
        "ringfence: where a rule looks inside HTTPS, clients must trust {}",
        shown.0.display()
    ));
    output::say(&format!("ringfence: listening on {address}"));
    let listeners = Listeners {
        tcp_v4: listener,
        tcp_v6: None,
        dns: Vec::new(),
        capture: Capture::ProxyOnly,
    };
    let admission = Admission {
        identity,
        authority: Some(authority),
        tokens: credentials.tokens(),
    };
    runtime
        .block_on(async {
            let cancel = stop_on_signal()?;
            gateway
                .serve(listeners, admission, Arc::new(Egress), cancel)
                .await
                .map_err(anyhow::Error::new)?;
            credentials.end().await;
            anyhow::Ok(())
        })
        .map_err(Failure::Internal)?;
    let ended = NoticeKind::RunEnded { exit_code: 0 };
    audit
        .record(ended)
        .and_then(|()| audit.sync())
        .map_err(Failure::internal)?;
    traces.finish();
    Ok(0)
}

fn of_loopback(listen: SocketAddr) -> Result<(), Failure> {
    let ip = listen.ip();
    if ip.is_loopback() {
        return Ok(());
    }
    Err(Failure::Usage(anyhow!(
        "{ip} is not a loopback address: whoever reaches the proxy may use what the policy allows"
    )))
}

/// The certificate of the gateway's authority, in a file for as long as it serves.
struct Shown(PathBuf);

impl Shown {
    fn write(data: &Path, run: RunId, pem: &str) -> anyhow::Result<Self> {
        let path = data.join("trust").join(format!("{run}.pem"));
        let directory = path.parent().unwrap_or(data);
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        std::fs::write(&path, pem).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The listener and where it really is: port 0 stands for any free one.
fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(wanted)
        .with_context(|| format!("cannot listen on {wanted}"))
        .map_err(Failure::Unavailable)?;
    let address = listener.local_addr().map_err(Failure::internal)?;
    Ok((listener, address))
}

/// A token that a termination signal or Ctrl-C cancels.
fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let cancel = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = cancel.clone();
    tokio::runtime::Handle::current().spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(cancel)
}
