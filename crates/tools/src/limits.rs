//! Every bound that this crate puts on what a file or the wire drives.

/// Longest first line of standard input, and longest message behind it, in octets.
pub const LINE_OCTETS: usize = 16 << 20;

/// Longest file that describes tools, in octets.
pub const DOCUMENT_OCTETS: usize = 1 << 20;

/// Longest description of an API, in octets.
pub const SPECIFICATION_OCTETS: usize = 8 << 20;

/// Values of one file.
pub const DOCUMENT_NODES: usize = 500_000;

/// Levels of one file.
pub const DOCUMENT_DEPTH: usize = 64;

/// Tools of one server, and operations of one description of an API.
pub const TOOLS: usize = 1000;

/// Longest name of a tool, in octets. Some clients put a prefix before it and take 64 in all.
pub const NAME_OCTETS: usize = 64;

/// Longest description of a tool, in octets.
pub const DESCRIPTION_OCTETS: usize = 4096;

/// Longest JSON Schema of one tool, in octets.
pub const SCHEMA_OCTETS: usize = 128 << 10;

/// All JSON Schemas of one server together, in octets.
pub const SCHEMAS_OCTETS: usize = 32 << 20;

/// Subschemas of one tool's.
pub const SCHEMA_NODES: usize = 10_000;

/// Subschemas of all operations of a description of an API, each as often as it is used.
pub const SCHEMAS_NODES: usize = 500_000;

/// Levels of a JSON Schema.
pub const SCHEMA_DEPTH: usize = 48;

/// Size of a compiled regular expression, in octets.
pub const REGEX_OCTETS: usize = 1 << 20;

/// References that lead to each other before something that is none.
pub const REFERENCE_HOPS: usize = 16;

/// Parameters of one operation.
pub const PARAMETERS: usize = 128;

/// Values that one list may become.
pub const LIST_VALUES: usize = 256;

/// Longest command line, in octets.
pub const COMMAND_OCTETS: usize = 128 << 10;

/// Longest target of a request, in octets.
pub const TARGET_OCTETS: usize = 16 << 10;

/// Longest value of a header, in octets.
pub const HEADER_OCTETS: usize = 4096;

/// How long a tool may take where its file says nothing, in seconds.
pub const TIMEOUT_SECONDS: u64 = 60;

/// How long a tool may take at most, in seconds.
pub const MOST_TIMEOUT_SECONDS: u64 = 3600;

/// How much a tool may say where its file says nothing, in octets.
pub const OUTPUT_OCTETS: usize = 1 << 20;

/// How much a tool may say at most, in octets.
pub const MOST_OUTPUT_OCTETS: usize = 8 << 20;

/// How much of what went wrong is passed on, in octets.
pub const FAULT_OCTETS: usize = 4096;

/// How long the output of a command is read after its end, in milliseconds: something that it
/// started may hold it open.
pub const LINGER_MILLISECONDS: u64 = 500;

/// Calls at once.
pub const CALLS: usize = 32;

/// Redirects within one host that a request follows.
pub const REDIRECTS: usize = 5;

/// Largest head of a response, in octets.
pub const HEAD_OCTETS: usize = 64 << 10;

/// Tools of one page of a list, and the octets of their schemas after which a page ends.
pub const PAGE_TOOLS: usize = 100;
/// See [`PAGE_TOOLS`].
pub const PAGE_OCTETS: usize = 2 << 20;

/// Pages of a list of a cloud's that one call reads.
pub const CLOUD_PAGES: usize = 10;
