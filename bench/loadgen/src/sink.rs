//! A collector that takes whatever comes, and tells how much that was.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;

use anyhow::Result;
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::json;

use crate::serve::serve;

#[derive(Args)]
pub struct Options {
    /// The port on 127.0.0.1.
    #[arg(long)]
    port: u16,
}

pub async fn run(options: Options) -> Result<Infallible> {
    let taken = Rc::new(Cell::new((0_u64, 0_u64)));
    serve(options.port, None, move |request| {
        let taken = Rc::clone(&taken);
        async move { answer(request, &taken).await }
    })
    .await
}

/// `GET` tells how many requests have come and how long they were in all; everything else is such a request.
async fn answer(request: Request<Incoming>, taken: &Cell<(u64, u64)>) -> Response<Full<Bytes>> {
    if request.method() == Method::GET {
        let (requests, octets) = taken.get();
        let told = json!({ "requests": requests, "octets": octets }).to_string();
        return Response::new(Full::from(told));
    }
    let body = request.into_body().collect().await;
    let length = body.map_or(0, |body| body.to_bytes().len() as u64);
    let (requests, octets) = taken.get();
    taken.set((requests + 1, octets + length));
    Response::new(Full::default())
}
