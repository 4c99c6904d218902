//! The resolver for allowed names: the configured name servers or the system's. Names are
//! absolute; no search domain can turn one name into another.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use ringfence_model::HostName;
use tokio::sync::Semaphore;

use super::DialError;
use crate::limits::{LOOKUPS, RESOLVER_CACHE, RESOLVER_TIMEOUT};

/// A resolver that reads its configuration at the first lookup and is shared from then on.
pub(super) struct Resolver {
    servers: Vec<SocketAddr>,
    built: Mutex<Option<TokioResolver>>,
    lookups: Semaphore,
}

impl Resolver {
    pub(super) const fn new(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            built: Mutex::new(None),
            lookups: Semaphore::const_new(LOOKUPS),
        }
    }

    /// The addresses of `name`, at least one.
    pub(super) async fn lookup(
        &self,
        name: &HostName,
        port: u16,
    ) -> Result<Vec<SocketAddr>, DialError> {
        let failed = |error: NetError| DialError::Resolve {
            name: name.clone(),
            reason: error.to_string(),
        };
        let _turn = self.lookups.try_acquire().map_err(|_| DialError::Busy)?;
        let resolver = self.resolver().map_err(failed)?;
        // The last dot makes it absolute.
        let found = resolver
            .lookup_ip(format!("{name}."))
            .await
            .map_err(failed)?;
        let addresses: Vec<_> = found
            .iter()
            .map(|address| SocketAddr::new(address, port))
            .collect();
        if addresses.is_empty() {
            return Err(DialError::Resolve {
                name: name.clone(),
                reason: "it has no address".to_owned(),
            });
        }
        Ok(addresses)
    }

    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resolver) = built.as_ref() {
            return Ok(resolver.clone());
        }
        let resolver = self.build()?;
        *built = Some(resolver.clone());
        Ok(resolver)
    }

    fn build(&self) -> Result<TokioResolver, NetError> {
        let mut builder = if self.servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = self.servers.iter().copied().map(name_server).collect();
            TokioResolver::builder_with_config(
                ResolverConfig::from_parts(None, Vec::new(), servers),
                TokioRuntimeProvider::default(),
            )
        };
        set(builder.options_mut());
        builder.build()
    }
}

fn set(options: &mut ResolverOpts) {
    options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    options.cache_size = RESOLVER_CACHE;
    options.timeout = RESOLVER_TIMEOUT;
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}
