//! Every name that leaves in a span, in one table: OpenTelemetry's semantic conventions 1.41.1,
//! those for generative AI among them, and beside them ours, which start with `ringfence.`.

/// Which conventions these are.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.41.1";

/// Who makes the spans.
pub const SCOPE: &str = "ringfence";

// Resource.
/// The service that spans are of.
pub const SERVICE_NAME: &str = "service.name";
/// Its version.
pub const SERVICE_VERSION: &str = "service.version";

/// One run of it, on metrics alone.
pub const SERVICE_INSTANCE_ID: &str = "service.instance.id";

// Generative AI: requests to models.
/// `chat`, `generate_content`, `text_completion`, `embeddings`, `execute_tool`, `invoke_agent`.
pub const OPERATION: &str = "gen_ai.operation.name";
/// The provider, by the name that the conventions have for it.
pub const PROVIDER: &str = "gen_ai.provider.name";
/// The model that was asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// The most tokens that were asked for.
pub const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// Whether a stream was asked for.
pub const REQUEST_STREAM: &str = "gen_ai.request.stream";
/// The model that answered.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// The id of the answer.
pub const RESPONSE_ID: &str = "gen_ai.response.id";
/// Why the model stopped.
pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Seconds to the first octets of the answer.
pub const TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
/// The client's session. Only where the client says one: an id of ours is none.
pub const CONVERSATION: &str = "gen_ai.conversation.id";
/// The agent, on the span of the run; the sub-agent, on those of its requests.
pub const AGENT_NAME: &str = "gen_ai.agent.name";
/// All tokens that went in, cached ones among them.
pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// All tokens that were written, reasoning among them.
pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Tokens that were read from the provider's cache.
pub const CACHE_READ_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// Tokens that were written to the provider's cache.
pub const CACHE_CREATION_TOKENS: &str = "gen_ai.usage.cache_creation.input_tokens";
/// Tokens of reasoning.
pub const REASONING_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// US dollars. Not of the conventions, but what receivers read.
pub const COST: &str = "gen_ai.usage.cost";
/// Which of OpenAI's interfaces: `chat_completions` or `responses`.
pub const OPENAI_API: &str = "openai.api.type";

// Generative AI: content, where a rule captures it.
/// The program's instructions.
pub const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
/// What came into the context.
pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// What the model answered.
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";

// Generative AI: tools. Never on the span of a request to a model.
/// The tool.
pub const TOOL_NAME: &str = "gen_ai.tool.name";
/// `function`: the client runs it.
pub const TOOL_TYPE: &str = "gen_ai.tool.type";
/// The id of the call.
pub const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
/// Its arguments, where a rule captures them.
pub const TOOL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
/// Its result, where a rule captures it.
pub const TOOL_RESULT: &str = "gen_ai.tool.call.result";

// The Model Context Protocol.
/// The method of a message: `tools/call`.
pub const MCP_METHOD: &str = "mcp.method.name";
/// The version that is spoken.
pub const MCP_VERSION: &str = "mcp.protocol.version";
/// A digest of the session: its id is as good as a key.
pub const MCP_SESSION: &str = "mcp.session.id";
/// The resource that is read.
pub const MCP_RESOURCE: &str = "mcp.resource.uri";
/// The prompt.
pub const PROMPT_NAME: &str = "gen_ai.prompt.name";
/// The id of the request, as JSON.
pub const JSONRPC_ID: &str = "jsonrpc.request.id";
/// The code of the error that came back.
pub const RPC_STATUS: &str = "rpc.response.status_code";

// General.
/// What went wrong, in a word.
pub const ERROR_TYPE: &str = "error.type";
/// The real upstream.
pub const SERVER_ADDRESS: &str = "server.address";
/// Its port.
pub const SERVER_PORT: &str = "server.port";
/// The address that was dialled.
pub const PEER_ADDRESS: &str = "network.peer.address";
/// Its port.
pub const PEER_PORT: &str = "network.peer.port";
/// `tcp`.
pub const TRANSPORT: &str = "network.transport";
/// `http`.
pub const PROTOCOL: &str = "network.protocol.name";
/// The method of an HTTP request.
pub const HTTP_METHOD: &str = "http.request.method";
/// The status of its response.
pub const HTTP_STATUS: &str = "http.response.status_code";
/// Its URL, without the query, which may hold a secret.
pub const URL_FULL: &str = "url.full";
/// `http` or `https`.
pub const URL_SCHEME: &str = "url.scheme";
/// The run, which receivers group by.
pub const SESSION: &str = "session.id";

// Ours.
/// The run.
pub const RUN: &str = "ringfence.run.id";
/// The event of the record.
pub const EVENT: &str = "ringfence.event.id";
/// The agent, by the name that policy has for it.
pub const AGENT: &str = "ringfence.agent";
/// The command of a run.
pub const COMMAND: &str = "ringfence.command";
/// The profiles of a run.
pub const PROFILES: &str = "ringfence.profiles";
/// The exit code of a run.
pub const EXIT_CODE: &str = "ringfence.exit_code";
/// Octets to the upstream.
pub const SENT: &str = "ringfence.sent";
/// Octets from the upstream.
pub const RECEIVED: &str = "ringfence.received";
/// Credential values that were removed from the answer.
pub const SCRUBBED: &str = "ringfence.scrubbed";
/// Tools that ran, where one of several did it.
pub const CANDIDATES: &str = "ringfence.tool.candidates";
/// How many tools one answer asked for, where they were several: their times are those of all together.
pub const TOGETHER: &str = "ringfence.tool.together";
/// The digest of the arguments of a tool.
pub const ARGUMENTS_DIGEST: &str = "ringfence.tool.arguments.digest";
/// The digest of the result of a tool.
pub const RESULT_DIGEST: &str = "ringfence.tool.result.digest";
/// The octets of the result of a tool.
pub const RESULT_OCTETS: &str = "ringfence.tool.result.octets";
/// `result`, `abandoned` or `unknown`.
pub const TOOL_ENDED: &str = "ringfence.tool.ended";
/// The number of the step.
pub const STEP: &str = "ringfence.llm.step";
/// What is asked of the provider, as rules name it.
pub const ENDPOINT: &str = "ringfence.llm.endpoint";
/// What the agent called the model, where a rule has another name for it.
pub const ALIAS: &str = "ringfence.llm.alias";
/// `step`, `title`, `summary`, `routing` or `probe`.
pub const PURPOSE: &str = "ringfence.llm.purpose";
/// What the provider is asked to do by itself.
pub const HOSTED: &str = "ringfence.llm.hosted";
/// Whether tokens or cost are an upper bound.
pub const ESTIMATED: &str = "ringfence.llm.estimated";
/// Items of the conversation in the request.
pub const ITEMS: &str = "ringfence.llm.items";
/// Those that were not in the request before: what each is, its octets and its digest.
pub const NEW_ITEMS: &str = "ringfence.llm.new_items";
/// Texts that were put out of the request.
pub const REDACTED: &str = "ringfence.llm.redacted";
/// The server of the Model Context Protocol, as rules name it.
pub const MCP_SERVER: &str = "ringfence.mcp.server";
/// Entries of a list that the agent was not shown.
pub const MCP_HIDDEN: &str = "ringfence.mcp.hidden";
/// Texts that were put out of the answer.
pub const MCP_REDACTED: &str = "ringfence.mcp.redacted";
/// The event that a person approved, where that let the call pass.
pub const MCP_APPROVED: &str = "ringfence.mcp.approved";
/// The number that the machine has for that person's user.
pub const MCP_APPROVED_BY: &str = "ringfence.mcp.approved_by";
/// The repository of a request of git.
pub const REPOSITORY: &str = "ringfence.git.repository";
/// What is done with it.
pub const GIT_OPERATION: &str = "ringfence.git.operation";

// What the agent tells of itself.
/// `agent`: nothing of this span was seen, the agent says it.
pub const TOLD_BY: &str = "ringfence.told_by";
/// Who tells.
pub(crate) const AGENT_TELLS: &str = "agent";
/// The tool that it is about.
pub const TOLD_TOOL: &str = "ringfence.told.tool";
/// The call of that tool.
pub const TOLD_CALL: &str = "ringfence.told.call";
/// The model that it is about.
pub const TOLD_MODEL: &str = "ringfence.told.model";
/// What was decided inside the agent.
pub const TOLD_DECISION: &str = "ringfence.told.decision";
/// On a tool: the agent's own span of it.
pub const TOLD_SPAN: &str = "ringfence.told.span";
/// On a tool: `agent` where its times are those that the agent tells.
pub const TIMED_BY: &str = "ringfence.tool.timed_by";

// Metrics.
/// Tokens, a histogram.
pub const METRIC_TOKENS: &str = "gen_ai.client.token.usage";
/// Seconds that requests to models took, a histogram.
pub const METRIC_DURATION: &str = "gen_ai.client.operation.duration";
/// Seconds to the first octets of an answer that is streamed, a histogram.
pub const METRIC_FIRST_CHUNK: &str = "gen_ai.client.operation.time_to_first_chunk";
/// US dollars, a sum.
pub const METRIC_COST: &str = "ringfence.llm.cost";
/// Actions by what was decided, a sum.
pub const METRIC_ACTIONS: &str = "ringfence.actions";
/// `input` or `output`.
pub const TOKEN_TYPE: &str = "gen_ai.token.type";

// Events of spans.
/// A decision of policy.
pub const DECISION: &str = "ringfence.decision";
/// A refusal after the decision.
pub const REFUSED: &str = "ringfence.refused";
/// Something that a person should look at.
pub const FINDING: &str = "ringfence.finding";
/// Anything else that was noted about a run.
pub const NOTICE: &str = "ringfence.notice";
/// `allow` or `deny`.
pub const EFFECT: &str = "ringfence.decision.effect";
/// The stable code of the reason.
pub const CODE: &str = "ringfence.decision.code";
/// The reason in words.
pub const REASON: &str = "ringfence.decision.reason";
/// The rule that decided.
pub const RULE: &str = "ringfence.decision.rule";
/// The number of the policy that decided.
pub const GENERATION: &str = "ringfence.decision.generation";
/// What to do about a denial.
pub const NEXT_STEP: &str = "ringfence.decision.next_step";
/// The credential that a request is sent with, by name.
pub const CREDENTIAL: &str = "ringfence.decision.credential";
/// `read` or `write`.
pub const ACCESS: &str = "ringfence.decision.access";
/// The stable code of a finding.
pub const FINDING_CODE: &str = "ringfence.finding.code";
/// What was found, in words.
pub const FINDING_DETAIL: &str = "ringfence.finding.detail";

#[cfg(test)]
mod tests {
    const OURS: &str = include_str!("names.rs");
    const REFERENCE: &str = include_str!("../../../docs/reference/traces.md");

    #[test]
    fn every_name_is_in_the_reference() {
        let before_tests = OURS.split("#[cfg(test)]").next().unwrap();
        let names: Vec<&str> = before_tests
            .lines()
            .filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1))
            .collect();
        assert!(names.len() > 60);
        for name in names {
            assert!(REFERENCE.contains(&format!("`{name}`")), "{name}");
        }
    }
}
