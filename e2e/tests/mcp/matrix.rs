//! T15 in full: every place of a message times every form of a secret, made here and not by hand, and looked for by a reader of its own.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::lab::{ALL_FEATURES, ERAS, KEY, Lab, Told};

/// Every place; `%X%` is where the secret goes.
const PLACES: &str = r#"
DONE = '"content":[{"type":"text","text":"done"}]'
def result(more): return '{"jsonrpc":"2.0","id":%ID%,"result":{"resultType":"complete",' + more + "}}"
def event(message, before=""): return before + "data: " + message + "\n\n"
def note(method, params): return event('{"jsonrpc":"2.0","method":"notifications/%s","params":%s}' % (method, params)) + event(result(DONE))
TOKEN = json.dumps("p%d")
PLACES = {
    "text": result('"content":[{"type":"text","text":"it is %X%."}]'),
    "structured": result(DONE + ',"structuredContent":{"a":[[{"b":"%X%"}]]}'),
    "key": result(DONE + ',"structuredContent":{"%X%":1}'),
    "resource": result('"content":[{"type":"resource","resource":{"uri":"test://a","text":"%X%"}}]'),
    "resource-uri": result('"content":[{"type":"resource","resource":{"uri":"test://a/%X%","text":"a"}}]'),
    "mime": result('"content":[{"type":"resource","resource":{"uri":"test://a","mimeType":"a/%X%","text":"a"}}]'),
    "link": result('"content":[{"type":"resource_link","name":"%X%","uri":"https://a.test/?t=%X%","title":"%X%"}]'),
    "annotations": result('"content":[{"type":"text","text":"a","annotations":{"audience":["%X%"]}}]'),
    "unknown-type": result('"content":[{"type":"%X%","beam":{"deep":["%X%"]}}]'),
    "meta": result(DONE + ',"_meta":{"acme.test/a":"%X%","io.modelcontextprotocol/related-task":{"taskId":"%X%"}}'),
    "unknown-member": result(DONE + ',"extra":{"a":"%X%"}'),
    "beside-the-result": result(DONE)[:-1] + ',"extra":"%X%"}',
    "name-beside-the-result": result(DONE)[:-1] + ',"%X%":1}',
    "deep-beside-the-result": result(DONE)[:-1] + ',"a":[{"b":{"c":"%X%"}}]}',
    "cursor": result(DONE + ',"nextCursor":"%X%"'),
    "state": result(DONE + ',"requestState":"%X%"'),
    "task": result(DONE + ',"taskId":"%X%"'),
    "nested-task": result('"task":{"taskId":"%X%","status":"%X%","statusMessage":"%X%"}'),
    "error": '{"jsonrpc":"2.0","id":%ID%,"error":{"code":-1,"message":"%X%"}}',
    "error-data": '{"jsonrpc":"2.0","id":%ID%,"error":{"code":-1,"message":"a","data":{"%X%":["%X%"]}}}',
    "error-member": '{"jsonrpc":"2.0","id":%ID%,"error":{"code":-1,"message":"a","extra":"%X%"}}',
}
for name in "cursor nextCursor requestState taskId requestId elicitationId protocolVersion traceparent tracestate progressToken id method jsonrpc".split():
    PLACES["named-" + name] = result(DONE + ',"structuredContent":{"a":{"%s":"%%X%%"}}' % name)
STREAMS = {
    "event": event(result('"content":[{"type":"text","text":"%X%"}]')),
    "event-id": event(result(DONE), "id: %X%\n"),
    "event-name": event(result(DONE), "event: %X%\n"),
    "event-comment": ": %X%\n\n" + event(result(DONE)),
    "event-field": event(result(DONE), "%X%: %X%\n"),
    "event-lines": 'data: {"jsonrpc":"2.0","id":%ID%,\ndata: "result":{"content":[{"type":"text",\ndata: "text":"%X%"}]}}\n\n',
    "log": note("message", '{"level":"error","logger":"%X%","data":{"%X%":["%X%"]}}'),
    "log-name": note("message", '{"level":"error","data":{"requestId":"%X%","cursor":"%X%"}}'),
    "progress": note("progress", '{"progressToken":%TOKEN%,"progress":1,"message":"%X%"}'),
    "updated": note("resources/updated", '{"uri":"test://%X%"}'),
    "cancelled": note("cancelled", '{"requestId":1,"reason":"%X%"}'),
    "list-changed": note("tools/list_changed", '{"_meta":{"a":"%X%"}}'),
    "sampling": event('{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1,"systemPrompt":"%X%"}}') + event(result(DONE)),
    "elicitation": event('{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"%X%","requestedSchema":{"type":"object","properties":{"%X%":{"enum":["%X%"]}}}}}') + event(result(DONE)),
    "question-id": event('{"jsonrpc":"2.0","id":"%X%","method":"ping"}') + event(result(DONE)),
}
c.answers = {"ping": {}}
def all_of(forms):
    count = 0
    for stream, places in ((False, PLACES), (True, STREAMS)):
        for place, made in places.items():
            for form in forms:
                if place in ("event-id", "event-name", "event-field", "event-comment") and "ESCAPED" in form:
                    continue  # Only JSON has these escapes.
                said = made.replace("%TOKEN%", TOKEN % c.count).replace("%X%", "%" + form + "%")
                c.do("made", **{"as": said, "stream": stream})
                count += 1
    show([count, c.do("echo", text="still here")])
"#;

fn all_of(era: &str, forms: &[&str]) -> Told {
    let lab = Lab::hostile(ALL_FEATURES);
    let told = lab.agent(&format!(
        "c = connect('lab', {era})\n{PLACES}\nall_of({forms:?})"
    ));
    let last = told.shown.last().unwrap();
    assert!(last[1].to_string().contains("still here"), "{}", told.ended);
    let sent = lab.calls();
    let made = sent
        .iter()
        .filter(|it| it["body"].to_string().contains("made"));
    assert_eq!(
        Some(made.count() as u64),
        last[0].as_u64(),
        "all of them were answered"
    );
    told
}

/// What a reader makes of a text that undoes whatever can be undone.
fn readings(text: &str) -> Vec<String> {
    let mut readings = vec![text.to_owned()];
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    for word in text.split(|c| !is_word(c)).filter(|it| it.len() >= 8) {
        for start in 0..4 {
            let part: String = word.chars().skip(start).collect();
            let whole = &part[..part.len() - part.len() % 4];
            for part in [part.as_str(), whole] {
                for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                    let decoded = engine.decode(part).unwrap_or_default();
                    readings.push(String::from_utf8_lossy(&decoded).into_owned());
                }
            }
        }
        let octets: Vec<u8> = (0..word.len() / 2)
            .filter_map(|at| u8::from_str_radix(word.get(2 * at..2 * at + 2)?, 16).ok())
            .collect();
        readings.push(String::from_utf8_lossy(&octets).into_owned());
    }
    for (mark, digits) in [("%", 2), ("\\u00", 2)] {
        let mut undone = String::new();
        for (index, part) in text.split(mark).enumerate() {
            let code = part
                .get(..digits)
                .and_then(|it| u8::from_str_radix(it, 16).ok());
            match code.filter(|_| index > 0) {
                Some(code) => {
                    undone.push(char::from(code));
                    undone.push_str(&part[digits..]);
                }
                None => undone.push_str(part),
            }
        }
        readings.push(undone);
    }
    readings
}

fn assert_nowhere(told: &Told, secret: &str) {
    let (mut lines, mut found) = (0, Vec::new());
    for line in told.ended.stdout.lines() {
        let Some(seen) = line.strip_prefix("SEEN ") else {
            continue;
        };
        lines += 1;
        let seen: String = serde_json::from_str(seen).unwrap();
        if readings(&seen).iter().any(|it| it.contains(secret)) {
            found.push(seen);
        }
    }
    assert!(found.is_empty(), "{secret} in {found:#?}");
    assert!(lines > 50, "{}", told.ended);
}

/// The reader of this test finds what it looks for, or it proves nothing.
#[test]
fn the_reader_of_the_matrix_finds_a_secret_in_each_form() {
    let escaped: String = KEY.bytes().map(|it| format!("\\u{it:04x}")).collect();
    let percent: String = KEY.bytes().map(|it| format!("%{it:02X}")).collect();
    let hex: String = KEY.bytes().map(|it| format!("{it:02x}")).collect();
    let shifted = STANDARD_NO_PAD.encode(format!("ab{KEY}c"));
    for form in [
        KEY.to_owned(),
        escaped,
        percent,
        hex,
        STANDARD_NO_PAD.encode(KEY),
        URL_SAFE_NO_PAD.encode(KEY),
        shifted,
    ] {
        let found = readings(&format!("{{\"a\":\"{form}\"}}"));
        assert!(found.iter().any(|it| it.contains(KEY)), "{form}");
    }
}

/// T15, T6: the credential.
#[test]
fn the_credential_passes_in_no_form_and_no_place() {
    for era in ERAS {
        let told = all_of(
            era,
            &[
                "KEY",
                "KEY-ESCAPED",
                "KEY-BASE64",
                "KEY-SHIFTED",
                "KEY-HEX",
                "KEY-PERCENT",
            ],
        );
        assert_nowhere(&told, KEY);
    }
}

/// T15: what looks like a secret, though nobody here knows it.
#[test]
fn what_looks_like_a_secret_passes_in_no_place() {
    for era in ERAS {
        let told = all_of(era, &["TOKEN", "TOKEN-ESCAPED"]);
        assert_nowhere(&told, "ghp_Kq7ZtLw2");
    }
}
