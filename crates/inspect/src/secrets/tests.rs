//! What is found and what is passed over. Every secret here is made when the test runs: none is
//! written down, not even one that was never valid.

mod made;

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{Detector, Finding, rules};
use crate::limits::{
    SECRET_AFTER_OCTETS, SECRET_BEFORE_OCTETS, SECRET_FINDINGS, SECRET_STEP_OCTETS,
};
use made::Maker;

static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

fn found(text: &str) -> Vec<&'static str> {
    let findings = DETECTOR.find(text.as_bytes());
    findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn every_prefixed_token_is_found_wherever_it_stands() {
    let detector = &*DETECTOR;
    let mut maker = Maker::new(1);
    let mut tried = 0;
    for rule in rules() {
        for anchor in rule.anchors {
            for _ in 0..8 {
                let Some(token) = maker.token(rule, anchor) else {
                    continue;
                };
                tried += 1;
                let places = [
                    token.clone(),
                    format!("x = f(\"{token}\")\n"),
                    format!("curl https://service.example/?v={token}&w=1"),
                    format!("{{\"log\":\"one\\n{token}\\ntwo\"}}"),
                ];
                for text in places {
                    let findings = detector.find(text.as_bytes());
                    let ids: Vec<&str> = findings.iter().map(|found| found.rule).collect();
                    assert!(ids.contains(&rule.id), "{}: {ids:?}", rule.id);
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

#[test]
fn a_token_that_is_cut_too_long_or_a_placeholder_is_passed_over() {
    let detector = &*DETECTOR;
    let mut maker = Maker::new(2);
    for rule in rules() {
        for anchor in rule.anchors {
            let Some(token) = maker.token(rule, anchor) else {
                continue;
            };
            let cut = &token[..anchor.len() + 8];
            let filled = format!("{anchor}{}", "x".repeat(token.len() - anchor.len()));
            for text in [
                cut.to_owned(),
                filled,
                format!("{anchor}YOUR_KEY_GOES_HERE"),
            ] {
                assert_eq!(detector.find(text.as_bytes()), [], "{}", rule.id);
            }
        }
    }
}

#[test]
fn a_checksum_that_is_wrong_makes_no_token() {
    let mut maker = Maker::new(3);
    for prefix in ["ghp_", "ghs_", "npm_"] {
        let body = maker.base62(36);
        assert!(found(&format!("f(\"{prefix}{body}\")")).is_empty());
        let token = maker.with_checksum(prefix);
        assert_eq!(found(&token).len(), 1, "{prefix}");
    }
}

#[test]
fn private_keys_are_found_in_every_wrapping() {
    let mut maker = Maker::new(4);
    for label in ["RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", ""] {
        let lines = maker.key_lines(20);
        let begin = format!("{}BEGIN {label}PRIVATE KEY-----", "-".repeat(5));
        let end = format!("{}END {label}PRIVATE KEY-----", "-".repeat(5));
        for text in [
            format!("{begin}\n{}\n{end}\n", lines.join("\n")),
            format!("{begin}\r\n{}\r\n{end}\r\n", lines.join("\r\n")),
            format!("{{\"k\": \"{begin}\\n{}\\n{end}\\n\"}}", lines.join("\\n")),
            format!(
                "k: |\n    {begin}\n    {}\n    {end}\n",
                lines.join("\n    ")
            ),
            format!(
                "k = \"{begin}\\n\" +\n  \"{}\\n\" +\n",
                lines.join("\\n\" +\n  \"")
            ),
            format!(
                "{begin}\nProc-Type: 4,ENCRYPTED\n\n{}\n{end}\n",
                lines.join("\n")
            ),
        ] {
            assert_eq!(found(&text), ["private-key"], "{text}");
        }
    }
}

#[test]
fn a_key_that_is_left_out_or_public_is_passed_over() {
    let mut maker = Maker::new(5);
    let dashes = "-".repeat(5);
    let lines = maker.key_lines(8).join("\n");
    for text in [
        format!("{dashes}BEGIN PUBLIC KEY{dashes}\n{lines}\n"),
        format!("{dashes}BEGIN CERTIFICATE{dashes}\n{lines}\n"),
        format!("{dashes}BEGIN PRIVATE KEY{dashes}\n...\n{dashes}END PRIVATE KEY{dashes}\n"),
        format!("{dashes}BEGIN PRIVATE KEY{dashes}\nMIIEvQ...\n{dashes}END PRIVATE KEY{dashes}\n"),
        format!("{dashes}BEGIN PRIVATE KEY{dashes}\n{}\n", "x".repeat(64)),
        format!("if text.startswith('{dashes}BEGIN PRIVATE KEY{dashes}'):\n    load(text)\n"),
        format!("r\"{dashes}BEGIN [A-Z ]*PRIVATE KEY{dashes}\""),
    ] {
        assert!(found(&text).is_empty(), "{text}");
    }
}

#[test]
fn a_service_account_is_named_as_such() {
    let mut maker = Maker::new(6);
    let dashes = "-".repeat(5);
    let key = format!(
        "{dashes}BEGIN PRIVATE KEY{dashes}\\n{}\\n{dashes}END PRIVATE KEY{dashes}\\n",
        maker.key_lines(20).join("\\n")
    );
    let text = format!(
        "{{\n \"type\": \"service_account\",\n \"private_key_id\": \"{}\",\n \"private_key\": \"{key}\"\n}}",
        maker.hex(40)
    );
    let findings = DETECTOR.find(text.as_bytes());
    assert_eq!(
        findings,
        [Finding {
            line: 4,
            rule: "gcp-service-account-key"
        }]
    );
}

#[test]
fn web_tokens_need_a_header_and_a_signature() {
    let mut maker = Maker::new(7);
    let signature = maker.base62(43);
    let claims = made::base64url(br#"{"sub":"7161","iat":1760000000,"scope":"admin"}"#);
    let header = made::base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
    let other = made::base64url(br#"{"kid":"HS256","typ":"JWT"}"#);
    let manual = made::base64url(br#"{"sub":"1234567890","name":"John Doe"}"#);
    let anonymous = made::base64url(br#"{"iss":"supabase","role":"anon"}"#);
    for (text, is_found) in [
        (format!("{header}.{claims}.{signature}"), true),
        (format!("{header}.{}.{signature}", claims.repeat(200)), true),
        (format!("{header}.{claims}"), false),
        (format!("{header}.{claims}.sig"), false),
        (format!("{other}.{claims}.{signature}"), false),
        (format!("{header}.{manual}.{signature}"), false),
        (format!("{header}.{anonymous}.{signature}"), false),
        (
            format!("const jwt_token = \"{header}.{manual}.{signature}\""),
            false,
        ),
        (format!("x{header}.{claims}.{signature}"), false),
    ] {
        assert_eq!(found(&text) == ["json-web-token"], is_found, "{text}");
        assert!(is_found || found(&text).is_empty(), "{text}");
    }
}

#[test]
fn passwords_in_urls_are_found_unless_they_are_filled_in_later() {
    let mut maker = Maker::new(8);
    let password = maker.base62(18);
    for (text, ids) in [
        (
            format!("postgres://app:{password}@db.firm.example:5432/app"),
            &["database-url-password"][..],
        ),
        (
            format!("mongodb+srv://app:{password}@c0.firm.example"),
            &["database-url-password"],
        ),
        (
            format!("git clone https://deploy:{password}@git.firm.example/a.git"),
            &["url-password"],
        ),
        (
            "postgres://postgres:postgres@localhost/test".to_owned(),
            &[],
        ),
        ("https://user:password@service.example/".to_owned(), &[]),
        (
            "https://user:${DB_PASSWORD_2}@service.example/".to_owned(),
            &[],
        ),
        (
            "https://user:<Password1!x>@service.example/".to_owned(),
            &[],
        ),
        ("mysql://root:%s@%s:3306/x1".to_owned(), &[]),
        (format!("https://service.example/@{password}:1"), &[]),
    ] {
        assert_eq!(found(&text), ids, "{text}");
    }
}

#[test]
fn what_is_called_a_secret_and_is_random_is_found() {
    let mut maker = Maker::new(9);
    for _ in 0..20 {
        let value = maker.random(32);
        for text in [
            format!("API_KEY={value}\n"),
            format!("export CLIENT_SECRET=\"{value}\""),
            format!("api_key: '{value}'"),
            format!("{{\"access_token\": \"{value}\"}}"),
            format!("const apiKey: string = '{value}';"),
            format!("os.environ[\"AUTH_TOKEN\"] = \"{value}\""),
            format!("os.Setenv(\"APP_SECRET\", \"{value}\")"),
            format!("<secret>{value}</secret>"),
            format!("deploy --token {value}"),
            format!("GET /v1?api_key={value}&page=2"),
            format!("\"{{\\\"token\\\": \\\"{value}\\\"}}\""),
            format!("the API token is {value}."),
        ] {
            assert_eq!(found(&text), ["secret-value"], "{text}");
        }
        for text in [
            format!("DB_PASSWORD={value}"),
            format!("  password: \"{value}\""),
            format!("Server=db;User=app;Password={value};"),
        ] {
            assert_eq!(found(&text), ["password-value"], "{text}");
        }
    }
}

#[test]
fn credentials_of_files_that_programs_read_are_found() {
    let mut maker = Maker::new(10);
    let value = maker.random(32);
    let aws = maker.random(40);
    let basic = made::base64(format!("deploy:{value}").as_bytes());
    for (text, id) in [
        (
            format!("machine git.firm.example\n  login deploy\n  password {value}\n"),
            "netrc-password",
        ),
        (
            format!("//npm.firm.example/:_authToken={}\n", maker.uuid()),
            "npmrc-token",
        ),
        (
            format!("//npm.firm.example/:_authToken={value}\n"),
            "npmrc-token",
        ),
        (
            format!("aws_secret_access_key = {aws}\n"),
            "aws-secret-access-key",
        ),
        (
            format!("{{\"auths\":{{\"r.example\":{{\"auth\": \"{basic}\"}}}}}}"),
            "basic-authentication",
        ),
        (
            format!("Authorization: Basic {basic}"),
            "basic-authentication",
        ),
        (format!("Authorization: Bearer {value}"), "bearer-token"),
    ] {
        assert_eq!(found(&text), [id], "{text}");
    }
}

#[test]
fn what_only_looks_like_a_secret_is_passed_over() {
    let mut maker = Maker::new(11);
    let mut texts: Vec<String> = HARMLESS.lines().map(str::to_owned).collect();
    for _ in 0..50 {
        let (hash, uuid, value) = (maker.hex(64), maker.uuid(), maker.random(40));
        texts.extend([
            format!("\"integrity\": \"sha512-{value}{value}==\""),
            format!("checksum = \"{hash}\""),
            format!("commit {}", &hash[..40]),
            format!("image@sha256:{hash}"),
            format!("token: {hash}"),
            format!("client_secret = {uuid}"),
            format!("password_hash: {value}"),
            format!("secret: sha256-{value}"),
            format!("next_page_token=\"{value}\""),
            format!("csrf_token=\"{value}\""),
            format!("public_key: {value}"),
            format!("PublicKeyToken={}", &hash[..16]),
            format!("cache_key = \"{value}\""),
            format!("data:image/png;base64,{value}{value}"),
            format!(
                "js-tokens@^4.0.0:\n  resolved \"https://r.example/js-tokens-4.0.0.tgz#{}\"",
                &hash[..40]
            ),
        ]);
    }
    for text in texts {
        assert!(found(&text).is_empty(), "{text}");
    }
}

/// One in a line.
const HARMLESS: &str = r#"API_KEY=<YOUR_API_KEY>
token: ${GITHUB_TOKEN}
password: {{ vault_password_1 }}
secret = os.environ['APP_SECRET_1']
apiKey: process.env.API_KEY1,
password = getpass.getpass()
export AWS_SECRET_ACCESS_KEY="********************"
token: REDACTED
client_secret: "changeme"
key = "your-key-here-1234567890"
"password": "Passwort1!x", "username": "Benutzername"
secretKeyRef: {name: web-secrets-1, key: api-key-1}
password: "Password123!"
const accessToken = await getAccessToken2(client1);
access_token = AbstractAccessTokenFactory2Impl
api_key: str = Field(default=None, description='key of the service')
token = tokens[index1].value_of_token2
PWD=/home/agent/Projects/web-2024
api_key = "0123456789abcdef0123456789abcdef"
secret_key = "abcdefghijklmnopqrstuvwxyz012345"
passphrase = r"^(?=.*[A-Z])(?=.*\d).{12,}$"
password = $2b$12$KIXQ4r8s0vYw1m9uJd7t5e
Authorization: Bearer $TOKEN_2_OF_SERVICE
Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==
The password must have at least 12 characters."#;

#[test]
fn a_line_is_told_and_the_better_known_rule() {
    let mut maker = Maker::new(12);
    let token = maker.with_checksum("ghp_");
    let text = format!("# one\n# two\n\nexport GITHUB_TOKEN={token}\nexport B_TOKEN={token}\n");
    let findings = DETECTOR.find(text.as_bytes());
    let rule = "github-token";
    assert_eq!(
        findings,
        [Finding { line: 4, rule }, Finding { line: 5, rule }]
    );
}

#[test]
fn lines_are_counted_over_many_buffers() {
    let mut maker = Maker::new(13);
    let token = maker.with_checksum("ghp_");
    let filler = "a line of nothing\n".repeat(20_000);
    let text = format!("{filler}{token}\n{filler}{token}");
    let findings = DETECTOR.find(text.as_bytes());
    let lines: Vec<u64> = findings.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [20_001, 40_002]);
}

#[test]
fn findings_of_one_text_are_bounded() {
    let mut maker = Maker::new(14);
    let text: String = (0..1000)
        .map(|_| maker.with_checksum("ghp_") + "\n")
        .collect();
    assert_eq!(DETECTOR.find(text.as_bytes()).len(), SECRET_FINDINGS);
}

/// A text of fillers, anchors, secrets and line ends, long enough for several buffers.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => (0_u64..1000).prop_map(|seed| {
            let mut maker = Maker::new(seed);
            format!(" {}\n", maker.with_checksum("ghp_"))
        }),
        2 => (0_u64..1000).prop_map(|seed| {
            let mut maker = Maker::new(seed);
            let lines = maker.key_lines(6).join("\n");
            format!("{}BEGIN PRIVATE KEY-----\n{lines}\n", "-".repeat(5))
        }),
        2 => (0_u64..1000).prop_map(|seed| format!("api_key = {}\n", Maker::new(seed).random(32))),
        1 => (0_u64..1000).prop_map(|seed| format!("x://u:{}@h/", Maker::new(seed).random(20))),
        2 => (1_usize..SECRET_STEP_OCTETS).prop_map(|count| "let x = 1;\n".repeat(count / 11)),
        1 => Just("eyJ".to_owned()),
        2 => Just("\n".to_owned()),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_pieces_of_a_text_do_not_matter(text in texts(), sizes in prop::collection::vec(1_usize..9000, 1..6)) {
        let detector = &*DETECTOR;
        let whole = detector.find(&text);
        let mut search = detector.search();
        let mut rest = text.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at(rest.len().min(*size));
            search.feed(piece);
            rest = later;
        }
        prop_assert_eq!(search.finish(), whole);
    }

    /// What is found does not depend on how much comes before, either: the buffer is cut elsewhere.
    #[test]
    fn what_comes_far_before_does_not_matter(text in texts(), before in 0_usize..70_000) {
        let detector = &*DETECTOR;
        let gap = " ".repeat(before) + &"\n".repeat(SECRET_BEFORE_OCTETS + SECRET_AFTER_OCTETS);
        let moved: Vec<u8> = [gap.as_bytes(), &text].concat();
        let lines = (SECRET_BEFORE_OCTETS + SECRET_AFTER_OCTETS) as u64;
        let found = detector.find(&moved);
        let back: Vec<Finding> = found.iter().map(|f| Finding { line: f.line - lines, ..*f }).collect();
        prop_assert_eq!(back, detector.find(&text));
    }
}

/// Secrets of every kind that can be made up, in the words around them, by the rule that finds them.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let mut maker = Maker::new(21);
    let mut all = Vec::new();
    for rule in rules() {
        for anchor in rule.anchors {
            all.extend(maker.token(rule, anchor).map(|token| (rule.id, token)));
        }
    }
    let lines = maker.key_lines(20).join("\n");
    let dashes = "-".repeat(5);
    let key =
        format!("{dashes}BEGIN PRIVATE KEY{dashes}\n{lines}\n{dashes}END PRIVATE KEY{dashes}");
    let (password, value) = (maker.base62(18), maker.random(32));
    all.extend([
        ("private-key", key),
        (
            "database-url-password",
            format!("postgres://app:{password}@db.firm.example:5432/app"),
        ),
        (
            "url-password",
            format!("git clone https://deploy:{password}@git.firm.example/a.git"),
        ),
        ("secret-value", format!("API_KEY={value}")),
        ("secret-value", format!("{{\"access_token\": \"{value}\"}}")),
        ("secret-value", format!("the API token is {value}.")),
        ("secret-value", format!("<secret>{value}</secret>")),
    ]);
    all
}
