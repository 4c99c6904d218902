//! A WebSocket whose messages are decided on one by one. Both ends are here: a message of either
//! side is put together, looked at by a [`Conversation`], and written anew for the other side in
//! one frame. Pings are answered here and go no further, so that no octet of an agent's reaches the
//! provider but in a message that was decided on.

use std::pin::Pin;
use std::sync::Arc;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use ringfence_model::{Outcome, ReasonCode};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Switched;
use super::frame::{FrameError, Opcode};
pub use super::side::Text;
use super::side::{Bad, Bounds, Got, Side};
use crate::forward::watch::{Cut, Watch};
use crate::forward::withheld::Withholding;
use crate::limits::LINGER_IDLE;
use crate::pipeline::Permit;

/// Texts that are searched on the thread that serves others as well, in octets.
const SEARCHED_HERE: usize = 256 * 1024;

/// What decides on the messages of a [`Socket`].
pub trait Conversation: Send {
    /// Holds it to its end. Dropped where policy, or what the socket was opened with, changes.
    fn hold<'a>(
        &'a mut self,
        socket: &'a mut Socket,
    ) -> Pin<Box<dyn Future<Output = Over> + Send + 'a>>;

    /// The longest message of a client, and of an upstream, in octets.
    fn longest(&self) -> (u64, u64);

    /// The room that a client's message of so many octets takes.
    fn room(&self) -> fn(u64) -> u64;
}

/// Both ends of a WebSocket.
pub struct Socket {
    client: Side<TokioIo<Upgraded>>,
    upstream: Side<TokioIo<Upgraded>>,
    withholding: Option<Withholding>,
    watch: Watch,
}

/// A message.
#[derive(Debug)]
pub enum Heard {
    /// Of the client.
    Client(Text),
    /// Of the upstream, without what no agent may hold.
    Upstream(Text),
}

/// How a conversation ended.
#[derive(Debug)]
pub enum Over {
    /// One side closed, in good order.
    Closed,
    /// The client did what may not be.
    Refused(ReasonCode, String, u16),
    /// The upstream did.
    Upstream(String),
    /// A side broke off.
    Broken(String),
}

impl Over {
    /// For what policy or a limit does not let go on.
    #[must_use]
    pub const fn refused(code: ReasonCode, reason: String) -> Self {
        Self::Refused(code, reason, 1008)
    }

    fn by_client(bad: Bad) -> Self {
        let code = match bad {
            Bad::Broken(error) => return Self::Broken(error.to_string()),
            Bad::Frame(FrameError::TooLong(_)) | Bad::NoRoom | Bad::Late => {
                ReasonCode::LimitReached
            }
            _ => ReasonCode::Malformed,
        };
        Self::Refused(code, bad.to_string(), bad.code())
    }

    fn by_upstream(bad: Bad) -> Self {
        match bad {
            Bad::Broken(error) => Self::Broken(format!("the upstream broke off: {error}")),
            bad => Self::Upstream(bad.to_string()),
        }
    }

    /// What the client is told with the close.
    fn words(&self) -> Option<(u16, String)> {
        Some(match self {
            Self::Closed => return None,
            Self::Refused(_, reason, code) => (*code, format!("Ringfence: {reason}")),
            Self::Upstream(reason) | Self::Broken(reason) => (1011, format!("Ringfence: {reason}")),
        })
    }
}

impl Socket {
    /// The next message of the upstream, or of the client where that is `heard` as well. Given up,
    /// it loses nothing while nothing is under way but reading.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn hear(&mut self, heard: bool) -> Result<Heard, Over> {
        loop {
            let (gateway, session) = (&self.watch.gateway, &self.watch.session);
            let meter = self.watch.subject.meter();
            let of_client = self
                .client
                .next((gateway, session), |octets| meter.add_sent(octets));
            let of_upstream = self
                .upstream
                .next((gateway, session), |octets| meter.add_received(octets));
            tokio::select! {
                got = of_upstream => match got.map_err(Over::by_upstream)? {
                    Got::Text(text) => return Ok(Heard::Upstream(self.searched(text).await?)),
                    Got::Ping(payload) => {
                        let answered = self.upstream.write(Opcode::Pong, &payload).await;
                        answered.map_err(Over::by_upstream)?;
                    }
                    Got::Close(code, reason) => return Err(self.closed_above(code, reason).await),
                    Got::End => return Err(Over::Broken("the upstream broke off".to_owned())),
                },
                got = of_client, if heard => match got.map_err(Over::by_client)? {
                    Got::Text(text) => return Ok(Heard::Client(text)),
                    Got::Ping(payload) => {
                        let answered = self.client.write(Opcode::Pong, &payload).await;
                        answered.map_err(Over::by_client)?;
                    }
                    Got::Close(code, _) => return Err(self.closed_below(code).await),
                    Got::End => return Err(Over::Broken("the client broke off".to_owned())),
                },
            }
        }
    }

    /// Writes a message to the client.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn tell_client(&mut self, text: &[u8]) -> Result<(), Over> {
        let written = self.client.write(Opcode::Text, text).await;
        written.map_err(Over::by_client)
    }

    /// Writes a message to the upstream.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn tell_upstream(&mut self, text: &[u8]) -> Result<(), Over> {
        let written = self.upstream.write(Opcode::Text, text).await;
        written.map_err(Over::by_upstream)
    }

    /// Takes out of a message what no agent may hold. Its frames do not matter: it is whole.
    async fn searched(&mut self, text: Text) -> Result<Text, Over> {
        let Some(withholding) = &mut self.withholding else {
            return Ok(text);
        };
        let set = withholding.hidden().set.clone();
        let Text { octets, room } = text;
        let is_short = octets.len() <= SEARCHED_HERE;
        let search = move || match set.scrub(&octets) {
            Some(scrubbed) => (scrubbed, true),
            None => (octets, false),
        };
        let (octets, found) = if is_short {
            search()
        } else {
            let unsearched = |_| Over::Upstream("a message cannot be searched".to_owned());
            spawn_blocking(search).await.map_err(unsearched)?
        };
        if found {
            self.watch.subject.meter().add_scrubbed(1);
        }
        Ok(Text { octets, room })
    }

    /// The upstream closed: the client is told in its words.
    async fn closed_above(&mut self, code: Option<u16>, reason: Vec<u8>) -> Over {
        let set = self.withholding.as_mut().map(|it| it.hidden());
        let is_found = set.is_some_and(|hidden| hidden.set.finds(&reason));
        let reason = if is_found { Vec::new() } else { reason };
        let reason = String::from_utf8(reason).unwrap_or_default();
        let _ = timeout(LINGER_IDLE, self.upstream.close(code, "")).await;
        self.say_goodbye(code, &reason).await;
        Over::Closed
    }

    /// The client closed: the upstream gets the code, and no text that nobody decided on.
    async fn closed_below(&mut self, code: Option<u16>) -> Over {
        let _ = timeout(LINGER_IDLE, self.upstream.close(code, "")).await;
        self.say_goodbye(code, "").await;
        Over::Closed
    }

    async fn say_goodbye(&mut self, code: Option<u16>, reason: &str) {
        let _ = timeout(LINGER_IDLE, async {
            if self.client.close(code, reason).await.is_ok() {
                self.client.linger().await;
            }
        })
        .await;
    }
}

/// Has `conversation` decide on the messages until both sides are done, and closes the event.
pub(super) async fn run(
    switched: Switched,
    permit: Permit,
    mut conversation: Box<dyn Conversation>,
) {
    let Switched {
        client,
        upstream,
        chosen,
        watch,
        lease,
        scrubbed,
        ..
    } = switched;
    permit.meter().add_scrubbed(scrubbed);
    let wait = watch.gateway.limits().head_timeout;
    let opened = timeout(wait, async { tokio::try_join!(client, upstream) }).await;
    let Ok(Ok((client, upstream))) = opened else {
        let reason = "the connection did not become a WebSocket";
        return permit.finish_with(Outcome::Aborted, reason);
    };
    let (of_client, of_upstream) = bounds(conversation.as_ref());
    let mut socket = Socket {
        client: Side::new(TokioIo::new(client), of_client),
        upstream: Side::new(TokioIo::new(upstream), of_upstream),
        withholding: chosen.withholding.clone(),
        watch: watch.clone(),
    };
    let ended = tokio::select! {
        biased;
        cut = watch.clone().cut() => Err(cut),
        over = conversation.hold(&mut socket) => Ok(over),
    };
    drop(conversation);
    super::relay::report(&watch, &permit, &chosen);
    let words = match &ended {
        Ok(over) => over.words(),
        Err(Cut::Revoked(decision) | Cut::Changed(decision)) => {
            Some((1008, format!("Ringfence: {}", decision.reason)))
        }
        Err(Cut::Quiet) => Some((1001, "Ringfence: nothing moved for too long".to_owned())),
    };
    // The event is closed before the client's connection, which ends what runs this.
    settle(ended, permit);
    if let Some((code, reason)) = words {
        let _ = timeout(LINGER_IDLE, socket.upstream.close(Some(1001), "")).await;
        socket.say_goodbye(Some(code), &reason).await;
    }
    drop((socket, lease));
}

fn bounds(conversation: &dyn Conversation) -> (Bounds, Bounds) {
    let (of_client, of_upstream) = conversation.longest();
    let client = Bounds {
        is_client: true,
        longest: of_client,
        room: conversation.room(),
    };
    let upstream = Bounds {
        is_client: false,
        longest: of_upstream,
        // Itself, and once more while it is searched.
        room: |octets| octets.saturating_mul(2),
    };
    (client, upstream)
}

fn settle(ended: Result<Over, Cut>, permit: Permit) {
    match ended {
        Err(Cut::Revoked(decision) | Cut::Changed(decision)) => drop(permit.revoke(*decision)),
        Err(Cut::Quiet) => permit.finish(Outcome::TimedOut),
        Ok(Over::Closed) => permit.finish(Outcome::Status(101)),
        Ok(Over::Refused(code, reason, _)) => drop(permit.refuse(code, &reason)),
        Ok(Over::Upstream(reason)) => drop(permit.refuse(ReasonCode::ResponseRefused, &reason)),
        Ok(Over::Broken(reason)) => permit.finish_with(Outcome::Aborted, reason),
    }
}

/// What a socket is opened for; see [`super::open`].
type Guard = Box<dyn Conversation>;

impl Switched {
    /// As [`Switched::start`], with each message decided on.
    pub(in crate::forward) fn converse(
        self,
        pool: &Arc<crate::forward::UpstreamPool>,
        permit: Permit,
        conversation: Guard,
    ) -> http::Response<crate::http::ResponseBody> {
        let response = self.accepted();
        pool.tasks.spawn(run(self, permit, conversation));
        response
    }
}
