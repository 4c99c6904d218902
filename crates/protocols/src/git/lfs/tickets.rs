//! Where the objects of recent batches lie, under tickets that clients present. A ticket is good for
//! one sandbox, one action and a short time.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use ringfence_gateway::git::LfsHref;
use ringfence_model::SandboxId;
use ringfence_model::git::GitRequest;
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::time::Instant;

use super::super::limits::{LFS_TICKETS, LFS_TICKETS_OF_SANDBOX};

static TICKETS: Mutex<Tickets> = Mutex::new(Tickets(VecDeque::new()));

/// What a ticket stands for.
#[derive(Clone)]
pub(super) struct Ticket {
    pub(super) sandbox: SandboxId,
    /// What may be done with it.
    pub(super) action: GitRequest,
    pub(super) href: Arc<LfsHref>,
    /// What the client showed for the batch, which it does not show again.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) until: Instant,
}

/// Keeps what a ticket stands for, and gives it its name.
pub(super) fn give(ticket: Ticket) -> io::Result<String> {
    let name = random()?;
    let mut tickets = TICKETS.lock().unwrap_or_else(PoisonError::into_inner);
    tickets.keep(name.clone(), ticket, Instant::now());
    Ok(name)
}

/// What the ticket `name` stands for, where it is good for this sandbox and this action.
pub(super) fn take(name: &str, sandbox: SandboxId, action: &GitRequest) -> Option<Ticket> {
    let tickets = TICKETS.lock().unwrap_or_else(PoisonError::into_inner);
    tickets.find(name, (sandbox, action), Instant::now())
}

struct Tickets(VecDeque<(String, Ticket)>);

impl Tickets {
    /// The oldest go first: of the same sandbox, so that none takes the tickets of another, and of
    /// all where there are too many sandboxes.
    fn keep(&mut self, name: String, ticket: Ticket, now: Instant) {
        self.0.retain(|(_, known)| known.until > now);
        let of_same = |known: &&(String, Ticket)| known.1.sandbox == ticket.sandbox;
        if self.0.iter().filter(of_same).count() >= LFS_TICKETS_OF_SANDBOX {
            let oldest = self.0.iter().position(|known| of_same(&known));
            let _ = oldest.and_then(|at| self.0.remove(at));
        }
        if self.0.len() >= LFS_TICKETS {
            self.0.pop_front();
        }
        self.0.push_back((name, ticket));
    }

    fn find(
        &self,
        name: &str,
        (sandbox, action): (SandboxId, &GitRequest),
        now: Instant,
    ) -> Option<Ticket> {
        let (_, ticket) = self.0.iter().find(|(known, _)| known == name)?;
        let is_good = ticket.sandbox == sandbox && ticket.action == *action && ticket.until > now;
        is_good.then(|| ticket.clone())
    }
}

/// 128 bits from the kernel.
fn random() -> io::Result<String> {
    let mut octets = [0_u8; 16];
    let filled = getrandom(&mut octets, GetRandomFlags::empty())?;
    if filled != octets.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut name = String::with_capacity(2 * octets.len());
    for octet in octets {
        let _ = write!(name, "{octet:02x}");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;
    use ringfence_model::git::{GitOperation, GitUpstream, LfsDirection, RepoId};

    use super::*;

    fn action(repo: &str, direction: LfsDirection, octets: u64) -> GitRequest {
        let github = GitUpstream::builtin().swap_remove(0);
        GitRequest {
            destination: github.destination.clone(),
            repo: RepoId::new(&github, repo).unwrap(),
            operation: GitOperation::LfsTransfer {
                direction,
                oid: "a".repeat(64),
                octets,
            },
        }
    }

    fn ticket(sandbox: SandboxId, until: Instant) -> Ticket {
        let github = GitUpstream::builtin().swap_remove(0);
        let action = action("acme/docs", LfsDirection::Download, 3);
        let leads = ("https://cdn.test/x", HeaderMap::new());
        Ticket {
            sandbox,
            href: LfsHref::new(action.clone(), &github, leads).unwrap().into(),
            action,
            authorization: None,
            until,
        }
    }

    #[test]
    fn a_ticket_is_good_for_one_sandbox_one_action_and_its_time() {
        let (one, other) = (SandboxId::new(), SandboxId::new());
        let now = Instant::now();
        let until = now + Duration::from_secs(9);
        let mut tickets = Tickets(VecDeque::new());
        tickets.keep("t".to_owned(), ticket(one, until), now);
        let good = action("acme/docs", LfsDirection::Download, 3);
        let found = |name, who, action: &GitRequest, when| {
            tickets.find(name, (who, action), when).is_some()
        };
        assert!(found("t", one, &good, now));
        assert!(found("t", one, &good, now), "a client may try again");
        assert!(!found("u", one, &good, now));
        assert!(!found("t", other, &good, now));
        assert!(!found("t", one, &good, until));
        for (repo, direction, octets) in [
            ("acme/web", LfsDirection::Download, 3),
            ("acme/docs", LfsDirection::Upload, 3),
            ("acme/docs", LfsDirection::Download, 4),
        ] {
            assert!(!found("t", one, &action(repo, direction, octets), now));
        }
    }

    #[test]
    fn tickets_are_bounded_and_none_displaces_those_of_another_sandbox() {
        let (one, other) = (SandboxId::new(), SandboxId::new());
        let now = Instant::now();
        let until = now + Duration::from_secs(9);
        let mut tickets = Tickets(VecDeque::new());
        tickets.keep("theirs".to_owned(), ticket(other, until), now);
        for number in 0..=LFS_TICKETS_OF_SANDBOX {
            tickets.keep(number.to_string(), ticket(one, until), now);
        }
        assert_eq!(tickets.0.len(), LFS_TICKETS_OF_SANDBOX + 1);
        let good = action("acme/docs", LfsDirection::Download, 3);
        assert!(tickets.find("theirs", (other, &good), now).is_some());
        assert!(tickets.find("0", (one, &good), now).is_none());
        assert!(tickets.find("1", (one, &good), now).is_some());
        tickets.keep(
            "late".to_owned(),
            ticket(one, until + Duration::from_secs(9)),
            until,
        );
        assert_eq!(tickets.0.len(), 1, "what has expired is forgotten");
    }

    #[test]
    fn names_of_tickets_are_long_and_new_each_time() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
