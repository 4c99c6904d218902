//! Which version of the protocol a client asks for: the field `Git-Protocol`.

use super::WireError;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    /// The first one; what a client means that says nothing.
    V0,
    /// The first one, after a line that says so.
    V1,
    /// The second one: commands. For fetching only.
    V2,
}

impl ProtocolVersion {
    /// Reads the value of `Git-Protocol`. A server takes the highest of several versions and
    /// other keys beside them; real clients send one version alone, and nothing else is read.
    ///
    /// # Errors
    /// [`WireError::Malformed`].
    pub fn from_header(value: Option<&str>) -> Result<Self, WireError> {
        match value {
            None | Some("version=0") => Ok(Self::V0),
            Some("version=1") => Ok(Self::V1),
            Some("version=2") => Ok(Self::V2),
            Some(_) => Err(WireError::Malformed("Git-Protocol is not one version")),
        }
    }

    /// The value of `Git-Protocol` that says so, where one is needed.
    #[must_use]
    pub const fn as_header(self) -> Option<&'static str> {
        match self {
            Self::V0 => None,
            Self::V1 => Some("version=1"),
            Self::V2 => Some("version=2"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_alone_is_read() {
        for value in [None, Some("version=1"), Some("version=2")] {
            let version = ProtocolVersion::from_header(value).unwrap();
            assert_eq!(version.as_header(), value);
        }
        assert_eq!(
            ProtocolVersion::from_header(Some("version=0")),
            Ok(ProtocolVersion::V0)
        );
        for value in [
            "",
            "version",
            "version=3",
            "version=02",
            "version=2 ",
            "Version=2",
            "version=1:version=2",
            "version=2:key=value",
            "version=2,version=1",
        ] {
            assert!(
                ProtocolVersion::from_header(Some(value)).is_err(),
                "{value}"
            );
        }
    }
}
