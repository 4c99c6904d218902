//! A request that was understood: decided on, changed as its rule says, sent, and its answer
//! watched. Where a provider cannot take it, and the rule names others, they are asked.

mod socket;

use std::sync::Arc;
use std::time::Instant;

use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Request, Response, StatusCode};
use ringfence_gateway::http::{RequestBody, ResponseBody, empty, full};
use ringfence_gateway::llm::LlmTerms;
use ringfence_gateway::{Charge, Permit, Stopped};
use ringfence_llm::request;
use ringfence_llm::response::Reader;
use ringfence_llm::target::Target;
use ringfence_model::llm::{HostedFeature, LlmProvider, LlmRequest, ProviderName};
use ringfence_model::{Action, ReasonCode};

use super::hints::Hints;
use super::limits::{ATTEMPTS, SEARCHED_HERE};
use super::memory::Memory;
use super::redact::{self, Searched};
use super::service::Client;
use super::spend::{Bill, Kept};
use super::taken::Stop;
use super::throttle::Admitted;
use super::watched::{Circles, Owed, clean_text, watched};
use super::words::{Dialect, Words};

/// A request that was read.
pub(super) struct Asked {
    pub(super) provider: Arc<LlmProvider>,
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) hints: Hints,
    pub(super) request: request::Request,
}

/// What came of one attempt.
enum Attempt {
    /// An answer, or words that stand for one.
    Answered(Response<ResponseBody>),
    /// The provider cannot take it now, or is not asked; what to answer if nobody else can either, and
    /// who else may be asked.
    Unable(Response<ResponseBody>, Vec<Other>),
}

impl Attempt {
    /// Who is asked instead of another and may not be does not answer for it.
    const fn refused(response: Response<ResponseBody>) -> Self {
        Self::Unable(response, Vec::new())
    }
}

/// Another provider, model, or both.
type Other = (Option<ProviderName>, Option<String>);

impl Client {
    /// Sends a request to the provider that it is for, and to others where that cannot take it.
    pub(super) async fn send(&self, asked: Asked) -> Response<ResponseBody> {
        let mut others = Vec::new();
        let mut place = Some((Arc::clone(&asked.provider), None));
        let mut first = true;
        let mut unable = None;
        for _ in 0..ATTEMPTS {
            let Some((provider, model)) = place.take() else {
                break;
            };
            match self.attempt(&asked, provider, model).await {
                Attempt::Answered(response) => return response,
                Attempt::Unable(response, more) => {
                    unable.get_or_insert(response);
                    if std::mem::take(&mut first) {
                        others = more;
                        others.reverse();
                    }
                }
            }
            let mut rest = std::iter::from_fn(|| others.pop());
            place = rest.find_map(|other| self.place(&asked, other));
        }
        unable.unwrap_or_else(|| Response::new(empty()))
    }

    /// Where to ask instead: a provider of the same dialect.
    fn place(
        &self,
        asked: &Asked,
        (provider, model): Other,
    ) -> Option<(Arc<LlmProvider>, Option<String>)> {
        let provider = match provider {
            Some(name) => self.gateway.llm_named(&name)?,
            None => Arc::clone(&asked.provider),
        };
        (provider.kind == asked.provider.kind).then_some((provider, model))
    }

    async fn attempt(
        &self,
        asked: &Asked,
        provider: Arc<LlmProvider>,
        model: Option<String>,
    ) -> Attempt {
        let dialect = Dialect {
            kind: provider.kind,
            endpoint: asked.target.endpoint,
        };
        let action = self.action(asked, &provider, model);
        let decided = self.gateway.decide(
            &self.session,
            Action::Llm(Box::new(action.clone())),
            Some(self.connection),
        );
        let permit = match decided {
            Ok(permit) => permit,
            Err(refusal) => {
                return Attempt::refused(said(&Stopped::Refused(refusal), dialect));
            }
        };
        let terms = permit.grant().terms.iter().find_map(|it| it.llm.clone());
        let Some(terms) = terms else {
            let refusal =
                permit.refuse(ReasonCode::Unavailable, "no rule about models allows this");
            return Attempt::refused(said(&Stopped::Refused(refusal), dialect));
        };
        match self
            .prepare(asked, (&provider, &action, &terms), &permit)
            .await
        {
            Ok(ready) => self.exchange(permit, ready, (&terms, dialect)).await,
            Err(stop) => Attempt::refused(stop.say(permit, dialect)),
        }
    }

    /// The request in the terms of policy.
    fn action(&self, asked: &Asked, provider: &LlmProvider, model: Option<String>) -> LlmRequest {
        let request = &asked.request;
        let named = request.model.clone().or_else(|| asked.target.model.clone());
        let named = model.or(named);
        let behind = named
            .as_deref()
            .and_then(|name| self.gateway.llm_alias(&provider.name, name));
        let (model, alias) = match behind {
            Some(model) => (Some(model), named),
            None => (named, None),
        };
        LlmRequest {
            destination: provider.destination.clone(),
            provider: provider.name.clone(),
            endpoint: asked.target.endpoint,
            path: asked.target.path(provider, model.as_deref()),
            query: asked.target.query(),
            hosted: request.hosted_with(model.as_deref()),
            model,
            alias,
            stream: asked.target.stream.unwrap_or(request.stream),
            max_output_tokens: request.max_output_tokens,
            octets: request.octets().len() as u64,
        }
    }

    /// Changes a request as its rule says, and takes what it may need.
    async fn prepare(
        &self,
        asked: &Asked,
        (provider, action, terms): (&LlmProvider, &LlmRequest, &Arc<LlmTerms>),
        permit: &Permit,
    ) -> Result<Ready, Stop> {
        let mut request = asked.request.clone();
        if request.model.is_some()
            && let Some(model) = action.model.as_deref()
        {
            request.set_model(model);
        }
        request.strip(&terms.strip);
        if let Some(left) = request.hosted.iter().find(|it| terms.strip.contains(it)) {
            // Policy let it through because it was to be taken out.
            let reason = format!(
                "rule {} takes {left} out of requests, and it cannot be taken out of this one",
                terms.rule
            );
            return Err(Stop::refused(ReasonCode::HostedNotAllowed, reason));
        }
        if !terms.hosted.contains(&HostedFeature::StoredResponse) {
            request.keep_nothing();
        }
        if let Some(most) = terms.max_output_tokens {
            request.cap_output(most);
        }
        if !terms.budgets.is_empty() && action.stream {
            request.include_usage();
        }
        self.gateway
            .ready_credentials(&self.session, &self.pool, permit)
            .await;
        let own = self.gateway.withheld();
        let (request, searched) = search(request, own.clone(), terms).await;
        let memory = Memory::of(self.session.identity().sandbox);
        if let Some(why) = memory.lock().stopped.take() {
            let reason = format!(
                "rule {} stops an agent that repeats itself: {why}",
                terms.rule
            );
            return Err(Stop::refused(ReasonCode::LoopStopped, reason));
        }
        self.note(
            permit,
            (&request, &asked.hints),
            (&searched, terms),
            &memory,
        );
        if let Some(place) = searched.blocked {
            let reason = format!(
                "rule {} lets no secret go to a model, and {place} looks like one",
                terms.rule
            );
            return Err(Stop::refused(ReasonCode::ContentRefused, reason));
        }
        let model = action.model.as_deref().unwrap_or_default();
        let bill = Bill::of(&request, terms, (provider, action.endpoint, model));
        let (admitted, kept) = self.take(terms, &bill, action.endpoint).await?;
        Ok(Ready {
            headers: asked.headers.clone(),
            body: request.octets(),
            bill,
            kept,
            admitted,
            own,
            action: action.clone(),
        })
    }

    /// Notes what the request says, for the record.
    fn note(
        &self,
        permit: &Permit,
        (request, hints): (&request::Request, &Hints),
        (searched, terms): (&Searched, &LlmTerms),
        memory: &Memory,
    ) {
        let mut new = memory
            .lock()
            .conversations
            .new_items(request, terms.capture.into());
        let own = self.gateway.withheld();
        for item in &mut new {
            clean_text(&mut item.text, &own);
        }
        permit.git().note_llm(|facts| {
            facts.purpose = ringfence_llm::context::purpose(request);
            facts.session = hints.session.clone().or_else(|| request.session.clone());
            facts.agents = hints.agents.clone();
            facts.trace = hints.trace.clone();
            facts.tools = request.tools.len() as u64;
            facts.items = request.items.len() as u64;
            facts.new = new;
            facts.findings = searched.findings.clone();
            facts.redacted = searched.redacted;
        });
    }

    async fn exchange(
        &self,
        permit: Permit,
        ready: Ready,
        (terms, dialect): (&Arc<LlmTerms>, Dialect),
    ) -> Attempt {
        let started = Instant::now();
        let hold = permit.git().hold();
        let (mut kept, mut admitted) = (ready.kept, ready.admitted);
        let request = carried(&permit, ready.headers, full(ready.body));
        let forwarding = self
            .gateway
            .forward(&self.session, &self.pool, permit, request);
        let response = match forwarding.await {
            Ok(response) => response,
            Err(stopped) => {
                match may_have_worked(&stopped) {
                    true => drop(kept),
                    false => kept.settled(Charge::default()).await,
                }
                return match &stopped {
                    Stopped::Failed(_) => {
                        Attempt::Unable(said(&stopped, dialect), terms.fallback.clone())
                    }
                    Stopped::Refused(_) => Attempt::refused(said(&stopped, dialect)),
                };
            }
        };
        let status = response.status();
        let is_unable = is_unable(status) && !terms.fallback.is_empty();
        if is_unable {
            // An error costs nothing, and whoever is asked instead needs the room.
            kept.settled(Charge::default()).await;
            if let Some(admitted) = admitted.take() {
                admitted.settle(0);
            }
        }
        let media = response.headers().get(CONTENT_TYPE);
        let media = media
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let reader = Reader::new(
            dialect.kind,
            dialect.endpoint,
            ready.action.stream,
            (status.as_u16(), media.as_deref()),
            terms.capture.into(),
        );
        let owed = Owed {
            bill: ready.bill,
            kept,
            admitted,
            hold,
            started,
            status: status.as_u16(),
            own: ready.own,
            capture: terms.capture,
            dialect,
            circles: Circles {
                gateway: Arc::clone(&self.gateway),
                session: Arc::clone(&self.session),
                memory: Memory::of(self.session.identity().sandbox),
                terms: terms.loops,
            },
        };
        let response = response.map(|body| watched(body, reader, owed));
        match is_unable {
            true => Attempt::Unable(response, terms.fallback.clone()),
            false => Attempt::Answered(response),
        }
    }
}

/// A request that is ready to be sent, and what it took.
struct Ready {
    headers: HeaderMap,
    body: bytes::Bytes,
    bill: Bill,
    kept: Kept,
    admitted: Option<Admitted>,
    own: ringfence_inspect::ScrubSet,
    action: LlmRequest,
}

pub(super) fn said(stopped: &Stopped, dialect: Dialect) -> Response<ResponseBody> {
    Words::of(stopped).respond(dialect)
}

/// Whether the provider may have worked on a request of which nothing came back.
fn may_have_worked(stopped: &Stopped) -> bool {
    match stopped {
        Stopped::Failed(failure) => failure.sent,
        // These are said of an answer, or at any moment; the others before anything is sent.
        Stopped::Refused(refusal) => matches!(
            refusal.code(),
            ReasonCode::ResponseRefused | ReasonCode::Revoked
        ),
    }
}

/// Whether another provider may do better.
fn is_unable(status: StatusCode) -> bool {
    const OVERLOADED: u16 = 529;
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504 | OVERLOADED)
}

/// The request that carries what `permit` allows.
pub(super) fn carried(
    permit: &Permit,
    headers: HeaderMap,
    body: RequestBody,
) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.headers_mut() = headers;
    if let Some(carrier) = permit.request() {
        *request.method_mut() = carrier.method.parse().unwrap_or_default();
        let target = match &carrier.query {
            Some(query) => format!("{}?{query}", carrier.path),
            None => carrier.path.clone(),
        };
        *request.uri_mut() = target.parse().unwrap_or_default();
    }
    request
}

/// Searches the texts of a request for what must not go on; long ones on a thread of their own.
async fn search(
    mut request: request::Request,
    own: ringfence_inspect::ScrubSet,
    terms: &Arc<LlmTerms>,
) -> (request::Request, Searched) {
    let secrets = terms.secrets;
    if request.octets().len() <= SEARCHED_HERE {
        let searched = redact::search(&mut request, &own, secrets);
        return (request, searched);
    }
    let spare = request.clone();
    let searching = tokio::task::spawn_blocking(move || {
        let searched = redact::search(&mut request, &own, secrets);
        (request, searched)
    });
    // A search that breaks off has found what it cannot name.
    searching.await.unwrap_or_else(|_| {
        let searched = Searched {
            blocked: Some("a text that cannot be searched".to_owned()),
            ..Searched::default()
        };
        (spare, searched)
    })
}

#[cfg(test)]
mod tests {
    use ringfence_gateway::{Failure, Refusal};
    use ringfence_model::{Decision, Effect, EventId, Generation};

    use super::*;

    fn refused(code: ReasonCode) -> Stopped {
        Stopped::Refused(Refusal {
            event: None,
            tried: String::new(),
            decision: Box::new(Decision {
                effect: Effect::Deny,
                code,
                reason: String::new(),
                rule: None,
                generation: Generation(1),
                next_step: None,
                credential: None,
                access: None,
            }),
        })
    }

    #[test]
    fn what_may_have_been_worked_on_is_paid_for() {
        for code in [ReasonCode::ResponseRefused, ReasonCode::Revoked] {
            assert!(may_have_worked(&refused(code)), "{code}");
        }
        for code in [ReasonCode::TokenMissing, ReasonCode::CredentialUnavailable] {
            assert!(!may_have_worked(&refused(code)), "{code}");
        }
        for sent in [true, false] {
            let failure = Failure {
                event: EventId::new(),
                tried: String::new(),
                reason: String::new(),
                timed_out: false,
                sent,
            };
            assert_eq!(may_have_worked(&Stopped::Failed(failure)), sent);
        }
    }
}
