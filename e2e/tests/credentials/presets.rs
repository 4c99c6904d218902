//! The presets, filled in as their pages say: what each lets through, what it refuses, and that their own tests pass.

use ringfence_testkit::api::{Api, ApiRequest, ApiResponse};
use serde_json::json;

use super::desk::{Desk, SECRET};

/// A preset, how it is filled in, its credential, and requests with the status that each gets.
pub(super) struct Case {
    pub(super) preset: &'static str,
    settings: &'static [&'static str],
    credential: &'static str,
    host: &'static str,
    variable: &'static str,
    requests: &'static [(&'static str, bool)],
}

pub(super) const CASES: &[Case] = &[
    Case {
        preset: "azure-devops",
        settings: &["organization=acme", "project=shop", "repos=web,api"],
        credential: "azure-devops",
        host: "dev.azure.com",
        variable: "AZURE_DEVOPS_EXT_PAT",
        requests: &[
            ("-u :$TOKEN $URL/acme/shop/_apis/wit/workitems/7", true),
            (
                "-X POST -H 'Content-Type: application/json' -d '{\"query\":\"SELECT [System.Id] FROM workitems\"}' $URL/acme/shop/_apis/wit/wiql?api-version=7.1",
                true,
            ),
            (
                "-X POST -H 'Content-Type: application/json' -d '{\"sourceRefName\":\"refs/heads/agent/x\",\"targetRefName\":\"refs/heads/main\",\"title\":\"T\"}' $URL/acme/shop/_apis/git/repositories/web/pullrequests",
                true,
            ),
            (
                "-X POST -H 'Content-Type: application/json' -d '{\"sourceRefName\":\"refs/heads/main\",\"targetRefName\":\"refs/heads/main\",\"title\":\"T\"}' $URL/acme/shop/_apis/git/repositories/web/pullrequests",
                false,
            ),
            (
                "-X POST -H 'Content-Type: application/json' -d '{\"sourceRefName\":\"refs/heads/agent/x\",\"targetRefName\":\"refs/heads/main\",\"title\":\"T\",\"completionOptions\":{}}' $URL/acme/shop/_apis/git/repositories/web/pullrequests",
                false,
            ),
            (
                "-X PATCH -H 'Content-Type: application/json' -d '{\"status\":\"completed\"}' $URL/acme/shop/_apis/git/repositories/web/pullrequests/1",
                false,
            ),
            (
                "-X PATCH -H 'Content-Type: application/json' -d '[]' $URL/acme/shop/_apis/wit/workitems/7",
                false,
            ),
            (
                "-X POST -H 'Content-Type: application/json' -d '{}' $URL/acme/shop/_apis/git/repositories/web/pushes",
                false,
            ),
            ("$URL/acme/shop/_apis/git/repositories/payroll/items", false),
            ("$URL/other/shop/_apis/wit/workitems/7", false),
            ("$URL/acme/_apis/projects", false),
        ],
    },
    Case {
        preset: "salesforce",
        settings: &["host=acme.my.salesforce.com"],
        credential: "salesforce",
        host: "acme.my.salesforce.com",
        variable: "SF_ACCESS_TOKEN",
        requests: &[
            (
                "-H \"Authorization: Bearer $TOKEN\" \"$URL/services/data/v61.0/query?q=SELECT+Id+FROM+Account\"",
                true,
            ),
            ("$URL/services/data/v61.0/sobjects/Account/describe", true),
            (
                "-X POST -H 'Content-Type: application/json' -d '{}' $URL/services/data/v61.0/sobjects/Account",
                false,
            ),
            (
                "-X PATCH -H 'Content-Type: application/json' -d '{}' $URL/services/data/v61.0/sobjects/Account/1",
                false,
            ),
            (
                "-X POST -H 'Content-Type: application/json' -d '{}' $URL/services/data/v61.0/composite",
                false,
            ),
            ("$URL/services/apexrest/export", false),
            ("-d grant_type=password $URL/services/oauth2/token", false),
        ],
    },
    Case {
        preset: "azure-read",
        settings: &["subscriptions=11111111-2222-3333-4444-555555555555"],
        credential: "azure",
        host: "management.azure.com",
        variable: "AZURE_ACCESS_TOKEN",
        requests: &[
            (
                "-H \"Authorization: Bearer $TOKEN\" $URL/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups?api-version=2021-04-01",
                true,
            ),
            (
                "-X POST -d '' $URL/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/listKeys",
                false,
            ),
            (
                "-X PUT -d '{}' $URL/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g",
                false,
            ),
            (
                "-X DELETE $URL/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g",
                false,
            ),
            (
                "$URL/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups",
                false,
            ),
            ("$URL/tenants", false),
        ],
    },
    Case {
        preset: "package-registries",
        settings: &["hosts=packages.acme.test"],
        credential: "registry",
        host: "packages.acme.test",
        variable: "NPM_TOKEN",
        requests: &[
            ("-H \"Authorization: Bearer $TOKEN\" $URL/left-pad", true),
            ("-I $URL/left-pad", true),
            (
                "-X PUT -H 'Content-Type: application/json' -d '{}' $URL/left-pad",
                false,
            ),
            ("-X POST -d x $URL/upload", false),
            ("-X DELETE $URL/left-pad/-rev/1", false),
        ],
    },
];

fn answer(_: &ApiRequest) -> ApiResponse {
    ApiResponse::json(200, &json!({"value": []}))
}

#[test]
fn each_preset_lets_through_what_its_page_says_and_nothing_else() {
    let mut desk = Desk::new();
    let apis: Vec<Api> = CASES
        .iter()
        .map(|case| desk.api(case.host, answer))
        .collect();
    let mut script = "ask() { curl -sS -o answer -w '%{http_code}\\n' \"$@\"; }\n".to_owned();
    let mut run = Vec::new();
    for case in CASES {
        desk.add(case.credential, "bearer", case.host, SECRET);
        let set = case.settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = ["profile", "new", case.preset]
            .into_iter()
            .chain(set)
            .collect();
        desk.ringfence(&arguments);
        let tested = desk.ringfence(&["policy", "test", case.preset]).stdout;
        assert!(tested.contains(" passed, 0 failed"), "{tested}");
        script += &format!("URL=https://{}; TOKEN=${}\n", case.host, case.variable);
        script += "case $TOKEN in rf_*) ;; *) echo no token ;; esac\n";
        for (request, _) in case.requests {
            script += &format!("ask {request}\n");
        }
        run.push(case.preset);
    }
    let run = run
        .into_iter()
        .fold(desk.host.run(), |run, preset| run.profile(preset));
    let ended = run.sh(&script);
    let expected = CASES.iter().flat_map(|case| case.requests);
    let answers: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(answers.len(), expected.clone().count(), "{ended}");
    for ((request, passes), answer) in expected.zip(answers) {
        let wanted = if *passes { "200" } else { "403" };
        assert_eq!(answer, wanted, "{request}: {ended}");
    }
    for (case, api) in CASES.iter().zip(apis) {
        let requests = api.requests();
        let passing = case.requests.iter().filter(|(_, passes)| *passes).count();
        assert_eq!(requests.len(), passing, "{}", case.preset);
        for request in requests {
            let sent = request.header("authorization");
            assert_eq!(
                sent,
                Some(format!("Bearer {SECRET}").as_str()),
                "{}",
                case.preset
            );
        }
    }
}
