//! A receiver that an agent can reach is one that it can lie to, and flood.

use serde_json::Value;

use super::super::lab::Lab;
use super::super::traces::LOOP;
use super::{node, trace};

/// `tell BODY [OPTION]...` sends a request with spans and prints the status and the answer; `span ID NAME [PARENT] [TRACE]` makes
/// one of a second ago.
const FUNCTIONS: &str = r#"
OTEL=http://otel.ringfence.internal
TRACE=$(echo "$TRACEPARENT" | cut -d- -f2) ROOT=$(echo "$TRACEPARENT" | cut -d- -f3)
tell() { body=$1; shift; curl -sS -o /tmp/answer -w '%{http_code} ' --max-time 60 -H 'Content-Type: application/json' --data-binary "$body" "$@" $OTEL/v1/traces; cat /tmp/answer; echo; }
span() {
    now=$(date +%s%N)
    printf '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"%s","name":"%s","parentSpanId":"%s","startTimeUnixNano":"%s","endTimeUnixNano":"%s"}]}]}]}' "${4:-$TRACE}" "$1" "$2" "$3" "$((now - 1000000))" "$now"
}
"#;

fn sh(lab: &Lab, script: &str) -> ringfence_e2e::Ended {
    lab.sh(&format!("{FUNCTIONS}\n{script}"))
}

fn told(trace: &Value) -> Vec<&str> {
    let nodes = trace["nodes"].as_array().unwrap().iter();
    let told = nodes.filter(|node| node["kind"] == "told");
    told.filter_map(|node| node["name"].as_str()).collect()
}

#[test]
fn a_span_of_the_run_is_taken_from_whoever_sends_it() {
    let lab = Lab::with("");
    let script = r#"
tell "$(span 1111111111111111 captured "$ROOT")"
tell "$(span 2222222222222222 direct 1111111111111111)" --noproxy '*'
span 3333333333333333 packed 1111111111111111 | gzip >/tmp/packed
tell @/tmp/packed -H 'Content-Encoding: gzip'
tell "$(span 4444444444444444 tls 1111111111111111)" | sed "s/^/plain /"
for kind in logs metrics; do curl -sS -w '%{http_code}\n' -o /dev/null -H 'Content-Type: application/x-protobuf' --data-binary junk $OTEL/v1/$kind; done
"#;
    let ended = sh(&lab, script);
    assert_eq!(
        ended.stdout, "200 {}\n200 {}\n200 {}\nplain 200 {}\n200\n200\n",
        "{ended}"
    );
    let trace = trace(&lab);
    assert_eq!(
        told(&trace),
        ["captured", "direct", "packed", "tls"],
        "{trace:#}"
    );
    let first = node(&trace, "told", "captured");
    assert_eq!(first["parent"], trace["root"]);
    assert_eq!(node(&trace, "told", "packed")["parent"], first["id"]);
    let counts = &trace["run"]["told"];
    assert_eq!(
        (&counts["spans"], &counts["dropped"]),
        (&4.into(), &2.into())
    );
    assert!(lab.requests().is_empty(), "{ended}");
}

#[test]
fn a_span_that_is_not_the_agents_to_tell_is_refused() {
    let lab = Lab::with("");
    let script = format!(
        r#"
tell "$(span 1111111111111111 foreign "" 4bf92f3577b34da6a3ce929d0e0e4736)"
tell "$(span $ROOT forged-root)"
tell "$(span 0000000000000000 zero)"
EVENT=$(curl -sS --max-time 10 http://docs.acme.test/ | grep -o '[0-9a-f]\{{8\}}-[0-9a-f-]\{{27\}}' | head -n 1)
echo "event $(echo -n "$EVENT" | wc -c)"
SEEN=$(echo "$EVENT" | tr -d - | cut -c17-32)
tell "$(span $SEEN forged-event)"
tell "$(span 5555555555555555 below-an-event $SEEN)"
tell "$(span 6666666666666666 ring-one 7777777777777777)"
tell "$(span 7777777777777777 ring-two 6666666666666666)"
tell "$(span 7777777777777777 again)"
tell "$(span 8888888888888888 'early' | sed 's/"startTimeUnixNano":"[0-9]*/"startTimeUnixNano":"1/')"
{LOOP}"#
    );
    let ended = sh(&lab, &script);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stdout.contains("event 36"), "{ended}");
    assert_eq!(
        ended.stdout.matches(r#""rejectedSpans":"1""#).count(),
        4,
        "{ended}"
    );
    let trace = trace(&lab);
    let mut names = told(&trace);
    names.sort_unstable();
    assert_eq!(
        names,
        ["below-an-event", "ring-one", "ring-two"],
        "{trace:#}"
    );
    let below = node(&trace, "told", "below-an-event");
    assert_eq!(below["parent"], trace["root"], "{trace:#}");
    assert_eq!(trace["run"]["told"]["refused"], 6, "{trace:#}");
    // What was seen stands as it was seen.
    let nodes = trace["nodes"].as_array().unwrap();
    let of = |kind: &str| nodes.iter().filter(|node| node["kind"] == kind).count();
    assert_eq!((of("llm"), of("tool")), (3, 2), "{trace:#}");
    assert!(
        nodes
            .iter()
            .any(|it| it["event"]["decision"]["effect"] == "deny"),
        "{trace:#}"
    );
    let story = lab.host.ringfence(&["trace", "show"]);
    assert!(
        story
            .stdout
            .contains("6 spans that the agent told of are not taken"),
        "{story}"
    );
    for name in ["ring-one", "ring-two", "DENIED"] {
        assert!(story.stdout.contains(name), "{name}: {story}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_costs_little() {
    let lab = Lab::with("");
    let script = r#"
head -c 5000000 /dev/zero | tr '\0' ' ' >/tmp/long
tell @/tmp/long
tell @/tmp/long -H 'Transfer-Encoding: chunked'
head -c 300000000 /dev/zero | gzip >/tmp/bomb
tell @/tmp/bomb -H 'Content-Encoding: gzip'
tell junk
tell junk -H 'Content-Encoding: gzip'
tell '{}' -H 'Content-Encoding: br'
curl -sS -o /dev/null -w '%{http_code}\n' -d '{}' -H 'Content-Type: text/plain' $OTEL/v1/traces
tell '{}' -X PUT
curl -sS -o /dev/null -w '%{http_code}\n' -d '{}' $OTEL/v1/other
curl -sS -o /dev/null -w '%{http_code}\n' $OTEL/
printf '{"resourceSpans":[{"scopeSpans":[{"spans":[' >/tmp/many; yes '{},' | head -n 400000 | tr -d '\n' >>/tmp/many; printf '{}]}]}]}' >>/tmp/many
tell @/tmp/many
claude '{"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}' | head -c 40
"#;
    let ended = sh(&lab, script);
    let statuses: Vec<&str> = ended.stdout.lines().filter_map(|it| it.get(..3)).collect();
    let expected = [
        "413", "413", "413", "400", "400", "415", "415", "405", "404", "404", "200",
    ];
    let told: Vec<&str> = statuses
        .into_iter()
        .filter(|it| it.parse::<u16>().is_ok())
        .collect();
    assert_eq!(told, expected, "{ended}");
    assert!(
        ended.stdout.contains(r#""rejectedSpans":"400001""#),
        "{ended}"
    );
    assert_eq!(lab.requests().len(), 1, "{ended}");
}

#[test]
fn a_flood_is_told_to_wait_and_has_an_end() {
    let lab = Lab::with("");
    let script = r#"python3 - <<'END'
import collections, http.client, json, os, time
trace = os.environ["TRACEPARENT"].split("-")[1]
statuses, number = collections.Counter(), 0
connection = http.client.HTTPConnection("otel.ringfence.internal", timeout=60)
def post(path, body):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    statuses[answer.status, answer.getheader("Retry-After")] += 1
for _ in range(20):
    now, spans = time.time_ns(), []
    for _ in range(1000):
        number += 1
        spans.append({"traceId": trace, "spanId": f"{number:016x}", "name": "x" * 200, "startTimeUnixNano": str(now), "endTimeUnixNano": str(now)})
    post("/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
for _ in range(600):
    post("/v1/logs", {})
print(json.dumps({f"{status} {wait}": count for (status, wait), count in statuses.items()}))
END"#;
    let ended = sh(&lab, script);
    let counted: Value =
        serde_json::from_str(ended.stdout.trim()).unwrap_or_else(|_| panic!("{ended}"));
    assert!(counted["429 1"].as_u64() > Some(0), "{ended}");
    assert!(counted["200 None"].as_u64() >= Some(64), "{ended}");
    let notices = lab.host.records();
    let told = notices.iter().filter(|it| it["kind"]["notice"] == "told");
    let spans: usize = told
        .map(|it| it["kind"]["spans"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(spans, 16_384, "{ended}");
    let longest = notices.iter().map(|it| it.to_string().len()).max();
    assert!(longest < Some(256 * 1024), "{longest:?}");
}

#[test]
fn a_run_that_may_ask_no_model_has_nobody_to_tell() {
    let lab = Lab::new();
    let ended = lab.host.run().allow("docs.acme.test").sh(
        "curl -sS -o /dev/null -w '%{http_code}' -d '{}' http://otel.ringfence.internal/v1/traces",
    );
    assert_eq!(ended.stdout, "403", "{ended}");
}
