//! Reaches upstreams through a corporate HTTP proxy by `CONNECT`. The proxy gets the name and
//! resolves it, so which addresses it permits is the proxy's to decide.

use std::net::SocketAddr;

use ringfence_model::{Destination, Host, Secret};

use super::{DialError, Dialer, Dialled};
use crate::config::UpstreamProxy;
use crate::stream::Buffered;
use crate::wire::http::read_response;
use crate::wire::limits::HTTP_HEAD_OCTETS;

impl Dialer {
    pub(super) async fn through_proxy(
        &self,
        proxy: &UpstreamProxy,
        destination: &Destination,
    ) -> Result<Dialled, DialError> {
        let addresses = self.addresses_of_proxy(&proxy.destination).await?;
        let mut dialled = self.open(&addresses).await?;
        let request = request(destination, proxy.credentials.as_ref());
        dialled
            .stream
            .write_all(request.expose())
            .await
            .map_err(DialError::Connect)?;
        open_tunnel(&mut dialled.stream).await?;
        Ok(dialled)
    }

    async fn addresses_of_proxy(&self, proxy: &Destination) -> Result<Vec<SocketAddr>, DialError> {
        match &proxy.host {
            Host::Address(address) => Ok(vec![SocketAddr::new(*address, proxy.port)]),
            Host::Name(name) => match self.hosts.get(name) {
                Some(target) => {
                    let port = target.port.unwrap_or(proxy.port);
                    Ok(vec![SocketAddr::new(target.address, port)])
                }
                None => self.resolver.lookup(name, proxy.port).await,
            },
        }
    }
}

/// Reads the proxy's answer; what follows it belongs to the upstream.
async fn open_tunnel(stream: &mut Buffered) -> Result<(), DialError> {
    loop {
        match read_response(stream.ahead(), "CONNECT") {
            Ok(Some((head, used))) if (200..300).contains(&head.status) => {
                stream.consume(used);
                return Ok(());
            }
            Ok(Some((head, used))) if (100..200).contains(&head.status) => {
                stream.consume(used);
                continue;
            }
            Ok(Some((head, _))) => {
                return Err(DialError::Proxy(format!("it answered {}", head.status)));
            }
            Ok(None) if stream.ahead().len() > HTTP_HEAD_OCTETS => {
                return Err(DialError::Proxy("its answer is too long".to_owned()));
            }
            Ok(None) => {}
            Err(error) => return Err(DialError::Proxy(error.to_string())),
        }
        if stream.fill().await.map_err(DialError::Connect)? == 0 {
            return Err(DialError::Proxy("it closed the connection".to_owned()));
        }
    }
}

/// The request, wiped after use: it holds the password.
fn request(destination: &Destination, credentials: Option<&Secret>) -> Secret {
    let mut head = Vec::with_capacity(1024);
    let line = format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n");
    head.extend_from_slice(line.as_bytes());
    if let Some(credentials) = credentials {
        head.extend_from_slice(b"Proxy-Authorization: Basic ");
        push_base64(&mut head, credentials.expose());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    Secret::new(head)
}

/// RFC 4648, section 4.
fn push_base64(out: &mut Vec<u8>, octets: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in octets.chunks(3) {
        let word = (0..3).fold(0_usize, |word, at| {
            word << 8 | usize::from(group.get(at).copied().unwrap_or(0))
        });
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let symbol = ALPHABET.get(word >> shift & 63).copied();
            out.push(symbol.filter(|_| at <= group.len()).unwrap_or(b'='));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credentials_are_those_of_rfc_7617() {
        let destination = "api.test:443".parse().unwrap();
        let request = request(&destination, Some(&Secret::new("Aladdin:open sesame")));
        assert_eq!(
            std::str::from_utf8(request.expose()).unwrap(),
            "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\
             Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
        );
    }
}
