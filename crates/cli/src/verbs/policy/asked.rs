//! The action that `policy explain` is asked about.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use ringfence_gateway::wire::json;
use ringfence_model::{Action, Connect, Content, Destination, Entry, HttpRequest, Scheme};
use ringfence_policy::Snapshot;
use ringfence_protocols::api::graphql;

use super::super::llm;
use crate::args::AskedArguments;
use crate::failure::Failure;

/// The media type of a body about which nothing is said.
const JSON: &str = "application/json";

/// The action of these arguments, with the providers and aliases of `policy`.
pub(super) fn action(asked: AskedArguments, policy: &Snapshot) -> Result<Action, Failure> {
    if let Some(provider) = &asked.llm {
        return llm::action(policy, provider, asked.wish);
    }
    if !asked.wish.is_empty() {
        return Err(Failure::Usage(anyhow!(
            "--model, --endpoint, --hosted and --max-output-tokens say what is asked of --llm PROVIDER"
        )));
    }
    match (&asked.connect, &asked.url) {
        (Some(destination), _) => Ok(Action::Connect(Connect {
            destination: destination.clone(),
            entry: Entry::Transparent,
        })),
        (None, url) => request(url.as_deref().unwrap_or_default(), &asked).map(Action::Http),
    }
}

fn request(url: &str, asked: &AskedArguments) -> Result<HttpRequest, Failure> {
    let (scheme, destination, target) = split(url)?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let mut headers = headers(&asked.header)?;
    let content = match &asked.body {
        Some(file) => Some(content(file, &mut headers)?),
        None => None,
    };
    let method = if content.is_some() { "POST" } else { "GET" };
    Ok(HttpRequest {
        destination,
        scheme,
        method: asked.method.clone().unwrap_or_else(|| method.to_owned()),
        path: path.to_owned(),
        query,
        headers,
        content,
    })
}

/// Scheme, destination, and the rest, which begins with a slash.
fn split(url: &str) -> Result<(Scheme, Destination, &str), Failure> {
    let wrong = || Failure::Usage(anyhow!("--url {url}: an http:// or https:// URL is needed"));
    let (scheme, rest, port) = match url.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest, 80),
        Some(("https", rest)) => (Scheme::Https, rest, 443),
        _ => return Err(wrong()),
    };
    let (authority, target) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let destination = authority
        .parse()
        .or_else(|_| Destination::new(authority.parse()?, port))
        .map_err(|error| {
            Failure::Usage(anyhow::Error::new(error).context(format!("--url {url}")))
        })?;
    Ok((scheme, destination, target))
}

/// Each as `NAME: VALUE`.
fn headers(given: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let read = |text: &String| match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        }
        _ => Err(Failure::Usage(anyhow!(
            "--header {text}: a header is written as `NAME: VALUE`"
        ))),
    };
    given.iter().map(read).collect()
}

/// What policy may know of a body, as the gateway reads it.
fn content(file: &Path, headers: &mut Vec<(String, String)>) -> Result<Content, Failure> {
    let octets = fs::read(file)
        .with_context(|| format!("--body {}", file.display()))
        .map_err(Failure::Usage)?;
    let known = headers.iter().find(|(name, _)| name == "content-type");
    let value = known.map_or(JSON, |(_, value)| value.as_str()).to_owned();
    if known.is_none() {
        headers.push(("content-type".to_owned(), value.clone()));
    }
    let media_type = value.split(';').next().unwrap_or_default();
    let mut content = Content {
        media_type: Some(media_type.trim().to_ascii_lowercase()),
        octets: octets.len() as u64,
        ..Content::default()
    };
    match json::read(&octets) {
        Err(error) => content.fault = Some(error.to_string()),
        Ok(value) => match graphql::read(&value) {
            Ok(request) => {
                content.graphql = Some(request.operation);
                content.json = Some(request.body);
            }
            Err(_) => content.json = Some(value),
        },
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use ringfence_model::Generation;

    use super::*;
    use crate::args::llm::WishArguments;

    fn nothing() -> Snapshot {
        Snapshot::deny_all(Generation(1))
    }

    fn asked(url: &str) -> AskedArguments {
        AskedArguments {
            connect: None,
            url: Some(url.to_owned()),
            method: None,
            header: Vec::new(),
            body: None,
            llm: None,
            wish: WishArguments::default(),
        }
    }

    fn asked_with(body: &str, header: &[&str]) -> HttpRequest {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), body).unwrap();
        let header = header.iter().map(|it| (*it).to_owned()).collect();
        let url = "https://api.test/graphql?a=1";
        let body = Some(file.path().to_owned());
        let asked = AskedArguments {
            header,
            body,
            ..asked(url)
        };
        request(url, &asked).unwrap()
    }

    #[test]
    fn a_body_is_read_as_the_gateway_does() {
        let request = asked_with("{\"a\": 1}", &["X-One:  two "]);
        assert_eq!(request.method, "POST");
        assert_eq!(
            (request.path.as_str(), request.query.as_deref()),
            ("/graphql", Some("a=1"))
        );
        assert_eq!(request.headers[0], ("x-one".to_owned(), "two".to_owned()));
        let content = request.content.unwrap();
        assert_eq!(content.media_type.as_deref(), Some(JSON));
        assert_eq!(content.json.unwrap()["a"], 1);
        assert!(content.graphql.is_none());
        let twice = asked_with("{\"a\": 1, \"a\": 2}", &[]).content.unwrap();
        assert!(twice.json.is_none() && twice.fault.is_some());
        let text = asked_with("{}", &["Content-Type: Text/Plain; x=y"]);
        assert_eq!(
            text.content.unwrap().media_type.as_deref(),
            Some("text/plain")
        );
        let operation = asked_with("{\"query\": \"{ viewer { login } }\"}", &[]);
        let operation = operation.content.unwrap().graphql.unwrap();
        assert_eq!(operation.fields[0].name, "viewer");
    }

    #[test]
    fn a_request_to_a_model_needs_a_provider_that_there_is() {
        let to = |provider: &str| {
            let asked = AskedArguments {
                url: None,
                llm: provider.parse().ok(),
                wish: WishArguments {
                    model: Some("x".to_owned()),
                    ..WishArguments::default()
                },
                ..asked("")
            };
            action(asked, &nothing()).map(|action| action.to_string())
        };
        assert_eq!(to("anthropic").unwrap(), "llm anthropic messages x");
        assert!(to("nowhere").is_err());
    }

    #[test]
    fn a_url_or_a_header_that_is_none_is_said() {
        for url in [
            "",
            "api.test",
            "ftp://api.test/",
            "https://a_b/",
            "https:///x",
        ] {
            assert!(action(asked(url), &nothing()).is_err(), "{url}");
        }
        for header in ["", "x", ": y"] {
            assert!(headers(&[header.to_owned()]).is_err(), "{header}");
        }
    }
}
