//! REST: repositories, their files, issues and pull requests. Every other write is done as well,
//! and noted, so that a test sees what got through.

use serde_json::json;

use super::{HELD, State};
use crate::api::{ApiRequest, ApiResponse};

impl State {
    pub(super) fn rest(&mut self, request: &ApiRequest) -> ApiResponse {
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET" | "HEAD", ["user"]) => ApiResponse::json(200, &json!({"login": "acme-bot"})),
            ("GET" | "HEAD", ["repos", owner, name, rest @ ..]) => {
                self.read(request, (owner, name), rest)
            }
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

    fn read(
        &self,
        request: &ApiRequest,
        (owner, name): (&str, &str),
        rest: &[&str],
    ) -> ApiResponse {
        let Some(repository) = self.find(owner, name) else {
            return missing();
        };
        match rest {
            [] => ApiResponse::json(200, &repository),
            ["contents", path @ ..] => contents(request, path),
            ["pulls", "1"] if accepts(request, "diff") => {
                let diff = "diff --git a/a b/a\n";
                let media = "application/vnd.github.diff; charset=utf-8";
                ApiResponse::new(200, diff).with("Content-Type", media)
            }
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

/// A directory, or a file of it in one of the forms that GitHub gives it in.
fn contents(request: &ApiRequest, path: &[&str]) -> ApiResponse {
    let file = json!({
        "name": "a.md", "encoding": "base64", "content": "IyBXZWIK",
        "download_url": format!("https://raw.githubusercontent.com/acme/web/main/a.md?token={}", HELD[1]),
        "body_html": format!("<img src=\"https://images.test/x?jwt={}\">", HELD[2]),
    });
    let raw = "application/vnd.github.raw+json; charset=utf-8";
    match path {
        [] if accepts(request, "raw") => {
            ApiResponse::new(200, json!([file]).to_string()).with("Content-Type", raw)
        }
        [] => ApiResponse::json(200, &json!([file])),
        _ if accepts(request, "raw") => ApiResponse::new(200, "# Web\n").with("Content-Type", raw),
        _ if accepts(request, "html") => {
            let html = file["body_html"].as_str().unwrap_or_default().to_owned();
            let media = "application/vnd.github.html+json; charset=utf-8";
            ApiResponse::new(200, html).with("Content-Type", media)
        }
        _ => ApiResponse::json(200, &file),
    }
}

/// Whether a request asks for a form of GitHub's own.
fn accepts(request: &ApiRequest, form: &str) -> bool {
    let accepted = request.header("accept").unwrap_or_default();
    accepted.contains(&format!(".{form}"))
}

fn missing() -> ApiResponse {
    ApiResponse::json(404, &json!({"message": "Not Found"}))
}
