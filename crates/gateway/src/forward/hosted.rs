//! A server that is started as a program, as if it spoke HTTP at an address: a request is handed to
//! the port, on a connection of its own within this process. So all that is done with a response is
//! done with it too, and nothing is dialled.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ringfence_model::ReasonCode;
use ringfence_model::mcp::{HOSTED_ZONE, McpServer};
use tokio::io::{DuplexStream, duplex};

use super::fault::Fault;
use super::lease::Sender;
use super::open::handshake_1;
use crate::http::ResponseBody;
use crate::limits::{HOSTED_BRIDGE_OCTETS, HOSTED_REQUEST_OCTETS};
use crate::local::Inbox;
use crate::pipeline::{Gateway, Hosted, Permit};

/// The server that a request is handed to; none where its destination is dialled.
///
/// # Errors
/// Where the destination is one of a hosted server, and the permit is none for its messages, or
/// this gateway starts no servers.
pub(super) fn server(gateway: &Gateway, permit: &Permit) -> Result<Option<Arc<McpServer>>, Fault> {
    let host = permit.destination().host.name();
    if !host.is_some_and(|name| name.is_within(HOSTED_ZONE)) {
        return Ok(None);
    }
    let refused = |reason: &str| Fault::refused(ReasonCode::ProtocolMismatch, reason);
    let server = permit.grant().mcp.clone();
    let server = server
        .filter(|server| server.destination == *permit.destination())
        .ok_or_else(|| refused("only messages of MCP go to a server that Ringfence starts"))?;
    if !gateway.hosted().is_there() {
        return Err(refused(
            "this gateway starts no servers; an agent under `ringfence run` reaches them",
        ));
    }
    Ok(Some(server))
}

/// Makes the connection for one request.
pub(super) async fn open(
    gateway: &Gateway,
    server: Arc<McpServer>,
    tasks: &Inbox,
) -> Result<(Sender, SocketAddr), Fault> {
    let (near, far) = duplex(HOSTED_BRIDGE_OCTETS);
    tasks.spawn(serve(far, Arc::clone(gateway.hosted()), server));
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    Ok((handshake_1(near, tasks).await?, nowhere))
}

/// Serves the one request.
async fn serve(stream: DuplexStream, hosted: Arc<dyn Hosted>, server: Arc<McpServer>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (hosted, server) = (Arc::clone(&hosted), Arc::clone(&server));
        async move { Ok::<_, Infallible>(answer(hosted, server, request).await) }
    });
    let mut builder = http1::Builder::new();
    // What goes wrong ends the stream, and so the exchange at its other end learns of it.
    let serving = builder
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let _ = serving.await;
}

async fn answer(
    hosted: Arc<dyn Hosted>,
    server: Arc<McpServer>,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let (head, body) = request.into_parts();
    let read = Limited::new(body, HOSTED_REQUEST_OCTETS).collect().await;
    let Ok(body) = read else {
        let mut response = Response::new(crate::http::empty());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return response;
    };
    let request = Request::from_parts(head, body.to_bytes());
    hosted.answer(&server, request).await
}
