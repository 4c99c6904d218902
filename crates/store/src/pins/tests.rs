use ringfence_model::{Destination, Host, Scheme};

use super::*;

fn server(host: &str) -> McpServer {
    McpServer {
        name: ServerName::new("s").unwrap(),
        destination: Destination::new(Host::Name(host.parse().unwrap()), 443).unwrap(),
        scheme: Scheme::Https,
        path: "/mcp".to_owned(),
        trace: false,
        credential: None,
    }
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn check(pins: &Pins, seen: &[(&str, &str)], first: FirstSight) -> Vec<Standing> {
    let seen: Vec<_> = seen
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    pins.check(&server("a.test"), "tool", (&seen, first), now())
        .unwrap()
}

#[test]
fn what_is_seen_first_is_kept_and_whatever_differs_later_waits() {
    let data = tempfile::tempdir().unwrap();
    let pins = Pins::new(data.path());
    let first = [("a", "1"), ("b", "2")];
    assert_eq!(
        check(&pins, &first, FirstSight::Accept),
        [Standing::Known; 2]
    );
    assert_eq!(
        check(&pins, &first, FirstSight::Accept),
        [Standing::Known; 2]
    );
    let later = [("a", "1"), ("b", "3"), ("c", "4")];
    let stand = [Standing::Known, Standing::Changed, Standing::New];
    assert_eq!(check(&pins, &later, FirstSight::Accept), stand);
    // Another process knows no more.
    assert_eq!(
        check(&Pins::new(data.path()), &later, FirstSight::Accept),
        stand
    );
    // What is as it was again needs nobody.
    assert_eq!(
        check(&pins, &first, FirstSight::Accept),
        [Standing::Known; 2]
    );
    let kept = pins.of(&server("a.test")).unwrap().unwrap();
    assert!(kept.kinds["tool"]["c"].is_gone);
    assert_eq!(kept.kinds["tool"]["b"].waiting, None);
}

#[test]
fn a_person_accepts_exactly_what_waits() {
    let data = tempfile::tempdir().unwrap();
    let pins = Pins::new(data.path());
    assert_eq!(
        check(&pins, &[("a", "1"), ("b", "2")], FirstSight::Wait),
        [Standing::New; 2]
    );
    let accepted = pins
        .accept(&server("a.test"), (&["b".to_owned()], None), now())
        .unwrap();
    assert_eq!(accepted.unwrap(), [("tool".to_owned(), "b".to_owned())]);
    let seen = [("a", "1"), ("b", "2")];
    assert_eq!(
        check(&pins, &seen, FirstSight::Wait),
        [Standing::New, Standing::Known]
    );
    // Something else under the same name is not what was accepted.
    assert_eq!(
        check(&pins, &[("b", "3")], FirstSight::Accept),
        [Standing::Changed]
    );
    assert_eq!(
        pins.accept(&server("a.test"), (&[], None), now())
            .unwrap()
            .map(|it| it.len()),
        Some(2)
    );
    assert_eq!(
        check(&pins, &[("b", "3")], FirstSight::Accept),
        [Standing::Known]
    );
}

#[test]
fn a_server_that_is_elsewhere_is_another_one() {
    let data = tempfile::tempdir().unwrap();
    let pins = Pins::new(data.path());
    check(&pins, &[("a", "1")], FirstSight::Accept);
    let seen = [("a".to_owned(), "2".to_owned())];
    let other = pins.check(&server("b.test"), "tool", (&seen, FirstSight::Wait), now());
    assert_eq!(other.unwrap(), [Standing::New]);
    assert!(pins.forget(&server("a.test")).unwrap());
    assert!(!pins.forget(&server("a.test")).unwrap());
    assert_eq!(
        check(&pins, &[("a", "2")], FirstSight::Accept),
        [Standing::Known]
    );
}

#[test]
fn a_file_that_cannot_be_read_knows_nothing_and_says_so() {
    let data = tempfile::tempdir().unwrap();
    let pins = Pins::new(data.path());
    check(&pins, &[("a", "1")], FirstSight::Accept);
    let path = pins.path(&server("a.test"));
    let seen = [("a".to_owned(), "1".to_owned())];
    for text in ["", "{", "{\"version\":9}"] {
        private::write(&path, text.as_bytes()).unwrap();
        let checked = pins.check(
            &server("a.test"),
            "tool",
            (&seen, FirstSight::Accept),
            now(),
        );
        assert!(checked.is_err(), "{text}");
    }
}

#[test]
fn what_was_not_seen_is_not_accepted() {
    let data = tempfile::tempdir().unwrap();
    let pins = Pins::new(data.path());
    check(&pins, &[("a", "1"), ("b", "2")], FirstSight::Wait);
    let at = server("a.test");
    let mark = || pins.of(&at).unwrap().unwrap().mark();
    let seen = mark();
    check(&pins, &[("a", "1"), ("b", "3")], FirstSight::Wait);
    assert_ne!(mark(), seen);
    let accept = |seen: &str| pins.accept(&at, (&[], Some(seen)), now()).unwrap();
    assert_eq!(accept(&seen), None);
    assert_eq!(accept(""), None);
    let kept = pins.of(&at).unwrap().unwrap();
    assert_eq!(kept.kinds["tool"]["a"].accepted, None);
    assert_eq!(accept(&mark()).map(|it| it.len()), Some(2));
}
