//! What a rule of the `api` section says about requests: its conditions, what must be read for
//! them, and how an allowed request is sent.

use ringfence_model::{Access, RuleRef};

use crate::decide::{Auth, Precondition, RequestTerms};
use crate::document::{
    ApiMatch, AuthWord, Condition, ContentConditions, GraphqlConditions, HeaderConditions, Needs,
    Pointer, QueryConditions, StatusRange,
};
use crate::limits::READ_OCTETS;

/// The conditions of one rule.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) query: Option<QueryConditions>,
    pub(crate) headers: Option<HeaderConditions>,
    pub(crate) content: Option<ContentConditions>,
    pub(crate) graphql: Option<GraphqlConditions>,
    /// Values of the request, with the place in the precondition's answer of what they must equal.
    pub(crate) equal: Vec<(Pointer, String)>,
    pub(crate) when: Option<Condition>,
    pub(crate) access: Option<Access>,
    /// Whether a segment of the path may be `@scope%2Fname`.
    pub(crate) scoped_names: bool,
    pub(crate) needs: Needs,
}

impl Requests {
    pub(super) fn of(terms: &ApiMatch) -> Self {
        let precondition = terms.precondition.as_ref();
        let equal = precondition.and_then(|precondition| precondition.equal.as_ref());
        let pairs = equal.into_iter().flatten();
        let mut requests = Self {
            query: terms.query.clone(),
            headers: terms.headers.clone(),
            content: terms.content.clone(),
            graphql: terms.graphql.clone(),
            equal: pairs
                .map(|pair| (pair.request.clone(), pair.response.as_str().to_owned()))
                .collect(),
            when: terms.when.clone(),
            access: terms.access,
            scoped_names: terms.scoped_names,
            needs: Needs::default(),
        };
        requests.needs = requests.look();
        requests
    }

    /// How a request that the rule allows is sent, but for the values of its precondition.
    pub(super) fn terms_of(rule: RuleRef, terms: &ApiMatch) -> RequestTerms {
        let response = terms.response.clone().unwrap_or_default();
        let codes = |ranges: Vec<StatusRange>| ranges.iter().map(|it| it.codes().clone()).collect();
        let texts = |types: Vec<_>| types.into_iter().map(String::from).collect();
        RequestTerms {
            credential: terms.credential.clone(),
            auth: auth(terms),
            token_required: terms.token_required,
            request_octets: terms.content.as_ref().and_then(|content| content.octets),
            response_octets: response.octets,
            statuses: response.statuses.map(codes),
            response_types: response.types.map(texts),
            remove: response.remove.unwrap_or_default(),
            not_json: response.not_json.unwrap_or_default(),
            follow: terms.follow.as_ref().map(|follow| follow.hosts.clone()),
            websocket: terms.websocket,
            precondition: terms.precondition.as_ref().map(|asked| Precondition {
                path: asked.path.as_str().to_owned(),
                schema: asked.json.clone(),
                equal: Vec::new(),
            }),
            ..limited_terms(rule)
        }
    }

    pub(crate) const fn has_conditions(&self) -> bool {
        self.query.is_some()
            || self.headers.is_some()
            || self.content.is_some()
            || self.graphql.is_some()
            || self.when.is_some()
    }

    /// Most octets of a body that is read to evaluate the conditions.
    pub(crate) fn octets(&self) -> u64 {
        let content = self.content.as_ref();
        content
            .and_then(|content| content.octets)
            .unwrap_or(READ_OCTETS)
    }

    fn look(&self) -> Needs {
        let mut needs = self
            .when
            .as_ref()
            .map_or_else(Needs::default, Condition::needs);
        needs.headers |= self.headers.is_some();
        needs.json |= self
            .content
            .as_ref()
            .is_some_and(|content| content.json.is_some());
        needs.graphql |= self.graphql.is_some();
        for (pointer, _) in &self.equal {
            let mut segments = pointer.segments();
            match (segments.next(), segments.next()) {
                (Some("headers"), _) => needs.headers = true,
                (Some("graphql"), _) => needs.graphql = true,
                (Some("content"), Some("json")) => needs.json = true,
                (Some("content"), _) => needs.octets = true,
                _ => {}
            }
        }
        needs
    }
}

/// The terms of a network rule that allows some requests: they are sent as they came.
pub(crate) const fn limited_terms(rule: RuleRef) -> RequestTerms {
    RequestTerms {
        rule,
        credential: None,
        auth: Auth::Replace,
        token_required: false,
        request_octets: None,
        response_octets: None,
        statuses: None,
        response_types: None,
        remove: Vec::new(),
        not_json: Vec::new(),
        follow: None,
        websocket: false,
        precondition: None,
        git: None,
        llm: None,
        mcp: None,
    }
}

fn auth(terms: &ApiMatch) -> Auth {
    let fields = terms.token_fields.iter().flatten();
    match terms.auth {
        Some(AuthWord::Placeholder) => Auth::Placeholder {
            body: fields.map(|field| field.as_str().to_owned()).collect(),
        },
        Some(AuthWord::Replace) | None => Auth::Replace,
    }
}
