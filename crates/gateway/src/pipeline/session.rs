//! Who a connection belongs to. A session is one sandbox's use of the gateway; the listener
//! that a connection arrived on leads to it, so there is nothing to steal or to forge.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringfence_model::{AgentName, Destination, Host, RunId, SandboxId, WorkspaceName};

use super::denials::Denials;
use super::findings::Findings;
use super::room::Room;
use super::tokens::Tokens;
use super::told::Telling;
use crate::intercept::Authority;
use crate::limits::ROOM_OF_SESSION;
use crate::wire::dns::{self, NameMap};

/// The names of an agent's run, as they are recorded.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The agent.
    pub agent: AgentName,
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// This run of it.
    pub run: RunId,
    /// The sandbox that it runs in.
    pub sandbox: SandboxId,
}

/// What a sandbox is let in with.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Whose it is.
    pub identity: Identity,
    /// The authority that its clients trust. Without one, HTTPS is not read.
    pub authority: Option<Arc<Authority>>,
    /// The tokens that it may present.
    pub tokens: Arc<Tokens>,
}

impl From<Identity> for Admission {
    /// Without an authority and without tokens.
    fn from(identity: Identity) -> Self {
        Self {
            identity,
            authority: None,
            tokens: Arc::default(),
        }
    }
}

/// One sandbox's use of the gateway.
pub struct Session {
    identity: Identity,
    authority: Option<Arc<Authority>>,
    tokens: Arc<Tokens>,
    names: Mutex<NameMap>,
    findings: Mutex<Findings>,
    denials: Mutex<Denials>,
    telling: Mutex<Telling>,
    room: Room,
}

/// Where an agent's host and port lead before policy is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Somewhere that policy decides on.
    Upstream(Destination),
    /// The gateway, its host or a reserved name: never reachable.
    ControlPlane(Destination),
    /// A synthetic address that stands for no name.
    Unmapped(Destination),
}

impl Place {
    /// The destination, whatever may be done with it.
    #[must_use]
    pub fn into_destination(self) -> Destination {
        match self {
            Self::Upstream(destination)
            | Self::ControlPlane(destination)
            | Self::Unmapped(destination) => destination,
        }
    }
}

impl Session {
    /// A session with no names mapped yet.
    #[must_use]
    pub fn new(admission: impl Into<Admission>) -> Self {
        let Admission {
            identity,
            authority,
            tokens,
        } = admission.into();
        Self {
            identity,
            authority,
            tokens,
            names: Mutex::new(NameMap::default()),
            findings: Mutex::default(),
            denials: Mutex::default(),
            telling: Mutex::default(),
            room: Room::new(ROOM_OF_SESSION),
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The authority that clients in the sandbox trust.
    #[must_use]
    pub const fn authority(&self) -> Option<&Arc<Authority>> {
        self.authority.as_ref()
    }

    /// The tokens that clients in the sandbox may present.
    #[must_use]
    pub const fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    /// What a destination means in this sandbox: a synthetic address is the name that it was
    /// handed out for. Every entry uses this, so that none sees another destination.
    #[must_use]
    pub fn place(&self, destination: Destination) -> Place {
        match &destination.host {
            Host::Name(name) if dns::is_gateway_name(name) => Place::ControlPlane(destination),
            Host::Name(_) => Place::Upstream(destination),
            Host::Address(address) => self.place_of_address(*address, destination.port),
        }
    }

    /// The synthetic names, for the DNS responder. The guard must not live across an await.
    pub(crate) fn names(&self) -> MutexGuard<'_, NameMap> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn room(&self) -> &Room {
        &self.room
    }

    pub(super) fn findings(&self) -> MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn denials(&self) -> MutexGuard<'_, Denials> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn telling(&self) -> MutexGuard<'_, Telling> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place_of_address(&self, address: IpAddr, port: u16) -> Place {
        let at = |host| Destination { host, port };
        if dns::is_gateway(address) {
            return Place::ControlPlane(at(Host::Address(address)));
        }
        if !dns::is_synthetic(address) {
            return Place::Upstream(at(Host::Address(address)));
        }
        let name = self.names().name_of(address).cloned();
        match name {
            Some(name) if dns::is_gateway_name(&name) => Place::ControlPlane(at(Host::Name(name))),
            Some(name) => Place::Upstream(at(Host::Name(name))),
            None => Place::Unmapped(at(Host::Address(address))),
        }
    }
}
