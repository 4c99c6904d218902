//! Every bound that this crate puts on names that come from the wire or from a file.

/// Longest host name in octets without the trailing dot (RFC 1035, section 2.3.4).
pub const HOST_NAME_OCTETS: usize = 253;

/// Longest label of a host name in octets (RFC 1035, section 2.3.4).
pub const HOST_LABEL_OCTETS: usize = 63;

/// Longest name of an agent, a profile or a workspace in octets.
pub const NAME_OCTETS: usize = 64;

/// Longest name of a ref in octets.
pub const REF_NAME_OCTETS: usize = 1024;

/// Longest path of a repository in octets.
pub const REPO_PATH_OCTETS: usize = 1024;

/// Longest name of a git server in octets.
pub const UPSTREAM_NAME_OCTETS: usize = 32;

/// Longest name of a provider of language models in octets.
pub const PROVIDER_NAME_OCTETS: usize = 32;

/// Longest name of a server of the Model Context Protocol in octets.
pub const SERVER_NAME_OCTETS: usize = 32;
