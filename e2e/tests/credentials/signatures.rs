//! AWS Signature Version 4: boto3 signs with a key that it was given for show, and the gateway signs anew with the real one.

use ringfence_testkit::api::{ApiRequest, ApiResponse};
use ringfence_testkit::process::{command, run};
use serde_json::json;

use super::desk::Desk;
use super::encodings::encodings;

const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// What an agent writes: the SDK, unchanged, with keys that are worth nothing.
const UPLOAD: &str = r#"
import boto3
from botocore.config import Config
s3 = boto3.client("s3", region_name="eu-central-1", endpoint_url="https://s3.acme.test",
                  aws_access_key_id="AKIANOBODY", aws_secret_access_key="nothing",
                  config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))
s3.put_object(Bucket="reports", Key="a b/ä.txt", Body=b"numbers")
print(s3.list_objects_v2(Bucket="reports", Prefix="a b/")["KeyCount"])
"#;

/// Signs each recorded request as AWS's own library does, and compares.
const VERIFY: &str = r#"
import json, sys
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


import http.client
for line in sys.stdin:
    sent = json.loads(line)
    fields = {name: value for name, value in sent["headers"]}
    scheme, _, rest = fields["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    auth = S3SigV4Auth(Credentials("AKIDEXAMPLE", sys.argv[1]), "s3", "eu-central-1")
    url = "https://" + fields["host"] + sent["path"] + ("?" + sent["query"] if sent["query"] else "")
    request = AWSRequest(sent["method"], url, data=bytes.fromhex(sent["body"]))
    request.context["timestamp"] = fields["x-amz-date"]
    signed = http.client.HTTPMessage()
    for name in parts["SignedHeaders"].split(";"):
        signed[name] = fields[name]
    request.headers["X-Amz-Content-SHA256"] = fields["x-amz-content-sha256"]
    auth.headers_to_sign = lambda request: signed
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    print(scheme, parts["Credential"].split("/")[0], "right" if signature == parts["Signature"] else "wrong")
"#;

fn answer(request: &ApiRequest) -> ApiResponse {
    match request.method.as_str() {
        "PUT" => ApiResponse::new(200, ""),
        _ => ApiResponse::new(
            200,
            "<ListBucketResult><Name>reports</Name><KeyCount>3</KeyCount></ListBucketResult>",
        )
        .with("Content-Type", "application/xml"),
    }
}

#[test]
fn an_sdk_with_worthless_keys_sends_requests_that_are_signed_with_the_real_one() {
    let mut desk = Desk::new();
    let api = desk.api("s3.acme.test", answer);
    let kept = [
        "s3",
        "--kind",
        "aws-sigv4",
        "--host",
        "s3.acme.test",
        "--set",
        "access_key=AKIDEXAMPLE",
        "--set",
        "region=eu-central-1",
        "--set",
        "service=s3",
    ];
    desk.keep(&kept, SECRET_KEY);
    desk.host.profile(
        "s3",
        "apiVersion: ringfence/v1\nkind: Profile\nname: s3\napi:\n  - allow: { host: s3.acme.test, methods: [GET, PUT], paths: [\"/reports\", \"/reports/**\"], credential: s3 }\n",
    );
    let ended = desk
        .host
        .run()
        .profile("s3")
        .exec(&["/usr/bin/python3", "-c", UPLOAD]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "3\n"), "{ended}");
    let requests = api.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        verify(&desk, &requests, SECRET_KEY),
        "AWS4-HMAC-SHA256 AKIDEXAMPLE right\n".repeat(2)
    );
    // The check can fail.
    assert_eq!(
        verify(&desk, &requests, "another"),
        "AWS4-HMAC-SHA256 AKIDEXAMPLE wrong\n".repeat(2)
    );
    for form in encodings(SECRET_KEY) {
        assert!(!format!("{requests:?}").contains(&form), "{form}");
    }
    for request in &requests {
        assert!(
            !format!("{request:?}").contains("AKIANOBODY"),
            "{request:?}"
        );
    }
}

fn verify(desk: &Desk, requests: &[ApiRequest], key: &str) -> String {
    let line = |request: &ApiRequest| {
        let body: String = request
            .body
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        let sent = json!({
            "method": request.method, "path": request.path, "query": request.query,
            "headers": request.headers, "body": body,
        });
        sent.to_string() + "\n"
    };
    let lines: String = requests.iter().map(line).collect();
    let lines = desk.host.workdir().file("requests", lines).unwrap();
    let mut python = command("/usr/bin/python3");
    python
        .args(["-c", VERIFY, key])
        .stdin(std::fs::File::open(lines).unwrap());
    String::from_utf8(run(&mut python).unwrap().stdout).unwrap()
}
