//! Refusals of what the explicit proxy cannot serve. Where it says where it was to go, that is a
//! denied action like any other; else it is a finding. Nothing is refused without a record.

use ringfence_gateway::Refusal;
use ringfence_gateway::wire::http::{Glimpse, RequestHead, Target, glimpse};
use ringfence_gateway::wire::socks5::SocksError;
use ringfence_model::{Action, Connect, Destination, Entry, HttpRequest, ReasonCode};

use super::Flow;

impl Flow<'_> {
    /// Refuses a head that is not understood. `head` is what came, from its first octet on.
    pub(super) fn refuse_head(&self, head: &[u8], why: (ReasonCode, &str)) -> Refusal {
        let action = glimpse(head).and_then(|seen| self.attempt(seen));
        self.refuse_attempt(action, why, first_line(head))
    }

    /// Refuses a request that is understood, but is none for a proxy.
    pub(super) fn refuse_request(&self, head: &RequestHead, why: (ReasonCode, &str)) -> Refusal {
        let seen = Glimpse::Request(head.method.clone(), head.target.clone());
        let said = format!("{} {}", head.method, head.target.path().unwrap_or_default());
        self.refuse_attempt(self.attempt(seen), why, said.as_bytes())
    }

    /// Refuses a message of SOCKS5. Its other words for it are few, so the finding says more.
    pub(super) fn refuse_socks(&self, error: SocksError, message: &[u8]) -> Refusal {
        // What is no request may hold a password.
        let said = match error {
            SocksError::Name => message,
            _ => &[],
        };
        let reason = error.to_string();
        let why = (ReasonCode::Malformed, reason.as_str());
        self.gateway
            .refuse_formless(self.session, "a SOCKS5 request", why, said)
    }

    fn refuse_attempt(
        &self,
        action: Option<Action>,
        (code, reason): (ReasonCode, &str),
        said: &[u8],
    ) -> Refusal {
        match action {
            Some(action) => self.gateway.deny(self.session, action, code, reason),
            None => {
                self.gateway
                    .refuse_formless(self.session, "an HTTP request", (code, reason), said)
            }
        }
    }

    /// The action that was tried, where it leads somewhere.
    fn attempt(&self, seen: Glimpse) -> Option<Action> {
        let place = |destination: Destination| self.session.place(destination).into_destination();
        let connect = |destination, entry| {
            let destination = place(destination);
            Action::Connect(Connect { destination, entry })
        };
        match seen {
            Glimpse::Place(destination) => Some(connect(destination, Entry::HttpForward)),
            Glimpse::Request(_, Target::Authority(destination)) => {
                Some(connect(destination, Entry::HttpConnect))
            }
            Glimpse::Request(
                method,
                Target::Absolute {
                    scheme,
                    authority,
                    path,
                    query,
                },
            ) => Some(Action::Http(HttpRequest {
                destination: place(authority),
                scheme,
                method,
                path,
                query,
                headers: Vec::new(),
                content: None,
            })),
            Glimpse::Request(_, Target::Origin { .. } | Target::Asterisk) => None,
        }
    }
}

fn first_line(head: &[u8]) -> &[u8] {
    let end = head.iter().position(|octet| matches!(octet, b'\r' | b'\n'));
    head.get(..end.unwrap_or(head.len())).unwrap_or_default()
}
