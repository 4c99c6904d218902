//! What a server's status means for git. The words of the upstream's own page are not passed on:
//! they may be a login form, or name what is not to be seen.

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::response::Parts;
use http::{Extensions, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::http::ResponseBody;
use ringfence_gateway::{Failure, Stopped};
use ringfence_git::wire::text::one_line_of;
use ringfence_model::EventId;
use ringfence_model::git::{RepoId, UpstreamKind};

use super::limits::PAGE_OCTETS;
use super::say::Words;
use super::service::{Client, Place};

/// An answer that is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failed {
    #[error("the upstream has no such repository, or does not show it to this credential")]
    NotFound,
    #[error("the upstream does not accept the credential of the rule, or wants one ({0})")]
    Credential(u16),
    #[error("the repository has moved to {0}: use its new name")]
    Moved(String),
    #[error("the upstream redirects elsewhere, which is not followed")]
    Redirected,
    #[error("the upstream wants fewer requests{}", wait(.0.as_deref()))]
    Busy(Option<String>),
    #[error("the upstream answered {0}")]
    Status(u16),
    #[error("{0}")]
    Said(String),
    #[error("the upstream does not answer as a git server does: it may know only the old protocol")]
    NotGit,
    #[error("the upstream's answer to the push is not understood: {0}")]
    Report(String),
    #[error("the upstream's answer about LFS objects is not understood: {0}")]
    Lfs(String),
}

fn wait(seconds: Option<&str>) -> String {
    seconds.map_or_else(String::new, |seconds| {
        format!(": try again in {seconds} seconds")
    })
}

/// The body of a response of git, with what else goes on with it: whoever serves the client must be
/// able to cut it.
pub(super) struct Body {
    pub(super) octets: ResponseBody,
    extensions: Extensions,
}

impl Body {
    /// The answer to the client, with `change` made to the octets.
    pub(super) fn answer(
        self,
        change: impl FnOnce(ResponseBody) -> ResponseBody,
    ) -> Response<ResponseBody> {
        let mut answer = Response::new(change(self.octets));
        *answer.extensions_mut() = self.extensions;
        answer
    }
}

/// Whether this is an answer of git, of this media type. `place` is where it is of.
pub(super) async fn check(
    response: Response<ResponseBody>,
    place: &Place,
    media: &str,
) -> Result<Body, Failed> {
    let (head, body) = response.into_parts();
    let Err(failed) = check_head(&head, place, media) else {
        return Ok(Body {
            octets: body,
            extensions: head.extensions,
        });
    };
    // Read to its end, so that the record says what it was.
    let page = Limited::new(body, PAGE_OCTETS).collect().await;
    let is_ssh = place.upstream.kind == UpstreamKind::Ssh;
    match page {
        // Over SSH the page is the gateway's own: why there is no answer, and what was said.
        Ok(page) if is_ssh && head.status.is_server_error() => {
            Err(Failed::Said(said(&page.to_bytes())))
        }
        _ => Err(failed),
    }
}

/// A few lines, as one: what else there is may be anything.
fn said(page: &[u8]) -> String {
    let lines = page.split(|octet| *octet == b'\n').map(one_line_of);
    let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
    let shown = lines.get(..SAID_LINES).unwrap_or(&lines);
    shown.join("; ")
}

/// Lines of what a server said that are shown.
const SAID_LINES: usize = 8;

fn check_head(head: &Parts, place: &Place, media: &str) -> Result<(), Failed> {
    let header = |name| {
        let value: Option<&http::HeaderValue> = head.headers.get(name);
        value.and_then(|value| value.to_str().ok())
    };
    Err(match head.status {
        StatusCode::OK if header(CONTENT_TYPE) == Some(media) => return Ok(()),
        StatusCode::OK => Failed::NotGit,
        StatusCode::NOT_FOUND | StatusCode::GONE => Failed::NotFound,
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Failed::Credential(status.as_u16())
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds = header(RETRY_AFTER).filter(|text| is_number(text));
            Failed::Busy(seconds.map(str::to_owned))
        }
        status if status.is_redirection() => {
            let moved = header(LOCATION).and_then(|location| moved(place, location));
            moved.map_or(Failed::Redirected, |repo| Failed::Moved(repo.to_string()))
        }
        status => Failed::Status(status.as_u16()),
    })
}

fn is_number(text: &str) -> bool {
    (1..=6).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// The repository on the same server that a redirect leads to.
fn moved(place: &Place, location: &str) -> Option<RepoId> {
    let upstream = &place.upstream;
    let origin = format!(
        "{}://{}",
        upstream.scheme.as_str(),
        ringfence_gateway::http::authority(&upstream.destination, upstream.scheme)
    );
    let path = location.strip_prefix(&origin).unwrap_or(location);
    let path = path.split(['?', '#']).next()?;
    let host = &upstream.destination.host;
    let (repo, _) = RepoId::from_url_path(upstream, host, path).ok()?;
    (repo != place.repo).then_some(repo)
}

impl Client {
    /// The failure of a request whose event is closed.
    pub(super) fn failed(&self, place: &Place, event: EventId, failed: &Failed) -> Words {
        Words::of(&Stopped::Failed(Failure {
            event,
            tried: format!("git {}", place.repo),
            reason: failed.to_string(),
            timed_out: false,
            sent: true,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ringfence_model::git::GitUpstream;

    use super::*;

    #[test]
    fn a_redirect_tells_a_new_name_on_the_same_server_and_nothing_else() {
        let github = GitUpstream::builtin().swap_remove(0);
        let repo = RepoId::new(&github, "acme/docs").unwrap();
        let place = Place {
            upstream: Arc::new(github),
            repo,
        };
        let to = |location: &str| moved(&place, location).map(|repo| repo.to_string());
        let new = Some("github/acme/manual".to_owned());
        assert_eq!(
            to("https://github.com/acme/manual.git/info/refs?service=x"),
            new
        );
        assert_eq!(to("/acme/manual.git/info/refs"), new);
        for elsewhere in [
            "https://evil.example/acme/manual.git/info/refs",
            "http://github.com/acme/manual.git/info/refs",
            "https://github.com.evil.example/acme/manual.git/info/refs",
            "https://github.com@evil.example/acme/manual.git/info/refs",
            "//evil.example/acme/manual.git/info/refs",
            "https://github.com/login",
            "/acme/docs.git/info/refs",
        ] {
            assert_eq!(to(elsewhere), None, "{elsewhere}");
        }
    }
}
