//! A connection: the handshake, whether the server is the one that it should be, and who asks.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ringfence_model::Host;
use russh::client::{self, AuthResult, ChannelOpenHandle, Config, Handle, Msg, Session};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, SshId};
use tokio::time::timeout;

use super::algorithms::preferred;
use super::error::SshError;
use super::identity::SshIdentity;
use super::pinned::Pinned;
use super::remote::{Input, Program, Remote};
use super::tether::{Tether, Tethered};
use crate::limits::{SSH_KEEPALIVE, SSH_MESSAGES, SSH_PACKET_OCTETS, SSH_UNANSWERED, SSH_WINDOW};
use crate::stream::Buffered;

/// The server that is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) host: &'a Host,
    /// It must have one of these, as in `ssh-ed25519 AAAA…`.
    pub(crate) host_keys: &'a [String],
}

/// A connection to the right server, by the right user.
pub(crate) struct Connection {
    handle: Handle<Verifier>,
    _tether: Tether,
}

impl Connection {
    /// Shakes hands. The key of the credential is used only after that of the server was checked.
    ///
    /// # Errors
    /// See [`SshError`].
    pub(crate) async fn open(
        stream: Buffered,
        server: Server<'_>,
        identity: &SshIdentity,
        wait: Duration,
    ) -> Result<Self, SshError> {
        let late = |_| SshError::TimedOut(server.host.clone());
        timeout(wait, shake(stream, server, identity))
            .await
            .map_err(late)?
    }

    /// Runs a program, which reads `input`.
    ///
    /// # Errors
    /// See [`SshError`].
    pub(crate) async fn run(self, program: &Program, input: Input) -> Result<Remote, SshError> {
        let channel = self.handle.channel_open_session().await?;
        for (name, value) in &program.environment {
            channel.set_env(false, *name, *value).await?;
        }
        channel.exec(true, program.command.as_str()).await?;
        Ok(Remote::new(self, channel, program.name, input))
    }
}

async fn shake(
    stream: Buffered,
    server: Server<'_>,
    identity: &SshIdentity,
) -> Result<Connection, SshError> {
    let pinned = Pinned::new(server.host_keys)?;
    let config = Arc::new(config(&pinned));
    let verifier = Verifier {
        host: server.host.clone(),
        pinned,
    };
    let (socket, ahead) = stream.into_parts();
    let (socket, tether) = Tethered::new(socket, ahead);
    let mut handle = client::connect_stream(config, socket, verifier).await?;
    let key = identity.key();
    let hash = if key.algorithm().is_rsa() {
        Some(hash(&handle, server.host).await?)
    } else {
        None
    };
    let user = identity.user();
    let key = PrivateKeyWithHashAlg::new(key, hash);
    match handle.authenticate_publickey(user, key).await? {
        AuthResult::Success => Ok(Connection {
            handle,
            _tether: tether,
        }),
        AuthResult::Failure { .. } => Err(SshError::Refused {
            host: server.host.clone(),
            user: user.to_owned(),
        }),
    }
}

/// What an RSA key signs with: what the server says that it takes, and never SHA-1.
async fn hash(handle: &Handle<Verifier>, host: &Host) -> Result<HashAlg, SshError> {
    match handle.best_supported_rsa_hash().await? {
        Some(Some(hash)) => Ok(hash),
        Some(None) => Err(SshError::Sha1(host.clone())),
        None => Ok(HashAlg::Sha512),
    }
}

fn config(pinned: &Pinned) -> Config {
    Config {
        client_id: SshId::Standard(Cow::Borrowed("SSH-2.0-ringfence")),
        window_size: SSH_WINDOW,
        maximum_packet_size: SSH_PACKET_OCTETS,
        channel_buffer_size: SSH_MESSAGES,
        preferred: preferred(pinned.algorithms()),
        keepalive_interval: Some(SSH_KEEPALIVE),
        keepalive_max: SSH_UNANSWERED,
        ..Config::default()
    }
}

/// Says which server is the right one. A server may open nothing: dropping a request to open a
/// channel refuses it.
struct Verifier {
    host: Host,
    pinned: Pinned,
}

impl client::Handler for Verifier {
    type Error = SshError;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, SshError> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Err(SshError::HostCertificate(self.host.clone()));
        };
        if self.pinned.holds(key) {
            return Ok(true);
        }
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        Err(SshError::HostKey {
            host: self.host.clone(),
            found: format!("{} {fingerprint}", key.algorithm()),
        })
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        Ok(())
    }
}
