//! The upstream connection of one client connection, kept for the next request to the same
//! destination. It is never shared between clients.

use std::io;

use ringfence_model::Destination;

use crate::dial::{DialError, Dialled};
use crate::pipeline::{Gateway, Permit};
use crate::stream::Buffered;

/// Holds at most one upstream connection between requests.
#[derive(Debug, Default)]
pub struct UpstreamSlot {
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    destination: Destination,
    dialled: Dialled,
}

/// A connection for one exchange.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) dialled: Dialled,
    /// Whether it served an earlier request, so that the upstream may have closed it.
    pub(super) reused: bool,
}

impl UpstreamSlot {
    /// The kept connection where this permit too may use it, else a new one.
    pub(super) async fn take(
        &mut self,
        gateway: &Gateway,
        permit: &Permit,
    ) -> Result<Taken, DialError> {
        let kept = self.kept.take();
        match kept.filter(|kept| kept.serves(gateway, permit)) {
            Some(kept) => {
                permit.note_address(kept.dialled.address);
                Ok(Taken {
                    dialled: kept.dialled,
                    reused: true,
                })
            }
            None => Ok(Taken {
                dialled: gateway.dial(permit).await?,
                reused: false,
            }),
        }
    }

    pub(super) fn keep(&mut self, permit: &Permit, dialled: Dialled) {
        self.kept = Some(Kept {
            destination: permit.destination().clone(),
            dialled,
        });
    }
}

impl Kept {
    fn serves(&self, gateway: &Gateway, permit: &Permit) -> bool {
        let address = self.dialled.address;
        let destination = permit.destination();
        let addresses = &permit.grant().addresses;
        let permitted = gateway
            .dialer()
            .still_permits(destination, address, addresses);
        self.destination == *destination && permitted && is_quiet(&self.dialled.stream)
    }
}

/// An upstream that closed, or that speaks without being asked, is of no use.
fn is_quiet(stream: &Buffered) -> bool {
    let waiting = stream.socket().try_read(&mut [0]);
    let silent = waiting.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    silent && stream.ahead().is_empty()
}
