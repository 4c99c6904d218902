//! Opens TCP connections: the first of several addresses that answers, in the manner of
//! Happy Eyeballs (RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::limits::{ADDRESSES_TRIED, CONNECT_STAGGER};

/// An upstream that vanished without a word is noticed after some minutes.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Connects to the first address that answers; the other attempts are given up.
pub(super) async fn first(addresses: Vec<SocketAddr>) -> io::Result<(TcpStream, SocketAddr)> {
    if let [only] = addresses.as_slice() {
        return connect(*only).await;
    }
    race(interleave(addresses)).await
}

async fn race(addresses: Vec<SocketAddr>) -> io::Result<(TcpStream, SocketAddr)> {
    let mut waiting = addresses.into_iter().take(ADDRESSES_TRIED);
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(connect(address));
        }
        let more = waiting.len() > 0;
        tokio::select! {
            joined = attempts.join_next() => match joined {
                Some(Ok(Ok(connected))) => return Ok(connected),
                Some(Ok(Err(error))) => failure = error,
                Some(Err(error)) => failure = io::Error::other(error),
                None => return Err(failure),
            },
            () = sleep(CONNECT_STAGGER), if more => {}
        }
    }
}

/// IPv6 and IPv4 in turn, IPv6 first, each family in the resolver's order.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let mut merged = Vec::with_capacity(v6.len() + v4.len());
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    loop {
        match (v6.next(), v4.next()) {
            (None, None) => return merged,
            (six, four) => merged.extend(six.into_iter().chain(four)),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the dialler: the address comes from a permit's destination"
)]
async fn connect(address: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    SockRef::from(&socket).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_keep_their_order() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        let merged = interleave(parse(&["1.1.1.1:1", "1.1.1.2:1", "[2::1]:1", "1.1.1.3:1"]));
        assert_eq!(
            merged,
            parse(&["[2::1]:1", "1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1"])
        );
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_to_the_next_one() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let (_, address) = first(vec![closed, open]).await.unwrap();
        assert_eq!(address, open);
        assert!(first(vec![closed, closed]).await.is_err());
    }
}
