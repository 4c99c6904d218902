//! `POST objects/batch`: where objects are, or may be put. The upstream's places stay here, and the
//! client gets ours.

use std::time::Duration;

use http::{Response, StatusCode};
use ringfence_gateway::git::{LfsHref, Unusable};
use ringfence_gateway::http::ResponseBody;
use ringfence_git::wire::target::LfsObject;
use ringfence_model::git::{GitOperation, GitRequest, LfsDirection};
use ringfence_model::{Action, ReasonCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::super::limits::LFS_TICKET_LIFE;
use super::super::say::Words;
use super::super::service::Client;
use super::listing::{Listed, Step, Wanted};
use super::refused::{self, Sent};
use super::tickets::{self, Ticket};
use super::{Asked, ask};

impl Client {
    /// Answers a batch.
    pub(super) async fn lfs_batch(&self, asked: Asked) -> Response<ResponseBody> {
        let base = asked.base();
        let Asked {
            place,
            head,
            body,
            action,
            ..
        } = asked;
        let wanted = self.lfs_read(&head.headers, body, Wanted::read).await;
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(odd) => return self.lfs_odd(action, &odd),
        };
        let permit = match self.decide(&place, wanted.operation()) {
            Ok((permit, _)) => permit,
            Err(stopped) => return Words::of(&stopped).as_lfs(None),
        };
        let event = permit.event();
        let written = wanted.write();
        let asking = self.lfs_ask(&place, permit, (&head.headers, Some(&written)), &OK);
        let said = match asking.await {
            Ok(said) => said,
            Err(stopped) => return *stopped,
        };
        let listed = match wanted.read_answer(&said.value) {
            Ok(listed) => listed,
            Err(reason) => return self.lfs_not_understood(&place, event, reason),
        };
        let mut giving = Giving {
            client: self,
            wanted: &wanted,
            place: &place,
            base,
            authorization: head.headers.get(http::header::AUTHORIZATION).cloned(),
            is_told: false,
        };
        let objects = listed.into_iter().map(|listed| giving.object(listed));
        let objects: Result<Vec<Value>, _> = objects.collect();
        match objects {
            Ok(objects) => {
                let value = json!({ "transfer": "basic", "objects": objects });
                ask::answer(said.status, &value, said.extensions)
            }
            Err(error) => {
                let reason = format!("there is no randomness for tickets: {error}");
                self.lfs_not_understood(&place, event, &reason)
            }
        }
    }
}

const OK: [StatusCode; 1] = [StatusCode::OK];

/// Gives out places of ours.
struct Giving<'a> {
    client: &'a Client,
    wanted: &'a Wanted,
    place: &'a super::Place,
    base: String,
    authorization: Option<http::HeaderValue>,
    /// Whether a place was refused already, which is recorded once.
    is_told: bool,
}

impl Giving<'_> {
    fn object(&mut self, listed: Listed) -> std::io::Result<Value> {
        let Listed {
            oid,
            octets,
            transfer,
            verify,
            error,
        } = self.refused_before(listed);
        let mut object = Map::new();
        object.insert("oid".to_owned(), json!(oid));
        object.insert("size".to_owned(), json!(octets));
        object.insert("authenticated".to_owned(), json!(true));
        let mut actions = Map::new();
        let mut refused = None;
        if let Some(step) = transfer {
            let (direction, oid) = (self.wanted.direction, oid.clone());
            let operation = GitOperation::LfsTransfer {
                direction,
                oid,
                octets,
            };
            let name = match direction {
                LfsDirection::Download => "download",
                LfsDirection::Upload => "upload",
            };
            match self.step(operation, step, |object| object.target())? {
                Ok(given) => actions.insert(name.to_owned(), given),
                Err(unusable) => refused.replace(unusable).and(None),
            };
        }
        if let Some(step) = verify {
            let operation = GitOperation::LfsVerify {
                oid: oid.clone(),
                octets,
            };
            match self.step(operation, step, |object| object.verify_target())? {
                Ok(given) => actions.insert("verify".to_owned(), given),
                Err(unusable) => refused.replace(unusable).and(None),
            };
        }
        let told = refused.map(|unusable| (502, format!("refused by Ringfence: {unusable}")));
        if let Some((code, message)) = told.or(error) {
            let error = json!({ "code": code, "message": message });
            object.insert("error".to_owned(), error);
        } else if !actions.is_empty() {
            object.insert("actions".to_owned(), Value::Object(actions));
        }
        Ok(Value::Object(object))
    }

    /// The same, with the reason for which it was refused just now and will be again.
    fn refused_before(&self, listed: Listed) -> Listed {
        if self.wanted.direction != LfsDirection::Upload || listed.transfer.is_none() {
            return listed;
        }
        let sent = Sent {
            sandbox: self.client.session.identity().sandbox,
            repo: self.place.repo.clone(),
            oid: listed.oid.clone(),
        };
        match refused::take(&sent) {
            Some(words) => Listed {
                transfer: None,
                verify: None,
                error: Some((u64::from(StatusCode::FORBIDDEN.as_u16()), words)),
                ..listed
            },
            None => listed,
        }
    }

    /// A place of ours for one of the upstream's.
    fn step(
        &mut self,
        operation: GitOperation,
        step: Step,
        target: impl Fn(&LfsObject) -> String,
    ) -> std::io::Result<Result<Value, Unusable>> {
        let (oid, octets) = match &operation {
            GitOperation::LfsTransfer { oid, octets, .. }
            | GitOperation::LfsVerify { oid, octets } => (oid.clone(), *octets),
            _ => return Ok(Err(Unusable::Url)),
        };
        let upstream = &self.place.upstream;
        let action = GitRequest {
            destination: upstream.destination.clone(),
            repo: self.place.repo.clone(),
            operation,
        };
        let href = match LfsHref::new(action.clone(), upstream, (&step.href, step.headers)) {
            Ok(href) => href,
            Err(unusable) => {
                self.tell(action, unusable);
                return Ok(Err(unusable));
            }
        };
        let life = step.seconds.map_or(LFS_TICKET_LIFE, Duration::from_secs);
        let life = life.min(LFS_TICKET_LIFE);
        let ticket = tickets::give(Ticket {
            sandbox: self.client.session.identity().sandbox,
            href: href.into(),
            action,
            authorization: self.authorization.clone(),
            until: Instant::now() + life,
        })?;
        let object = LfsObject {
            oid,
            octets,
            ticket,
        };
        let href = format!("{}{}", self.base, target(&object));
        Ok(Ok(json!({ "href": href, "expires_in": life.as_secs() })))
    }

    fn tell(&mut self, action: GitRequest, unusable: Unusable) {
        if std::mem::replace(&mut self.is_told, true) {
            return;
        }
        let code = ReasonCode::ResponseRefused;
        let client = self.client;
        let reason = unusable.to_string();
        let _ = client
            .gateway
            .deny(&client.session, Action::Git(action), code, &reason);
    }
}
