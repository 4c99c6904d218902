//! A second, naive reading of LLM rules. A request is allowed exactly when no forbid takes it and
//! one allow lets all of it through; the first of those by name gives the terms.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

/// A rule as a person would read it from its line.
#[derive(Debug, Clone)]
struct Plain {
    is_forbid: bool,
    provider: Option<&'static str>,
    models: Option<Vec<&'static str>>,
    endpoints: Option<Vec<&'static str>>,
    hosted: Vec<&'static str>,
    strip: Vec<&'static str>,
    tokens: Option<u64>,
    octets: Option<u64>,
    credential: Option<&'static str>,
    expired: bool,
}

#[derive(Debug, Clone)]
struct Sent {
    provider: &'static str,
    model: Option<&'static str>,
    endpoint: &'static str,
    hosted: Vec<&'static str>,
    tokens: Option<u64>,
    octets: u64,
}

const ENDPOINTS: [&str; 4] = ["chat-completions", "responses", "embeddings", "models"];
const FEATURES: [&str; 3] = ["web-search", "remote-mcp", "other:x"];
const MODELS: [&str; 4] = ["a-1", "a-2", "b/a-1", "A-1"];

fn any_rule() -> impl Strategy<Value = Plain> {
    let about = (
        option::weighted(0.9, select(vec!["openai", "groq"])),
        option::of(subsequence(vec!["a-1", "a-*", "*/a-1", "b*"], 0..=2)),
        option::of(subsequence(ENDPOINTS.to_vec(), 1..=3)),
    );
    let hosted = (
        subsequence(FEATURES.to_vec(), 0..=2),
        subsequence(FEATURES.to_vec(), 0..=2),
    );
    let limits = (
        option::of(select(vec![10_u64, 20])),
        option::of(select(vec![10_u64, 20])),
        option::of(select(vec!["k1", "k2"])),
    );
    let rare = (prop::bool::weighted(0.3), prop::bool::weighted(0.1));
    (about, hosted, limits, rare).prop_map(
        |((provider, models, endpoints), (hosted, strip), (tokens, octets, credential), rare)| {
            let (is_forbid, expired) = rare;
            let models = models.filter(|models| !is_forbid || !models.is_empty());
            Plain {
                is_forbid,
                provider: if is_forbid {
                    provider
                } else {
                    provider.or(Some("openai"))
                },
                models,
                endpoints,
                strip: strip
                    .into_iter()
                    .filter(|it| !hosted.contains(it))
                    .collect(),
                hosted,
                tokens,
                octets,
                credential,
                expired,
            }
        },
    )
}

fn any_request() -> impl Strategy<Value = Sent> {
    (
        select(vec!["openai", "groq"]),
        option::weighted(0.8, select(MODELS.to_vec())),
        select(ENDPOINTS.to_vec()),
        subsequence(FEATURES.to_vec(), 0..=2),
        option::of(select(vec![5_u64, 15, 25])),
        select(vec![5_u64, 15, 25]),
    )
        .prop_map(|(provider, model, endpoint, hosted, tokens, octets)| Sent {
            provider,
            model,
            endpoint,
            hosted,
            tokens,
            octets,
        })
}

impl Plain {
    fn line(&self) -> String {
        let list = |name: &str, entries: &[&str]| {
            let entries: Vec<_> = entries.iter().map(|it| format!("'{it}'")).collect();
            format!("{name}: [{}]", entries.join(", "))
        };
        let mut fields = Vec::new();
        fields.extend(self.provider.map(|it| format!("provider: {it}")));
        fields.extend(self.models.as_deref().map(|it| list("models", it)));
        fields.extend(self.endpoints.as_deref().map(|it| list("endpoints", it)));
        if self.is_forbid {
            if !self.hosted.is_empty() {
                fields.push(format!("hosted: {{{}}}", list("any", &self.hosted)));
            }
        } else {
            let mut hosted = vec![list("allow", &self.hosted)];
            if !self.strip.is_empty() {
                hosted.push(list("strip", &self.strip));
            }
            fields.push(format!("hosted: {{{}}}", hosted.join(", ")));
            fields.extend(self.tokens.map(|it| format!("maxOutputTokens: {it}")));
            fields.extend(self.octets.map(|it| format!("requestOctets: {it}")));
            fields.extend(self.credential.map(|it| format!("credential: {it}")));
        }
        fields.extend(
            self.expired
                .then(|| "expires: '2026-05-01T00:00:00Z'".to_owned()),
        );
        let effect = if self.is_forbid { "forbid" } else { "allow" };
        format!("{effect}: {{{}}}", fields.join(", "))
    }

    fn is_about(&self, model: &str) -> bool {
        let model = if self.is_forbid {
            model.to_lowercase()
        } else {
            model.to_owned()
        };
        let covers = |pattern: &&str| match *pattern {
            "a-*" => model.starts_with("a-"),
            "*/a-1" => model == "b/a-1",
            "b*" => model == "b/a-1",
            exact => exact == model,
        };
        self.models
            .as_ref()
            .is_none_or(|models| models.iter().any(covers))
    }

    fn takes(&self, sent: &Sent) -> bool {
        let about = match sent.model {
            Some(model) => self.is_about(model),
            None => sent.endpoint != "models" || self.models.is_none(),
        };
        self.is_forbid
            && !self.expired
            && self.provider.is_none_or(|it| it == sent.provider)
            && about
            && self
                .endpoints
                .as_ref()
                .is_none_or(|it| it.contains(&sent.endpoint))
            && (self.hosted.is_empty() || sent.hosted.iter().any(|it| self.hosted.contains(it)))
    }

    fn lets(&self, sent: &Sent) -> bool {
        if self.is_forbid || self.expired || self.provider != Some(sent.provider) {
            return false;
        }
        if sent.endpoint == "models" {
            return sent.model.is_none_or(|model| self.is_about(model));
        }
        sent.model
            .map_or_else(|| self.models.is_none(), |model| self.is_about(model))
            && self
                .endpoints
                .as_ref()
                .is_none_or(|it| it.contains(&sent.endpoint))
            && sent
                .hosted
                .iter()
                .all(|it| self.hosted.contains(it) || self.strip.contains(it))
            && !matches!((sent.tokens, self.tokens), (Some(asked), Some(most)) if asked > most)
            && self.octets.is_none_or(|most| sent.octets <= most)
    }
}

impl Sent {
    fn asked(&self) -> LlmAsked {
        let endpoint = LlmEndpoint::ALL
            .into_iter()
            .find(|it| it.as_str() == self.endpoint);
        LlmAsked {
            endpoint,
            model: self.model.map(str::to_owned),
            hosted: self.hosted.iter().map(|it| it.parse().unwrap()).collect(),
            max_output_tokens: self.tokens,
            octets: self.octets,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_request_is_allowed_exactly_when_a_naive_reading_of_the_rules_says_so(
        rules in vec(any_rule(), 1..6),
        sent in any_request(),
    ) {
        let lines: Vec<String> = rules.iter().map(Plain::line).collect();
        let forbidden = rules.iter().any(|rule| rule.takes(&sent));
        let letting: Vec<_> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.lets(&sent))
            .collect();
        let keys: std::collections::BTreeSet<_> =
            letting.iter().filter_map(|(_, rule)| rule.credential).collect();
        let verdict = to(&llm(&lines.join("\n")), sent.provider, sent.asked());
        let said = lines.join("\n");
        if forbidden {
            prop_assert_eq!(verdict.decision.code, ReasonCode::Forbidden, "{}", said);
        } else if keys.len() > 1 {
            prop_assert_eq!(verdict.decision.code, ReasonCode::CredentialAmbiguous, "{}", said);
        } else {
            let counts = |rule: &Plain| keys.is_empty() || rule.credential.is_some();
            let first = letting.iter().find(|(_, rule)| counts(rule));
            let name = first.map(|(index, _)| RuleRef(format!("p/llm/{}", index + 1)));
            prop_assert_eq!(verdict.decision.is_allow(), name.is_some(), "{}", said);
            if name.is_some() {
                prop_assert_eq!(&terms(&verdict).rule, name.as_ref().unwrap(), "{}", said);
            }
        }
        // Named, the rules are the same in whatever order they stand.
        let named: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(index, line)| line.replacen(": {", &format!(": {{id: r{index}, "), 1).replace(", }", "}"))
            .collect();
        let reversed: Vec<String> = named.iter().rev().cloned().collect();
        let one = to(&llm(&named.join("\n")), sent.provider, sent.asked()).decision;
        let other = to(&llm(&reversed.join("\n")), sent.provider, sent.asked()).decision;
        prop_assert_eq!(one, other, "{}", said);
    }

    #[test]
    fn a_model_is_shown_exactly_when_something_may_be_asked_of_it(
        rules in vec(any_rule(), 1..6),
        model in select(MODELS.to_vec()),
    ) {
        let lines: Vec<String> = rules.iter().map(Plain::line).collect();
        let live = rules.iter().filter(|it| !it.expired && it.is_about(model));
        let about = live.filter(|it| it.provider.is_none_or(|it| it == "openai"));
        let about: Vec<_> = about.collect();
        let takes_all = |it: &&&Plain| it.is_forbid && it.hosted.is_empty() && it.endpoints.is_none();
        let expected = about.iter().any(|it| !it.is_forbid) && !about.iter().any(|it| takes_all(&it));
        let shown = llm(&lines.join("\n")).shows_model(&provider("openai"), model, now());
        prop_assert_eq!(shown, expected, "{}", lines.join("\n"));
    }
}
