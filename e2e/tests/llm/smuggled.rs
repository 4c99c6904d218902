//! What an agent may try to get around the rules for models: places that are easily overlooked, fields that lead elsewhere, other
//! ways to the same host.

use serde_json::Value;

use super::lab::{KEY, Lab};

/// Asks with a body, and says nothing but the status.
const STATUS: &str = r#"
status() { curl -sS --max-time 30 -o /dev/null -w '%{http_code}\n' -H 'Content-Type: application/json' "$@"; }
CHAT='{"model":"gpt-5-mini","messages":[{"role":"user","content":"hi"}]}'
OTHER='{"model":"gpt-5","messages":[{"role":"user","content":"hi"}]}'
"#;

fn names(request: &Value) -> Vec<String> {
    let headers = request["headers"].as_object();
    let names = headers.into_iter().flat_map(|it| it.keys());
    names.map(|name| name.to_ascii_lowercase()).collect()
}

#[test]
fn what_the_provider_would_do_by_itself_in_places_that_are_easily_overlooked() {
    let lab = Lab::with("");
    let gemini = |part: &str| {
        format!(
            r#"gemini gemini-2.5-flash:generateContent '{{"contents":[{{"role":"user","parts":[{part}]}}]}}'"#
        )
    };
    let chat = |rest: &str| {
        format!(
            r#"chat '{{"model":"gpt-5-mini","messages":[{{"role":"user","content":"hi"}}],{rest}}}'"#
        )
    };
    for (script, feature) in [
        (chat(r#""web_search_options":{}"#), "web-search"),
        (chat(r#""search_parameters":{}"#), "web-search"),
        (chat(r#""enable_search":true"#), "other:enable_search"),
        (chat(r#""api_base":"https://evil.test""#), "other:api_base"),
        (chat(r#""models":["gpt-5"],"route":"fallback""#), "other:models"),
        (
            gemini(r#"{"thought":true,"fileData":{"fileUri":"https://evil.test/?leak"}}"#),
            "fetched-url",
        ),
        (
            gemini(r#"{"functionResponse":{"name":"f","response":{},"parts":[{"file_data":{"file_uri":"https://evil.test"}}]}}"#),
            "fetched-url",
        ),
        (
            r#"chat '{"model":"groq/compound","messages":[]}'"#.to_owned(),
            "web-search",
        ),
        (
            r#"chat '{"model":"gpt-5-mini@preset/mine","messages":[]}'"#.to_owned(),
            "stored-response",
        ),
        (
            r#"responses '{"model":"gpt-5-mini","input":[{"type":"additional_tools","tools":[{"type":"mcp","server_url":"https://evil.test"}]}]}'"#.to_owned(),
            "remote-mcp",
        ),
        (
            r#"claude '{"model":"claude-haiku-4-5","max_tokens":9,"system":[{"type":"image","source":{"type":"url","url":"https://evil.test"}}],"messages":[]}'"#.to_owned(),
            "fetched-url",
        ),
    ] {
        let ended = lab.sh(&script);
        let is_refused = ended.stdout.contains("Ringfence refused this")
            && ended.stdout.contains(feature);
        assert!(is_refused, "{feature}: {ended}");
    }
    assert_eq!(lab.requests(), Vec::<Value>::new());
}

#[test]
fn an_answer_is_not_kept_with_the_provider_unless_the_request_and_a_rule_say_so() {
    let lab = Lab::with("");
    lab.sh(r#"responses '{"model":"gpt-5-mini","input":"hi"}'"#);
    lab.rules("hosted: {allow: [stored-response]}");
    lab.sh(r#"responses '{"model":"gpt-5-mini","input":"hi"}'"#);
    let requests = lab.requests();
    assert_eq!(requests[0]["body"]["store"], false, "{requests:?}");
    assert_eq!(requests[1]["body"].get("store"), None, "{requests:?}");
}

#[test]
fn a_name_of_a_rule_does_not_hide_a_model_that_searches() {
    let lab = Lab::with("aliases: {quick: gpt-4o-search-preview}");
    let ended = lab.sh(r#"chat '{"model":"quick","messages":[{"role":"user","content":"hi"}]}'"#);
    assert!(ended.stdout.contains("web-search"), "{ended}");
    assert_eq!(lab.requests().len(), 0, "{ended}");
}

#[test]
fn a_field_does_not_lead_a_request_elsewhere_or_name_another_payer() {
    let lab = Lab::with("");
    let ended = lab.sh(
        r#"ask "$OPENAI_BASE_URL/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" \
            -H 'x-api-key: sk-own' -H 'api-key: sk-own' -H 'x-goog-api-key: sk-own' -H 'Cookie: session=own' -H 'X_Api_Key: sk-own' \
            -H 'OpenAI-Organization: org-other' -H 'OpenAI-Project: proj-other' -H 'x-goog-user-project: other' \
            -H 'x-portkey-custom-host: https://evil.test' -H 'Helicone-Target-Url: https://evil.test' -H 'x-litellm-api-base: https://evil.test' \
            -H 'X-Forwarded-Host: evil.test' -H 'X-HTTP-Method-Override: DELETE' -H 'X-Original-URL: /v1/files' -H 'Forwarded: host=evil.test' \
            -H 'X-Stainless-Lang: js' -d '{"model":"gpt-5-mini","messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(ended.stdout.contains("Hello"), "{ended}");
    let request = &lab.requests()[0];
    let mut names = names(request);
    names.retain(|it| {
        !matches!(
            it.as_str(),
            "user-agent" | "accept" | "accept-encoding" | "connection"
        )
    });
    names.sort();
    assert_eq!(
        names,
        [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "x-stainless-lang"
        ]
    );
    let text = request.to_string();
    assert!(!text.contains("own") && text.contains(KEY), "{text}");
}

#[test]
fn every_way_to_the_host_leads_to_the_same_decision() {
    let lab = Lab::with("models: [gpt-5-mini]");
    let ask = r#"-H "Authorization: Bearer $OPENAI_API_KEY""#;
    for (way, url) in [
        ("", "https://api.openai.com/v1"),
        ("-x \"$https_proxy\"", "https://api.openai.com/v1"),
        ("--noproxy '*'", "https://api.openai.com/v1"),
        ("-x socks5h://198.18.0.1:3128", "https://api.openai.com/v1"),
        (
            "-x \"$http_proxy\" --proxytunnel",
            "https://api.openai.com/v1",
        ),
        ("--http2 --noproxy '*'", "https://api.openai.com/v1"),
        ("", "https://api.openai.com.:443/v1"),
        ("", "http://llm.ringfence.internal/openai/v1"),
        (
            "-x \"$http_proxy\"",
            "http://llm.ringfence.internal/openai/v1",
        ),
        (
            "-x socks5h://198.18.0.1:3128",
            "http://llm.ringfence.internal/openai/v1",
        ),
        ("--noproxy '*'", "http://llm.ringfence.internal/openai/v1"),
    ] {
        let before = lab.requests().len();
        let ended = lab.sh(&format!(
            "{STATUS} status {way} {url}/chat/completions {ask} -d \"$CHAT\"; status {way} {url}/chat/completions {ask} -d \"$OTHER\"; status {way} {url}/files {ask} -d '{{}}'"
        ));
        assert_eq!(ended.stdout.trim(), "200\n403\n404", "{way} {url}: {ended}");
        assert_eq!(lab.requests().len(), before + 1, "{way} {url}");
    }
}

/// Rules that would let everything through to the host, were it no provider's.
const GENEROUS: &str = "network:
  - allow: {host: api.openai.com, ports: [80, 443]}
api:
  - allow: {host: api.openai.com, credential: openai}
llm:
  - allow: {id: mini, provider: openai, models: [gpt-5-mini], credential: openai}
";

#[test]
fn no_other_rule_lets_a_request_around_those_for_models() {
    let lab = Lab::new();
    let tokens = "tokens:\n  - {env: [OPENAI_API_KEY], credentials: [openai]}\n";
    let head = "apiVersion: ringfence/v1\nkind: Profile\nname: models\n";
    lab.host
        .profile("models", &format!("{head}{tokens}{GENEROUS}"));
    let ask = r#"-H "Authorization: Bearer $OPENAI_API_KEY""#;
    for path in [
        "/v1/files",
        "/V1/files",
        "//v1/files",
        "/./v1/files",
        "/x/../v1/files",
        "/x/..%2fv1/files",
        "/%76%31/files",
        "/v1%2ffiles",
        "/v1;x/files",
        "/;x/v1/files",
        "/v1/./files",
        "/v1?x=/../files",
        "/v1/chat/completions%3Fx",
        "/v1/models/%2e%2e/files",
        "/v1%5cfiles",
    ] {
        for method in ["POST", "GET"] {
            let ended = lab.sh(&format!(
                "{STATUS} status --path-as-is -X {method} 'https://api.openai.com{path}' {ask} -d '{{}}'"
            ));
            let status = ended.stdout.trim();
            assert!(status.starts_with('4'), "{path}: {ended}");
        }
    }
    for (way, url) in [
        ("", "http://api.openai.com/v1/chat/completions"),
        (
            "-x \"$http_proxy\"",
            "http://api.openai.com/v1/chat/completions",
        ),
        ("", "https://api.openai.com/v1/chat/completions"),
        (
            "-H 'Host: other.test'",
            "https://api.openai.com/v1/chat/completions",
        ),
    ] {
        let ended = lab.sh(&format!("{STATUS} status {way} {url} {ask} -d \"$OTHER\""));
        assert!(ended.stdout.trim().starts_with('4'), "{way} {url}: {ended}");
    }
    assert_eq!(lab.requests(), Vec::<Value>::new());
}

#[test]
fn parameters_of_a_query_that_are_not_known_go_nowhere() {
    let lab = Lab::with("");
    for query in [
        "beta=true&beta=false",
        "api_base=https://evil.test",
        "beta=a%26b",
        "BETA=true",
        "=x",
    ] {
        let ended = lab.sh(&format!(
            r#"ask "$ANTHROPIC_BASE_URL/v1/messages?{query}" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -d '{{"model":"claude-haiku-4-5","max_tokens":9,"messages":[]}}'"#
        ));
        assert!(
            ended.stdout.contains("invalid_request_error"),
            "{query}: {ended}"
        );
    }
    for query in [
        "alt=media",
        "alt=sse&alt=json",
        "$fields=x",
        "fields=candidates",
        "callback=x",
        "access_token=x",
        "uploadType=media",
    ] {
        let ended = lab.sh(&format!(
            r#"ask "$GOOGLE_GEMINI_BASE_URL/v1beta/models/gemini-2.5-flash:generateContent?{query}" -H "x-goog-api-key: $GEMINI_API_KEY" -d '{{"contents":[]}}'"#
        ));
        assert!(
            ended.stdout.contains("INVALID_ARGUMENT"),
            "{query}: {ended}"
        );
    }
    assert_eq!(lab.requests(), Vec::<Value>::new());
}

#[test]
fn a_key_that_the_provider_says_back_is_not_shown() {
    let lab = Lab::with("");
    let ended = lab.sh(
        r#"for stream in false true; do
            curl -sS -i "$OPENAI_BASE_URL/chat/completions" -H 'Content-Type: application/json' -H "Authorization: Bearer $OPENAI_API_KEY" \
                -d "{\"model\":\"fail-key\",\"stream\":$stream,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"; echo
            curl -sS -i "$ANTHROPIC_BASE_URL/v1/messages" -H 'Content-Type: application/json' -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" \
                -d "{\"model\":\"fail-key\",\"max_tokens\":9,\"stream\":$stream,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"; echo
        done"#,
    );
    assert_eq!(
        ended.stdout.matches("Incorrect API key provided").count(),
        6,
        "{ended}"
    );
    assert!(!ended.stdout.contains(KEY), "{ended}");
    let events = lab.events();
    assert_eq!(events.len(), 4);
    assert!(!format!("{events:?}").contains(KEY), "{events:?}");
}

#[test]
fn one_model_is_told_of_only_where_it_may_be_asked() {
    let lab = Lab::with("models: [gpt-5-mini]");
    let ended = lab.sh(&format!(
        "{STATUS} for model in gpt-5-mini gpt-5 GPT-5-MINI gpt-5-mini%20 gpt-5-mini/../gpt-5; do \
         status --path-as-is \"$OPENAI_BASE_URL/models/$model\" -H \"Authorization: Bearer $OPENAI_API_KEY\"; done"
    ));
    assert_eq!(ended.stdout.trim(), "200\n403\n403\n400\n400", "{ended}");
}

#[test]
fn a_secret_in_the_name_of_a_member_does_not_pass() {
    let lab = Lab::with("secrets: redact");
    // Built here, so that no file holds it whole.
    let ended = lab.sh(
        r#"S="AKIA$(printf 'Q7ZTLW2XVB5NR6HS')"; claude "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":20,\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"Bash\",\"input\":{\"$S\":\"x\"}}]},{\"role\":\"user\",\"content\":\"hi\"}]}""#,
    );
    let requests = lab.requests();
    assert_eq!(requests.len(), 1, "{ended}");
    let body = requests[0]["body"].to_string();
    assert!(
        !body.contains("AKIA") && body.contains("<secret "),
        "{body}"
    );
    let findings = lab.events()[0]["closing"]["llm"]["findings"].to_string();
    assert!(
        !findings.contains("AKIA") && findings.contains("messages[0]"),
        "{findings}"
    );
}

#[test]
fn what_is_counted_or_made_a_vector_of_is_searched_for_secrets_too() {
    let lab = Lab::with("secrets: redact");
    let ended = lab.sh(
        r#"S="AKIA$(printf 'Q7ZTLW2XVB5NR6HS')"
        ask "$ANTHROPIC_BASE_URL/v1/messages/count_tokens" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -d "{\"model\":\"claude-haiku-4-5\",\"messages\":[{\"role\":\"user\",\"content\":\"$S\"}]}"
        ask "$OPENAI_BASE_URL/embeddings" -H "Authorization: Bearer $OPENAI_API_KEY" -d "{\"model\":\"text-embedding-3-small\",\"input\":[\"$S\"]}"
        claude "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":9,\"system\":\"$S\",\"metadata\":{\"user_id\":\"$S\"},\"tools\":[{\"name\":\"f\",\"description\":\"$S\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"id\":{\"const\":\"$S\"}}}}],\"messages\":[{\"role\":\"user\",\"content\":\"\\u0041${S#A}\"}]}""#,
    );
    let requests = lab.requests();
    assert_eq!(requests.len(), 3, "{ended}");
    for request in requests {
        let body = request["body"].to_string();
        let is_clean = !body.contains("AKIA") && body.contains("<secret ");
        assert!(is_clean, "{body}");
    }
}
