//! What went wrong between the gateway and a server over SSH, in words that say who has to do what.

use std::error::Error;

use ringfence_model::Host;

use crate::limits::SSH_KEY_BITS;

/// Why a private key cannot be used. The words hold nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshKeyError {
    /// It has a passphrase.
    #[error(
        "the key is encrypted with a passphrase, which nobody could type later: give a key without one, made for this use (ssh-keygen -N '')"
    )]
    Encrypted,
    /// It is a public key.
    #[error("this is a public key; the private one is in the file without .pub")]
    Public,
    /// It is something else.
    #[error("this is no private key in the form of OpenSSH or in PEM")]
    Unreadable,
    /// Another kind of key.
    #[error("a key of the kind {0} is not supported: there are ed25519, ecdsa and rsa")]
    Kind(String),
    /// Too short to be safe.
    #[error("an RSA key has at least {SSH_KEY_BITS} bits")]
    Short,
}

/// Why a server could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// The server is not the one that it should be.
    #[error(
        "{host} has the SSH host key {found}, which is none of the `hostKeys` of this git server: either it was changed, and a person has to change them too, or this is another server. Nothing was sent to it"
    )]
    HostKey {
        /// The server.
        host: Host,
        /// Its kind and fingerprint.
        found: String,
    },
    /// The server proves itself by a certificate.
    #[error("{0} shows an SSH host certificate; only plain host keys are pinned")]
    HostCertificate(Host),
    /// What is pinned is no key.
    #[error("`hostKeys` holds what is no SSH host key: {0}")]
    Pinned(String),
    /// The server does not let this key in.
    #[error("{host} does not accept the SSH key of the credential for the user `{user}`")]
    Refused {
        /// The server.
        host: Host,
        /// The user.
        user: String,
    },
    /// The server knows RSA keys with SHA-1 alone.
    #[error("{0} takes RSA keys with SHA-1 alone, which is not safe: use an ed25519 key")]
    Sha1(Host),
    /// The server does not run programs.
    #[error("the server does not run `{0}` for this key")]
    NoProgram(&'static str),
    /// It took too long.
    #[error("the SSH handshake with {0} took too long")]
    TimedOut(Host),
    /// The program ended without an answer, and said this.
    #[error("the server said: {0}")]
    Said(String),
    /// The program ended without a word.
    #[error("the server ended `{0}` without an answer")]
    Silent(&'static str),
    /// The server broke off.
    #[error("the SSH connection broke off before the answer was whole")]
    Broken,
    /// Protocol 2 was asked for, and the server speaks another one.
    #[error(
        "the server does not speak version 2 of git's protocol: its sshd must let GIT_PROTOCOL through (AcceptEnv GIT_PROTOCOL)"
    )]
    OldProtocol,
    /// What the program says is not git's.
    #[error("the server does not answer as git does over SSH: {0}")]
    NotGit(&'static str),
    /// The request of the agent did not come to its end.
    #[error("the request is not whole")]
    Cut,
    /// Anything else.
    #[error("SSH failed: {}", in_words(.0))]
    Protocol(#[from] russh::Error),
}

/// With all causes, in one line.
fn in_words(error: &russh::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}
