use std::process::Output;

use super::*;
use crate::process::command;

fn key() -> AwsKey {
    AwsKey {
        access_key: "AKIDEXAMPLE".to_owned(),
        secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
        region: "eu-central-1".to_owned(),
        service: "execute-api".to_owned(),
    }
}

/// curl signs by its own implementation; older ones do not sort the query.
fn curl(ca: &Ca, aws: &Aws, secret: &str, path: &str, more: &[&str]) -> Output {
    let port = aws.https().port();
    let mut curl = command("curl");
    curl.args(["-sS", "-w", "%{http_code}", "--cacert"])
        .arg(ca.certificate());
    curl.args(["--resolve", &format!("api.amazonaws.test:{port}:127.0.0.1")]);
    curl.args(["--aws-sigv4", "aws:amz:eu-central-1:execute-api"]);
    curl.args(["--user", &format!("AKIDEXAMPLE:{secret}")])
        .args(more);
    curl.arg(format!("https://api.amazonaws.test:{port}{path}"));
    curl.output().unwrap()
}

#[test]
fn what_another_implementation_signs_is_accepted_and_nothing_else() {
    let workdir = Workdir::new().unwrap();
    let ca = Ca::new(&workdir).unwrap();
    let aws = Aws::start(&workdir, &ca, &["api.amazonaws.test"], key()).unwrap();
    let good = key().secret_key;
    for (path, more) in [
        ("/", &[][..]),
        ("/v1/items?a=1&b=2", &["-H", "X-Amz-Target: Items.Get"]),
        ("/v1/items?x=%20y", &["--data", "{\"a\":1}"]),
    ] {
        let output = curl(&ca, &aws, &good, path, more);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.ends_with("200"), "{path}: {text}\n{:?}", aws.refused());
    }
    let output = curl(&ca, &aws, "another", "/", &[]);
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("403"));
    let output = curl(
        &ca,
        &aws,
        &good,
        "/",
        &["-H", "X-Amz-Security-Token: stolen"],
    );
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("403"));
}

/// The worked example of "Signature Calculations for the Authorization Header" (S3 API reference),
/// `GET Object`: its canonical request has a digest that is printed there.
#[test]
fn the_canonical_request_is_that_of_the_specification() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let headers = [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", empty),
        ("x-amz-date", "20130524T000000Z"),
    ];
    let request = ApiRequest {
        method: "GET".to_owned(),
        path: "/test.txt".to_owned(),
        query: String::new(),
        headers: headers.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
        body: Vec::new(),
    };
    let signed: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let canonical = canonical::request(&request, &signed, "s3").unwrap();
    assert_eq!(
        canonical::sha256(canonical.as_bytes()),
        "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"
    );
}

/// Two of the requests of the test suite that AWS publishes for Signature Version 4, with the
/// signatures that it has for them.
#[test]
fn the_signatures_are_those_of_the_published_test_suite() {
    let key = AwsKey {
        region: "us-east-1".to_owned(),
        service: "service".to_owned(),
        ..key()
    };
    for (query, signature) in [
        (
            "",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ] {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let headers = [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", &authorization),
        ];
        let request = ApiRequest {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: query.to_owned(),
            headers: headers.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
            body: Vec::new(),
        };
        let signed = Signed::read(&request).unwrap();
        let canonical = canonical::request(&request, &signed.headers, "service").unwrap();
        assert_eq!(key.signature(&canonical, &signed), signature);
        // It is right, and long over.
        assert_eq!(key.check(&request).unwrap_err().0, "RequestTimeTooSkewed");
    }
}
