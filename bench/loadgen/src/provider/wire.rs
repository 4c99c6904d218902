//! What the two dialects look like on the wire.

use serde_json::{Value, json};

/// Whose forms are spoken.
#[derive(Clone, Copy)]
pub enum Dialect {
    OpenAi,
    Anthropic,
}

/// An answer in one of them.
pub struct Wire {
    dialect: Dialect,
    pub model: String,
    /// Whether a stream of OpenAI's ends with what it took.
    with_usage: bool,
}

const TEXT: &str = "The function reads the file line by line, keeps the entries whose date lies in the window, and returns them newest \
    first. It does not handle a line without a date: the parser returns nothing there, and the comparison fails. A test for it is a file \
    of three lines whose second one is empty.";
const INPUT_TOKENS: u32 = 300;
const OUTPUT_TOKENS: u32 = 80;

impl Wire {
    pub const fn new(dialect: Dialect, model: String, with_usage: bool) -> Self {
        Self {
            dialect,
            model,
            with_usage,
        }
    }

    /// An answer that is not streamed.
    pub fn whole(&self) -> Vec<u8> {
        let whole = match self.dialect {
            Dialect::OpenAi => json!({
                "id": "chatcmpl-bench0001", "object": "chat.completion", "created": CREATED, "model": self.model,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT, "refusal": null},
                    "logprobs": null, "finish_reason": "stop"}],
                "usage": openai_usage(),
                "system_fingerprint": "fp_bench",
            }),
            Dialect::Anthropic => json!({
                "id": "msg_bench0001", "type": "message", "role": "assistant", "model": self.model,
                "content": [{"type": "text", "text": TEXT}],
                "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": INPUT_TOKENS, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                    "output_tokens": OUTPUT_TOKENS},
            }),
        };
        whole.to_string().into_bytes()
    }

    /// What a stream begins with.
    pub fn begin(&self, out: &mut String) {
        match self.dialect {
            Dialect::OpenAi => {
                self.chunk(out, &json!({"role": "assistant", "content": ""}), None);
            }
            Dialect::Anthropic => {
                let message = json!({"id": "msg_bench0001", "type": "message", "role": "assistant", "model": self.model,
                    "content": [], "stop_reason": null, "stop_sequence": null,
                    "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": 1}});
                named(out, "message_start", &json!({"message": message}));
                let block = json!({"index": 0, "content_block": {"type": "text", "text": ""}});
                named(out, "content_block_start", &block);
                named(out, "ping", &json!({}));
            }
        }
    }

    /// One event with this text.
    pub fn event(&self, out: &mut String, text: &str) {
        match self.dialect {
            Dialect::OpenAi => self.chunk(out, &json!({"content": text}), None),
            Dialect::Anthropic => {
                let delta = json!({"index": 0, "delta": {"type": "text_delta", "text": text}});
                named(out, "content_block_delta", &delta);
            }
        }
    }

    /// What a stream ends with.
    pub fn end(&self, out: &mut String) {
        match self.dialect {
            Dialect::OpenAi => {
                self.chunk(out, &json!({}), Some("stop"));
                if self.with_usage {
                    let mut last = self.frame(json!([]));
                    last["usage"] = openai_usage();
                    push(out, &last);
                }
                out.push_str("data: [DONE]\n\n");
            }
            Dialect::Anthropic => {
                named(out, "content_block_stop", &json!({"index": 0}));
                let delta = json!({"delta": {"stop_reason": "end_turn", "stop_sequence": null},
                    "usage": {"output_tokens": OUTPUT_TOKENS}});
                named(out, "message_delta", &delta);
                named(out, "message_stop", &json!({}));
            }
        }
    }

    fn chunk(&self, out: &mut String, delta: &Value, finish: Option<&str>) {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        push(out, &self.frame(json!([choice])));
    }

    fn frame(&self, choices: Value) -> Value {
        json!({"id": "chatcmpl-bench0001", "object": "chat.completion.chunk", "created": CREATED, "model": self.model,
            "system_fingerprint": "fp_bench", "choices": choices})
    }
}

const CREATED: u64 = 1_780_000_000;

fn openai_usage() -> Value {
    json!({"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS})
}

fn push(out: &mut String, data: &Value) {
    out.push_str(&format!("data: {data}\n\n"));
}

/// An event with its name, which is also its type.
fn named(out: &mut String, name: &str, rest: &Value) {
    let mut data = json!({ "type": name });
    if let (Some(data), Some(rest)) = (data.as_object_mut(), rest.as_object()) {
        data.extend(rest.clone());
    }
    out.push_str(&format!("event: {name}\ndata: {data}\n\n"));
}
