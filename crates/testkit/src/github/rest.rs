//! REST: repositories, their files, issues and pull requests. Every other write is done as well,
//! and noted, so that a test sees what got through.

use serde_json::json;

use super::State;
use crate::api::{ApiRequest, ApiResponse};

impl State {
    pub(super) fn rest(&mut self, request: &ApiRequest) -> ApiResponse {
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET" | "HEAD", ["user"]) => ApiResponse::json(200, &json!({"login": "acme-bot"})),
            ("GET" | "HEAD", ["repos", owner, name, rest @ ..]) => self.read(owner, name, rest),
            ("POST", ["repos", owner, name, "pulls"]) => {
                let repository = format!("{owner}/{name}");
                ApiResponse::json(201, &self.open(&repository, request.json()))
            }
            ("GET" | "HEAD", _) => missing(),
            (method, _) => {
                self.writes.push(format!("{method} {}", request.path));
                ApiResponse::json(
                    201,
                    &json!({"id": 1, "html_url": "https://github.com/done"}),
                )
            }
        }
    }

    fn read(&self, owner: &str, name: &str, rest: &[&str]) -> ApiResponse {
        let Some(repository) = self.find(owner, name) else {
            return missing();
        };
        match rest {
            [] => ApiResponse::json(200, &repository),
            ["readme"] => {
                // "# Web\n"
                let readme =
                    json!({"name": "README.md", "encoding": "base64", "content": "IyBXZWIK"});
                ApiResponse::json(200, &readme)
            }
            ["pulls"] => ApiResponse::json(200, &repository["pullRequests"]["nodes"]),
            ["issues"] => ApiResponse::json(200, &repository["issues"]["nodes"]),
            ["tarball", ..] => ApiResponse::new(302, "").with(
                "Location",
                "https://codeload.github.com/acme/web/legacy.tar.gz?token=SIGNED-URL-OF-GITHUB",
            ),
            _ => missing(),
        }
    }
}

fn missing() -> ApiResponse {
    ApiResponse::json(404, &json!({"message": "Not Found"}))
}
