use super::*;

fn terms(provider: &str, kind: ProviderKind, model: &str) -> Option<ModelTerms> {
    of(&ProviderName::new(provider).unwrap(), kind, model)
}

fn claude(model: &str) -> Option<ModelTerms> {
    terms("anthropic", ProviderKind::Anthropic, model)
}

fn dollars(text: &str) -> Money {
    text.parse().unwrap()
}

#[test]
fn the_table_is_read_and_each_model_has_its_own_row() {
    assert_eq!(DATED.len(), "2026-11-01".len());
    let mut names: Vec<&str> = TABLE.names().collect();
    let count = names.len();
    assert!(count > 60);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_dated_version_has_the_price_of_its_model_and_a_newer_model_has_none() {
    let sonnet = claude("claude-sonnet-4-5").unwrap();
    assert_eq!(claude("claude-sonnet-4-5-20250929").as_ref(), Some(&sonnet));
    assert_eq!(claude("claude-sonnet-4-5-latest").as_ref(), Some(&sonnet));
    for model in [
        "claude-opus-4-9",
        "claude-opus-5",
        "claude-sonnet-4-5x",
        "claude",
        "",
    ] {
        assert_eq!(claude(model), None, "{model}");
    }
    let gpt = |model| terms("openai", ProviderKind::Openai, model);
    for model in [
        "gpt-5.9",
        "gpt-5-pro-max",
        "gpt-5-turbo",
        "gpt-4o-realtime",
        "gpt-4o-audio-preview",
    ] {
        assert_eq!(gpt(model), None, "{model}");
    }
    assert_eq!(gpt("gpt-4o-2024-08-06"), gpt("gpt-4o"));
    assert_ne!(gpt("gpt-4o-2024-05-13"), gpt("gpt-4o"));
    assert_eq!(gpt("gpt-4-0613"), gpt("gpt-4"));
    assert_eq!(
        terms(
            "gemini",
            ProviderKind::Gemini,
            "gemini-2.5-flash-preview-09-2025"
        ),
        terms("gemini", ProviderKind::Gemini, "gemini-2.5-flash")
    );
}

#[test]
fn a_model_is_known_by_the_names_that_clouds_give_it() {
    let opus = claude("claude-opus-4-1").unwrap();
    for (provider, kind, model) in [
        (
            "aws",
            ProviderKind::Bedrock,
            "us.anthropic.claude-opus-4-1-20250805-v1:0",
        ),
        (
            "aws",
            ProviderKind::Bedrock,
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-1-20250805-v1:0",
        ),
        ("gcp", ProviderKind::Vertex, "claude-opus-4-1@20250805"),
        (
            "openrouter",
            ProviderKind::Openai,
            "anthropic/claude-opus-4.1",
        ),
    ] {
        assert_eq!(
            terms(provider, kind, model).as_ref(),
            Some(&opus),
            "{model}"
        );
    }
    assert_eq!(
        terms("openai", ProviderKind::Openai, "claude-opus-4-1"),
        None
    );
    assert_eq!(terms("groq", ProviderKind::Openai, "gpt-4o"), None);
}

#[test]
fn cost_counts_the_cache_by_its_own_price() {
    let usage = TokenUsage {
        input: 110_000,
        output: 1_000,
        cache_read: 90_000,
        cache_write: 15_000,
        cache_write_long: 5_000,
        reasoning: 500,
    };
    // 5,000 * 3 + 90,000 * 0.3 + 10,000 * 3.75 + 5,000 * 6 + 1,000 * 15, per million.
    let rates = claude("claude-sonnet-4-5").unwrap().rates;
    assert_eq!(rates.cost(&usage), dollars("0.1245"));
    let flat = Rates::flat(dollars("1"), dollars("2"), None, None);
    assert_eq!(flat.cost(&usage), dollars("0.112"));
}

#[test]
fn a_long_context_costs_more_for_the_whole_request_and_the_bound_knows_it() {
    let rates = claude("claude-sonnet-4-5").unwrap().rates;
    let usage = |input| TokenUsage {
        input,
        output: 1_000_000,
        ..TokenUsage::default()
    };
    assert_eq!(rates.cost(&usage(200_000)), dollars("15.6"));
    assert_eq!(rates.cost(&usage(200_001)), dollars("23.700006"));
    assert_eq!(rates.most(200_000, 0), dollars("1.2"));
    assert_eq!(rates.most(200_001, 0), dollars("2.400012"));
    for input in [0, 1, 199_999, 200_000, 200_001, 900_000] {
        for part in [0, input / 2, input] {
            let usage = TokenUsage {
                cache_write: part,
                cache_write_long: part,
                ..usage(input)
            };
            assert!(rates.cost(&usage) <= rates.most(input, 1_000_000));
        }
    }
}

#[test]
fn a_star_stands_for_any_characters() {
    for (pattern, model, is) in [
        ("gpt-4o", "gpt-4o", true),
        ("gpt-4o", "gpt-4o-mini", false),
        ("gpt-*", "gpt-5", true),
        ("*", "", true),
        ("*-mini", "o4-mini", true),
        ("*-mini", "o4-mini-x", false),
        ("a*b*c", "a1b2c", true),
        ("a*b*c", "a1c2b", false),
        ("a*b*b", "ab", false),
        ("ab*ba", "aba", false),
    ] {
        assert_eq!(matches(pattern, model), is, "{pattern} {model}");
    }
}
