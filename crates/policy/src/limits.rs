//! Every bound that this crate puts on documents and on the actions it is asked about.

/// Longest text of one policy source, all its documents together, in octets.
pub const SOURCE_OCTETS: usize = 8 * 1024 * 1024;

/// Most documents in one source.
pub const DOCUMENTS: usize = 256;

/// Deepest nesting of a document; the language itself needs eight levels, a JSON Schema in it more.
pub const DOCUMENT_DEPTH: usize = 40;

/// Most YAML nodes in one source; a rule has about ten.
pub const DOCUMENT_NODES: usize = 2_000_000;

/// Most rules in one snapshot, all its profiles together.
pub const RULES: usize = 250_000;

/// Most entries in one list of a rule (ports, methods, paths, addresses).
pub const LIST_ENTRIES: usize = 1_024;

/// Most tests in one profile.
pub const TESTS: usize = 10_000;

/// Longest free text (`description`, `reason`) in octets.
pub const TEXT_OCTETS: usize = 1_024;

/// Longest rule id in octets.
pub const RULE_ID_OCTETS: usize = 64;

/// Longest HTTP method in octets.
pub const METHOD_OCTETS: usize = 32;

/// Longest path pattern in octets. With [`PATTERN_WILDCARDS`] it bounds the time of a match.
pub const PATTERN_OCTETS: usize = 512;

/// Most wildcards in one path pattern.
pub const PATTERN_WILDCARDS: usize = 8;

/// Longest path that is decided on, in octets; a longer one is denied.
pub const PATH_OCTETS: usize = 8 * 1024;

/// Longest piece of foreign text that is quoted in a reason or an error, in characters.
pub const QUOTE_CHARS: usize = 120;

/// Longest header name in a rule, in octets.
pub const HEADER_NAME_OCTETS: usize = 64;

/// Longest JSON Schema in a rule, written as JSON, in octets.
pub const SCHEMA_OCTETS: usize = 64 * 1024;

/// Deepest nesting of schemas in a JSON Schema.
pub const SCHEMA_DEPTH: usize = 16;

/// Most octets that the compiled form of one regular expression in a JSON Schema may take.
pub const REGEX_OCTETS: usize = 1024 * 1024;

/// Longest CEL expression in octets.
pub const CONDITION_OCTETS: usize = 1_024;

/// Deepest nesting of a CEL expression, and most brackets that are open at one place of its text.
pub const CONDITION_DEPTH: usize = 48;

/// Most values in what a CEL expression looks at. With the next three it bounds the time of an
/// evaluation: one pass over the values, each step over all the text.
pub const CONDITION_VALUES: usize = 1_024;

/// Most octets of text in what a CEL expression looks at.
pub const CONDITION_TEXT_OCTETS: usize = 64 * 1024;

/// Most octets of a body that is read for the decision, where the rule names no fewer.
pub const READ_OCTETS: u64 = 256 * 1024;

/// Most octets that a rule may ask to read for the decision.
pub const MOST_READ_OCTETS: u64 = 4 * 1024 * 1024;

/// Most pieces of one query that are compared with conditions.
pub const QUERY_PARAMS: usize = 1_024;

/// Most alternatives of one pattern of a git rule, its braces multiplied out.
pub const GLOB_ALTERNATIVES: usize = 64;

/// Most git servers that one profile describes.
pub const GIT_UPSTREAMS: usize = 64;

/// Most providers of language models that one profile describes.
pub const LLM_PROVIDERS: usize = 64;

/// Longest name of a language model in a profile, in octets.
pub const MODEL_NAME_OCTETS: usize = 256;

/// Most octets of the pack of a push, where the rule says nothing else.
pub const PUSH_PACK_OCTETS: u64 = 1024 * 1024 * 1024;

/// Most objects of a push, where the rule says nothing else.
pub const PUSH_OBJECTS: u64 = 250_000;

/// Most objects that a rule may let one push have: each takes room while a push is read.
pub const MOST_PUSH_OBJECTS: u64 = 4_000_000;

/// Most octets of all objects of a push together, inflated, where the rule says nothing else.
pub const PUSH_INFLATED_OCTETS: u64 = 4 * 1024 * 1024 * 1024;

/// Most refs of one push, where the rule says nothing else.
pub const PUSH_REFS: u64 = 32;

/// Most refs that a rule may let one push change.
pub const MOST_PUSH_REFS: u64 = 1_024;

/// Most octets of one LFS object, where the rule says nothing else.
pub const LFS_OCTETS: u64 = 2 * 1024 * 1024 * 1024;

/// Longest key of an SSH server in a profile, in octets.
pub const HOST_KEY_OCTETS: usize = 2 * 1024;

/// Longest key that signs commits in a profile, its comment included, in octets.
pub const SIGNER_KEY_OCTETS: usize = 1_024;

/// Longest name of an environment variable in octets.
pub const VARIABLE_NAME_OCTETS: usize = 128;

/// Longest value of an environment variable in octets.
pub const VARIABLE_OCTETS: usize = 4 * 1024;

/// Longest name of what is taken out of responses, its parameter included, in octets.
pub const REMOVAL_OCTETS: usize = 128;

/// Most servers of the Model Context Protocol that one profile describes.
pub const MCP_SERVERS: usize = 256;

/// Processes at once of a server that is started, where its description does not say.
pub const HOSTED_SESSIONS: u16 = 4;

/// Most processes at once that a description may ask for.
pub const MOST_HOSTED_SESSIONS: u16 = 64;

/// Most arguments, variables and paths of a server that is started.
pub const HOSTED_WORDS: usize = 256;

/// Longest text in the description of a server that is started, in octets.
pub const HOSTED_TEXT_OCTETS: usize = 4096;
