//! Budgets hold, whatever is under way at once, and whatever becomes of it.

use ringfence_testkit::poll;
use rustix::process::Signal;

use super::lab::Lab;

/// Many requests at once, and how many were answered.
const CROWD: &str = r#"python3 - <<'END'
import concurrent.futures, json, os, time, urllib.request
def one(number):
    body = {"model": "claude-haiku-4-5", "max_tokens": 25, "messages": [{"role": "user", "content": "hi"}]}
    request = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), {
        "Content-Type": "application/json", "x-api-key": os.environ["ANTHROPIC_AUTH_TOKEN"]})
    # Where it is told to wait, it waits: what others hold comes back.
    for _ in range(100):
        try:
            with urllib.request.urlopen(request) as answer:
                answer.read()
                return answer.status
        except urllib.error.HTTPError as error:
            error.read()
            if error.code != 429:
                return error.code
            time.sleep(0.05)
    return 429
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    codes = list(pool.map(one, range(200)))
print("answered", codes.count(200), "refused", len(codes) - codes.count(200))
END"#;

fn tokens(lab: &Lab) -> u64 {
    let events = lab.events();
    let used = events.iter().map(|event| {
        let usage = &event["closing"]["llm"]["usage"];
        usage["input"].as_u64().unwrap_or(0) + usage["output"].as_u64().unwrap_or(0)
    });
    used.sum()
}

#[test]
fn two_hundred_requests_at_once_do_not_spend_more_than_there_is() {
    // Each answer takes 1,225 tokens, and can take 4,209 before it is known.
    for budget in ["{tokens: 20000, per: run}", "{tokens: 20000, per: day}"] {
        let lab = Lab::with(&format!("budget: {budget}"));
        let ended = lab.sh(CROWD);
        assert_eq!(ended.code, 0, "{ended}");
        let answered = lab.requests().len() as u64;
        let spent = tokens(&lab);
        assert!(spent <= 20_000, "{spent}: {ended}");
        assert_eq!(spent, 1225 * answered, "{ended}");
        // What is set aside comes back, so that nearly all can be spent.
        assert!(answered >= 10, "{ended}");
        assert!(
            ended
                .stdout
                .contains(&format!("answered {answered} refused {}", 200 - answered)),
            "{ended}"
        );
    }
}

#[test]
fn a_budget_of_money_says_what_is_left_and_lasts_from_run_to_run() {
    let lab = Lab::with("budget: {usd: 0.03, per: day}");
    let message = r#"claude '{"model":"claude-haiku-4-5","max_tokens":2000,"messages":[{"role":"user","content":"hi"}]}'"#;
    let first = lab.sh(message);
    assert!(first.stdout.contains("Hello"), "{first}");
    let second = lab.sh(&format!("for i in $(seq 60); do {message}; done"));
    assert!(
        second.stdout.contains("the budget of 0.03 USD has"),
        "{second}"
    );
    let before = lab.requests().len();
    let third = lab.sh(message);
    assert!(third.stdout.contains("Ringfence refused this"), "{third}");
    assert_eq!(lab.requests().len(), before, "{third}");
    let listed = lab.host.ringfence(&["budget", "list"]);
    assert!(listed.stdout.contains("0.03"), "{listed}");
}

#[test]
fn a_model_without_a_price_needs_one_where_money_is_counted() {
    let lab = Lab::with("budget: {usd: 5, per: day}");
    let message = r#"claude '{"model":"claude-of-tomorrow","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#;
    let ended = lab.sh(message);
    assert!(ended.stdout.contains("no price is known"), "{ended}");
    assert_eq!(lab.requests().len(), 0);
    lab.rules("budget: {usd: 5, per: day}, unknownPrice: {input: 10, output: 50}");
    assert!(lab.sh(message).stdout.contains("Hello"));
    let events = lab.events();
    let cost = events
        .last()
        .map(|event| event["closing"]["llm"]["cost"].clone());
    // 1,200 x 10 + 25 x 50 for a million.
    assert_eq!(cost, Some(serde_json::json!(13_250_000)), "{events:?}");
}

#[test]
fn an_answer_that_nobody_reads_to_its_end_is_paid_for() {
    let lab = Lab::with("budget: {tokens: 100000, per: run}");
    let ended = lab.sh(
        r#"claude '{"model":"fail-cut","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"hi"}]}'"#,
    );
    let events = lab.events();
    let facts = &events[0]["closing"]["llm"];
    assert_eq!(facts["usage"]["input"], 1200, "{ended} {events:?}");
    assert_eq!(facts["estimated"], true, "{events:?}");
}

/// What the ledger holds of the one budget there is: spent and under way.
fn ledger(lab: &Lab) -> (u64, u64) {
    let listed = lab.host.ringfence(&["budget", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let tokens = |of: &str| listed[0][of]["tokens"].as_u64().unwrap();
    (tokens("spent"), tokens("under_way"))
}

#[test]
fn the_last_request_of_a_run_gives_back_what_it_did_not_take() {
    let lab = Lab::with("budget: {tokens: 100000, per: day}");
    for _ in 0..4 {
        lab.sh(
            r#"claude '{"model":"claude-haiku-4-5","max_tokens":9000,"messages":[{"role":"user","content":"hi"}]}'"#,
        );
    }
    assert_eq!(ledger(&lab), (4 * 1225, 0));
}

#[test]
fn runs_at_once_share_what_there_is() {
    let lab = Lab::with("budget: {tokens: 30000, per: day}");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| lab.sh(CROWD));
        }
    });
    let answered = lab.requests().len() as u64;
    assert_eq!(tokens(&lab), 1225 * answered);
    assert_eq!(ledger(&lab), (1225 * answered, 0));
    assert!((15..=24).contains(&answered), "{answered}");
}

#[test]
fn a_request_that_is_given_up_before_its_answer_takes_all_that_it_could() {
    let lab = Lab::with("budget: {tokens: 100000, per: day}");
    lab.sh(
        r#"timeout 1 curl -sS "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -H 'Content-Type: application/json' -d '{"model":"fail-slow","max_tokens":9000,"messages":[{"role":"user","content":"hi"}]}'; true"#,
    );
    let (spent, under_way) = ledger(&lab);
    assert!(
        spent > 9_000 + 4_096 && under_way == 0,
        "{spent} {under_way}"
    );
}

#[test]
fn a_run_that_is_killed_has_spent_what_it_had_set_aside() {
    let lab = Lab::with("budget: {tokens: 100000, per: day}");
    let script = r#"curl -sSN "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -H 'Content-Type: application/json' \
        -d '{"model":"drip","stream":true,"max_tokens":9000,"messages":[{"role":"user","content":"hi"}]}' > got"#;
    let running = lab.host.run().profile("models");
    let running = running.spawn(&["bash", "-c", script]);
    let got = lab.host.project().join("got");
    let drips = || std::fs::read_to_string(&got).is_ok_and(|text| text.contains("drip "));
    poll::until_true("the answer", drips).unwrap();
    let (spent, under_way) = ledger(&lab);
    assert!(spent == 0 && under_way > 9_000, "{spent} {under_way}");
    running.signal(Signal::KILL);
    running.wait();
    assert_eq!(ledger(&lab), (under_way, 0));
    let shown = lab.host.ringfence(&["trace", "show"]);
    assert!(shown.stdout.contains("no end recorded"), "{shown}");
}

#[test]
fn whoever_is_asked_instead_has_the_room_of_the_first() {
    // One request at once, and a budget that has room for one.
    let lab = Lab::with(
        "concurrency: 1, budget: {tokens: 5000, per: run}, fallback: [{model: claude-haiku-4-5}]",
    );
    let ended = lab.sh(
        r#"claude '{"model":"fail-529","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(ended.stdout.contains("Hello"), "{ended}");
    assert_eq!(tokens(&lab), 1225, "{ended}");
}

#[test]
fn more_requests_at_once_or_in_a_minute_than_a_rule_allows_are_told_to_wait() {
    let lab = Lab::with("rates: [{requests: 3, per: minute}]");
    let message = r#"claude '{"model":"claude-haiku-4-5","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#;
    let ended = lab.sh(&format!("for i in 1 2 3 4; do {message}; done"));
    assert_eq!(ended.stdout.matches("Hello").count(), 3, "{ended}");
    assert!(ended.stdout.contains("rate_limit_error"), "{ended}");
}

#[test]
fn another_provider_is_asked_where_the_first_cannot() {
    let lab = Lab::with("fallback: [{model: claude-haiku-4-5}]");
    let ended = lab.sh(
        r#"claude '{"model":"fail-529","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(ended.stdout.contains("Hello"), "{ended}");
    let models: Vec<String> = lab
        .requests()
        .iter()
        .map(|request| request["body"]["model"].to_string())
        .collect();
    assert_eq!(models, ["\"fail-529\"", "\"claude-haiku-4-5\""], "{ended}");
}

#[test]
fn where_nobody_else_may_be_asked_the_first_answer_stands() {
    let lab = Lab::with(
        "models: [fail-529, gpt-5-mini, gemini-2.5-flash], fallback: [{model: claude-opus-4-5}]",
    );
    let ended = lab.sh(
        r#"claude '{"model":"fail-529","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}'"#,
    );
    assert!(ended.stdout.contains("overloaded_error"), "{ended}");
    assert_eq!(lab.requests().len(), 1, "{ended}");
    // That somebody else was not asked is on record.
    let codes: Vec<_> = lab
        .events()
        .iter()
        .map(|it| it["decision"]["code"].clone())
        .collect();
    assert_eq!(codes, ["allowed", "model-not-allowed"], "{ended}");
}

#[test]
fn an_agent_that_repeats_itself_is_found_and_stopped_where_a_rule_says_so() {
    let lab = Lab::with("loops: {repeats: 3, stop: true}");
    let request = r#"claude '{"model":"claude-haiku-4-5","max_tokens":2000,"tools":[{"name":"Bash","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"RUN: true"}]}'"#;
    let ended = lab.sh(&format!("for i in 1 2 3 4 5; do {request}; done"));
    assert_eq!(
        ended.stdout.matches("tool_use").count(),
        8,
        "two in each answer: {ended}"
    );
    assert!(
        ended.stdout.contains("stops an agent that repeats itself"),
        "{ended}"
    );
    let records = lab.host.records();
    let found = records
        .iter()
        .any(|record| record["kind"]["code"] == "tool-repeated");
    assert!(found, "{records:?}");
}
