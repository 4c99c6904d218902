//! Lists of models: an agent is shown those that it may use.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_LENGTH, ETAG, HeaderMap};
use http_body_util::{BodyExt as _, Limited};
use ringfence_gateway::Stopped;
use ringfence_gateway::http::{ResponseBody, empty, full};
use ringfence_llm::models;
use ringfence_llm::target::Target;
use ringfence_model::Action;
use ringfence_model::llm::{LlmEndpoint, LlmProvider, LlmRequest, ProviderKind};
use tokio::time::timeout;

use super::limits::{MODELS_OCTETS, MODELS_WAIT};
use super::sent::{carried, said};
use super::service::Client;
use super::words::{self, Dialect};

impl Client {
    /// The list of models, or what is known of one.
    pub(super) async fn list(
        &self,
        provider: &Arc<LlmProvider>,
        target: &Target,
        headers: HeaderMap,
    ) -> Response<ResponseBody> {
        let dialect = Dialect {
            kind: provider.kind,
            endpoint: LlmEndpoint::Models,
        };
        let action = LlmRequest {
            destination: provider.destination.clone(),
            provider: provider.name.clone(),
            endpoint: LlmEndpoint::Models,
            path: target.path(provider, target.model.as_deref()),
            query: target.query(),
            model: target.model.clone(),
            alias: None,
            stream: false,
            max_output_tokens: None,
            hosted: Vec::new(),
            octets: 0,
        };
        let action = Action::Llm(Box::new(action));
        let decided = self
            .gateway
            .decide(&self.session, action, Some(self.connection));
        let permit = match decided {
            Ok(permit) => permit,
            Err(refusal) => return said(&Stopped::Refused(refusal), dialect),
        };
        let request = carried(&permit, headers, empty());
        let forwarding = self
            .gateway
            .forward(&self.session, &self.pool, permit, request);
        let response = match forwarding.await {
            Ok(response) => response,
            Err(stopped) => return said(&stopped, dialect),
        };
        let shows = self.gateway.shown_models(&provider.name);
        match shortened(provider.kind, response, shows).await {
            Ok(response) => response,
            Err(reason) => words::failed(reason).respond(dialect),
        }
    }
}

/// The list with those models alone that are shown. What is no list, such as an error, stays.
///
/// # Errors
/// Why it cannot be read, in words.
async fn shortened(
    kind: ProviderKind,
    response: Response<ResponseBody>,
    shows: impl Fn(&str) -> bool + Send,
) -> Result<Response<ResponseBody>, String> {
    if !response.status().is_success() {
        return Ok(response);
    }
    let (mut head, body) = response.into_parts();
    let read = timeout(MODELS_WAIT, Limited::new(body, MODELS_OCTETS).collect()).await;
    let read = read.map_err(|_| "the list of models did not arrive in time".to_owned())?;
    let octets: Bytes = read
        .map_err(|error| format!("the list of models cannot be read: {error}"))?
        .to_bytes();
    let list = models::filter(kind, &octets, &shows);
    let list = list.map_err(|error| format!("the list of models cannot be read: {error}"))?;
    head.headers.insert(CONTENT_LENGTH, list.len().into());
    head.headers.remove(ETAG);
    Ok(Response::from_parts(head, full(list)))
}
