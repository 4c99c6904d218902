//! Refusals and failures in the words of the protocol that the client speaks, as far as that is
//! known: an HTTP answer, inside TLS where that can be, a TLS alert, or a closed connection.

use std::io;

use ringfence_gateway::http::{Interrupted, next_request};
use ringfence_gateway::limits::{LINGER_IDLE, REFUSAL_PEEK};
use ringfence_gateway::peek::{First, first};
use ringfence_gateway::wire::http::HttpError;
use ringfence_gateway::{Buffered, Permit, Refusal, Stopped};
use ringfence_model::ReasonCode;
use tokio::time::timeout;

use super::answer::Answer;
use super::{Flow, inside};

/// The answer to a request head that is not understood. It closes the event of `connection`, where
/// the destination was decided on before; else `head` says what there is to record.
pub(super) fn malformed(
    flow: Flow<'_>,
    connection: Option<Permit>,
    head: &[u8],
    error: HttpError,
) -> Vec<u8> {
    let code = error.code();
    let reason = error.to_string();
    let refusal = match connection {
        Some(permit) => permit.refuse(code, &reason),
        None => flow.refuse_head(head, (code, &reason)),
    };
    let status = match refusal.code() {
        ReasonCode::UpgradeRefused => 403,
        ReasonCode::Unavailable => 503,
        _ => error.status(),
    };
    let answer = Answer::of(&Stopped::Refused(refusal));
    answer.status(status).close().write(None)
}

/// What the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    /// TLS: an answer inside it where the client trusts the sandbox's authority, else an alert.
    Tls,
    /// HTTP whose head was not read: an answer.
    Http,
    /// Something else: a closed connection.
    Unknown,
}

/// Refuses a client of which nothing was read, after a short look at what it speaks.
pub(super) async fn unread(flow: Flow<'_>, mut client: Buffered, refusal: &Refusal, port: u16) {
    let native = timeout(REFUSAL_PEEK, async {
        while first(client.ahead()) == First::Unknown {
            if client.fill().await? == 0 {
                break;
            }
        }
        io::Result::Ok(match first(client.ahead()) {
            First::Tls => Native::Tls,
            First::Http => Native::Http,
            First::Unknown | First::Other => Native::Unknown,
        })
    })
    .await;
    let native = native.map_or(Native::Unknown, |native| native.unwrap_or(Native::Unknown));
    let stopped = Stopped::Refused(refusal.clone());
    known(flow, client, &stopped, (native, port)).await;
}

/// Tells a client that speaks `native` to a port why it is stopped, and closes.
pub(super) async fn known(
    flow: Flow<'_>,
    mut client: Buffered,
    stopped: &Stopped,
    (native, port): (Native, u16),
) {
    let answer = match native {
        Native::Tls => {
            if let Stopped::Refused(refusal) = stopped {
                match Box::pin(inside::refuse(flow, client, refusal, port)).await {
                    Ok(()) => return,
                    Err(back) => client = back,
                }
            }
            alert(stopped).to_vec()
        }
        Native::Http => {
            let head = next_request(&mut client, REFUSAL_PEEK, REFUSAL_PEEK).await;
            match head {
                Ok(head) => Answer::of(stopped).close().write(Some(&head)),
                Err(Interrupted::Closed | Interrupted::Broken(_)) => return,
                Err(_) => Answer::of(stopped).close().write(None),
            }
        }
        Native::Unknown => return,
    };
    say_and_close(client, &answer).await;
}

/// Writes `answer`, which may be nothing, and closes the connection so that what was written to it
/// arrives.
pub(super) async fn say_and_close(client: Buffered, answer: &[u8]) {
    if let Ok(Ok(())) = timeout(LINGER_IDLE, client.write_all(answer)).await {
        client.linger().await;
    }
}

/// A fatal alert in a record of its own (RFC 8446, section 6).
const fn alert(stopped: &Stopped) -> [u8; 7] {
    const ACCESS_DENIED: u8 = 49;
    const DECODE_ERROR: u8 = 50;
    const INTERNAL_ERROR: u8 = 80;
    const UNRECOGNIZED_NAME: u8 = 112;
    let description = match stopped {
        Stopped::Failed(_) => INTERNAL_ERROR,
        Stopped::Refused(refusal) => match refusal.code() {
            ReasonCode::SniMissing | ReasonCode::SniMismatch => UNRECOGNIZED_NAME,
            ReasonCode::Malformed => DECODE_ERROR,
            _ => ACCESS_DENIED,
        },
    };
    [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]
}

#[cfg(test)]
mod tests {
    use ringfence_gateway::Failure;
    use ringfence_model::{Decision, Effect, EventId, Generation};

    use super::*;

    #[test]
    fn alerts_tell_a_wrong_name_from_a_denial_and_a_failure() {
        let refusal = |code| Refusal {
            event: Some(EventId::new()),
            tried: "x".to_owned(),
            decision: Box::new(Decision {
                effect: Effect::Deny,
                code,
                reason: "x".to_owned(),
                rule: None,
                generation: Generation(1),
                next_step: None,
                credential: None,
                access: None,
            }),
        };
        let refused = |code| alert(&Stopped::Refused(refusal(code)))[6];
        assert_eq!(refused(ReasonCode::NoRule), 49);
        assert_eq!(refused(ReasonCode::Malformed), 50);
        assert_eq!(refused(ReasonCode::SniMissing), 112);
        let failure = Stopped::Failed(Failure {
            event: EventId::new(),
            tried: "x".to_owned(),
            reason: "x".to_owned(),
            timed_out: false,
            sent: false,
        });
        assert_eq!(alert(&failure)[6], 80);
    }
}
