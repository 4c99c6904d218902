//! The only place that resolves a name or opens a connection. It takes a permit: what was not
//! decided on cannot be dialled, and no name is looked up before policy allows it.

mod connect;
mod error;
mod proxy;
mod resolve;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ringfence_model::{Action, Destination, Host, HostName, classify};
use ringfence_policy::AddressGrant;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Config, ConfigError, Hosts, UpstreamProxy};
use crate::limits::NAME_SERVERS;
use crate::pipeline::{Gateway, Permit};
use crate::stream::Buffered;
use crate::wire::dns::{HOST_SERVICE, INTERNAL_ZONE};
pub use error::DialError;
use resolve::Resolver;

/// An open upstream connection.
#[derive(Debug)]
pub struct Dialled {
    /// The connection; a corporate proxy may have sent its first bytes already.
    pub stream: Buffered,
    /// The address that it is pinned to: the upstream's, or the corporate proxy's.
    pub address: SocketAddr,
}

impl Gateway {
    /// Opens the connection that `permit` allows.
    ///
    /// # Errors
    /// See [`DialError`]; give it the permit with [`DialError::settle`].
    pub async fn dial(&self, permit: &Permit) -> Result<Dialled, DialError> {
        let dialling = self
            .dialer()
            .dial(permit.destination(), &permit.grant().addresses);
        let dialled = timeout(self.limits().connect_timeout, dialling)
            .await
            .map_err(|_| DialError::TimedOut)??;
        permit.note_address(dialled.address);
        Ok(dialled)
    }
}

impl Gateway {
    /// Opens a connection to where the response to `permit` redirects. Such a target is no part of
    /// what was decided on, so it may only be public, or a name of the host map. What an upstream
    /// proxy resolves cannot be told to be public, so a rule must allow it.
    pub(crate) async fn dial_redirect(
        &self,
        permit: &Permit,
        action: &Action,
    ) -> Result<Dialled, DialError> {
        let target = action.destination();
        let is_own = |name: &HostName| name.is_within(INTERNAL_ZONE);
        if target.host.name().is_some_and(is_own) {
            return Err(DialError::ControlPlane);
        }
        if self.dialer().is_proxied(target) && !self.covers(action) {
            return Err(DialError::NotCovered(target.host.clone()));
        }
        let addresses = permit.grant().addresses.of_redirect();
        let addresses = addresses.ok_or(DialError::ControlPlane)?;
        let dialling = self.dialer().dial(target, &addresses);
        timeout(self.limits().connect_timeout, dialling)
            .await
            .map_err(|_| DialError::TimedOut)?
    }
}

/// Where names lead, and what is never dialled.
pub(crate) struct Dialer {
    hosts: Hosts,
    proxy: Option<UpstreamProxy>,
    forbidden: Vec<SocketAddr>,
    resolver: Resolver,
}

/// How a destination is reached.
enum Route<'a> {
    /// At an address that configuration names, so it may be of any kind.
    Named(SocketAddr),
    /// At an address that the agent named and a rule must permit.
    Literal(SocketAddr),
    /// By resolving a name.
    Resolve(&'a HostName, u16),
}

impl Dialer {
    pub(crate) fn new(config: Config) -> Result<Self, ConfigError> {
        if config.dial.dns_servers.len() > NAME_SERVERS {
            return Err(ConfigError::NameServers);
        }
        Ok(Self {
            hosts: config.dial.hosts,
            proxy: config.dial.upstream_proxy,
            forbidden: config.forbidden,
            resolver: Resolver::new(config.dial.dns_servers),
        })
    }

    /// Whether an open connection to `address` still leads where `destination` may.
    pub(crate) fn still_permits(
        &self,
        destination: &Destination,
        address: SocketAddr,
        permitted: &AddressGrant,
    ) -> bool {
        match self.route(destination) {
            Ok(Route::Named(named)) => named == address && permitted.barred_by(address).is_none(),
            // The address is the corporate proxy's, which is configuration.
            Ok(_) if self.proxy.is_some() => true,
            Ok(_) => permitted.permits(address.ip()),
            Err(_) => false,
        }
    }

    /// Whether the upstream proxy is asked for this destination.
    pub(crate) fn is_proxied(&self, destination: &Destination) -> bool {
        self.proxy.is_some() && !matches!(self.route(destination), Ok(Route::Named(_)))
    }

    pub(crate) async fn dial(
        &self,
        destination: &Destination,
        permitted: &AddressGrant,
    ) -> Result<Dialled, DialError> {
        let address = match self.route(destination)? {
            Route::Named(address) => {
                check_forbidden(&destination.host, &[address], permitted)?;
                return self.open(&[address]).await;
            }
            Route::Literal(address) => {
                check(&destination.host, &[address], permitted)?;
                Some(address)
            }
            Route::Resolve(..) => None,
        };
        if let Some(proxy) = &self.proxy {
            return self.through_proxy(proxy, destination).await;
        }
        match (address, self.route(destination)?) {
            (None, Route::Resolve(name, port)) => {
                let found = self.resolver.lookup(name, port).await?;
                self.open(&check(&destination.host, &found, permitted)?)
                    .await
            }
            (Some(address), _) => self.open(&[address]).await,
            (None, _) => Err(DialError::ControlPlane),
        }
    }

    /// Opens a connection to where configuration says, for the gateway's own use. No agent has
    /// chosen the destination, so its address may be of any kind.
    pub(crate) async fn dial_configured(
        &self,
        destination: &Destination,
    ) -> Result<Dialled, DialError> {
        match self.route(destination)? {
            Route::Named(address) => return self.open(&[address]).await,
            Route::Literal(_) | Route::Resolve(..) => {}
        }
        if let Some(proxy) = &self.proxy {
            return self.through_proxy(proxy, destination).await;
        }
        match self.route(destination)? {
            Route::Named(address) | Route::Literal(address) => self.open(&[address]).await,
            Route::Resolve(name, port) => self.open(&self.resolver.lookup(name, port).await?).await,
        }
    }

    fn route<'a>(&self, destination: &'a Destination) -> Result<Route<'a>, DialError> {
        let port = destination.port;
        let name = match &destination.host {
            Host::Address(address) => return Ok(Route::Literal(SocketAddr::new(*address, port))),
            Host::Name(name) => name,
        };
        if name.as_str() == HOST_SERVICE {
            return Ok(Route::Named(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        }
        if name.is_within(INTERNAL_ZONE) {
            return Err(DialError::ControlPlane);
        }
        Ok(match self.hosts.get(name) {
            Some(target) => {
                let port = target.port.unwrap_or(port);
                Route::Named(SocketAddr::new(target.address, port))
            }
            None => Route::Resolve(name, port),
        })
    }

    async fn open(&self, addresses: &[SocketAddr]) -> Result<Dialled, DialError> {
        let allowed: Vec<_> = addresses
            .iter()
            .copied()
            .filter(|address| !self.is_forbidden(*address))
            .collect();
        if allowed.is_empty() {
            return Err(DialError::ControlPlane);
        }
        let (socket, address) = connect::first(allowed).await.map_err(DialError::Connect)?;
        if self.is_loop(&socket, address) {
            return Err(DialError::ControlPlane);
        }
        Ok(Dialled {
            stream: Buffered::new(socket),
            address,
        })
    }

    /// A listener bound to every address is met on every loopback address.
    fn is_forbidden(&self, address: SocketAddr) -> bool {
        let own = |listener: &SocketAddr| {
            let ip = listener.ip();
            let anywhere = ip.is_unspecified() && is_local_by_kind(address.ip());
            listener.port() == address.port() && (ip == address.ip() || anywhere)
        };
        self.forbidden.iter().any(own)
    }

    /// A connection whose two ends have one address is a connection to this host; on a port
    /// that this process listens on, it is a connection to this process.
    fn is_loop(&self, socket: &TcpStream, address: SocketAddr) -> bool {
        let same_host = socket
            .local_addr()
            .is_ok_and(|local| local.ip() == address.ip());
        let listens = |listener: &SocketAddr| {
            let ip = listener.ip();
            listener.port() == address.port() && (ip.is_unspecified() || ip == address.ip())
        };
        same_host && self.forbidden.iter().any(listens)
    }
}

/// The addresses that the rules permit, or why there are none.
fn check(
    host: &Host,
    found: &[SocketAddr],
    permitted: &AddressGrant,
) -> Result<Vec<SocketAddr>, DialError> {
    let allowed: Vec<_> = found
        .iter()
        .copied()
        .filter(|address| permitted.permits(address.ip().to_canonical()))
        .collect();
    match found.first() {
        Some(address) if allowed.is_empty() => {
            check_forbidden(host, found, permitted)?;
            Err(DialError::AddressNotPermitted {
                host: host.clone(),
                address: address.ip(),
                kind: format!("{:?}", classify(address.ip())).to_lowercase(),
            })
        }
        _ => Ok(allowed),
    }
}

/// Fails where a rule forbids one of the addresses.
fn check_forbidden(
    host: &Host,
    found: &[SocketAddr],
    permitted: &AddressGrant,
) -> Result<(), DialError> {
    for address in found {
        if let Some(rule) = permitted.barred_by(*address) {
            return Err(DialError::AddressForbidden {
                host: host.clone(),
                address: address.ip(),
                rule: rule.clone(),
            });
        }
    }
    Ok(())
}

fn is_local_by_kind(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

#[cfg(test)]
mod tests;
