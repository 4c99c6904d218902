//! The signature in a commit: a header whose value goes on in lines that begin with a space. What is
//! signed is the commit without that header.

use ringfence_model::git::ObjectFormat;

/// A commit, apart from its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signature as it is in a file of its own.
    pub signature: Vec<u8>,
    /// What it is about.
    pub payload: Vec<u8>,
}

/// Whether and how a commit is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    Missing,
    /// There are several, or there is one that is not for the hash which names the commit: others
    /// may check another one than this would.
    Ambiguous,
    /// There is one.
    One(Signed),
}

impl Signature {
    /// Takes a commit apart. Of one that [`super::Commit::parse`] does not read, what comes is of no
    /// use.
    #[must_use]
    pub fn of(format: ObjectFormat, commit: &[u8]) -> Self {
        let expected: &[u8] = match format {
            ObjectFormat::Sha1 => b"gpgsig",
            ObjectFormat::Sha256 => b"gpgsig-sha256",
        };
        let mut signed = Signed {
            signature: Vec::new(),
            payload: Vec::with_capacity(commit.len()),
        };
        let (mut count, mut is_within) = (0, false);
        let mut rest = commit;
        while let Some((line, after)) = next_line(rest) {
            // The message follows.
            if line == b"\n" {
                break;
            }
            rest = after;
            let (name, value) = split(line);
            is_within = (is_within && line.starts_with(b" ")) || is_signature(name);
            if !is_within {
                signed.payload.extend_from_slice(line);
                continue;
            }
            if is_signature(name) {
                count += 1;
                if name != expected {
                    return Self::Ambiguous;
                }
            }
            signed.signature.extend_from_slice(value);
        }
        signed.payload.extend_from_slice(rest);
        match count {
            0 => Self::Missing,
            1 => Self::One(signed),
            _ => Self::Ambiguous,
        }
    }
}

/// Every header that some version of git takes for a signature.
fn is_signature(name: &[u8]) -> bool {
    name.starts_with(b"gpgsig")
}

/// The name of a header, which is empty in a line that goes on with the one before, and what is behind it.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let at = line.iter().position(|octet| *octet == b' ');
    let (name, value) = line.split_at(at.unwrap_or(line.len()));
    (name, value.get(1..).unwrap_or_default())
}

/// A line with its end, and what is behind it.
fn next_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|octet| *octet == b'\n')?;
    text.split_at_checked(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "tree 1\nauthor A <a@acme.test> 1 +0000\ncommitter A <a@acme.test> 1 +0000\n";

    fn of(headers: &str, message: &str) -> Signature {
        let commit = format!("{HEAD}{headers}\n{message}");
        Signature::of(ObjectFormat::Sha1, commit.as_bytes())
    }

    #[test]
    fn a_signature_is_taken_out_of_what_it_is_about() {
        let headers = "encoding UTF-8\ngpgsig -----BEGIN\n one\n two\n -----END\nmergetag object 1\n type commit\n";
        let message = "subject\n\ngpgsig not a header\n more\n";
        let expected =
            format!("{HEAD}encoding UTF-8\nmergetag object 1\n type commit\n\n{message}");
        assert_eq!(
            of(headers, message),
            Signature::One(Signed {
                signature: b"-----BEGIN\none\ntwo\n-----END\n".to_vec(),
                payload: expected.into_bytes(),
            })
        );
    }

    #[test]
    fn one_signature_counts_and_several_do_not() {
        for (headers, is_missing) in [
            ("", true),
            ("mergetag object 1\n gpgsig x\n", true),
            ("gpgsig a\ngpgsig b\n", false),
            ("gpgsig a\ngpgsig-sha256 b\n", false),
            ("gpgsig-sha256 b\n", false),
            ("gpgsigx b\n", false),
        ] {
            let expected = if is_missing {
                Signature::Missing
            } else {
                Signature::Ambiguous
            };
            assert_eq!(
                of(headers, "gpgsig in the message\n"),
                expected,
                "{headers:?}"
            );
        }
        let commit = format!("{HEAD}gpgsig-sha256 x\n\nm");
        let of_sha256 = Signature::of(ObjectFormat::Sha256, commit.as_bytes());
        assert!(matches!(of_sha256, Signature::One(_)));
    }
}
