//! Models as clouds serve them: Azure OpenAI by key and by Entra ID, Bedrock with its signatures and its binary streams, Vertex AI with
//! tokens of a service account. The clients are the clouds' own libraries for Python; `clouds/ask_*` are the programs.

use ringfence_e2e::{Ended, Host};
use ringfence_testkit::Ca;
use ringfence_testkit::issuer::entra::{self, Entra};
use ringfence_testkit::issuer::google::{self, Google};
use ringfence_testkit::issuer::jwt::Verifier;
use ringfence_testkit::issuer::keys::ClientKey;
use ringfence_testkit::issuer::{CLIENT_ID, CLIENT_SECRET};
use ringfence_testkit::llm::{CLOUDS, Provider};
use serde_json::{Value, json};

use super::sdks::installed;

/// A person's machine, and the cloud.
struct Sky {
    host: Host,
    ca: Ca,
    provider: Provider,
}

const HELLO: &str = "Hello, I am no model.";

impl Sky {
    /// The cloud accepts these secrets; see [`Provider::start`].
    fn new(accepted: &str) -> Self {
        let mut host = Host::new();
        let ca = Ca::new(host.workdir()).unwrap();
        host.trust(&ca);
        let provider = Provider::start(host.workdir(), &ca, accepted).unwrap();
        for name in CLOUDS {
            host.name(name, provider.address());
        }
        Self { host, ca, provider }
    }

    /// Keeps the credential `cloud`.
    fn keep(&self, kind: &str, host: &str, settings: &[&str], secret: &str) {
        let mut arguments = vec!["credential", "add", "cloud", "--kind", kind, "--host", host];
        arguments.extend(settings.iter().flat_map(|it| ["--set", *it]));
        let ended = self.host.ringfence_reading(&arguments, secret);
        assert_eq!(ended.code, 0, "{ended}");
    }

    /// A profile with one provider, which allows these models of it; `variable` holds a token for the credential.
    fn rules(&self, provider: &str, variable: Option<&str>, models: &str) {
        let name = provider.split(',').next().unwrap_or_default();
        let tokens =
            variable.map(|it| format!("tokens: [{{env: [{it}], credentials: [cloud]}}]\n"));
        let required = variable.is_some();
        self.host.profile(
            "cloud",
            &format!(
                "apiVersion: ringfence/v1\nkind: Profile\nname: cloud\n{}llmProviders:\n  - {{name: {provider}}}\nllm:\n  \
                 - allow: {{id: some, provider: {name}, credential: cloud, tokenRequired: {required}, models: [{models}], \
                 budget: {{tokens: 1000000, per: run}}}}\n",
                tokens.unwrap_or_default()
            ),
        );
    }

    /// Runs one of the programs; what it told.
    fn ask(&self, program: &str, variables: &[&str]) -> (Value, Ended) {
        for (name, text) in [
            ("common.py", include_str!("sdks/common.py")),
            ("ask_azure.py", include_str!("clouds/ask_azure.py")),
            ("ask_bedrock.py", include_str!("clouds/ask_bedrock.py")),
            ("ask_vertex.py", include_str!("clouds/ask_vertex.py")),
        ] {
            self.host.file(name, text);
        }
        let directory = installed();
        let mut run = self.host.run().profile("cloud");
        for variable in variables {
            run = run.env(variable);
        }
        let script = format!("{}/python/bin/python {program}; env", directory.display());
        let ended = run
            .option("--read", &directory.to_string_lossy())
            .sh(&script);
        let told = ended.stdout.lines().next().map(serde_json::from_str);
        match told {
            Some(Ok(told)) => (told, ended),
            _ => panic!("no object of JSON: {ended}\n{}", self.provider.log()),
        }
    }

    /// The tokens that each request that was allowed and answered took, as the record has them: what the cloud counted, and no bound.
    fn assert_counted(&self, least: usize) {
        let events = self.host.events();
        let mut answered = 0;
        for event in events.iter().filter(|it| it["action"]["kind"] == "llm") {
            let facts = &event["closing"]["llm"];
            if event["decision"]["effect"] != "allow" || !facts["failure"].is_null() {
                continue;
            }
            assert_eq!(facts["usage"]["input"], 1200, "{event}");
            assert_eq!(facts["usage"]["output"], 25, "{event}");
            assert_eq!(facts["usage"]["cache_read"], 1000, "{event}");
            assert!(facts["estimated"].is_null(), "{event}");
            answered += 1;
        }
        assert!(answered >= least, "{answered}: {events:?}");
    }

    /// No request is about this model, and none has a token of ours.
    fn assert_never_asked(&self, model: &str) {
        for request in self.provider.requests().unwrap() {
            let text = request.to_string();
            assert!(!text.contains(model) && !text.contains("rf_"), "{text}");
        }
    }
}

/// Each of these names an answer.
fn assert_answers(told: &Value, names: &[&str]) {
    for name in names {
        assert_eq!(told[name], HELLO, "{name}: {told:#}");
    }
    let done = json!({"steps": 2, "said": "FINAL-OK: the tool said two"});
    assert_eq!(told["tools"], done, "{told:#}");
}

fn assert_says(error: &Value, parts: &[&str]) {
    let said = error["words"].as_str().unwrap_or_default();
    for part in parts {
        assert!(said.contains(part), "{part}: {error:#}");
    }
}

const AZURE_KEY: &str = "4f1cA9azureKeyZq8mLw3TxV7pRb2NcKd5";

#[test]
fn azure_by_its_key() {
    let sky = Sky::new(AZURE_KEY);
    sky.keep("header", CLOUDS[0], &["name=api-key"], AZURE_KEY);
    sky.rules(
        "azure, kind: azure-openai, url: \"https://acme.openai.azure.com\"",
        Some("AZURE_OPENAI_API_KEY"),
        "gpt-5-mini",
    );
    let (told, ended) = sky.ask("ask_azure.py", &[]);
    assert!(!ended.to_string().contains(AZURE_KEY), "{ended}");
    assert_azure(&sky, &told);
}

#[test]
fn azure_by_an_application_in_entra_id() {
    let token = entra::token(1);
    let mut sky = Sky::new(&token);
    let azure = Entra::start(sky.host.workdir(), &sky.ca).unwrap();
    sky.host.name(entra::LOGIN, azure.https());
    let (tenant, client) = (
        format!("tenant={}", entra::TENANT),
        format!("client_id={CLIENT_ID}"),
    );
    let scope = format!("scope=https://{}/.default", entra::MODELS);
    sky.keep(
        "azure-entra",
        CLOUDS[0],
        &[&tenant, &client, &scope],
        CLIENT_SECRET,
    );
    sky.rules(
        "azure, kind: azure-openai, url: \"https://acme.openai.azure.com\"",
        Some("AZURE_OPENAI_AD_TOKEN"),
        "gpt-5-mini",
    );
    let (told, ended) = sky.ask("ask_azure.py", &[]);
    for secret in [CLIENT_SECRET, &token] {
        assert!(!ended.to_string().contains(secret), "{ended}");
    }
    assert_azure(&sky, &told);
}

fn assert_azure(sky: &Sky, told: &Value) {
    let names = [
        "whole",
        "direct",
        "newer",
        "newer_responses",
        "streamed",
        "newer_streamed",
    ];
    assert_answers(told, &names);
    for name in ["refused", "newer_refused"] {
        assert_eq!(told[name]["class"], "PermissionDeniedError", "{told:#}");
        assert_says(
            &told[name],
            &["Ringfence refused this", "gpt-5", "cloud/llm/some"],
        );
    }
    sky.assert_counted(9);
    sky.assert_never_asked("deployments/gpt-5/");
    sky.assert_never_asked("\"gpt-5\"");
}

const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

#[test]
fn bedrock_by_signatures() {
    let sky = Sky::new(&format!("aws AKIDEXAMPLE {AWS_SECRET} eu-central-1"));
    let settings = [
        "access_key=AKIDEXAMPLE",
        "region=eu-central-1",
        "service=bedrock",
    ];
    sky.keep("aws-sigv4", CLOUDS[1], &settings, AWS_SECRET);
    sky.rules(
        "bedrock, kind: bedrock, url: \"https://bedrock-runtime.eu-central-1.amazonaws.com\"",
        None,
        "\"eu.anthropic.claude-haiku-*\", \"fail-*\"",
    );
    let (told, ended) = sky.ask(
        "ask_bedrock.py",
        &[
            "AWS_ACCESS_KEY_ID=AKIANOBODY",
            "AWS_SECRET_ACCESS_KEY=nothing",
            "AWS_DEFAULT_REGION=eu-central-1",
        ],
    );
    assert!(!ended.to_string().contains(AWS_SECRET), "{ended}");
    let names = [
        "invoke",
        "direct",
        "direct_converse",
        "by_anthropic",
        "invoke_streamed",
        "converse",
        "converse_streamed",
    ];
    assert_answers(&told, &names);
    for name in [
        "refused",
        "refused_streamed",
        "refused_converse",
        "refused_converse_streamed",
    ] {
        assert_eq!(told[name]["code"], "AccessDeniedException", "{told:#}");
        assert_eq!(told[name]["status"], 403, "{told:#}");
        assert_says(
            &told[name],
            &["Ringfence refused this", "claude-opus", "cloud/llm/some"],
        );
    }
    assert_eq!(told["busy"]["code"], "ThrottlingException", "{told:#}");
    assert_eq!(
        told["overloaded"]["code"], "throttlingException",
        "{told:#}"
    );
    sky.assert_counted(10);
    sky.assert_never_asked("claude-opus");
    sky.assert_never_asked("AKIANOBODY");
}

#[test]
fn vertex_by_a_service_account() {
    let token = google::token(1);
    let mut sky = Sky::new(&token);
    let key = ClientKey::rsa(sky.host.workdir(), "account").unwrap();
    let verifier = Verifier::new(sky.host.workdir(), &key.public()).unwrap();
    let tokens = Google::start(sky.host.workdir(), &sky.ca, verifier).unwrap();
    sky.host.name(google::TOKENS, tokens.https());
    let scope = format!("scope={}", google::SCOPE);
    let file = google::key_file(&key.private_pem);
    sky.keep("gcp-service-account", CLOUDS[2], &[&scope], &file);
    sky.rules(
        "vertex, kind: vertex, url: \"https://europe-west4-aiplatform.googleapis.com\"",
        Some("GOOGLE_ACCESS_TOKEN"),
        "gemini-2.5-flash, \"claude-haiku-*\"",
    );
    let (told, ended) = sky.ask("ask_vertex.py", &[]);
    assert!(!ended.to_string().contains(&token), "{ended}");
    assert_answers(
        &told,
        &[
            "whole",
            "direct",
            "streamed",
            "claude",
            "direct_claude",
            "claude_streamed",
        ],
    );
    assert_eq!(told["refused"]["class"], "ClientError", "{told:#}");
    assert_says(
        &told["refused"],
        &[
            "PERMISSION_DENIED",
            "Ringfence refused this",
            "gemini-2.5-pro",
        ],
    );
    assert_eq!(
        told["refused_claude"]["class"], "PermissionDeniedError",
        "{told:#}"
    );
    assert_says(
        &told["refused_claude"],
        &["permission_error", "Ringfence refused this", "claude-opus"],
    );
    sky.assert_counted(9);
    for model in ["gemini-2.5-pro", "claude-opus"] {
        sky.assert_never_asked(model);
    }
    assert_eq!(tokens.requests().len(), 1, "one token does for all");
}
