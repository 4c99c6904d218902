//! Bulk: how fast octets come down through one tunnel, and what that costs the proxy.
//!
//! The tunnel starts with a real `ClientHello`, so that proxies which look at it let it pass. What arrives is thrown away by the kernel
//! (`MSG_TRUNC`) and the far end uses `sendfile`, so that nearly all CPU time is the proxy's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use rustix::net::{RecvFlags, recv};
use serde_json::Value;

use crate::sample::Meter;
use crate::target::{Target, check_answer};
use crate::tls::{Connector, HTTP1};

const READ_LIMIT: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 4 << 20;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Duration of the measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

pub fn measure(options: &Options) -> Result<Value> {
    let mut stream = TcpStream::connect(options.target.first_hop())?;
    stream.set_read_timeout(Some(READ_LIMIT))?;
    if let Some(request) = options.target.connect_request() {
        stream.write_all(request.as_bytes())?;
        check_answer(&read_head(&mut stream)?)?;
    }
    stream.write_all(&Connector::new(HTTP1)?.client_hello()?)?;

    let meter = Meter::start(options.target.pid);
    let mut scratch = vec![0; AT_ONCE];
    let mut octets = 0;
    while meter.seconds() < options.seconds {
        let (_, count) = recv(&stream, scratch.as_mut_slice(), RecvFlags::TRUNC)?;
        ensure!(count > 0, "closed after {octets} octets");
        octets += count;
    }
    Ok(meter.report_octets(octets as f64))
}

fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet)?;
        head.extend(octet);
    }
    Ok(head)
}
