//! Every bound that this crate puts on what the wire drives.

/// Longest body of a request, in octets.
pub const BODY_OCTETS: usize = ringfence_json::limits::DOCUMENT_OCTETS;

/// Longest path of a request, and longest query, in octets.
pub const PATH_OCTETS: usize = 2048;

/// Longest name of a model, in octets.
pub const MODEL_OCTETS: usize = 256;

/// Tools that the client runs and that are kept by name.
pub const TOOLS: usize = 512;

/// Longest name of a tool or id that is kept, in octets.
pub const ID_OCTETS: usize = 128;

/// Items of one conversation that are told apart; of a longer one, the last.
pub const ITEMS: usize = 8192;

/// Items of a conversation that are told of as new; of more, the last.
pub const NEW_ITEMS: usize = 64;

/// Conversations of one sandbox that are remembered.
pub const CONVERSATIONS: usize = 16;

/// Items of all conversations of one sandbox that are remembered. Each costs eight octets.
pub const REMEMBERED_ITEMS: usize = 16_384;

/// Places of one request that ask the provider to do something by itself.
pub const HOSTED: usize = 4096;

/// Features of a provider that are told of one request.
pub const FEATURES: usize = 64;

/// Longest text that is kept of one item or answer, in octets.
pub const TEXT_OCTETS: usize = 16 << 10;

/// Longest event of a stream that is read, in octets. A longer one passes unread.
pub const EVENT_OCTETS: usize = ringfence_sse::EVENT_OCTETS;

/// Longest answer that is read when it does not come as a stream, in octets.
pub const ANSWER_OCTETS: usize = 16 << 20;

/// Calls of tools that are kept of one answer.
pub const CALLS: usize = 256;

/// Choices of one answer that are told apart.
pub const CHOICES: usize = 128;

/// Longest message of a provider's that is kept, in octets.
pub const MESSAGE_OCTETS: usize = 512;
