use super::*;

const REDIRECT: &str = "http://127.0.0.1:4711/callback";

fn ticket(authorization: &str, is_issuer_told: bool) -> Result<Ticket, LoginError> {
    Ticket::new(Journey {
        authorization: &Endpoint::parse(authorization).unwrap(),
        issuer: "https://login.acme.test",
        is_issuer_told,
        client: "a client",
        redirect: REDIRECT,
        resource: "https://mcp.acme.test/mcp",
        scope: Some("read offline_access"),
        again: "ringfence mcp login lab".to_owned(),
    })
}

fn usual() -> Ticket {
    ticket("https://login.acme.test/authorize?tenant=a", false).unwrap()
}

fn parameters(url: &str) -> Vec<(String, String)> {
    let query = url.split_once('?').unwrap().1;
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), decoded(value).unwrap()))
        .collect()
}

fn parameter(ticket: &Ticket, name: &str) -> String {
    let found = parameters(ticket.url());
    let mut found = found.into_iter().filter(|(known, _)| known == name);
    let value = found.next().unwrap().1;
    assert!(found.next().is_none(), "{name}");
    value
}

fn answer(ticket: &Ticket, more: &str) -> String {
    format!("state={}&{more}", parameter(ticket, "state"))
}

fn ended(ticket: &Ticket, query: &str) -> Result<Secret, LoginError> {
    match ticket.brought(query) {
        Brought::Ended(ended) => ended,
        Brought::Foreign => panic!("foreign: {query}"),
    }
}

#[test]
fn the_browser_takes_a_challenge_and_a_state_of_its_own() {
    let (one, other) = (usual(), usual());
    assert!(
        one.url()
            .starts_with("https://login.acme.test/authorize?tenant=a&response_type=code&")
    );
    for (name, expected) in [
        ("client_id", "a client"),
        ("redirect_uri", REDIRECT),
        ("resource", "https://mcp.acme.test/mcp"),
        ("scope", "read offline_access"),
        ("prompt", "consent"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&one, name), expected);
    }
    let verifier = one.verifier.expose();
    assert_eq!(verifier.len(), 43);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier));
    assert_eq!(parameter(&one, "code_challenge"), challenge);
    assert_ne!(one.verifier, other.verifier);
    assert_ne!(parameter(&one, "state"), parameter(&other, "state"));
    assert!(!one.url().contains(std::str::from_utf8(verifier).unwrap()));
    let shown = format!("{one:?}");
    assert!(
        !shown.contains(std::str::from_utf8(verifier).unwrap()),
        "{shown}"
    );
}

#[test]
fn an_authorization_server_cannot_say_first_what_a_login_says() {
    for query in [
        "code_challenge_method=plain",
        "a=b&redirect_uri=https%3A%2F%2Fevil.test",
        "stat%65=x",
        "resource=x",
    ] {
        let refused = ticket(&format!("https://login.acme.test/a?{query}"), false);
        assert!(matches!(refused, Err(LoginError::Refused(_))), "{query}");
    }
}

#[test]
fn the_answer_to_this_attempt_alone_ends_it() {
    let (ticket, other) = (usual(), usual());
    let code = ended(&ticket, &answer(&ticket, "code=a%2Bb")).unwrap();
    assert_eq!(code.expose(), b"a+b");
    let twice = format!("{}&state=x", answer(&ticket, "code=a"));
    let long = answer(&ticket, &format!("code={}", "a".repeat(ANSWER_OCTETS)));
    for query in [
        "code=a",
        "",
        "state=&code=a",
        "state=x&code=a",
        &answer(&other, "code=a"),
        &answer(&ticket, "code=a&code=b"),
        &answer(&ticket, "code=%ff"),
        &twice,
        &long,
    ] {
        let brought = ticket.brought(query);
        assert!(matches!(brought, Brought::Foreign), "{query}: {brought:?}");
    }
    for query in ["", "iss=https://login.acme.test", "code="] {
        assert!(ended(&ticket, &answer(&ticket, query)).is_err(), "{query}");
    }
}

#[test]
fn an_answer_of_another_authorization_server_is_not_used() {
    let (silent, told) = (usual(), ticket("https://login.acme.test/a", true).unwrap());
    for (ticket, issuer, is_taken) in [
        (&silent, "", true),
        (&silent, "&iss=https%3A%2F%2Flogin.acme.test", true),
        (&silent, "&iss=https%3A%2F%2Fevil.test", false),
        (&silent, "&iss=https%3A%2F%2Flogin.acme.test%2F", false),
        (&silent, "&iss=", false),
        (&told, "", false),
        (&told, "&iss=https%3A%2F%2Flogin.acme.test", true),
    ] {
        let found = ended(ticket, &answer(ticket, &format!("code=a{issuer}")));
        assert_eq!(found.is_ok(), is_taken, "{issuer}");
    }
}

#[test]
fn a_refusal_is_told_in_plain_words() {
    let ticket = usual();
    let query = answer(
        &ticket,
        "error=access_denied&error_description=no%1b%5B31m%0Anever&code=a",
    );
    let words = ended(&ticket, &query).unwrap_err().to_string();
    assert!(words.contains("access_denied: no[31mnever;"), "{words}");
    assert!(words.contains("ringfence mcp login lab"), "{words}");
}

#[test]
fn a_pasted_address_is_the_redirect_and_nothing_like_it() {
    let ticket = usual();
    let query = answer(&ticket, "code=a");
    let pasted = |base: &str| ticket.pasted(&format!(" {base}?{query}#_=_\n"));
    assert_eq!(pasted(REDIRECT).unwrap().expose(), b"a");
    for base in [
        "http://127.0.0.1:4711/callback/",
        "http://127.0.0.1:4712/callback",
        "https://127.0.0.1:4711/callback",
        "http://127.0.0.1:4711/callback/../callback",
        "http://localhost:4711/callback",
    ] {
        assert!(matches!(pasted(base), Err(LoginError::Given(_))), "{base}");
    }
    let foreign = ticket.pasted(&format!("{REDIRECT}?state=x&code=a"));
    assert!(matches!(foreign, Err(LoginError::Refused(_))));
}
