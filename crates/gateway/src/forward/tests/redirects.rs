//! Redirects: who follows them, and what goes along.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use super::upstream::{Ca, Reply, Seen, Speaks, Upstream, reply};
use super::world::{SECRET, WITH_GITHUB, World, get, request};

const FOLLOW: &str = "api:\n  - allow: { id: all, host: api.test, methods: [GET, HEAD, POST], paths: [\"/**\"], credential: github, follow: { hosts: [other.test, third.test] } }";

fn redirect(location: String) -> Reply {
    let mut response = reply("moved");
    *response.status_mut() = StatusCode::FOUND;
    response
        .headers_mut()
        .insert("location", location.parse().unwrap());
    response
}

/// Redirects `/to/REST` to `https://REST`, and elsewhere says what it saw, turned round.
async fn answer(seen: Seen) -> Reply {
    let path = seen.target.split("/to/").nth(1);
    if let Some(rest) = path {
        return redirect(format!("https://{}", rest.replace("%3F", "?")));
    }
    if seen.target.ends_with("/again") {
        return redirect("https://other.test/again".to_owned());
    }
    if seen.target.ends_with("/here") {
        return redirect("/there".to_owned());
    }
    if seen.target.ends_with("/back") {
        return redirect("https://api.test/there".to_owned());
    }
    if seen.target.ends_with("/plain") {
        return redirect("http://other.test/end".to_owned());
    }
    if seen.target.ends_with("/inside") {
        return redirect("https://host.ringfence.internal/end".to_owned());
    }
    let text = format!("{:?} {SECRET}", seen.headers);
    reply(text.chars().rev().collect::<String>())
}

async fn world(ca: &Ca, rules: &str) -> (World, Upstream) {
    let upstream = Upstream::start(ca, Speaks::Both, answer).await;
    (World::new(ca, &upstream, rules), upstream)
}

#[tokio::test]
async fn a_redirect_goes_to_the_agent_where_no_rule_has_it_followed() {
    let ca = Ca::new();
    let (world, upstream) = world(&ca, WITH_GITHUB).await;
    let got = world
        .send(get("https://api.test/to/other.test/x"))
        .await
        .unwrap();
    assert_eq!(got.status, 302);
    assert_eq!(got.headers["location"], "https://other.test/x");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_followed_redirect_leaves_the_credential_and_the_agents_headers_behind() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Both, |seen: Seen| async move {
        if seen.headers.contains_key("authorization") {
            let mut response = redirect("https://other.test/signed?sig=s3cr3t".to_owned());
            let cookie = "session=1".parse().unwrap();
            response.headers_mut().insert("set-cookie", cookie);
            return response;
        }
        let text = format!("{} {:?} ", seen.target, seen.headers);
        reply(text.chars().rev().collect::<String>())
    })
    .await;
    let world = World::new(&ca, &upstream, FOLLOW);
    let sent = [
        ("x-custom", "agent"),
        ("accept", "text/plain"),
        ("cookie", "a=1"),
    ];
    let got = world
        .send(request("GET", "https://api.test/x", &sent, ""))
        .await
        .unwrap();
    assert_eq!(got.status, 200);
    assert!(got.headers.get("set-cookie").is_none());
    let seen: String = got.text().chars().rev().collect();
    assert!(seen.contains("text/plain"), "{seen}");
    for left_behind in ["authorization", SECRET, "x-custom", "cookie"] {
        assert!(!seen.contains(left_behind), "{seen}");
    }
    let closing = world.closing();
    assert_eq!(
        closing.detail.unwrap(),
        "a redirect to other.test was followed"
    );
    assert!(!world.record().contains("s3cr3t"));
}

#[tokio::test]
async fn redirects_that_lead_astray_are_refused() {
    let ca = Ca::new();
    let (world, _upstream) = world(&ca, FOLLOW).await;
    for (path, words) in [
        ("/to/other.test/again", "too many"),
        ("/plain", "from https to http"),
        ("/inside", "leads to host.ringfence.internal"),
        ("/to/127.0.0.1/x", "127.0.0.1"),
        ("/to/user@other.test/x", "not valid"),
        ("/to/other.test/back", "back to where it came from"),
    ] {
        let (code, reason) = world.stopped(get(&format!("https://api.test{path}"))).await;
        assert!(code != "failed", "{path}: {code} {reason}");
        assert!(reason.contains(words), "{path}: {code} {reason}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_to_the_hosts_of_the_rule_alone() {
    let ca = Ca::new();
    let (world, upstream) = world(&ca, FOLLOW).await;
    for host in ["fourth.test", "x.other.test", "other.test.", "OTHER.test"] {
        let before = upstream.connections();
        let asked = get(&format!("https://api.test/to/{host}/x"));
        if host.to_lowercase().trim_end_matches('.') == "other.test" {
            assert_eq!(world.send(asked).await.unwrap().status, 200, "{host}");
            continue;
        }
        let (code, reason) = world.stopped(asked).await;
        assert_eq!(code, "response-refused", "{host}");
        let words = format!("it leads to {host}, which the rule does not name");
        assert!(reason.contains(&words), "{reason}");
        assert!(upstream.connections() <= before + 1, "{host}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_to_what_a_rule_forbids() {
    let ca = Ca::new();
    let rules = format!("network:\n  - forbid: {{ host: other.test }}\n{FOLLOW}");
    let (world, upstream) = world(&ca, &rules).await;
    let (code, reason) = world.stopped(get("https://api.test/to/other.test/x")).await;
    assert_eq!(code, "response-refused");
    assert!(reason.contains("forbid"), "{reason}");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_redirect_within_the_host_goes_to_the_agent() {
    let ca = Ca::new();
    let (world, _upstream) = world(&ca, FOLLOW).await;
    let got = world.send(get("https://api.test/here")).await.unwrap();
    assert_eq!((got.status.as_u16(), got.text()), (302, "moved"));
}

#[tokio::test]
async fn only_a_get_is_followed_and_no_other_method_shows_where_to() {
    let ca = Ca::new();
    let (world, upstream) = world(&ca, FOLLOW).await;
    for method in ["POST", "HEAD"] {
        let asked = request(method, "https://api.test/to/other.test/x", &[], "");
        let (code, reason) = world.stopped(asked).await;
        assert_eq!(code, "response-refused");
        assert!(!reason.contains("other.test"), "{reason}");
    }
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn a_redirect_to_a_url_that_holds_the_credential_is_not_followed() {
    let ca = Ca::new();
    let escape =
        |text: &str| -> String { text.bytes().map(|octet| format!("%{octet:02x}")).collect() };
    let once = escape(SECRET);
    for value in [
        SECRET.to_owned(),
        once.clone(),
        once.replace('%', "%25"),
        STANDARD.encode(SECRET),
    ] {
        let location = format!("https://other.test/?k={value}");
        let upstream = Upstream::start(&ca, Speaks::Both, move |seen: Seen| {
            let location = location.clone();
            async move {
                match seen.headers.contains_key("authorization") {
                    true => redirect(location),
                    false => reply("stolen"),
                }
            }
        });
        let upstream = upstream.await;
        let world = World::new(&ca, &upstream, FOLLOW);
        let (code, reason) = world.stopped(get("https://api.test/x")).await;
        assert_eq!(code, "response-refused", "{value}");
        assert!(reason.contains("holds a credential"), "{reason}");
        assert_eq!(upstream.connections(), 1, "{value}");
        assert_eq!(world.findings("credential-echoed").len(), 1);
    }
}

#[tokio::test]
async fn every_host_of_a_chain_is_recorded() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Both, |seen: Seen| async move {
        match seen.target.rsplit('/').next() {
            Some("first") => redirect("https://other.test/second".to_owned()),
            Some("second") => redirect("https://third.test/third".to_owned()),
            _ => reply("done"),
        }
    });
    let upstream = upstream.await;
    let names = ["api.test", "other.test", "third.test"].map(|name| (name, upstream.address));
    let world = World::at(&ca, &names, FOLLOW);
    world.send(get("https://api.test/first")).await.unwrap();
    let detail = world.closing().detail.unwrap();
    assert_eq!(
        detail,
        "a redirect to other.test, then to third.test was followed"
    );
}

#[tokio::test]
async fn a_forbid_by_query_counts_for_a_redirect_as_well() {
    let ca = Ca::new();
    let rules = format!(
        "{FOLLOW}\n  - forbid: {{ host: other.test, query: {{ params: [{{ name: evil, matches: [\"yes\"] }}] }} }}"
    );
    let (world, upstream) = world(&ca, &rules).await;
    let asked = get("https://api.test/to/other.test/x%3Fevil=yes");
    let (code, reason) = world.stopped(asked).await;
    assert_eq!(code, "response-refused", "{reason}");
    assert!(reason.contains("forbid"), "{reason}");
    assert_eq!(upstream.connections(), 1);
}
