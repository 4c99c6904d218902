//! What a rule of the `api` section must satisfy beyond its shape.

use ringfence_model::{HostName, HostPattern};

use super::super::outline::Part;
use super::super::{
    ApiMatch, ApiRule, AuthWord, ContentConditions, FollowTerms, GraphqlConditions,
    PreconditionTerms, QueryConditions, ResponseConditions, is_selection,
};
use super::{Fault, HOST_NAME, check_host, check_lists, check_scopes, check_text, is_host_name};
use crate::limits::{MOST_READ_OCTETS, PATTERN_OCTETS};

pub(super) fn check_api_rule(rule: &ApiRule) -> Result<(), Fault> {
    let terms = rule.terms();
    check_host(&terms.host)?;
    check_lists(&[
        ("ports", terms.ports.as_ref().map(Vec::len)),
        ("methods", terms.methods.as_ref().map(Vec::len)),
        ("paths", terms.paths.as_ref().map(Vec::len)),
        ("tokenFields", terms.token_fields.as_ref().map(Vec::len)),
        ("addresses", terms.addresses.as_ref().map(Vec::len)),
    ])?;
    if let Some(text) = &terms.reason {
        check_text(text).map_err(|fault| fault.below(&[Part::Key("reason")]))?;
    }
    if !terms.scoped_names {
        check_scopes(terms.paths.as_deref())?;
    }
    check_conditions(terms)?;
    if rule.is_forbid() {
        check_forbid(terms)
    } else {
        check_allow(terms)
    }
}

fn check_conditions(terms: &ApiMatch) -> Result<(), Fault> {
    let below = |name| move |fault: Fault| fault.below(&[Part::Key(name)]);
    if let Some(query) = &terms.query {
        check_query(query).map_err(below("query"))?;
    }
    if let Some(headers) = &terms.headers {
        check_lists(&[("params", Some(headers.params.len()))]).map_err(below("headers"))?;
        let matches = headers
            .params
            .iter()
            .map(|it| it.matches.as_ref().map(Vec::len));
        check_matches(matches).map_err(below("headers"))?;
    }
    if let Some(content) = &terms.content {
        check_content(content, terms).map_err(below("content"))?;
    }
    if let Some(graphql) = &terms.graphql {
        check_graphql(graphql).map_err(below("graphql"))?;
    }
    Ok(())
}

fn check_query(query: &QueryConditions) -> Result<(), Fault> {
    if query.params.is_none() && query.others.are_allowed() {
        return Err(says_nothing("`query`"));
    }
    check_lists(&[("params", query.params.as_ref().map(Vec::len))])?;
    let params = query.params.as_deref().unwrap_or_default();
    if let Some(index) = params.iter().position(|it| it.name.len() > PATTERN_OCTETS) {
        let message = format!("a name has at most {PATTERN_OCTETS} octets");
        let at = [Part::Key("params"), Part::Item(index), Part::Key("name")];
        return Err(Fault::new(
            &at,
            message,
            "write the name as the API knows it",
        ));
    }
    check_matches(params.iter().map(|it| it.matches.as_ref().map(Vec::len)))
}

/// The `matches` lists of `params`.
fn check_matches(lengths: impl Iterator<Item = Option<usize>>) -> Result<(), Fault> {
    for (index, length) in lengths.enumerate() {
        let place = [Part::Key("params"), Part::Item(index)];
        check_lists(&[("matches", length)]).map_err(|fault| fault.below(&place))?;
    }
    Ok(())
}

fn check_content(content: &ContentConditions, terms: &ApiMatch) -> Result<(), Fault> {
    if content.types.is_none() && content.octets.is_none() && content.json.is_none() {
        return Err(says_nothing("`content`"));
    }
    check_lists(&[("types", content.types.as_ref().map(Vec::len))])?;
    let is_read = content.json.is_some() || terms.graphql.is_some() || terms.when.is_some();
    if is_read
        && content
            .octets
            .is_some_and(|octets| octets > MOST_READ_OCTETS)
    {
        return Err(Fault::new(
            &[Part::Key("octets")],
            format!("a body that is read for the decision has at most {MOST_READ_OCTETS} octets"),
            "name fewer octets, or leave `json`, `graphql` and `when` out",
        ));
    }
    Ok(())
}

fn check_graphql(graphql: &GraphqlConditions) -> Result<(), Fault> {
    check_lists(&[
        ("kinds", graphql.kinds.as_ref().map(Vec::len)),
        ("fields", graphql.fields.as_ref().map(Vec::len)),
        ("select", graphql.select.as_ref().map(Vec::len)),
    ])?;
    let select = graphql.select.as_deref().unwrap_or_default();
    match select.iter().position(|entry| !is_selection(entry)) {
        None => Ok(()),
        Some(index) => Err(Fault::new(
            &[Part::Key("select"), Part::Item(index)],
            "a selection is `parent.child`, `parent.{child, other}` or `child`",
            "write the names of fields as the schema has them",
        )),
    }
}

fn says_nothing(what: &str) -> Fault {
    Fault::new(
        &[],
        format!("{what} has no condition"),
        "write one, or leave it out",
    )
}

fn check_allow(terms: &ApiMatch) -> Result<(), Fault> {
    let needs_credential = [
        ("auth", terms.auth.is_some()),
        ("tokenRequired", terms.token_required),
        ("tokenFields", terms.token_fields.is_some()),
    ];
    if terms.credential.is_none()
        && let Some((name, _)) = needs_credential.iter().find(|(_, is_there)| *is_there)
    {
        return Err(Fault::new(
            &[Part::Key(name)],
            format!("`{name}` says how a credential is used, and the rule has none"),
            "add `credential: NAME`, or leave it out",
        ));
    }
    if terms.token_fields.is_some() && terms.auth != Some(AuthWord::Placeholder) {
        return Err(Fault::new(
            &[Part::Key("tokenFields")],
            "`tokenFields` belongs to `auth: placeholder`",
            "add `auth: placeholder`, or leave it out",
        ));
    }
    if is_host_name(&terms.host) && terms.addresses.is_some() {
        let message = format!("`{}` is always this machine's loopback address", terms.host);
        let help = "leave `addresses` out";
        return Err(Fault::new(&[Part::Key("addresses")], message, help));
    }
    let networks = terms.addresses.iter().flatten();
    if let Some(index) = networks.clone().position(|cidr| cidr.is_everything()) {
        return Err(Fault::new(
            &[Part::Key("addresses"), Part::Item(index)],
            "a network of every address would also open private and metadata addresses",
            "leave `addresses` out for public addresses, or name the networks",
        ));
    }
    if let Some(follow) = &terms.follow {
        check_follow(follow).map_err(|fault| fault.below(&[Part::Key("follow")]))?;
    }
    if let Some(response) = &terms.response {
        check_response(response).map_err(|fault| fault.below(&[Part::Key("response")]))?;
    }
    match &terms.precondition {
        Some(asked) => {
            check_precondition(asked).map_err(|fault| fault.below(&[Part::Key("precondition")]))
        }
        None => Ok(()),
    }
}

fn check_response(response: &ResponseConditions) -> Result<(), Fault> {
    if *response == ResponseConditions::default() {
        return Err(says_nothing("`response`"));
    }
    if response.not_json.is_some() && response.remove.is_none() {
        return Err(Fault::new(
            &[Part::Key("notJson")],
            "`notJson` belongs to `remove`",
            "add `remove`, or leave it out",
        ));
    }
    check_lists(&[
        ("statuses", response.statuses.as_ref().map(Vec::len)),
        ("types", response.types.as_ref().map(Vec::len)),
        ("remove", response.remove.as_ref().map(Vec::len)),
        ("notJson", response.not_json.as_ref().map(Vec::len)),
    ])
}

fn check_follow(follow: &FollowTerms) -> Result<(), Fault> {
    check_lists(&[("hosts", Some(follow.hosts.len()))])?;
    for (index, host) in follow.hosts.iter().enumerate() {
        let is_ours = |name: &HostName| super::is_control_plane(name) || name.as_str() == HOST_NAME;
        let is_ours = match host {
            HostPattern::Exact(name) => is_ours(name),
            HostPattern::Below(_) => check_host(host).is_err(),
        };
        if is_ours {
            return Err(Fault::new(
                &[Part::Key("hosts"), Part::Item(index)],
                format!("no redirect to `{host}` is followed"),
                "name the hosts that the upstream keeps its files at",
            ));
        }
    }
    Ok(())
}

fn check_precondition(asked: &PreconditionTerms) -> Result<(), Fault> {
    check_lists(&[("equal", asked.equal.as_ref().map(Vec::len))])?;
    let known = [
        "method", "scheme", "host", "port", "path", "query", "headers", "content", "graphql",
    ];
    for (index, pair) in asked.equal.iter().flatten().enumerate() {
        let first = pair.request.segments().next().unwrap_or_default();
        if !known.contains(&first) {
            return Err(Fault::new(
                &[Part::Key("equal"), Part::Item(index), Part::Key("request")],
                format!("a request has no part `{}`", crate::error::quoted(first)),
                "as in `/content/json/id`, `/graphql/FIELD/input/id`, `/query/NAME/0`, `/headers/NAME/0`, `/path`",
            ));
        }
    }
    Ok(())
}

/// A forbid takes requests away; it says nothing about how they would be sent.
fn check_forbid(terms: &ApiMatch) -> Result<(), Fault> {
    let content = terms.content.as_ref();
    let graphql = terms.graphql.as_ref();
    let of_allows = [
        ("scheme", terms.scheme.is_some()),
        ("scopedNames", terms.scoped_names),
        ("response", terms.response.is_some()),
        ("credential", terms.credential.is_some()),
        ("auth", terms.auth.is_some()),
        ("tokenRequired", terms.token_required),
        ("tokenFields", terms.token_fields.is_some()),
        ("follow", terms.follow.is_some()),
        ("websocket", terms.websocket),
        ("access", terms.access.is_some()),
        ("precondition", terms.precondition.is_some()),
        ("addresses", terms.addresses.is_some()),
    ];
    if let Some((name, _)) = of_allows.iter().find(|(_, is_there)| *is_there) {
        return Err(no_field(&[Part::Key(name)], name));
    }
    if content.is_some_and(|content| content.octets.is_some()) {
        return Err(no_field(
            &[Part::Key("content"), Part::Key("octets")],
            "octets",
        ));
    }
    for (name, is_there) in [
        ("depth", graphql.is_some_and(|it| it.depth.is_some())),
        ("size", graphql.is_some_and(|it| it.size.is_some())),
    ] {
        if is_there {
            return Err(no_field(&[Part::Key("graphql"), Part::Key(name)], name));
        }
    }
    if terms
        .query
        .as_ref()
        .is_some_and(|query| !query.others.are_allowed())
    {
        return Err(no_field(
            &[Part::Key("query"), Part::Key("others")],
            "others",
        ));
    }
    Ok(())
}

fn no_field(at: &[Part], name: &str) -> Fault {
    Fault::new(
        at,
        format!("a forbid has no `{name}`"),
        "leave it out: a forbid is about requests, whatever becomes of them",
    )
}
