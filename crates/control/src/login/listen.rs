//! Where the browser brings its answer: a port of this machine alone, for one answer, at one path.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use ringfence_gateway::{OwnAnswer, OwnQuestion, serve_own};
use ringfence_model::Secret;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::error::LoginError;
use super::limits::{LOGIN_WAIT, PAGE_WAIT};
use super::ticket::{Brought, Ticket};

const PATH: &str = "/callback";

/// A port that waits for a browser.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    port: u16,
}

type Ended = oneshot::Sender<Result<Secret, LoginError>>;

impl Listener {
    /// At this port, else at any that is free.
    ///
    /// # Errors
    /// Where nobody can listen there.
    pub fn bind(port: Option<u16>) -> Result<Self, LoginError> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
        let socket = socket.map_err(LoginError::Listen)?;
        let port = socket.local_addr().map_err(LoginError::Listen)?.port();
        Ok(Self { socket, port })
    }

    /// Where the authorization server has to lead the browser.
    #[must_use]
    pub fn redirect(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits until the browser brings the answer to this ticket.
    ///
    /// # Errors
    /// Where the answer is a refusal, or none comes.
    pub async fn wait(self, ticket: Arc<Ticket>) -> Result<Secret, LoginError> {
        let (ended, end) = oneshot::channel();
        let ended = Mutex::new(Some(ended));
        let host = format!("127.0.0.1:{}", self.port);
        let answering = move |question: &OwnQuestion| answer(&ticket, &ended, &host, question);
        let came = async {
            let brought = end.await;
            // The page is still on its way.
            sleep(PAGE_WAIT).await;
            brought
        };
        tokio::select! {
            came = timeout(LOGIN_WAIT, came) => match came {
                Ok(Ok(brought)) => brought,
                _ => Err(LoginError::TimedOut(LOGIN_WAIT.as_secs() / 60)),
            },
            served = serve_own(self.socket, answering) => match served {
                Ok(never) => match never {},
                Err(error) => Err(LoginError::Listen(error)),
            }
        }
    }
}

fn answer(
    ticket: &Ticket,
    ended: &Mutex<Option<Ended>>,
    host: &str,
    question: &OwnQuestion,
) -> OwnAnswer {
    // A page that has a name of its own lead here is no browser that comes from a login.
    if question.header("host") != Some(host) || question.path != PATH {
        return page(404, "There is nothing here.");
    }
    if question.method != "GET" {
        return page(405, "A browser is led here.");
    }
    let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
    if ended.is_none() {
        return page(410, "This login has its answer already.");
    }
    match ticket.brought(&question.query) {
        Brought::Foreign => page(400, "This is no answer to the login that is waiting here."),
        Brought::Ended(brought) => {
            let words = match &brought {
                Ok(_) => {
                    "The answer has arrived. What comes of it stands in the terminal; this page can be closed."
                }
                Err(_) => {
                    "The login was refused. The reason stands in the terminal; this page can be closed."
                }
            };
            if let Some(ended) = ended.take() {
                // Whoever waited may have given up just now.
                let _ = ended.send(brought);
            }
            page(200, words)
        }
    }
}

fn page(status: u16, words: &str) -> OwnAnswer {
    OwnAnswer {
        status,
        headers: vec![
            ("content-type", "text/plain; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ],
        body: format!("{words}\n"),
    }
}
