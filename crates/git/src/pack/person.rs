//! Who stands in a commit or a tag.

/// The e-mail address of a person as git writes them, `Anna <anna@acme.example> 1700000000 +0000`;
/// none where not everybody would find the same one: with another `<` or `>`, with none or several
/// `@`, or with other characters than the visible ones of ASCII.
#[must_use]
pub fn email_of(person: &[u8]) -> Option<&str> {
    let person = str::from_utf8(person).ok()?;
    let (name, rest) = person.split_once('<')?;
    let (email, time) = rest.split_once('>')?;
    let is_odd = |c: char| matches!(c, '<' | '>');
    if name.contains(is_odd) || email.contains(is_odd) || time.contains(is_odd) {
        return None;
    }
    let (local, domain) = email.split_once('@')?;
    let is_plain = |octet: u8| octet.is_ascii_graphic() && octet != b'@';
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_plain);
    (is_part(local) && is_part(domain)).then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_where_everybody_reads_the_same() {
        for (person, email) in [
            ("A <a@acme.test> 1 +0000", Some("a@acme.test")),
            ("<a@acme.test> 1 +0000", Some("a@acme.test")),
            (
                "A (x@y.test) <7+a[bot]@acme.test> 1 +0000",
                Some("7+a[bot]@acme.test"),
            ),
            ("A <> 1 +0000", None),
            ("A <a> 1 +0000", None),
            ("A <@acme.test> 1 +0000", None),
            ("A <a@> 1 +0000", None),
            ("A <a@evil.test@acme.test> 1 +0000", None),
            ("A <a@evil.test> <b@acme.test> 1 +0000", None),
            ("A <a@evil.test <b@acme.test> 1 +0000", None),
            ("A <a@acme.test> b@evil.test> 1 +0000", None),
            ("> <a@acme.test> 1 +0000", None),
            ("A <a@evil.test b@acme.test> 1 +0000", None),
            ("A < a@acme.test> 1 +0000", None),
            ("A <a\u{202e}@acme.test> 1 +0000", None),
            ("A <\u{430}@acme.test> 1 +0000", None),
            ("\u{d6} <a@acme.test> 1 +0000", Some("a@acme.test")),
            ("A <a\r@acme.test> 1 +0000", None),
            ("A <a@acme.test", None),
            ("A a@acme.test> 1 +0000", None),
            ("", None),
        ] {
            assert_eq!(email_of(person.as_bytes()), email, "{person:?}");
        }
        assert_eq!(email_of(b"A <\xff@acme.test> 1 +0000"), None);
    }
}
