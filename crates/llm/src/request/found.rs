//! What the readers of the dialects find in a body.

use std::borrow::Cow;

use ringfence_model::llm::{ContextKind, HostedFeature};

use super::Item;
use crate::limits::{FEATURES, HOSTED, ID_OCTETS, ITEMS, TOOLS};
use crate::text::shortened;
use ringfence_json::{Kind, Misread, Object, Value};

/// What was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// Where the body names a model, and which.
    pub(super) models: Vec<(u32, String)>,
    pub(super) stream: Option<bool>,
    /// Where it bounds the tokens of the answer, and how.
    pub(super) most: Vec<(u32, u64)>,
    /// Where a bound is put if it has none.
    pub(super) cap: Option<Cap>,
    pub(super) choices: Option<u64>,
    pub(super) includes_usage: bool,
    pub(super) tools: Vec<String>,
    pub(super) media: u64,
    /// Of the media, what is no image.
    pub(super) documents: u64,
    pub(super) media_octets: u64,
    /// The most tokens of reasoning that are not shown.
    pub(super) hidden: Option<u64>,
    pub(super) session: Option<String>,
    pub(super) service_tier: Option<String>,
    /// Values that are no texts, or that must stay as they are: from, to behind.
    pub(super) opaque: Vec<(u32, u32)>,
    /// The member that lists tools, and the one that chooses among them: key and value.
    pub(super) tool_list: Option<(u32, u32)>,
    pub(super) tool_choice: Option<(u32, u32)>,
    /// The object that could say that the request is not to be kept, and does not: it is then.
    pub(super) kept_in: Option<u32>,
    /// It asks for more than is told apart.
    pub(super) is_too_much: bool,
    hosted: Vec<(HostedFeature, Gone)>,
    items: Vec<Item>,
}

/// Where a bound on the answer is put.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cap {
    /// In this object, by this name.
    In(u32, &'static str),
    /// In a new object of the first name, in this object.
    Within(u32, &'static str, &'static str),
}

/// How something is not asked for any more.
#[derive(Debug, Clone)]
pub(super) enum Gone {
    /// This element, or the member with this key, is taken out.
    Part(u32),
    /// This value is another one, as JSON.
    Value(u32, String),
    /// What is asked for at this element, or by the member with this key, cannot be taken out.
    Never(u32),
}

impl Found {
    /// The provider is asked for this.
    pub(super) fn hosts(&mut self, feature: HostedFeature, gone: Gone) {
        if self.hosted.len() < HOSTED {
            self.hosted.push((feature, gone));
        } else {
            self.is_too_much = true;
        }
    }

    /// The member with this key asks for nothing that the provider keeps.
    pub(super) fn does_not_host(&mut self, key: u32) {
        let is_other =
            |gone: &Gone| !matches!(gone, Gone::Part(at) | Gone::Never(at) if *at == key);
        self.hosted.retain(|(_, gone)| is_other(gone));
    }

    /// The features, each once, in order. Of too many, the last names all that are left.
    pub(super) fn features(&self) -> Vec<HostedFeature> {
        let mut features: Vec<_> = self.hosted.iter().map(|(it, _)| it.clone()).collect();
        features.sort_unstable();
        features.dedup();
        if features.len() > FEATURES {
            features.truncate(FEATURES);
            features.push(HostedFeature::other("too-many-features"));
        }
        features
    }

    /// Takes out what was found of these features, all but what cannot be taken out.
    pub(super) fn take_hosted(&mut self, features: &[HostedFeature]) -> Vec<Gone> {
        let is_meant = |it: &mut (HostedFeature, Gone)| {
            features.contains(&it.0) && !matches!(it.1, Gone::Never(_))
        };
        self.hosted
            .extract_if(.., is_meant)
            .map(|it| it.1)
            .collect()
    }

    pub(super) fn item(&mut self, item: Item) {
        if self.items.len() >= 2 * ITEMS {
            self.items.drain(..ITEMS);
        }
        self.items.push(item);
    }

    /// The items, the last where there are too many.
    pub(super) fn take_items(&mut self) -> Vec<Item> {
        let mut items = std::mem::take(&mut self.items);
        let over = items.len().saturating_sub(ITEMS);
        items.drain(..over);
        items
    }

    /// A tool that the client runs.
    pub(super) fn tool(&mut self, name: &str) {
        if self.tools.len() < TOOLS {
            self.tools.push(shortened(name, ID_OCTETS).to_owned());
        }
    }

    pub(super) fn model(&mut self, object: Object<'_>, name: &str) -> Result<(), Misread> {
        if let Some(value) = object.get(name)? {
            let text = object.text(name)?.unwrap_or_default();
            self.models.push((value.at(), text.into_owned()));
        }
        Ok(())
    }

    /// A bound on the tokens of the answer.
    pub(super) fn bound(&mut self, object: Object<'_>, name: &str) -> Result<(), Misread> {
        if let Some(most) = object.count(name)?
            && let Some(value) = object.get(name)?
        {
            self.most.push((value.at(), most));
        }
        Ok(())
    }

    /// The member with the tools, and the one that chooses.
    pub(super) fn tool_members(
        &mut self,
        object: Object<'_>,
        list: &str,
        choice: &str,
    ) -> Result<(), Misread> {
        let at = |it: Option<(Value<'_>, Value<'_>)>| it.map(|(key, value)| (key.at(), value.at()));
        self.tool_list = at(object.member(list)?);
        self.tool_choice = at(object.member(choice)?);
        Ok(())
    }

    /// Media that is part of the request: a document, sound, or what may be either.
    pub(super) fn media(&mut self, data: Value<'_>) {
        self.documents += 1;
        self.image(data);
    }

    /// An image that is part of the request.
    pub(super) fn image(&mut self, data: Value<'_>) {
        self.media += 1;
        self.media_octets = self.media_octets.saturating_add(data.raw().len() as u64);
        self.keep(data);
    }

    /// A value that is no text, or must stay as it is.
    pub(super) fn keep(&mut self, value: Value<'_>) {
        self.opaque.push((value.at(), value.next()));
    }

    /// A place that media comes from: the request itself, or somewhere that the provider fetches
    /// it from. `part` becomes `instead` where it is not to.
    pub(super) fn url(&mut self, url: Value<'_>, part: Value<'_>, instead: &str) {
        if url.raw_text().starts_with(b"data:image/") {
            self.image(url);
            return;
        }
        if url.raw_text().starts_with(b"data:") {
            self.media(url);
            return;
        }
        self.media += 1;
        let gone = Gone::Value(part.at(), instead.to_owned());
        self.hosts(HostedFeature::FetchedUrl, gone);
    }

    /// A file that is kept with the provider.
    pub(super) fn stored_file(&mut self, part: Value<'_>, instead: &str) {
        self.media += 1;
        let gone = Gone::Value(part.at(), instead.to_owned());
        self.hosts(HostedFeature::StoredFile, gone);
    }

    /// The member of this name asks for this, unless it is empty.
    pub(super) fn hosts_member(
        &mut self,
        object: Object<'_>,
        name: &str,
        feature: HostedFeature,
    ) -> Result<(), Misread> {
        if let Some((key, value)) = object.member(name)?
            && !is_nothing(value)
        {
            self.hosts(feature, Gone::Part(key.at()));
        }
        Ok(())
    }

    /// The member of this name stands for a part of the conversation that is kept with the
    /// provider: without it, another one would go on.
    pub(super) fn continues(&mut self, object: Object<'_>, name: &str) -> Result<(), Misread> {
        if let Some((key, value)) = object.member(name)?
            && !is_nothing(value)
        {
            self.hosts(HostedFeature::StoredResponse, Gone::Never(key.at()));
        }
        Ok(())
    }

    /// A class of service that costs more than the price of the model says, where the member of
    /// this name asks for one.
    pub(super) fn costly_tier(&mut self, object: Object<'_>, name: &str) -> Result<(), Misread> {
        let tier = self.service_tier.as_deref().unwrap_or_default();
        let tier = tier.to_ascii_lowercase();
        if ["priority", "fast"].iter().any(|it| tier.contains(it)) {
            self.hosts_member(object, name, HostedFeature::other("priority"))?;
        }
        Ok(())
    }

    /// Members that are not known here: what is more than a number or a word can ask for anything,
    /// and so can words whose name speaks of a search, or of a place or a way to go.
    pub(super) fn others(&mut self, object: Object<'_>, known: &[&str]) {
        for (key, value) in object.value().members() {
            if is_nothing(value) || object.is_one_of(key, known) {
                continue;
            }
            let name = key.text().unwrap_or_default();
            if matches!(value.kind(), Kind::Object | Kind::Array) || leads_elsewhere(&name) {
                self.hosts(HostedFeature::other(&name), Gone::Part(key.at()));
            }
        }
    }

    /// A content of a conversation whose type is not known here.
    pub(super) fn unknown(&mut self, kind: &str, part: Value<'_>) {
        self.hosts(HostedFeature::other(kind), Gone::Part(part.at()));
    }
}

/// Whether a name speaks of a search, or of what leads a request elsewhere at the gateways that
/// other providers run.
fn leads_elsewhere(name: &str) -> bool {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    let folded: Vec<u8> = letters.map(|it| it.to_ascii_lowercase()).collect();
    let has = |part: &&str| memchr::memmem::find(&folded, part.as_bytes()).is_some();
    ELSEWHERE.iter().any(has)
}

const ELSEWHERE: [&str; 22] = [
    "apibase",
    "apikey",
    "apiversion",
    "credential",
    "deployment",
    "embeds",
    "endpoint",
    "engine",
    "fallback",
    "grounding",
    "host",
    "modelid",
    "preset",
    "provider",
    "proxy",
    "region",
    "route",
    "routing",
    "search",
    "speed",
    "url",
    "web",
];

/// Whether a value asks for nothing. An empty object is something: what it names, as it usually is.
fn is_nothing(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Bool => value.boolean() == Some(false),
        Kind::Text => value.raw_text().is_empty(),
        Kind::Array => value.next() == value.at() + 1,
        Kind::Object | Kind::Number | Kind::Key => false,
    }
}

/// The `type` of something, or nothing where it has none.
pub(super) fn type_of(object: Object<'_>) -> Result<Cow<'_, str>, Misread> {
    Ok(object.text("type")?.unwrap_or_default())
}

/// What the role of a message makes of its texts.
pub(super) fn kind_of(role: &str) -> ContextKind {
    match role {
        "system" | "developer" => ContextKind::System,
        "assistant" | "model" => ContextKind::Assistant,
        "tool" | "function" => ContextKind::ToolResult,
        _ => ContextKind::User,
    }
}

/// What is put in the place of a content that is taken out: at Anthropic, and in Chat Completions.
pub(super) const TEXT_INSTEAD: &str = r#"{"type":"text","text":"(taken out by the gateway)"}"#;
/// The same in Responses.
pub(super) const INPUT_INSTEAD: &str =
    r#"{"type":"input_text","text":"(taken out by the gateway)"}"#;
/// The same at Gemini and Bedrock.
pub(super) const PART_INSTEAD: &str = r#"{"text":"(taken out by the gateway)"}"#;
