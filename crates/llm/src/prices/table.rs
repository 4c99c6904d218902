//! The table of prices.

use ringfence_model::llm::{Money, ProviderKind, ProviderName};
use serde::Deserialize;

use super::{ModelTerms, Rates, Tier};

/// The table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) dated: String,
    models: Vec<Row>,
}

/// One model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    maker: Maker,
    model: String,
    input: Dollars,
    output: Dollars,
    cache_read: Option<Dollars>,
    cache_write: Option<Dollars>,
    cache_write_long: Option<Dollars>,
    context: u64,
    max_output: u64,
    #[serde(default)]
    above: Vec<Above>,
}

/// What holds above so many tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Above {
    tokens: u64,
    input: Dollars,
    output: Dollars,
    cache_read: Option<Dollars>,
    cache_write: Option<Dollars>,
    cache_write_long: Option<Dollars>,
}

/// Who makes a model, and says what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Maker {
    Anthropic,
    Openai,
    Google,
    Mistral,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Dollars(Money);

impl TryFrom<String> for Dollars {
    type Error = ringfence_model::llm::MoneyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl Table {
    /// The table that is built in. A test reads it too, so that it cannot be one that is not read.
    pub(super) fn read() -> Self {
        serde_json::from_str(include_str!("prices.json")).unwrap_or_default()
    }

    pub(super) fn find(
        &self,
        provider: &ProviderName,
        kind: ProviderKind,
        model: &str,
    ) -> Option<ModelTerms> {
        let name = plain(model);
        let sold = self
            .models
            .iter()
            .filter(|row| sells(provider, kind, row.maker));
        let named = sold.filter(|row| is_version(&row.model, &name));
        named.max_by_key(|row| row.model.len()).map(Row::terms)
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.models.iter().map(|row| row.model.as_str())
    }
}

impl Row {
    fn terms(&self) -> ModelTerms {
        let money = |it: Option<Dollars>| it.map(|it| it.0);
        let base = Tier {
            input: self.input.0,
            output: self.output.0,
            cache_read: money(self.cache_read),
            cache_write: money(self.cache_write),
            cache_write_long: money(self.cache_write_long),
        };
        let above = self.above.iter().map(|it| {
            let tier = Tier {
                input: it.input.0,
                output: it.output.0,
                cache_read: money(it.cache_read),
                cache_write: money(it.cache_write),
                cache_write_long: money(it.cache_write_long),
            };
            (it.tokens, tier)
        });
        ModelTerms {
            rates: Rates {
                base,
                above: above.collect(),
            },
            context: self.context,
            max_output: self.max_output,
        }
    }
}

/// Whether a provider sells models of this maker at about its prices.
fn sells(provider: &ProviderName, kind: ProviderKind, maker: Maker) -> bool {
    match (kind, provider.as_str()) {
        (ProviderKind::Anthropic | ProviderKind::Bedrock, _) => maker == Maker::Anthropic,
        (ProviderKind::Gemini, _) => maker == Maker::Google,
        (ProviderKind::Vertex, _) => matches!(maker, Maker::Google | Maker::Anthropic),
        (ProviderKind::AzureOpenai, _) | (ProviderKind::Openai, "openai") => maker == Maker::Openai,
        (ProviderKind::Openai, "mistral") => maker == Maker::Mistral,
        (ProviderKind::Openai, "groq") => false,
        (ProviderKind::Openai, _) => true,
    }
}

/// The name that the maker gives a model: without what Bedrock, Vertex and OpenRouter put around it.
fn plain(model: &str) -> String {
    let last = model.rsplit('/').next().unwrap_or(model);
    let name = last.split([':', '@']).next().unwrap_or(last);
    // `us.anthropic.claude-…-v1` at Bedrock, `claude-sonnet-4.5` at OpenRouter.
    match name.find("claude-") {
        Some(at) => name.get(at..).unwrap_or_default().replace('.', "-"),
        None => name.to_owned(),
    }
}

/// Whether `name` is `model` or a dated version of it. A short number is another model:
/// `claude-opus-4-5` is no version of `claude-opus-4`.
fn is_version(model: &str, name: &str) -> bool {
    let Some(rest) = name.strip_prefix(model) else {
        return false;
    };
    let Some(rest) = rest.strip_prefix('-') else {
        return rest.is_empty();
    };
    let mut is_dated = false;
    rest.split('-').all(|part| {
        if matches!(part, "latest" | "preview" | "exp" | "v1" | "v2") {
            is_dated = true;
            return true;
        }
        let is_number = !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
        is_dated |= part.len() > 2;
        is_number && is_dated
    })
}
