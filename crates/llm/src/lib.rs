//! What programs and providers of language models say to each other, read strictly and sent on as
//! it was read: paths, requests, answers and streams of events, in the dialects of OpenAI,
//! Anthropic, Gemini, Azure, Bedrock and Vertex. Pure: this crate opens no connection and decides
//! nothing.
//!
//! - [`target`]: what a path asks for, and the one path that is written for it.
//! - [`request`]: a body, and the few changes that are made to it, on spans of its text.
//! - [`response`]: an answer, followed as it passes: tokens, calls of tools, failures.
//! - [`event_stream`]: the binary frame of streams; that of text is of `ringfence-sse`.
//! - [`refusal`]: how a provider would have said no.
//! - [`models`]: lists of models, shortened.
//! - [`prices`]: what models cost and how much they take.
//! - [`context`]: what a request adds to its conversation, and what it is for.

#![forbid(unsafe_code)]

pub mod context;
pub mod event_stream;
pub mod limits;
pub mod models;
pub mod prices;
pub mod refusal;
pub mod request;
pub mod response;
pub mod target;
mod text;

pub use ringfence_json::JsonError;
pub use text::Capture;
