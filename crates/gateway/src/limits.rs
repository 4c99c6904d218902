//! Every bound on what a connection may take, and the defaults of those that are configuration.
//! The bounds of the parsers are in [`crate::wire::limits`].

use std::time::Duration;

use serde::Deserialize;

/// How long a silent client may keep an opaque connection from being dialled: protocols in
/// which the server speaks first (SSH, SMTP, MySQL) start after this.
pub const SNIFF_WAIT: Duration = Duration::from_millis(300);

/// How long a refused client is read for bytes to answer in its own protocol.
pub const REFUSAL_PEEK: Duration = Duration::from_millis(500);

/// How long, and for how many octets, a client that still sends is read after the last answer,
/// so that the answer arrives before the reset that unread bytes would cause.
pub const LINGER: Duration = Duration::from_secs(10);
/// See [`LINGER`].
pub const LINGER_OCTETS: usize = 64 * 1024 * 1024;
/// The longest silence of such a client, and the longest wait until it takes a short answer.
pub const LINGER_IDLE: Duration = Duration::from_secs(1);

/// Request body that is read and dropped to keep a connection usable after a refusal.
pub const REFUSED_BODY_OCTETS: u64 = 64 * 1024;
/// How long that may take.
pub const REFUSED_BODY_WAIT: Duration = Duration::from_secs(1);

/// Responses 1xx before the final one, and the final one.
pub const INTERIM_RESPONSES: usize = 16;

/// Delay before the next address is tried beside one that has not answered (RFC 8305).
pub const CONNECT_STAGGER: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
pub const ADDRESSES_TRIED: usize = 8;
/// Lookups under way at once, over all sandboxes.
pub const LOOKUPS: usize = 256;
/// Responses that the resolver keeps for their time to live.
pub const RESOLVER_CACHE: u64 = 1024;
/// One query to one name server.
pub const RESOLVER_TIMEOUT: Duration = Duration::from_secs(3);
/// Name servers that may be configured.
pub const NAME_SERVERS: usize = 8;

/// Octets that one copy moves through a stack buffer.
pub const COPY_OCTETS: usize = 16 * 1024;
/// Capacity of a large pipe for `splice`, and the most that one direction holds back.
pub const PIPE_OCTETS: usize = 1024 * 1024;
/// Large pipes at once: Linux lets one user have 64 MiB of pipes by default, and the agent's
/// own pipes count as well. Further pipes have the system's default size.
pub const LARGE_PIPES: usize = 32;
/// Pipes in use at once; a busy direction without one copies.
pub const PIPES: usize = 256;
/// Empty pipes kept for reuse.
pub const PIPES_KEPT: usize = 16;

/// Connections above the limit that are answered with a refusal at the same time.
pub const OVERFLOW_ANSWERS: usize = 32;
/// Connections that a sandbox may hold even when the gateway is nearly full.
pub const FAIR_SHARE: usize = 64;
/// Connections that only sandboxes below [`FAIR_SHARE`] may take.
pub const FAIR_RESERVE: usize = 1024;

/// Queries on one DNS connection.
pub const DNS_TCP_QUERIES: usize = 128;
/// The longest wait for the next query on one DNS connection.
pub const DNS_TCP_IDLE: Duration = Duration::from_secs(10);
/// Datagrams answered before the responder lets other work run.
pub const DNS_BURST: usize = 64;

/// Wait after a failed `accept`, which fails again at once when descriptors ran out.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a stopped gateway waits for connections to end by themselves.
pub const DRAIN: Duration = Duration::from_millis(500);

/// Tokens of ours that one request may carry.
pub const TOKENS_IN_REQUEST: usize = 16;
/// The longest wait for a credential to be made ready.
pub const CREDENTIAL_WAIT: Duration = Duration::from_secs(30);
/// How long an exchange may go on after its credential was changed.
pub const ROTATION_GRACE: Duration = Duration::from_millis(50);
/// Credentials whose patterns are kept compiled.
pub const CREDENTIALS_READIED: usize = 256;
/// Values of credentials that responses are searched for; one more is left for the signature of a
/// request. Beyond that, what was superseded twice is forgotten, and then no credential is added.
pub const WITHHELD_VALUES: usize = ringfence_inspect::limits::VALUES - 1;
/// Octets of a request body that is read whole because tokens in it are replaced or because a
/// signature covers it.
pub const REWRITTEN_BODY_OCTETS: u64 = 1024 * 1024;
/// Octets of a request body that is kept to send the request once more with a fresh credential.
pub const REPEATED_BODY_OCTETS: u64 = 64 * 1024;

/// Octets of the bodies of one sandbox that are read before a decision, and of what they are read
/// into.
pub const ROOM_OF_SESSION: usize = 64 * 1024 * 1024;
/// The same of all sandboxes.
pub const ROOM_OF_GATEWAY: usize = 512 * 1024 * 1024;
/// The longest wait for such room.
pub const ROOM_WAIT: Duration = Duration::from_secs(2);

/// Upstream connections of one client connection that carry one request at a time.
pub const UPSTREAM_CONNECTIONS: usize = 32;
/// The longest wait for a kept connection to get over its last response.
pub const UPSTREAM_READY_WAIT: Duration = Duration::from_millis(20);
/// Headers of an upstream's response, and of its trailers.
pub const UPSTREAM_HEADERS: usize = 128;
/// Octets of the head of an upstream's response.
pub const UPSTREAM_HEAD_OCTETS: usize = 64 * 1024;
/// Octets that an upstream may send of one HTTP/2 stream before they are taken.
pub const UPSTREAM_STREAM_WINDOW: u32 = 1024 * 1024;
/// The same of all streams of a connection.
pub const UPSTREAM_CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// How long the answer to a precondition counts.
pub const PRECONDITION_KEPT: Duration = Duration::from_secs(60);
/// The longest wait for one.
pub const PRECONDITION_WAIT: Duration = Duration::from_secs(10);
/// Octets of one.
pub const PRECONDITION_OCTETS: usize = 1024 * 1024;
/// Answers to preconditions that are kept, over all sandboxes.
pub const PRECONDITIONS: usize = 1024;

/// How long an upstream is silent until the whole lines of what is held back to be scrubbed go on,
/// in a response that does not say how long it is.
pub const SILENCE_GIVES_LINES: Duration = Duration::from_millis(100);
/// Octets of a response that are scrubbed at a time.
pub const READ_AT_A_TIME: usize = 16 * 1024;
/// Octets that are scrubbed until others may go on.
pub const READ_BEFORE_YIELD: usize = 4 * READ_AT_A_TIME;
/// Octets of a response that go on at a time.
pub const FRAME_OCTETS: usize = 64 * 1024;
/// Octets that a response may decode to where an upstream encodes it though it was asked not to. It
/// is held back whole: how much an encoded text grows tells how far the agent's words agree with a
/// value beside them.
pub const ENCODED_RESPONSE_OCTETS: usize = 1024 * 1024;
/// Hosts whose responses are searched for the values that could be guessed.
pub const GUESSABLE_PLACES: usize = 64;

/// Redirects that are followed for one request.
pub const REDIRECTS: usize = 3;

/// Octets of one WebSocket message, where no rule says less.
pub const WEBSOCKET_MESSAGE_OCTETS: u64 = 64 * 1024 * 1024;
/// Octets of a WebSocket that are held in each direction.
pub const WEBSOCKET_BUFFER: usize = 16 * 1024;

/// TLS configurations that are kept: one for each client certificate and offer of protocols.
pub const TLS_CONFIGS: usize = 64;

/// The longest exchange of Ringfence's own, from the first lookup to the last octet.
pub const OWN_EXCHANGE: Duration = Duration::from_secs(10);
/// Octets of the answer to one.
pub const OWN_RESPONSE_OCTETS: usize = 1024 * 1024;
/// Headers of one.
pub const OWN_HEADERS: usize = 32;
/// Octets of the headers and trailers of an answer over HTTP/2.
pub const OWN_HEADER_OCTETS: u32 = 16 * 1024;

/// Connections of those who ask Ringfence itself, at once.
pub const OWN_CONNECTIONS: usize = 16;
/// The longest life of such a connection, which serves one request.
pub const OWN_SERVED: Duration = Duration::from_secs(5);
/// Octets of the head of such a request.
pub const OWN_HEAD_OCTETS: usize = 16 * 1024;
/// How long none is accepted after one could not be.
pub const OWN_ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Octets that a server over SSH may send ahead on the one channel of a connection.
pub const SSH_WINDOW: u32 = 2 * 1024 * 1024;
/// Octets of one packet of SSH.
pub const SSH_PACKET_OCTETS: u32 = 32 * 1024;
/// Packets of a server over SSH that wait to be taken.
pub const SSH_MESSAGES: usize = 64;
/// The longest silence of a server over SSH before it is asked whether it is there.
pub const SSH_KEEPALIVE: Duration = Duration::from_secs(30);
/// Such questions without an answer, before the connection is given up.
pub const SSH_UNANSWERED: usize = 3;
/// Octets of what a program writes to its standard error that are kept.
pub const SSH_STDERR_OCTETS: usize = 4 * 1024;
/// Octets that wait between a program on a server and the exchange that it serves, each way.
pub const SSH_BRIDGE_OCTETS: usize = 128 * 1024;

/// Between the gateway and a server that is started as a program, in octets.
pub const HOSTED_BRIDGE_OCTETS: usize = 64 << 10;

/// Longest message to such a server, in octets.
pub const HOSTED_REQUEST_OCTETS: usize = 16 << 20;
/// Octets of what a git server over SSH says before it is asked: its capabilities and refs.
pub const SSH_GREETING_OCTETS: u64 = 256 * 1024 * 1024;
/// Least bits of an RSA key.
pub const SSH_KEY_BITS: u32 = 2048;

/// Hosts whose certificates one sandbox's authority keeps.
pub const LEAVES: usize = 1024;
/// Octets of an HTTP/1 message that the library behind the strict reader holds at once: a whole
/// head as it is written anew.
pub const HTTP1_BUFFER: usize = 2 * crate::wire::limits::HTTP_HEAD_OCTETS;
/// Requests under way at once on one HTTP/2 connection of a client. Clients open so many before they
/// have heard of any bound (RFC 9113, section 6.5.2).
pub const HTTP2_STREAMS: u32 = 100;
/// Octets of the fields of one HTTP/2 request, each counted with 32 more (RFC 9113, section
/// 6.5.2).
pub const HTTP2_HEADER_OCTETS: u32 = 64 * 1024;
/// Streams that an HTTP/2 client may open and reset before they were served, and ones that it
/// may make faulty, before its connection is ended.
pub const HTTP2_RESETS: usize = 128;
/// Octets of one HTTP/2 response that wait for the client.
pub const HTTP2_SEND_OCTETS: usize = 32 * 1024;
/// Octets of one HTTP/2 request that the client may send ahead; four times as many on one
/// connection.
pub const HTTP2_WINDOW: u32 = 256 * 1024;
/// How long a refused client of HTTPS is served refusals.
pub const REFUSAL_SERVED: Duration = Duration::from_secs(10);

/// Findings about requests that name no destination that are written in [`FINDING_PERIOD`] for one
/// sandbox; the rest are counted.
pub const FINDINGS_IN_PERIOD: usize = 5;
/// See [`FINDINGS_IN_PERIOD`].
pub const FINDING_PERIOD: Duration = Duration::from_secs(1);
/// Octets of such a request that its finding shows.
pub const FINDING_OCTETS: usize = 120;

/// What may be configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections of one sandbox at once.
    pub connections_per_sandbox: usize,
    /// Connections of all sandboxes at once.
    pub connections: usize,
    /// From the first lookup to an open upstream connection.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub connect_timeout: Duration,
    /// For a client to send its TLS hello, proxy request or HTTP head once it is due.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub head_timeout: Duration,
    /// Between two HTTP requests of one connection.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub keep_alive_timeout: Duration,
    /// Without an octet in either direction.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub idle_timeout: Duration,
    /// The longest life of a connection.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub total_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_per_sandbox: 1024,
            connections: 8192,
            connect_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(60 * 60),
            total_timeout: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// Spans that one sandbox may tell of itself; what comes beyond is counted.
pub const TOLD_OF_SESSION: usize = 16_384;

/// Spans in one notice.
pub const TOLD_OF_NOTICE: usize = 256;

/// Requests in which one sandbox may tell of itself at once.
pub const TOLD_BURST: u32 = 64;

/// How often one more may come after those.
pub const TOLD_EVERY: Duration = Duration::from_millis(100);

/// The latest denials of one sandbox that it can be told of.
pub const DENIALS_OF_SESSION: usize = 32;

/// What one sandbox may ask a person for.
pub const ASKED_OF_SESSION: usize = 16;

/// The longest reason that an agent gives a person.
pub const WORDS_OCTETS: usize = 500;
