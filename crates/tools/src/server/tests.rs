use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, split,
};
use tokio::task::JoinSet;

use crate::limits::PAGE_TOOLS;
use crate::serve::{ServeError, serve};

/// A client octet by octet.
struct Wire {
    input: WriteHalf<DuplexStream>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
    tasks: JoinSet<Result<(), ServeError>>,
}

impl Wire {
    async fn new(tools: &str) -> Self {
        let (own, other) = tokio::io::duplex(1 << 20);
        let (input, output) = split(other);
        let mut tasks = JoinSet::new();
        let variables = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        tasks.spawn(serve(input, output, variables));
        let (output, input) = split(own);
        let mut wire = Self {
            input,
            output: BufReader::new(output).lines(),
            tasks,
        };
        let text = format!("apiVersion: ringfence/v1\nkind: Tools\ntools:\n{tools}");
        wire.say(&json!({"kind": "tools", "text": text}).to_string())
            .await;
        wire
    }

    async fn greeted(tools: &str) -> Self {
        let mut wire = Self::new(tools).await;
        let answer = wire.ask(0, "initialize", json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"},
        })).await;
        assert_eq!(
            answer["result"]["protocolVersion"], "2025-11-25",
            "{answer}"
        );
        assert!(answer["result"]["capabilities"]["tools"].is_object());
        wire.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            .await;
        wire
    }

    async fn say(&mut self, line: &str) {
        self.input
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
    }

    async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.output.next_line().await.unwrap().unwrap()).unwrap()
    }

    async fn ask(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.say(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string(),
        )
        .await;
        loop {
            let answer = self.hear().await;
            if answer["id"] == id {
                return answer;
            }
        }
    }

    async fn call(&mut self, id: u64, name: &str, arguments: Value) -> Value {
        self.ask(
            id,
            "tools/call",
            json!({"name": name, "arguments": arguments}),
        )
        .await
    }
}

const ECHO: &str = "  - { name: echo, title: Echo, description: Says it again., readOnly: true, arguments: { properties: { a: { type: string } }, required: [a] }, command: [echo, \"{a}\"] }\n";

#[tokio::test]
async fn the_protocol_of_sessions_is_spoken() {
    let mut wire = Wire::greeted(ECHO).await;
    let list = wire.ask(1, "tools/list", json!({})).await;
    assert_eq!(
        list["result"]["tools"],
        json!([{
            "name": "echo", "title": "Echo", "description": "Says it again.", "annotations": {"readOnlyHint": true},
            "inputSchema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false},
        }])
    );
    let answer = wire.call(2, "echo", json!({"a": "x"})).await;
    assert_eq!(
        answer["result"]["content"],
        json!([{"type": "text", "text": "x\n"}])
    );
    for (arguments, words) in [
        (json!({}), "required"),
        (json!({"a": "x", "b": 1}), "no argument `b`"),
        (json!({"a": 1}), "`/a`"),
    ] {
        let answer = wire.call(3, "echo", arguments).await;
        let said = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(
            answer["result"]["isError"] == true && said.contains(words),
            "{answer}"
        );
    }
    assert_eq!(
        wire.call(4, "none", json!({})).await["error"]["code"],
        -32602
    );
    assert_eq!(
        wire.ask(5, "tools/list", json!({"cursor": "99999"})).await["error"]["code"],
        -32602
    );
}

#[tokio::test]
async fn the_stateless_protocol_is_spoken() {
    let mut wire = Wire::new(ECHO).await;
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    });
    let answer = wire.ask(1, "server/discover", json!({"_meta": meta})).await;
    assert!(
        answer["result"]["capabilities"]["tools"].is_object(),
        "{answer}"
    );
    let answer = wire
        .ask(
            2,
            "tools/call",
            json!({"_meta": meta, "name": "echo", "arguments": {"a": "x"}}),
        )
        .await;
    assert_eq!(answer["result"]["content"][0]["text"], "x\n", "{answer}");
    assert_eq!(answer["result"]["resultType"], "complete");
}

#[tokio::test]
async fn a_list_comes_in_pages_and_each_tool_once() {
    let tools: String = (0..250)
        .map(|n| format!("  - {{ name: t{n}, description: d, command: [x] }}\n"))
        .collect();
    let mut wire = Wire::greeted(&tools).await;
    let (mut names, mut cursor, mut pages) = (Vec::new(), json!({}), 0);
    loop {
        let page = wire.ask(7, "tools/list", cursor).await;
        let tools = page["result"]["tools"].as_array().unwrap();
        assert!(tools.len() <= PAGE_TOOLS);
        names.extend(
            tools
                .iter()
                .map(|it| it["name"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        match &page["result"]["nextCursor"] {
            Value::Null => break,
            next => cursor = json!({ "cursor": next }),
        }
    }
    assert_eq!((pages, names.len()), (3, 250));
    names.dedup();
    assert_eq!(names.len(), 250);
}

#[tokio::test]
async fn a_call_that_is_cancelled_ends_what_it_started_and_others_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("pid");
    let sleep = format!(
        "  - {{ name: sleep, description: d, command: [sh, -c, 'echo $$ > {}; exec sleep 1000'] }}\n",
        mark.display()
    );
    let mut wire = Wire::greeted(&format!("{ECHO}{sleep}")).await;
    wire.say(r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"sleep","arguments":{}}}"#).await;
    let pid = loop {
        match std::fs::read_to_string(&mark) {
            Ok(pid) if pid.ends_with('\n') => break pid,
            _ => tokio::task::yield_now().await,
        }
    };
    wire.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}}"#)
        .await;
    let answer = wire.call(9, "echo", json!({"a": "on"})).await;
    assert_eq!(answer["result"]["content"][0]["text"], "on\n");
    let state = format!("/proc/{}/stat", pid.trim());
    let begun = std::time::Instant::now();
    while std::fs::read_to_string(&state).is_ok_and(|it| !it.contains(") Z ")) {
        assert!(begun.elapsed().as_secs() < 20, "it goes on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn more_calls_than_there_is_room_for_are_told_so() {
    let sleep = "  - { name: sleep, description: d, command: [sleep, '3'] }\n";
    let mut wire = Wire::greeted(&format!("{ECHO}{sleep}")).await;
    for id in 0..=u64::try_from(crate::limits::CALLS).unwrap() {
        wire.say(&json!({"jsonrpc": "2.0", "id": 100 + id, "method": "tools/call", "params": {"name": "sleep"}}).to_string()).await;
    }
    let first = wire.hear().await;
    let said = first["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_default();
    assert!(said.contains("under way"), "{first}");
}

#[tokio::test]
async fn what_two_readers_could_read_differently_is_no_call() {
    let mut wire = Wire::greeted(ECHO).await;
    for (id, params) in [
        (20, r#"{"name":"echo","name":"evil","arguments":{"a":"x"}}"#),
        (21, r#"{"name":"echo","arguments":"a"}"#),
        (22, r#"{"name":"echo","arguments":["a"]}"#),
        (23, r#"{"arguments":{"a":"x"}}"#),
    ] {
        wire.say(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#
        ))
        .await;
        let answer = wire.hear().await;
        assert!(answer["error"].is_object(), "{params}: {answer}");
    }
    wire.say("no JSON").await;
    let answer = wire.call(30, "echo", json!({"a": "still here"})).await;
    assert_eq!(answer["result"]["content"][0]["text"], "still here\n");
}

#[tokio::test]
async fn the_server_ends_with_its_client() {
    let Wire {
        input,
        output,
        mut tasks,
    } = Wire::greeted(ECHO).await;
    drop((input, output));
    let ended = tasks.join_next().await.unwrap().unwrap();
    assert!(ended.is_ok(), "{ended:?}");
}
