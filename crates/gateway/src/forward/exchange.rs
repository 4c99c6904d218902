//! One exchange: which terms it goes by, what it is authenticated with, and the sending of it.

use std::sync::Arc;

use http::Response;
use hyper::body::Incoming;
use jiff::Timestamp;
use ringfence_model::{CredentialName, HttpRequest, ReasonCode, Secret};
use ringfence_policy::{Auth, RequestTerms};
use tokio::time::timeout;

use super::draft::Draft;
use super::fault::Fault;
use super::lease::Lease;
use super::payload::Payload;
use super::placeholder;
use super::places::Places;
use super::pool::UpstreamPool;
use super::presented::presented;
use super::upstreams::Ready;
use super::watch::Watch;
use super::withheld::Withholding;
use super::{authorise, precondition};
use crate::limits::CREDENTIAL_WAIT;
use crate::pipeline::{Gateway, Material, Need, Permit, Session, TokenEntry};

/// What an exchange works with.
pub(super) struct Exchange<'a> {
    pub(super) gateway: &'a Arc<Gateway>,
    pub(super) session: &'a Arc<Session>,
    pub(super) pool: &'a Arc<UpstreamPool>,
    pub(super) permit: &'a Permit,
}

/// What an exchange goes by.
#[derive(Clone)]
pub(super) struct Chosen {
    /// The terms of the rule that counts; none where the host is allowed as a whole.
    pub(super) terms: Option<Arc<RequestTerms>>,
    /// What it is authenticated with.
    pub(super) credential: Option<Credential>,
    /// The tokens that it was admitted by.
    pub(super) tokens: Vec<TokenEntry>,
    /// What the response is searched for; none where there are no credentials at all.
    pub(super) withholding: Option<Withholding>,
}

/// A credential in use.
#[derive(Clone)]
pub(super) struct Credential {
    pub(super) material: Arc<Material>,
    pub(super) ready: Arc<Ready>,
}

/// The head of a response, and the connection that the rest comes by.
pub(super) struct Answered {
    pub(super) response: Response<Incoming>,
    pub(super) lease: Option<Lease>,
    pub(super) watch: Watch,
    pub(super) chosen: Chosen,
    /// The hosts that redirects were followed to, in this order.
    pub(super) followed: Vec<String>,
}

impl Exchange<'_> {
    /// The request that was decided on.
    pub(super) fn request(&self) -> Result<&HttpRequest, Fault> {
        self.permit.request().ok_or_else(|| {
            let reason = "the action is not an HTTP request";
            Fault::refused(ReasonCode::Malformed, reason)
        })
    }

    /// What watches it before it is known what it is sent with.
    pub(super) fn watch(&self) -> Watch {
        Watch::new(self.gateway, self.session, self.permit.subject())
    }

    /// Finds out by which terms the request goes on, and with what.
    pub(super) async fn choose(
        &self,
        draft: &Draft,
        payload: &mut Payload,
    ) -> Result<Chosen, Fault> {
        let tokens = self.admit(presented(draft))?;
        let every = &self.permit.grant().terms;
        let mut first = None;
        for terms in every {
            let tried = self.try_terms(terms, &tokens, (draft, payload)).await;
            match tried.map_err(|fault| fault.by(&terms.rule)) {
                Ok(chosen) => {
                    self.permit.note_terms(terms);
                    return Ok(chosen);
                }
                Err(fault @ Fault::Refused(_)) if every.len() > 1 => first = first.or(Some(fault)),
                Err(fault) => return Err(fault),
            }
        }
        match first {
            Some(fault) => Err(fault),
            None => {
                authorise::check_places(self, draft, Places::Taken(None))?;
                Ok(Chosen {
                    terms: None,
                    credential: None,
                    tokens,
                    withholding: self.withholding(None)?,
                })
            }
        }
    }

    async fn try_terms(
        &self,
        terms: &Arc<RequestTerms>,
        tokens: &[TokenEntry],
        (draft, payload): (&Draft, &mut Payload),
    ) -> Result<Chosen, Fault> {
        let mut tokens = tokens.to_vec();
        if let Auth::Placeholder { body } = &terms.auth {
            let found = placeholder::body::tokens(self, (draft, payload), body).await?;
            tokens.extend(self.admit(found)?);
        }
        authorise::check_terms(self, terms, &tokens)?;
        if let Some(limit) = terms.request_octets
            && payload.octets().is_some_and(|octets| octets > limit)
        {
            return Err(super::payload::too_large(limit));
        }
        let credential = self.credential(terms).await?;
        let material = credential.as_ref().map(|used| used.material.as_ref());
        let places = match (&terms.auth, material) {
            (Auth::Placeholder { .. }, Some(material)) => Places::Filled(material),
            _ => Places::Taken(material),
        };
        authorise::check_places(self, draft, places)?;
        let name = credential.as_ref().map(|used| &used.material.name);
        let chosen = Chosen {
            terms: Some(Arc::clone(terms)),
            withholding: self.withholding(name)?,
            credential,
            tokens,
        };
        if let Some(wanted) = &terms.precondition {
            precondition::check(self, wanted, &chosen).await?;
        }
        Ok(chosen)
    }

    /// What the response to a request with this credential is searched for. Where there are
    /// credentials, that is every response: what one request is sent with may be shown to another.
    fn withholding(
        &self,
        credential: Option<&CredentialName>,
    ) -> Result<Option<Withholding>, Fault> {
        let host = &self.request()?.destination.host;
        let withheld = &self.gateway.upstreams().withheld;
        let in_use = || self.gateway.credentials().in_use() || !withheld.is_empty();
        let any = credential.is_some() || in_use();
        Ok(any.then(|| withheld.from(credential, Some(host))))
    }

    /// Checks tokens that a request carries, each of which must be this sandbox's.
    fn admit(&self, presented: Vec<Secret>) -> Result<Vec<TokenEntry>, Fault> {
        let now = Timestamp::now();
        authorise::admit(self, &presented, now)
    }

    /// The credential of these terms, made ready.
    pub(super) async fn credential(
        &self,
        terms: &RequestTerms,
    ) -> Result<Option<Credential>, Fault> {
        let Some(name) = &terms.credential else {
            return Ok(None);
        };
        let made = self.material(name, &self.request()?.path).await?;
        self.permit.note_credential(name);
        Ok(Some(made))
    }

    /// A credential for this path of the upstream, made ready.
    pub(super) async fn material(
        &self,
        name: &CredentialName,
        path: &str,
    ) -> Result<Credential, Fault> {
        let request = self.request()?;
        let need = Need {
            name,
            destination: &request.destination,
            scheme: request.scheme,
            path,
        };
        let unavailable =
            |reason: String| Fault::refused(ReasonCode::CredentialUnavailable, reason);
        let made = timeout(CREDENTIAL_WAIT, self.gateway.credentials().material(need)).await;
        let material = made
            .map_err(|_| unavailable(format!("the credential `{name}` is not ready in time")))?
            .map_err(|error| unavailable(error.to_string()))?;
        let upstreams = self.gateway.upstreams();
        let ready = upstreams.ready(&material, &request.destination.host);
        let ready = ready.map_err(|reason| {
            unavailable(format!("the credential `{name}` cannot be used: {reason}"))
        })?;
        Ok(Credential { material, ready })
    }
}

impl Chosen {
    /// What was found in a response, as far as it is known.
    pub(super) fn withheld(&self) -> String {
        match &self.credential {
            Some(used) => format!(
                "the credential `{}`, or one of another request",
                used.material.name
            ),
            None => "a credential of another request".to_owned(),
        }
    }

    /// Asks for a response that can be read as far as it must be.
    pub(super) fn ask(&self, draft: &mut Draft) {
        if self.withholding.is_some() {
            draft.ask_searchable();
        } else if self.must_be_read() {
            draft.ask_readable();
        }
    }

    /// Whether the gateway must read the response: to take values out of it, or members, or to measure it.
    pub(super) fn must_be_read(&self) -> bool {
        let terms = self.terms.as_ref();
        let measured =
            terms.is_some_and(|terms| terms.response_octets.is_some() || !terms.remove.is_empty());
        self.withholding.is_some() || measured
    }
}
