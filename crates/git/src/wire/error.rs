//! Why octets are not let through.

/// Why what a client or an upstream sent is not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// It is not what git sends there, or it can be read in more than one way.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// It is understood, and it is never let through.
    #[error("{0} is not let through")]
    Refused(&'static str),
    /// It is more than is ever read.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// It ends before it is complete.
    #[error("it ends too early")]
    Truncated,
    /// The upstream refuses in its own words: one line, safe to show.
    #[error("the upstream answered: {0}")]
    Remote(String),
    /// Nothing of the smart protocol or LFS is at this path.
    #[error("not a request that git makes")]
    Unknown,
    /// The path is known, and another method belongs to it.
    #[error("this path takes {0} alone")]
    Method(&'static str),
    /// The path is known, and another query belongs to it.
    #[error("this path does not take this query")]
    Query,
    /// The path is known, and another content type belongs to it.
    #[error("this path takes the content type {0} alone")]
    MediaType(&'static str),
}
