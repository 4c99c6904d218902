//! A server of the Model Context Protocol that can keep up: two tools with answers of a fixed size, sessions, nothing else.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::LocalSet;

#[derive(Args)]
pub struct Options {
    /// The port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// The bearer token that it accepts.
    #[arg(long)]
    key: String,
}

pub async fn serve(options: Options) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await?;
    let local = LocalSet::new();
    let expected: &str = Box::leak(format!("Bearer {}", options.key).into_boxed_str());
    local
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::task::spawn_local(async move {
                    let service = service_fn(move |request| answer(request, expected));
                    // A client that goes is no matter of the server's.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        })
        .await
}

async fn answer(
    request: Request<Incoming>,
    expected: &str,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let given = request.headers().get("authorization");
    if given.is_none_or(|it| it.as_bytes() != expected.as_bytes()) {
        return Ok(plain(StatusCode::UNAUTHORIZED));
    }
    if request.method() != Method::POST {
        let is_end = request.method() == Method::DELETE;
        return Ok(plain(if is_end {
            StatusCode::OK
        } else {
            StatusCode::METHOD_NOT_ALLOWED
        }));
    }
    let body = request.into_body().collect().await.map(|it| it.to_bytes());
    let asked: Value = body.map_or(Value::Null, |it| {
        serde_json::from_slice(&it).unwrap_or_default()
    });
    let Some(id) = asked.get("id") else {
        return Ok(plain(StatusCode::ACCEPTED));
    };
    let result = result(&asked);
    let said = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
    let mut response = Response::new(Full::from(said));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json"),
    );
    if asked["method"] == "initialize" {
        headers.insert(
            "mcp-session-id",
            hyper::header::HeaderValue::from_static("0123456789abcdef"),
        );
    }
    Ok(response)
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn result(asked: &Value) -> Value {
    match asked["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": asked["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "measured", "version": "1"},
        }),
        "tools/list" => {
            let tool = |name: &str| {
                json!({
                    "name": name, "description": "Says the same each time.",
                    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
                })
            };
            json!({"tools": [tool("small"), tool("large")]})
        }
        "tools/call" => {
            let octets = if asked["params"]["name"] == "large" {
                100 << 10
            } else {
                1 << 10
            };
            json!({"content": [{"type": "text", "text": prose(octets)}]})
        }
        _ => json!({}),
    }
}

/// A text that looks like what tools answer.
fn prose(octets: usize) -> String {
    let line = "measured line of a log: request 4711 from build-7 took 12 ms, status 200, path /api/v1/items?page=3\n";
    let mut text = line.repeat(octets / line.len() + 1);
    text.truncate(octets);
    text
}
