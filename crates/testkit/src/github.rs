//! A GitHub that is faithful on the wire where `gh` and scripts look: REST and GraphQL at
//! `api.github.com`, for a few repositories. Its GraphQL runs any query over what it has: aliases,
//! fragments and variables mean what they mean there.
#![expect(
    clippy::indexing_slicing,
    reason = "a JSON document that is indexed by a name that it does not have gives null"
)]

mod graphql;
mod rest;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::api::{Api, ApiRequest, ApiResponse};
use crate::{Ca, Workdir};

/// The name that it serves.
pub const HOST: &str = "api.github.com";

/// The fake GitHub, until it is dropped.
pub struct Github {
    api: Api,
    state: Arc<Mutex<State>>,
}

/// Tokens of GitHub's own that its answers hold: for cloning, for a raw file, for an image.
pub const HELD: [&str; 3] = [
    "AABBCC-clone-token-of-github",
    "AAEETT-raw-file-token-of-github",
    "eyJ-image-token-of-github",
];

/// A pull request that was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// `owner/name` of the repository.
    pub repository: String,
    /// What was asked for: `title`, `body`, `head`, `base`.
    pub fields: Value,
}

struct State {
    /// The one token that is accepted.
    token: String,
    opened: Vec<Opened>,
    /// Writes other than opened pull requests, as `METHOD PATH` or the name of a mutation.
    writes: Vec<String>,
    private: bool,
}

struct Repository {
    owner: &'static str,
    name: &'static str,
    node_id: &'static str,
    id: u64,
    private: bool,
}

/// One that agents may work on, one of the same owner, one of somebody else, one in public.
const REPOSITORIES: [Repository; 4] = [
    repository("acme", "web", "R_web", 101, true),
    repository("acme", "payroll", "R_payroll", 102, true),
    repository("other", "plans", "R_plans", 103, true),
    repository("acme", "handbook", "R_handbook", 104, false),
];

const fn repository(
    owner: &'static str,
    name: &'static str,
    node_id: &'static str,
    id: u64,
    private: bool,
) -> Repository {
    Repository {
        owner,
        name,
        node_id,
        id,
        private,
    }
}

impl Github {
    /// Starts it; `token` is what it accepts.
    pub fn start(workdir: &Workdir, ca: &Ca, token: &str) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            token: token.to_owned(),
            opened: Vec::new(),
            writes: Vec::new(),
            private: true,
        }));
        let shared = Arc::clone(&state);
        let api = Api::start(workdir, ca, &[HOST], move |request| {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            state.answer(request)
        })?;
        Ok(Self { api, state })
    }

    /// Where HTTPS is served.
    pub fn https(&self) -> SocketAddr {
        self.api.https()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.api.requests()
    }

    /// The pull requests that were opened.
    pub fn opened(&self) -> Vec<Opened> {
        self.with(|state| state.opened.clone())
    }

    /// Every other write that was done.
    pub fn writes(&self) -> Vec<String> {
        self.with(|state| state.writes.clone())
    }

    /// Accepts another token from now on, and no longer the one before.
    pub fn accept(&self, token: &str) {
        self.with(|state| token.clone_into(&mut state.token));
    }

    /// Makes `acme/web` public, or private again.
    pub fn publish(&self, public: bool) {
        self.with(|state| state.private = !public);
    }

    fn with<T>(&self, ask: impl FnOnce(&mut State) -> T) -> T {
        ask(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn answer(&mut self, request: &ApiRequest) -> ApiResponse {
        if !self.accepts(request) {
            let body = json!({"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"});
            return ApiResponse::json(401, &body);
        }
        let response = match request.path.as_str() {
            "/graphql" if request.method == "POST" => self.graphql(&request.json()),
            _ => self.rest(request),
        };
        response.with("X-OAuth-Scopes", "repo, read:org")
    }

    /// `Bearer` and the older `token` are the same here.
    fn accepts(&self, request: &ApiRequest) -> bool {
        let value = request.header("authorization").unwrap_or_default();
        let token = value
            .strip_prefix("Bearer ")
            .or_else(|| value.strip_prefix("token "));
        token == Some(&self.token)
    }

    fn find(&self, owner: &str, name: &str) -> Option<Value> {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        REPOSITORIES
            .iter()
            .find(|it| same(it.owner, owner) && same(it.name, name))
            .map(|it| self.describe(it))
    }

    /// A repository in the words of REST and of GraphQL at once.
    fn describe(&self, it: &Repository) -> Value {
        let private = it.private && (self.private || it.name != "web");
        let (owner, name) = (it.owner, it.name);
        let url = format!("https://github.com/{owner}/{name}");
        let empty = json!({"nodes": [], "totalCount": 0, "pageInfo": {"hasNextPage": false, "endCursor": null}});
        let owner_node = json!({
            "id": format!("O_{owner}"), "login": owner, "__typename": "Organization",
            "repositories": {"nodes": REPOSITORIES.iter().map(|it| json!({"name": it.name, "id": it.node_id})).collect::<Vec<_>>()},
        });
        let pulls = self.pulls(&format!("{owner}/{name}"));
        let issues = json!([{
            "number": 3, "title": "The login page is slow", "url": format!("{url}/issues/3"), "state": "OPEN",
            "updatedAt": "2026-01-02T03:04:05Z", "labels": empty, "id": "I_3",
        }]);
        json!({
            "id": it.node_id, "node_id": it.node_id, "database_id": it.id, "name": name, "full_name": format!("{owner}/{name}"),
            "nameWithOwner": format!("{owner}/{name}"), "owner": owner_node, "private": private, "isPrivate": private,
            "visibility": if private { "private" } else { "public" }, "archived": false, "isArchived": false,
            "temp_clone_token": HELD[0],
            "description": "What customers see", "url": url, "default_branch": "main", "defaultBranchRef": {"name": "main"},
            "hasIssuesEnabled": true, "hasWikiEnabled": true, "viewerPermission": "WRITE", "parent": null,
            "mergeCommitAllowed": true, "rebaseMergeAllowed": true, "squashMergeAllowed": true,
            "issues": {"nodes": issues, "totalCount": 1, "pageInfo": {"hasNextPage": false, "endCursor": null}},
            "pullRequests": {"nodes": pulls, "totalCount": pulls.len(), "pageInfo": {"hasNextPage": false, "endCursor": null}},
            "issueTemplates": [], "pullRequestTemplates": [],
        })
    }

    /// The pull requests of a repository.
    fn pulls(&self, repository: &str) -> Vec<Value> {
        let of = |(index, opened): (usize, &Opened)| {
            let number = index + 1;
            let url = format!("https://github.com/{repository}/pull/{number}");
            let list = json!({"nodes": [], "totalCount": 0, "pageInfo": {"hasNextPage": false, "endCursor": null}});
            json!({
                "id": format!("PR_{number}"), "number": number, "url": url, "html_url": url, "state": "OPEN",
                "title": opened.fields["title"], "body": opened.fields["body"], "isDraft": false,
                "baseRefName": opened.fields["base"], "headRefName": opened.fields["head"],
                "author": {"login": "acme-bot", "__typename": "Bot"}, "additions": 1, "deletions": 0,
                "commits": {"totalCount": 1, "nodes": []}, "reviewRequests": list, "reviews": list, "assignees": list,
                "labels": list, "projectCards": list, "comments": list, "milestone": null, "mergeable": "MERGEABLE",
                "maintainerCanModify": true, "isCrossRepository": false, "reactionGroups": [],
                "createdAt": "2026-01-02T03:04:05Z", "headRepositoryOwner": {"login": "acme", "id": "O_acme"},
                "headRepository": {"id": "R_web", "name": "web"},
            })
        };
        let opened = self.opened.iter().enumerate();
        opened
            .filter(|(_, it)| it.repository == repository)
            .map(of)
            .collect()
    }

    fn open(&mut self, repository: &str, fields: Value) -> Value {
        self.opened.push(Opened {
            repository: repository.to_owned(),
            fields,
        });
        self.pulls(repository).pop().unwrap_or_default()
    }
}
