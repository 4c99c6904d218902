//! The spans of connections, requests and git.

use ringfence_model::Action;

use super::{Span, SpanKind, bare, decided, place};
use crate::names;
use crate::node::{ActionNode, Node, Run};

pub(super) fn span(run: &Run, node: &Node, action: &ActionNode) -> Span {
    let tried = &action.event.action;
    let mut span = bare(run, node, name(tried), SpanKind::Client);
    let attributes = &mut span.attributes;
    match tried {
        Action::Http(request) => {
            let scheme = request.scheme.as_str();
            attributes.text(names::HTTP_METHOD, request.method.clone());
            attributes.text(names::URL_SCHEME, scheme);
            let path = &request.path;
            let url = format!("{scheme}://{}{path}", request.destination);
            attributes.text(names::URL_FULL, url);
        }
        Action::Git(request) => {
            attributes.text(names::REPOSITORY, request.repo.to_string());
            attributes.text(names::GIT_OPERATION, request.operation.verb());
        }
        Action::Connect(_) | Action::Llm(_) | Action::Mcp(_) => {}
    }
    attributes.texts(names::CANDIDATES, action.candidates.iter().cloned());
    decided(&mut span, &action.event, action.closing.as_ref());
    span
}

/// Short, and the same for what is alike.
fn name(action: &Action) -> String {
    match action {
        Action::Connect(_) => format!("connect {}", place(action)),
        Action::Http(request) => format!("{} {}", request.method, place(action)),
        Action::Git(request) => format!("git {} {}", request.operation.verb(), request.repo),
        Action::Llm(request) => request.to_string(),
        Action::Mcp(request) => request.to_string(),
    }
}
