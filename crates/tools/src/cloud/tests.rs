use super::*;

#[test]
fn every_tool_only_reads_and_takes_names_alone() {
    let catalogue = catalogue().unwrap();
    assert_eq!(catalogue.tools.len(), 5);
    assert!(catalogue.tools.iter().all(Tool::is_read_only));
    let resources = catalogue.named("azure_list_resources").unwrap();
    let fault = |arguments: Value| resources.arguments.fault(&arguments);
    assert_eq!(
        fault(
            json!({"subscription": "0-a", "resourceGroup": "a.b_(c)", "type": "Microsoft.Web/sites"})
        ),
        None
    );
    for arguments in [
        json!({}),
        json!({"subscription": "a/b"}),
        json!({"subscription": ".."}),
        json!({"subscription": "a\n"}),
        json!({"subscription": "a?x"}),
        json!({"subscription": "a", "resourceGroup": ".."}),
        json!({"subscription": "a", "resourceGroup": "x/../y"}),
        json!({"subscription": "a", "type": "x' or '1' eq '1"}),
        json!({"subscription": "a", "type": "Microsoft.Web"}),
        json!({"subscription": "a", "more": 1}),
    ] {
        assert!(fault(arguments.clone()).is_some(), "{arguments}");
    }
    let aws = catalogue.named("aws_whoami").unwrap();
    for region in [
        "us-east-1",
        "eu-central-1",
        "us-gov-west-1",
        "ap-southeast-2",
    ] {
        assert_eq!(
            aws.arguments.fault(&json!({"region": region})),
            None,
            "{region}"
        );
    }
    for region in [
        "",
        "evil.test/",
        "us-east-1.evil.test",
        "us-east-1\n",
        "US-EAST-1",
        "us-east-1#",
    ] {
        assert!(
            aws.arguments.fault(&json!({"region": region})).is_some(),
            "{region}"
        );
    }
}

#[test]
fn of_what_a_cloud_says_only_the_named_fields_are_passed_on() {
    let value =
        json!({"value": [{"id": "a", "name": "n", "secret": "s", "kind": {"deep": "s"}}, 7]});
    assert_eq!(
        entries(&value, "value", &[("id", "id"), ("kind", "kind")]),
        [json!({"id": "a"}), json!({})]
    );
}

#[test]
fn an_error_of_a_cloud_is_shortened() {
    let body = json!({"error": {"code": "AuthorizationFailed", "message": "x".repeat(5000)}});
    let answer = Answer::of(403, body.to_string());
    let said = understood("h", &answer).unwrap_err().to_string();
    assert!(
        said.contains("HTTP 403: AuthorizationFailed") && said.len() < 2 * SAID_OCTETS,
        "{said}"
    );
    assert!(understood("h", &Answer::of(200, "<html>".to_owned())).is_err());
}

#[test]
fn a_token_that_is_no_stand_in_is_never_sent() {
    let environment = BTreeMap::from([
        ("OWN".to_owned(), "rf_abc".to_owned()),
        ("REAL".to_owned(), "eyJ0eXAi.real.c2ln".to_owned()),
    ]);
    assert_eq!(stand_in(&environment, "OWN").unwrap(), "Bearer rf_abc");
    assert!(stand_in(&environment, "REAL").is_none() && stand_in(&environment, "NONE").is_none());
}

#[test]
fn the_next_page_is_where_the_first_one_was() {
    let next = azure::next;
    let own = "https://management.azure.com/subscriptions/a/resources?$skiptoken=b";
    assert_eq!(
        next(own).unwrap(),
        "/subscriptions/a/resources?$skiptoken=b"
    );
    for link in [
        "https://evil.test/x",
        "http://management.azure.com/x",
        "https://management.azure.com:444/x",
        "https://management.azure.com@evil.test/x",
        "https://management.azure.com/a b",
        "/x",
        "",
    ] {
        assert_eq!(next(link), None, "{link}");
    }
}
