//! LLM rules: which models, what providers do by themselves, and on what terms.

mod connections;
mod oracle;
mod sockets;
mod terms;

use ringfence_model::Access;
use ringfence_model::llm::{HostedFeature, LlmEndpoint, LlmRequest, ProviderName};

use super::*;

/// A policy of LLM rules, one for each line.
fn llm(rules: &str) -> Snapshot {
    with("", rules)
}

/// The same with other sections in front.
fn with(others: &str, rules: &str) -> Snapshot {
    let mut yaml = format!("{HEAD}name: p\n{others}\nllm:\n");
    for rule in rules.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(yaml, "  - {rule}").unwrap();
    }
    Snapshot::compile(Generation(7), &Profile::parse("p.yaml", &yaml).unwrap()).unwrap()
}

fn provider(name: &str) -> ProviderName {
    ProviderName::new(name).unwrap()
}

fn asked(model: &str) -> LlmAsked {
    LlmAsked {
        model: Some(model.to_owned()),
        ..LlmAsked::default()
    }
}

fn with_hosted(model: &str, hosted: &[HostedFeature]) -> LlmAsked {
    LlmAsked {
        hosted: hosted.to_vec(),
        ..asked(model)
    }
}

fn of(endpoint: LlmEndpoint, model: Option<&str>) -> LlmAsked {
    LlmAsked {
        endpoint: Some(endpoint),
        model: model.map(str::to_owned),
        ..LlmAsked::default()
    }
}

fn request(snapshot: &Snapshot, name: &str, asked: LlmAsked) -> LlmRequest {
    snapshot.llm_request(&provider(name), asked).unwrap()
}

fn to(snapshot: &Snapshot, name: &str, asked: LlmAsked) -> Verdict {
    let request = request(snapshot, name, asked);
    snapshot.decide(&Action::Llm(Box::new(request)), now())
}

fn code(snapshot: &Snapshot, name: &str, asked: LlmAsked) -> ReasonCode {
    to(snapshot, name, asked).decision.code
}

fn terms(verdict: &Verdict) -> &LlmTerms {
    let terms = verdict.grant.as_ref().unwrap().terms.first().unwrap();
    terms.llm.as_deref().unwrap()
}

#[test]
fn a_rule_is_for_its_provider_and_its_models() {
    let snapshot = llm(
        "allow: {provider: anthropic, models: ['claude-haiku-*', claude-sonnet-4-5]}
         allow: {provider: openai}",
    );
    for (name, model, expected) in [
        ("anthropic", "claude-haiku-4-5", ReasonCode::Allowed),
        ("anthropic", "claude-haiku-", ReasonCode::Allowed),
        ("anthropic", "claude-sonnet-4-5", ReasonCode::Allowed),
        (
            "anthropic",
            "claude-sonnet-4-5-20250929",
            ReasonCode::ModelNotAllowed,
        ),
        ("anthropic", "Claude-haiku-4-5", ReasonCode::ModelNotAllowed),
        (
            "anthropic",
            "x/claude-haiku-4-5",
            ReasonCode::ModelNotAllowed,
        ),
        ("anthropic", "claude-opus-4", ReasonCode::ModelNotAllowed),
        ("anthropic", "", ReasonCode::ModelNotAllowed),
        ("openai", "gpt-5", ReasonCode::Allowed),
        ("openai", "anything/at:all", ReasonCode::Allowed),
        ("gemini", "gemini-3-pro", ReasonCode::NoRule),
    ] {
        assert_eq!(
            code(&snapshot, name, asked(model)),
            expected,
            "{name} {model}"
        );
    }
}

#[test]
fn an_empty_list_of_models_allows_none_and_an_absent_one_allows_all() {
    let none = llm("allow: {provider: openai, models: []}");
    let all = llm("allow: {provider: openai}");
    for endpoint in LlmEndpoint::ALL {
        let (with_model, without) = (of(endpoint, Some("gpt-5")), of(endpoint, None));
        let is_list = endpoint == LlmEndpoint::Models;
        assert_eq!(
            code(&none, "openai", with_model.clone()),
            ReasonCode::ModelNotAllowed
        );
        let listed = code(&none, "openai", without.clone()) == ReasonCode::Allowed;
        assert_eq!(listed, is_list, "{endpoint}");
        assert_eq!(code(&all, "openai", with_model), ReasonCode::Allowed);
        assert_eq!(code(&all, "openai", without), ReasonCode::Allowed);
    }
    assert!(!none.shows_model(&provider("openai"), "gpt-5", now()));
    assert!(all.shows_model(&provider("openai"), "gpt-5", now()));
}

#[test]
fn a_request_that_names_no_model_is_not_one_for_an_allowed_model() {
    let snapshot = llm("allow: {provider: openai, models: [gpt-5]}");
    for endpoint in LlmEndpoint::ALL {
        let expected = match endpoint {
            LlmEndpoint::Models | LlmEndpoint::ResponsesSocket => ReasonCode::Allowed,
            _ => ReasonCode::ModelNotAllowed,
        };
        assert_eq!(code(&snapshot, "openai", of(endpoint, None)), expected);
    }
    let forbidden = llm("allow: {provider: openai}\nforbid: {provider: openai, models: [gpt-5]}");
    let responses = of(LlmEndpoint::Responses, None);
    assert_eq!(code(&forbidden, "openai", responses), ReasonCode::Forbidden);
    let list = of(LlmEndpoint::Models, None);
    assert_eq!(code(&forbidden, "openai", list), ReasonCode::Allowed);
}

#[test]
fn endpoints_are_all_or_those_that_are_named_and_the_list_of_models() {
    let snapshot = llm("allow: {provider: openai, endpoints: [embeddings]}");
    for endpoint in LlmEndpoint::ALL {
        let expected = match endpoint {
            LlmEndpoint::Embeddings | LlmEndpoint::Models => ReasonCode::Allowed,
            _ => ReasonCode::ConditionNotMet,
        };
        let verdict = to(&snapshot, "openai", of(endpoint, Some("x")));
        assert_eq!(verdict.decision.code, expected, "{endpoint}");
        if verdict.decision.is_allow() {
            let expected = match endpoint {
                LlmEndpoint::Models => Access::Read,
                _ => Access::Write,
            };
            assert_eq!(verdict.decision.access, Some(expected));
        }
    }
}

#[test]
fn what_a_provider_does_by_itself_is_denied_unless_it_is_allowed_or_stripped() {
    let all: Vec<_> = HostedFeature::KNOWN
        .into_iter()
        .chain([HostedFeature::other("memory_20991231")])
        .collect();
    let nothing = llm("allow: {provider: anthropic}
         allow: {provider: anthropic, hosted: {}}
         allow: {provider: anthropic, hosted: {allow: []}}");
    for feature in &all {
        let asked = with_hosted("m", std::slice::from_ref(feature));
        assert_eq!(
            code(&nothing, "anthropic", asked),
            ReasonCode::HostedNotAllowed
        );
    }
    let some = llm(
        "allow: {provider: anthropic, hosted: {allow: [web-search, 'other:memory_20991231'], strip: [web-fetch]}}",
    );
    for feature in &all {
        let expected = match feature {
            HostedFeature::WebSearch | HostedFeature::WebFetch | HostedFeature::Other(_) => {
                ReasonCode::Allowed
            }
            _ => ReasonCode::HostedNotAllowed,
        };
        let asked = with_hosted("m", std::slice::from_ref(feature));
        assert_eq!(code(&some, "anthropic", asked), expected, "{feature}");
    }
    let mixed = with_hosted("m", &[HostedFeature::WebSearch, HostedFeature::RemoteMcp]);
    assert_eq!(
        code(&some, "anthropic", mixed),
        ReasonCode::HostedNotAllowed
    );
    let taken = to(
        &some,
        "anthropic",
        with_hosted("m", &[HostedFeature::WebFetch]),
    );
    assert_eq!(terms(&taken).strip, [HostedFeature::WebFetch]);
}

#[test]
fn a_forbid_wins_whatever_it_names() {
    let allow = "allow: {provider: openai, hosted: {allow: [web-search], strip: [web-fetch]}}";
    for (forbid, taken) in [
        ("{provider: openai}", true),
        ("{}", true),
        ("{provider: anthropic}", false),
        ("{provider: openai, models: ['gpt-*']}", true),
        ("{provider: openai, models: ['GPT-*']}", true),
        ("{provider: openai, models: ['o3*']}", false),
        ("{models: ['*-5']}", true),
        ("{provider: openai, endpoints: [chat-completions]}", true),
        ("{provider: openai, endpoints: [responses]}", false),
        ("{hosted: {any: [web-search]}}", true),
        ("{hosted: {any: [web-fetch]}}", true),
        ("{hosted: {any: [remote-mcp]}}", false),
        (
            "{models: [gpt-5], endpoints: [chat-completions], hosted: {any: [remote-mcp, web-search]}}",
            true,
        ),
        (
            "{models: [gpt-6], endpoints: [chat-completions], hosted: {any: [web-search]}}",
            false,
        ),
        ("{provider: openai, expires: '2020-01-01T00:00:00Z'}", false),
    ] {
        let asked = || {
            with_hosted(
                "gpt-5",
                &[HostedFeature::WebSearch, HostedFeature::WebFetch],
            )
        };
        let expected = if taken {
            ReasonCode::Forbidden
        } else {
            ReasonCode::Allowed
        };
        for rules in [
            format!("{allow}\nforbid: {forbid}"),
            format!("forbid: {forbid}\n{allow}"),
        ] {
            assert_eq!(code(&llm(&rules), "openai", asked()), expected, "{rules}");
        }
    }
}

#[test]
fn limits_are_kept() {
    let snapshot = llm("allow: {provider: openai, maxOutputTokens: 100, requestOctets: 1000}");
    for (tokens, octets, expected) in [
        (None, 0, ReasonCode::Allowed),
        (Some(100), 1000, ReasonCode::Allowed),
        (Some(101), 0, ReasonCode::LimitReached),
        (None, 1001, ReasonCode::LimitReached),
    ] {
        let asked = LlmAsked {
            max_output_tokens: tokens,
            octets,
            ..asked("m")
        };
        assert_eq!(
            code(&snapshot, "openai", asked),
            expected,
            "{tokens:?} {octets}"
        );
    }
}

#[test]
fn an_alias_leads_to_its_model_and_the_list_shows_what_may_be_asked() {
    let snapshot = llm(
        "allow: {provider: openai, models: ['gpt-5*'], aliases: {fast: gpt-5-mini, gpt-4o: gpt-5}}
         forbid: {models: [gpt-5-pro]}
         forbid: {models: [gpt-5-nano], endpoints: [responses]}
         allow: {provider: openai, models: [old], expires: '2020-01-01T00:00:00Z'}",
    );
    let openai = provider("openai");
    for (name, model) in [
        ("fast", Some("gpt-5-mini")),
        ("gpt-4o", Some("gpt-5")),
        ("gpt-5", None),
    ] {
        assert_eq!(snapshot.llm_alias(&openai, name), model);
        assert_eq!(snapshot.llm_alias(&provider("groq"), name), None);
    }
    let request = request(&snapshot, "openai", asked("fast"));
    assert_eq!(request.model.as_deref(), Some("gpt-5-mini"));
    assert_eq!(request.alias.as_deref(), Some("fast"));
    assert_eq!(
        code(&snapshot, "openai", asked("fast")),
        ReasonCode::Allowed
    );
    for (model, is_shown) in [
        ("gpt-5", true),
        ("gpt-5-mini", true),
        ("gpt-4o", true),
        ("fast", true),
        ("gpt-5-pro", false),
        ("GPT-5-PRO", false),
        ("gpt-5-nano", true),
        ("old", false),
        ("o3", false),
    ] {
        assert_eq!(
            snapshot.shows_model(&openai, model, now()),
            is_shown,
            "{model}"
        );
    }
}

#[test]
fn a_request_to_another_place_than_the_providers_is_not_one_to_it() {
    let snapshot = llm("allow: {provider: openai}");
    let mut request = request(&snapshot, "openai", asked("gpt-5"));
    request.destination = "evil.test:443".parse().unwrap();
    let decision = snapshot
        .decide(&Action::Llm(Box::new(request)), now())
        .decision;
    assert_eq!(decision.code, ReasonCode::NoRule);
}

#[test]
fn denials_say_what_is_allowed_and_what_comes_next() {
    let snapshot = llm("allow: {id: small, provider: anthropic, models: ['claude-haiku-*'], endpoints: [messages, count-tokens], maxOutputTokens: 8000, requestOctets: 100000}
         forbid: {id: no-web, hosted: {any: [web-fetch, web-search]}, reason: pages are read through the gateway}
         forbid: {id: no-legacy, provider: openai, models: ['gpt-3*']}
         allow: {provider: openai}
         allow: {provider: gemini, models: []}
         allow: {id: gone, provider: groq, expires: '2026-05-01T00:00:00Z'}
         allow: {id: one, provider: mistral, credential: a}
         allow: {id: two, provider: mistral, credential: b}");
    let long = LlmAsked {
        max_output_tokens: Some(64_000),
        ..asked("claude-haiku-4-5")
    };
    let large = LlmAsked {
        octets: 200_000,
        ..asked("claude-haiku-4-5")
    };
    let said: Vec<_> = [
        ("anthropic", asked("claude-opus-4")),
        ("anthropic", asked("claude-opus-4\u{1b}[31m\nx")),
        (
            "anthropic",
            of(LlmEndpoint::Responses, Some("claude-haiku-4-5")),
        ),
        ("anthropic", of(LlmEndpoint::Messages, None)),
        (
            "anthropic",
            with_hosted(
                "claude-haiku-4-5",
                &[HostedFeature::RemoteMcp, HostedFeature::other("bash_99")],
            ),
        ),
        ("anthropic", long),
        ("anthropic", large),
        (
            "anthropic",
            with_hosted("claude-haiku-4-5", &[HostedFeature::WebSearch]),
        ),
        ("anthropic", asked("claude-haiku-4-5")),
        ("openai", asked("GPT-3.5")),
        ("gemini", asked("gemini-3-pro")),
        ("groq", asked("llama")),
        ("mistral", asked("large")),
        ("openrouter", asked("a/b")),
        ("openrouter", of(LlmEndpoint::Models, None)),
    ]
    .into_iter()
    .map(|(name, asked)| {
        let decision = to(&snapshot, name, asked).decision;
        let next = decision.next_step.unwrap_or_default();
        format!("{}: {}\n  next: {next}", decision.code, decision.reason)
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}
