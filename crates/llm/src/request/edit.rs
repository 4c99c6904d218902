//! The changes that a rule can demand of a request.

use bytes::Bytes;
use ringfence_model::llm::{HostedFeature, LlmEndpoint};

use super::Request;
use super::found::{Cap, Gone};
use ringfence_json::{Changes, Kind, Spelling, Value, quoted};

impl Request {
    /// The body as it is to be sent: as it was read, but for the changes.
    #[must_use]
    pub fn octets(&self) -> Bytes {
        if self.changes.is_empty() {
            return self.octets.clone();
        }
        self.changes.write(self.root()).into()
    }

    /// Names another model, wherever the body names one.
    pub fn set_model(&mut self, model: &str) {
        for (at, before) in &self.found.models {
            let prefix = if before.starts_with("models/") {
                "models/"
            } else {
                ""
            };
            self.changes
                .replace(*at, quoted(&format!("{prefix}{model}")));
        }
        self.model = Some(model.to_owned());
        self.sum_up();
    }

    /// Asks for at most so many tokens in one choice. A lower bound stays.
    pub fn cap_output(&mut self, tokens: u64) {
        for (at, most) in &mut self.found.most {
            if *most > tokens {
                *most = tokens;
                self.changes.replace(*at, tokens.to_string());
            }
        }
        if self.found.most.is_empty() {
            match self.found.cap {
                Some(Cap::In(object, name)) => self.set(object, name, tokens.to_string()),
                Some(Cap::Within(object, outer, name)) => {
                    self.set(object, outer, format!("{{{}:{tokens}}}", quoted(name)));
                }
                None => return,
            }
        }
        let before = self.max_output_tokens.unwrap_or(u64::MAX);
        self.max_output_tokens = Some(before.min(tokens));
    }

    /// Does not ask the provider for these any more. What cannot be taken out stays in `hosted`.
    pub fn strip(&mut self, features: &[HostedFeature]) {
        for gone in self.found.take_hosted(features) {
            match gone {
                Gone::Part(at) => self.changes.remove(at),
                Gone::Value(at, json) => self.changes.replace(at, json),
                Gone::Never(_) => {}
            }
        }
        self.drop_empty_tools();
        self.sum_up();
    }

    /// Says that the request is not to be kept, in the dialect where it is unless it says so.
    pub fn keep_nothing(&mut self) {
        if let Some(body) = self.found.kept_in.take()
            && self.endpoint == LlmEndpoint::Responses
        {
            self.set(body, "store", "false".to_owned());
        }
    }

    /// Asks a stream to tell the tokens that it took, in the dialect that does not by itself.
    pub fn include_usage(&mut self) {
        if self.includes_usage || !self.stream {
            return;
        }
        let root = self.root();
        let options = root.get("stream_options").map(|it| (it.at(), it.kind()));
        match options {
            Some((at, Kind::Object)) => self.set(at, "include_usage", "true".to_owned()),
            _ => {
                let options = r#"{"include_usage":true}"#;
                self.set(root.at(), "stream_options", options.to_owned());
            }
        }
        self.includes_usage = true;
    }

    /// Gives a member of an object this value, whether it is there or not.
    fn set(&mut self, object: u32, name: &'static str, json: String) {
        let value = self.root().number(object);
        let spelled = value.object(Spelling::CamelOrSnake);
        let member = spelled.ok().and_then(|it| it.member(name).ok().flatten());
        match member.map(|(_, value)| value.at()) {
            Some(at) => self.changes.replace(at, json),
            None => self.changes.add(object, name, &json),
        }
    }

    /// An empty list of tools, and a choice among tools that are gone, are refused by providers.
    fn drop_empty_tools(&mut self) {
        let Some((key, list)) = self.found.tool_list else {
            return;
        };
        let root = self.tape.root(&self.octets);
        let mut list = root.number(list);
        if list.kind() == Kind::Object {
            // Bedrock's is a member of the object that holds the choice too.
            let Some(inner) = list.get("tools") else {
                return;
            };
            list = inner;
        }
        let is_gone = |it: &Value<'_>| self.changes.is_removed(it.at());
        let (gone, kept) = list.elements().partition::<Vec<_>, _>(is_gone);
        let choice = self.found.tool_choice;
        let emptied = kept.is_empty() && !gone.is_empty();
        let misses = !gone.is_empty()
            && choice.is_some_and(|(_, at)| !chooses_kept(root.number(at), &self.tools));
        drop_members(&mut self.changes, key, choice, (emptied, misses));
    }

    /// What is asked for.
    #[must_use]
    pub const fn endpoint(&self) -> LlmEndpoint {
        self.endpoint
    }
}

fn drop_members(
    changes: &mut Changes,
    list: u32,
    choice: Option<(u32, u32)>,
    (emptied, misses): (bool, bool),
) {
    if emptied {
        changes.remove(list);
    }
    if let Some((key, _)) = choice
        && (emptied || misses)
    {
        changes.remove(key);
    }
}

/// Whether a choice of a tool is of one that the client runs, or of none.
fn chooses_kept(choice: Value<'_>, tools: &[String]) -> bool {
    let name = choice
        .get("name")
        .or_else(|| choice.get("function")?.get("name"));
    let kind = choice.get("type").and_then(Value::text).unwrap_or_default();
    match name.and_then(Value::text) {
        Some(name) => tools.iter().any(|tool| *tool == name),
        None => matches!(
            kind.as_ref(),
            "" | "auto" | "any" | "none" | "allowed_tools"
        ),
    }
}
