//! What servers and authorization servers say that nobody may rely on.

use super::*;

/// T9: what a server says of itself leads nowhere that it may not.
#[tokio::test]
async fn metadata_leads_to_no_place_that_is_not_public_or_not_on_the_web() {
    let world = World::new();
    let places = [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "$(touch /tmp/x)",
        "http://login.acme.test",
        "http://127.0.0.1:9",
        "https://127.0.0.1:9",
        "https://[::1]:9",
        "https://[::ffff:10.0.0.1]",
        "https://169.254.169.254",
        "https://10.0.0.1",
        "https://[fd00:ec2::254]",
        "https://user@login.acme.test",
        "https://login.acme.test/a/../b",
        "https://host.ringfence.internal",
        "http://host.ringfence.internal:9",
        "https://mcp.ringfence.internal",
    ];
    for place in places {
        world
            .servers
            .members(RESOURCE, json!({"authorization_servers": [place]}));
        let words = words(world.usual().await);
        assert!(!words.contains("onnection refused"), "{place}: {words}");
    }
    world.servers.members(RESOURCE, json!({}));
    for place in places {
        for member in ["token_endpoint", "registration_endpoint"] {
            world.servers.members(ISSUER, json!({ member: place }));
            // Those whose address is not allowed are found out when they are dialled.
            let done = match world.usual().await {
                Ok(mut login) => match login.begin(REDIRECT).await {
                    Ok(ticket) => {
                        let code = Secret::new("code");
                        login.redeem(&ticket, &code).await.map(drop)
                    }
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            let words = words(done);
            assert!(
                !words.contains("onnection refused"),
                "{member} {place}: {words}"
            );
        }
    }
    assert_eq!(world.servers.token_requests().len(), 0);
}

/// T9: nor by a redirect, nor to another server's word.
#[tokio::test]
async fn metadata_of_another_origin_or_behind_a_redirect_is_not_taken() {
    let world = World::new();
    for challenge in [
        r#"Bearer resource_metadata="https://login.acme.test/.well-known/oauth-protected-resource/mcp""#,
        r#"Bearer resource_metadata="https://protected.acme.test:8443/x""#,
        r#"Bearer resource_metadata="https://169.254.169.254/latest""#,
        r#"Bearer resource_metadata="file:///etc/passwd""#,
        r#"Bearer resource_metadata="https://protected.acme.test/a", resource_metadata="https://protected.acme.test/b""#,
    ] {
        world.servers.challenge(challenge);
        assert!(
            matches!(world.usual().await, Err(LoginError::Refused(_))),
            "{challenge}"
        );
    }
    // Without a word of it, the usual places count.
    world.servers.challenge("Bearer");
    assert_eq!(
        world.usual().await.unwrap().scope(),
        Some("tools everything offline_access")
    );
    for path in [RESOURCE, ISSUER] {
        let elsewhere = ApiResponse::new(302, "").with("Location", "https://169.254.169.254/");
        world.servers.instead(path, elsewhere);
        assert!(
            words(world.usual().await).contains("not followed"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_server_that_says_that_it_is_another_gets_no_token() {
    let world = World::new();
    for resource in [
        "https://evil.test/mcp",
        "https://protected.acme.test.evil.test/mcp",
        "http://protected.acme.test/mcp",
        "https://protected.acme.test:8443/mcp",
        "https://protected.acme.test/mc",
        "https://protected.acme.test/mcp/more",
        "https://protected.acme.test/mcp?x",
        "",
    ] {
        world
            .servers
            .members(RESOURCE, json!({ "resource": resource }));
        assert!(
            words(world.usual().await).contains("could be used elsewhere"),
            "{resource}"
        );
    }
    let origin = "https://protected.acme.test";
    world
        .servers
        .members(RESOURCE, json!({ "resource": origin }));
    assert_eq!(world.usual().await.unwrap().resource(), origin);
}

#[tokio::test]
async fn an_authorization_server_is_the_one_that_was_named_and_checks_challenges() {
    let world = World::new();
    for (path, members, expected) in [
        (
            ISSUER,
            json!({"issuer": "https://evil.test"}),
            "says that it is",
        ),
        (
            ISSUER,
            json!({"issuer": "https://login.acme.test/x"}),
            "says that it is",
        ),
        (ISSUER, json!({"token_endpoint": null}), "no token endpoint"),
        (ISSUER, json!({"token_endpoint": 7}), "wrong type"),
        (
            RESOURCE,
            json!({"authorization_servers": []}),
            "names no authorization server",
        ),
        (
            RESOURCE,
            json!({"authorization_servers": ["https://login.acme.test?x"]}),
            "has a query",
        ),
        (
            RESOURCE,
            json!({"authorization_servers": ["https://login.acme.test", "https://b.test"]}),
            "--issuer",
        ),
        (
            RESOURCE,
            json!({"bearer_methods_supported": ["body"]}),
            "no token in a header",
        ),
        (
            RESOURCE,
            json!({"dpop_bound_access_tokens_required": true}),
            "DPoP",
        ),
        (RESOURCE, json!({"scopes_supported": ["a\"b"]}), "--scope"),
    ] {
        world.servers.members(ISSUER, json!({}));
        world.servers.members(RESOURCE, json!({}));
        world.servers.challenge("Bearer");
        world.servers.members(path, members.clone());
        let refused = words(world.usual().await);
        assert!(refused.contains(expected), "{members}: {refused}");
    }
    world.servers.members(RESOURCE, json!({}));
    for methods in [Value::Null, json!([]), json!(["plain"]), json!(["s256"])] {
        world
            .servers
            .members(ISSUER, json!({"code_challenge_methods_supported": methods}));
        let mut login = world.usual().await.unwrap();
        assert!(
            words(login.begin(REDIRECT).await).contains("PKCE"),
            "{methods}"
        );
    }
}

#[tokio::test]
async fn metadata_that_is_huge_deep_or_no_json_is_refused() {
    let world = World::new();
    let json = |body: String| ApiResponse::new(200, body).with("Content-Type", "application/json");
    let padded = |length: usize| {
        format!(
            r#"{{"issuer":"https://login.acme.test","x":"{}"}}"#,
            "x".repeat(length)
        )
    };
    for (answer, expected) in [
        (json(padded(limits::METADATA_OCTETS)), "is too long"),
        (json(padded(2 * 1024 * 1024)), "too great a length"),
        (
            json(format!(r#"{{"issuer":{}"#, "[".repeat(10_000))),
            "is not the JSON object",
        ),
        (
            json(r#"{"issuer":"https://login.acme.test","issuer":"https://evil.test"}"#.to_owned()),
            "a member twice",
        ),
        (json("[]".to_owned()), "is not the JSON object"),
        (
            ApiResponse::new(200, "{}").with("Content-Type", "text/html"),
            "application/json",
        ),
        (ApiResponse::new(500, ""), "try again"),
        (ApiResponse::new(404, ""), "no metadata"),
    ] {
        world.servers.instead(ISSUER, answer);
        let refused = words(world.usual().await);
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}

/// Behind a proxy that resolves names nobody can tell where they lead.
#[tokio::test]
async fn behind_an_upstream_proxy_the_person_names_the_authorization_server() {
    let mut world = World::new();
    let proxy = ringfence_gateway::UpstreamProxy::try_from("http://127.0.0.1:9".to_owned());
    world.config.dial.upstream_proxy = Some(proxy.unwrap());
    world.usual().await.unwrap();
    world.config.dial.hosts = ringfence_gateway::Hosts::default();
    world.lead(SERVER, world.servers.https());
    assert!(words(world.usual().await).contains("--issuer"));
    let named = Wanted {
        issuer: Some("https://login.acme.test".to_owned()),
        ..automatic()
    };
    let asked = world.discover(named).await;
    assert!(matches!(asked, Err(LoginError::Unreachable { .. })));
}

/// A name leads where its owner says, so it is the address that counts.
#[tokio::test]
async fn a_name_that_leads_into_the_private_network_is_not_gone_to() {
    let world = World::new();
    world.servers.members(
        RESOURCE,
        json!({"authorization_servers": ["https://localhost"]}),
    );
    let refused = words(world.usual().await);
    assert!(refused.contains("loopback"), "{refused}");
    let mut target = target("https", SERVER, "/mcp");
    target.networks = vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()];
    let allowed = Login::discover(target, automatic(), &world.outbound()).await;
    assert!(!words(allowed).contains("loopback"));
}
