//! Annotated tags.

use ringfence_model::git::{ObjectFormat, Oid};

use super::text::Headers;
use super::{Fault, Kind};

/// An annotated tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// What it is on.
    pub target: Oid,
    /// What that is.
    pub kind: Kind,
    /// Its name, without `refs/tags/`.
    pub name: Vec<u8>,
    /// What it says, in any encoding; a signature is part of it.
    pub message: Vec<u8>,
}

impl Tag {
    /// Reads a tag: `object`, `type`, `tag` and, but for very old ones, `tagger`, in this order and
    /// once; then any others.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn parse(format: ObjectFormat, octets: &[u8]) -> Result<Self, Fault> {
        let mut headers = Headers::new(format, octets);
        let target = headers.required_oid("object")?;
        let kind = match headers.required("type")? {
            b"commit" => Kind::Commit,
            b"tree" => Kind::Tree,
            b"blob" => Kind::Blob,
            b"tag" => Kind::Tag,
            _ => return Err(Fault::Header),
        };
        let name = headers.required("tag")?;
        headers.person("tagger")?;
        let message = headers.message(&["object", "type", "tag", "tagger"])?;
        Ok(Self {
            target,
            kind,
            name: name.to_vec(),
            message: message.to_vec(),
        })
    }
}
