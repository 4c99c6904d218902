//! What a server wants of who asks (RFC 9110, section 11.6.1; RFC 9728, section 5.1).

use super::error::{LoginError, refused};
use super::limits::{CHALLENGE_OCTETS, CHALLENGE_PARAMETERS, CHALLENGES};

/// What is read of a challenge for bearer tokens.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// Where the server describes itself.
    pub(super) resource_metadata: Option<String>,
    /// The scopes that it wants.
    pub(super) scope: Option<String>,
}

/// The challenge for bearer tokens among the values of `WWW-Authenticate`. Where there are two, or a
/// parameter is there twice, nobody can tell which counts.
pub(super) fn bearer<'a>(
    values: impl Iterator<Item = &'a str>,
) -> Result<Option<Challenge>, LoginError> {
    let mut found = None;
    for (position, value) in values.enumerate() {
        let read = (position < CHALLENGES && value.len() <= CHALLENGE_OCTETS)
            .then(|| read(value))
            .flatten();
        let challenges = read.ok_or_else(|| {
            refused("what the server wants (WWW-Authenticate) cannot be read; ask whoever runs it")
        })?;
        for (scheme, parameters) in challenges {
            if !scheme.eq_ignore_ascii_case("bearer") {
                continue;
            }
            let challenge = challenge(parameters);
            if found.is_some() || challenge.is_none() {
                return Err(refused(
                    "the server wants bearer tokens in two ways at once (WWW-Authenticate); ask whoever runs it",
                ));
            }
            found = challenge;
        }
    }
    Ok(found)
}

fn challenge(parameters: Vec<(String, String)>) -> Option<Challenge> {
    let mut challenge = Challenge::default();
    for (name, value) in parameters {
        let place = match name.as_str() {
            "resource_metadata" => &mut challenge.resource_metadata,
            "scope" => &mut challenge.scope,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    Some(challenge)
}

type Read = Vec<(String, Vec<(String, String)>)>;

/// All challenges of one value, with their parameters; names in lower case.
fn read(value: &str) -> Option<Read> {
    let mut rest = value.trim_matches([' ', '\t']);
    let mut challenges: Read = Vec::new();
    let mut count = 0;
    while !rest.is_empty() {
        let (word, after) = token(rest)?;
        let spaced = after.trim_start_matches([' ', '\t']);
        let is_parameter = spaced
            .strip_prefix('=')
            .is_some_and(|it| !challenges.is_empty() && !it.is_empty() && !it.starts_with('='));
        if is_parameter {
            count += 1;
            if count > CHALLENGE_PARAMETERS {
                return None;
            }
            let at = spaced.strip_prefix('=')?.trim_start_matches([' ', '\t']);
            let (text, after) = self::value(at)?;
            let (_, parameters) = challenges.last_mut()?;
            parameters.push((word.to_ascii_lowercase(), text));
            rest = next(after)?;
        } else {
            challenges.push((word.to_owned(), Vec::new()));
            rest = match spaced.strip_prefix(',') {
                Some(_) => next(spaced)?,
                None if spaced.len() < after.len() || spaced.is_empty() => spaced,
                None => return None,
            };
        }
    }
    Some(challenges)
}

/// What is behind the comma that ends an element.
fn next(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches([' ', '\t']);
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix(',')?;
    Some(rest.trim_start_matches([' ', '\t', ',']))
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    let end = text.bytes().position(|octet| !is_token(octet));
    let parts = text.split_at_checked(end.unwrap_or(text.len()))?;
    (!parts.0.is_empty()).then_some(parts)
}

/// A token or a quoted string.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = token(text)?;
        return Some((word.to_owned(), rest));
    };
    let mut found = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((found, quoted.get(at + 1..)?)),
            '\\' => found.push(characters.next()?.1),
            ' '..='~' | '\t' => found.push(character),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: &[&str]) -> Option<Challenge> {
        bearer(values.iter().copied()).unwrap()
    }

    #[test]
    fn a_challenge_is_read_wherever_it_stands() {
        let expected = Challenge {
            resource_metadata: Some("https://a.test/x".to_owned()),
            scope: Some("read write".to_owned()),
        };
        for values in [
            &[r#"Bearer resource_metadata="https://a.test/x", scope="read write""#][..],
            &[
                r#"bearer realm="a, b=\"c\"",scope="read write" , resource_metadata = "https://a.test/x""#,
            ],
            &[
                r#"Basic realm="x", Bearer scope="read write", resource_metadata="https://a.test/x""#,
            ],
            &[
                "Negotiate",
                r#"Bearer scope="read write", resource_metadata="https://a.test/x""#,
            ],
            &[
                r#"Bearer resource_metadata="https://a.test/x", scope="read write", Basic realm="x""#,
            ],
        ] {
            assert_eq!(found(values).as_ref(), Some(&expected), "{values:?}");
        }
        assert_eq!(found(&["Bearer"]), Some(Challenge::default()));
        assert_eq!(found(&["Negotiate, Basic realm=x"]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for values in [
            &[r#"Bearer scope="a", scope="b""#][..],
            &["Bearer", "Bearer scope=a"],
            &[r#"Bearer scope="a"#],
            &["Bearer scope=a b=c"],
            &["=a"],
            &["Bearer scope=\"a\u{7}\""],
        ] {
            assert!(bearer(values.iter().copied()).is_err(), "{values:?}");
        }
        let many = format!("Bearer {}", "a=b, ".repeat(CHALLENGE_PARAMETERS + 1));
        let long = format!("Bearer a={}", "b".repeat(CHALLENGE_OCTETS));
        assert!(bearer([many.as_str()].into_iter()).is_err());
        assert!(bearer([long.as_str()].into_iter()).is_err());
        assert!(bearer(["Bearer"; CHALLENGES + 1].into_iter()).is_err());
    }
}
