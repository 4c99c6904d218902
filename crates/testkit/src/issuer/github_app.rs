//! The endpoint of GitHub that gives out installation tokens. As there, a request that names no
//! repositories gets a token for all of them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::jwt::Verifier;
use super::{bearer, lock};
use crate::api::{Api, ApiRequest, ApiResponse};
use crate::{Ca, Workdir};

/// The id of the app.
pub const APP: &str = "424242";

/// The id of its installation.
pub const INSTALLATION: &str = "777";

/// The repositories of the installation.
pub const REPOSITORIES: [&str; 3] = ["web", "payroll", "handbook"];

/// What the installation may do.
const PERMISSIONS: [(&str, &str); 4] = [
    ("contents", "write"),
    ("issues", "write"),
    ("metadata", "read"),
    ("pull_requests", "write"),
];

/// A token that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationToken {
    /// The token.
    pub token: String,
    /// The repositories that it is good for.
    pub repositories: Vec<String>,
    /// What it may do there.
    pub permissions: BTreeMap<String, String>,
}

/// The app with its tokens. Clones are the same one; [`GithubApp::answer`] makes it a part of
/// another API.
#[derive(Clone)]
pub struct GithubApp(Arc<App>);

struct App {
    verifier: Verifier,
    issued: Mutex<Vec<InstallationToken>>,
}

/// The app alone, served under a name, until it is dropped.
pub struct GithubAppServer {
    api: Api,
    app: GithubApp,
}

impl GithubApp {
    /// The app whose tokens are signed with the key of `verifier`.
    pub fn new(verifier: Verifier) -> Self {
        Self(Arc::new(App {
            verifier,
            issued: Mutex::default(),
        }))
    }

    /// Serves it under this name.
    pub fn start(self, workdir: &Workdir, ca: &Ca, name: &str) -> io::Result<GithubAppServer> {
        let app = self.clone();
        let api = Api::start(workdir, ca, &[name], move |request| {
            app.answer(request)
                .unwrap_or_else(|| message(404, "Not Found"))
        })?;
        Ok(GithubAppServer { api, app: self })
    }

    /// The tokens that were given out, in order.
    pub fn issued(&self) -> Vec<InstallationToken> {
        lock(&self.0.issued).clone()
    }

    /// The answer to a request for a token; none for any other request. A prefix, as GitHub
    /// Enterprise Server's `/api/v3`, does not matter.
    pub fn answer(&self, request: &ApiRequest) -> Option<ApiResponse> {
        let (_, rest) = request.path.split_once("/app/installations/")?;
        let installation = rest.strip_suffix("/access_tokens")?;
        Some(match request.method.as_str() {
            "POST" => self.grant(installation, request),
            _ => message(404, "Not Found"),
        })
    }

    fn grant(&self, installation: &str, request: &ApiRequest) -> ApiResponse {
        if let Err(why) = self.authenticate(request) {
            return message(401, why);
        }
        if installation != INSTALLATION {
            return message(404, "Not Found");
        }
        let asked = request.json();
        let Some(repositories) = repositories(&asked) else {
            return message(
                422,
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
            );
        };
        let Some(permissions) = permissions(&asked) else {
            return message(
                422,
                "The permissions requested are not granted to this installation.",
            );
        };
        self.issue(repositories, permissions)
    }

    fn authenticate(&self, request: &ApiRequest) -> Result<(), &'static str> {
        let token = bearer(request).unwrap_or_default();
        let jwt = self.0.verifier.read(token);
        let jwt = jwt.map_err(|_| "A JSON web token could not be decoded")?;
        if jwt.field("alg") != "RS256" || jwt.claim("iss") != APP {
            return Err("Integration not found");
        }
        if jwt.time("iat").is_none() {
            return Err("Missing 'issued at' claim ('iat') in assertion");
        }
        jwt.check_times(600)
    }

    fn issue(
        &self,
        (selection, repositories): (&str, Vec<String>),
        permissions: BTreeMap<String, String>,
    ) -> ApiResponse {
        let mut issued = lock(&self.0.issued);
        let token = format!("ghs_{:036}", issued.len() + 1);
        let describe = |name: &String| json!({"name": name, "full_name": format!("acme/{name}")});
        let described: Option<Vec<Value>> =
            (selection == "selected").then(|| repositories.iter().map(describe).collect());
        let body = json!({
            "token": token,
            "expires_at": in_an_hour(),
            "permissions": permissions,
            "repository_selection": selection,
            "repositories": described,
        });
        issued.push(InstallationToken {
            token,
            repositories,
            permissions,
        });
        ApiResponse::json(201, &body)
    }
}

impl GithubAppServer {
    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }

    /// The tokens that were given out, in order.
    pub fn issued(&self) -> Vec<InstallationToken> {
        self.app.issued()
    }
}

/// All of them where none is named.
fn repositories(asked: &Value) -> Option<(&'static str, Vec<String>)> {
    let named = asked["repositories"]
        .as_array()
        .filter(|list| !list.is_empty());
    let Some(named) = named else {
        return Some(("all", REPOSITORIES.map(str::to_owned).to_vec()));
    };
    let known = |name: &Value| {
        let name = name.as_str()?;
        REPOSITORIES.contains(&name).then(|| name.to_owned())
    };
    Some(("selected", named.iter().map(known).collect::<Option<_>>()?))
}

/// All that the installation may do where none is named; reading metadata always.
fn permissions(asked: &Value) -> Option<BTreeMap<String, String>> {
    let owned = |(name, level): &(&str, &str)| ((*name).to_owned(), (*level).to_owned());
    let all: BTreeMap<String, String> = PERMISSIONS.iter().map(owned).collect();
    let named = asked["permissions"]
        .as_object()
        .filter(|map| !map.is_empty());
    let Some(named) = named else {
        return Some(all);
    };
    let mut granted = BTreeMap::from([("metadata".to_owned(), "read".to_owned())]);
    for (name, level) in named {
        let level = level.as_str()?;
        let most = all.get(name)?;
        if level != "read" && level != most {
            return None;
        }
        granted.insert(name.clone(), level.to_owned());
    }
    Some(granted)
}

fn in_an_hour() -> String {
    let now = super::jwt::now();
    let then = i64::try_from(now + 3600).ok();
    let then = then.and_then(|then| jiff::Timestamp::from_second(then).ok());
    then.unwrap_or_default().to_string()
}

fn message(status: u16, text: &str) -> ApiResponse {
    let documentation = "https://docs.github.com/rest";
    ApiResponse::json(
        status,
        &json!({"message": text, "documentation_url": documentation}),
    )
}
