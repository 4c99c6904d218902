//! The providers' own libraries for Python and Node, unchanged, as clients in a sandbox: at the base URLs that a run sets, and at the
//! providers' own names. `sdks/ask_*` are the programs; each prints what came of each thing that it tried.
//!
//! `scripts/sdks.sh` installs them.

use std::path::PathBuf;

use ringfence_testkit::poll;
use serde_json::{Value, json};

use super::lab::{KEY, Lab};

/// Where the libraries are installed.
pub(super) fn installed() -> PathBuf {
    let directory = std::env::var_os("RINGFENCE_SDKS").map_or_else(
        || {
            let user = rustix::process::getuid().as_raw();
            PathBuf::from(format!("/var/tmp/ringfence-e2e-sdks-{user}"))
        },
        PathBuf::from,
    );
    assert!(
        directory.join("installed").is_file(),
        "the providers' libraries are not in {}: run scripts/sdks.sh",
        directory.display()
    );
    directory
}

/// The programs, and what they import.
const PROGRAMS: [(&str, &str); 8] = [
    ("common.py", include_str!("sdks/common.py")),
    ("ask_openai.py", include_str!("sdks/ask_openai.py")),
    ("ask_anthropic.py", include_str!("sdks/ask_anthropic.py")),
    ("ask_google.py", include_str!("sdks/ask_google.py")),
    ("common.cjs", include_str!("sdks/common.cjs")),
    ("ask_openai.cjs", include_str!("sdks/ask_openai.cjs")),
    ("ask_anthropic.cjs", include_str!("sdks/ask_anthropic.cjs")),
    ("ask_google.cjs", include_str!("sdks/ask_google.cjs")),
];

/// One model of each provider is allowed, one has a budget that is too small for any request, and one stands for no model.
const PROFILE: &str = "apiVersion: ringfence/v1
kind: Profile
name: sdks
tokens:
  - {env: [ANTHROPIC_AUTH_TOKEN], credentials: [anthropic]}
  - {env: [OPENAI_API_KEY], credentials: [openai]}
  - {env: [GEMINI_API_KEY], credentials: [gemini]}
llm:
  - allow: {id: claude, provider: anthropic, credential: anthropic, tokenRequired: true, models: [claude-haiku-4-5, \"fail-*\"]}
  - allow: {id: claude-spent, provider: anthropic, credential: anthropic, tokenRequired: true, models: [claude-haiku-3-5], budget: {tokens: 10, per: run}}
  - allow: {id: gpt, provider: openai, credential: openai, tokenRequired: true, models: [gpt-5-mini, text-embedding-3-small, \"fail-*\"]}
  - allow: {id: gpt-spent, provider: openai, credential: openai, tokenRequired: true, models: [gpt-5-nano], budget: {tokens: 10, per: run}}
  - allow: {id: gemini, provider: gemini, credential: gemini, tokenRequired: true, models: [gemini-2.5-flash, gemini-embedding-001, \"fail-*\"]}
  - allow: {id: gemini-spent, provider: gemini, credential: gemini, tokenRequired: true, models: [gemini-2.0-flash], budget: {tokens: 10, per: run}}
";

/// A library, and the classes of its errors.
struct Sdk {
    program: &'static str,
    /// For what is refused.
    denied: &'static str,
    /// For what comes too often.
    busy: &'static str,
    /// For what goes wrong within a stream.
    overloaded: &'static str,
    /// The model that is allowed, the one that is not, and the one whose budget is spent.
    models: [&'static str; 3],
    rule: &'static str,
}

const HELLO: &str = "Hello, I am no model.";

impl Sdk {
    /// Runs the program by both ways, and looks at all that it has to say.
    fn holds(&self) -> (Lab, [Value; 2]) {
        let lab = Lab::new();
        lab.host.profile("sdks", PROFILE);
        for (name, text) in PROGRAMS {
            lab.host.file(name, text);
        }
        let directory = installed();
        let (interpreter, set) = match self.program.ends_with(".py") {
            true => (
                format!("{}/python/bin/python", directory.display()),
                String::new(),
            ),
            false => (
                "node".to_owned(),
                format!("NODE_PATH={}/node_modules ", directory.display()),
            ),
        };
        let ask = format!("{set}{interpreter} {}", self.program);
        let script = format!(
            "{ask}\nunset OPENAI_BASE_URL OPENAI_API_BASE ANTHROPIC_BASE_URL GOOGLE_GEMINI_BASE_URL\n{ask}\nenv"
        );
        let ended = lab
            .host
            .run()
            .profile("sdks")
            .option("--read", &directory.to_string_lossy())
            .sh(&script);
        assert!(!ended.to_string().contains(KEY), "{ended}");
        let mut told = ended.stdout.lines().map(serde_json::from_str::<Value>);
        let mut next = || match told.next() {
            Some(Ok(value)) => value,
            _ => panic!("no object of JSON: {ended}\n{}", lab.provider.log()),
        };
        let told = [next(), next()];
        for one in &told {
            self.says_it_all(one);
            self.is_told_why_not(one);
        }
        self.asks_once(&lab);
        (lab, told)
    }

    /// Answers arrive as they were written, streamed or not, and tools are called and their results understood.
    fn says_it_all(&self, told: &Value) {
        let done = json!({"steps": 2, "said": "FINAL-OK: the tool said two"});
        assert_eq!(told["whole"], HELLO, "{told}");
        assert_eq!(told["streamed"]["said"], HELLO, "{told}");
        assert_eq!(told["streamed"]["pieces"], 2, "{told}");
        assert_eq!(told["tools"], done, "{told}");
        assert_eq!(told["models"], json!([self.models[0]]), "{told}");
        for (name, expected) in [
            ("counted", json!(1200)),
            ("embedded", json!([0.5, 0.25, -1.0])),
            ("responses", json!(HELLO)),
            ("responses_tools", done.clone()),
            ("tools_streamed", done),
        ] {
            if let Some(found) = told.get(name) {
                let is_equal = *found == expected || numbers(found) == numbers(&expected);
                assert!(is_equal, "{name}: {told}");
            }
        }
        for name in ["streamed", "responses_streamed"] {
            if let Some(whole) = told[name].get("whole") {
                assert_eq!(
                    (whole, &told[name]["said"]),
                    (&json!(HELLO), &json!(HELLO)),
                    "{told}"
                );
            }
        }
    }

    /// What is refused is an error of the library's own class, with our words.
    fn is_told_why_not(&self, told: &Value) {
        for (name, words) in [
            ("model", self.models[1]),
            ("model_streamed", self.models[1]),
            ("hosted", "web-search"),
            ("budget", "budget of 10 tokens"),
        ] {
            let error = &told[name];
            assert_eq!(error["class"], self.denied, "{name}: {told}");
            assert_eq!(error["status"], 403, "{name}: {told}");
            let said = error["words"].as_str().unwrap_or_default();
            for words in ["Ringfence refused this", words, self.rule] {
                assert!(said.contains(words), "{name}, {words}: {told}");
            }
        }
        let said = told["model"]["words"].as_str().unwrap_or_default();
        assert!(said.contains("Next step: "), "{told}");
        assert_eq!(told["busy"]["class"], self.busy, "{told}");
        assert_eq!(told["busy"]["status"], 429, "{told}");
        if self.busy == "RateLimitError" {
            assert_eq!(told["busy"]["retry_after"], "7", "{told}");
        }
        assert_eq!(told["overloaded"]["class"], self.overloaded, "{told}");
        let said = told["overloaded"]["words"].as_str().unwrap_or_default();
        assert!(said.to_lowercase().contains("overloaded"), "{told}");
        assert_eq!(told["left"], true, "{told}");
    }

    /// No library tries again what is refused, none of it reaches the provider, and a stream that nobody reads any more ends there.
    fn asks_once(&self, lab: &Lab) {
        let events = lab.events();
        let of = |model: &str| {
            let found = events.iter().filter(|it| it["action"]["model"] == model);
            found.count()
        };
        // By two ways: whole and streamed; and once.
        assert_eq!(of(self.models[1]), 4, "{events:?}");
        assert_eq!(of(self.models[2]), 2, "{events:?}");
        assert_eq!(of("fail-429"), 2, "{events:?}");
        let requests = lab.requests();
        for request in &requests {
            let text = request.to_string();
            assert!(
                !text.contains("rf_"),
                "a token of ours went upstream: {text}"
            );
            for model in &self.models[1..] {
                // The name of the allowed one may begin like it.
                assert!(!text.contains(&format!("{model}\"")), "{text}");
                assert!(!text.contains(&format!("{model}:")), "{text}");
            }
        }
        poll::until_true("the ends of both streams", || {
            let requests = lab.requests();
            requests
                .iter()
                .filter(|it| it.get("aborted").is_some())
                .count()
                == 2
        })
        .unwrap();
    }
}

fn numbers(value: &Value) -> Option<Vec<Option<f64>>> {
    let list = value.as_array()?;
    Some(list.iter().map(Value::as_f64).collect())
}

const OPENAI: [&str; 3] = ["gpt-5-mini", "gpt-5", "gpt-5-nano"];
const ANTHROPIC: [&str; 3] = ["claude-haiku-4-5", "claude-opus-4-5", "claude-haiku-3-5"];
const GOOGLE: [&str; 3] = ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash"];

#[test]
fn openai_for_python() {
    let sdk = Sdk {
        program: "ask_openai.py",
        denied: "PermissionDeniedError",
        busy: "RateLimitError",
        overloaded: "APIError",
        models: OPENAI,
        rule: "rule sdks/llm/gpt",
    };
    sdk.holds();
}

#[test]
fn openai_for_node() {
    let sdk = Sdk {
        program: "ask_openai.cjs",
        denied: "PermissionDeniedError",
        busy: "RateLimitError",
        overloaded: "APIError",
        models: OPENAI,
        rule: "rule sdks/llm/gpt",
    };
    sdk.holds();
}

#[test]
fn anthropic_for_python() {
    let sdk = Sdk {
        program: "ask_anthropic.py",
        denied: "PermissionDeniedError",
        busy: "RateLimitError",
        overloaded: "APIStatusError",
        models: ANTHROPIC,
        rule: "rule sdks/llm/claude",
    };
    let (_, told) = sdk.holds();
    assert_eq!(told[0]["streamed"]["counted"], 25, "{told:?}");
}

#[test]
fn anthropic_for_node() {
    let sdk = Sdk {
        program: "ask_anthropic.cjs",
        denied: "PermissionDeniedError",
        busy: "RateLimitError",
        overloaded: "APIError",
        models: ANTHROPIC,
        rule: "rule sdks/llm/claude",
    };
    let (_, told) = sdk.holds();
    assert_eq!(told[0]["streamed"]["counted"], 25, "{told:?}");
}

#[test]
fn google_for_python() {
    let sdk = Sdk {
        program: "ask_google.py",
        denied: "ClientError",
        busy: "ClientError",
        overloaded: "ServerError",
        models: GOOGLE,
        rule: "rule sdks/llm/gemini",
    };
    sdk.holds();
}

#[test]
fn google_for_node() {
    let sdk = Sdk {
        program: "ask_google.cjs",
        denied: "ApiError",
        busy: "ApiError",
        overloaded: "ApiError",
        models: GOOGLE,
        rule: "rule sdks/llm/gemini",
    };
    sdk.holds();
}
