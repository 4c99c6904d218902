//! Locks of files: who works on what. They are read before each push, and taken and given back by
//! name.

use http::{Response, StatusCode};
use ringfence_gateway::http::ResponseBody;
use ringfence_git::wire::text::one_line;
use ringfence_model::git::GitOperation;
use serde_json::{Map, Value, json};

use super::super::limits::{LFS_LOCK_TEXT_CHARS, LFS_LOCKS};
use super::super::say::Words;
use super::super::service::{Client, Odd};
use super::{Asked, ask};

impl Client {
    /// Answers `GET locks`.
    pub(super) async fn lfs_locks(
        &self,
        asked: Asked,
        query: Option<String>,
    ) -> Response<ResponseBody> {
        let operation = GitOperation::LfsLocks { query };
        self.lfs_about_locks(asked, operation, None).await
    }

    /// Answers `POST locks/verify`.
    pub(super) async fn lfs_verify_locks(&self, mut asked: Asked) -> Response<ResponseBody> {
        match self.lfs_taken(&mut asked, verify).await {
            Ok(body) => {
                let operation = GitOperation::LfsVerifyLocks;
                self.lfs_about_locks(asked, operation, Some(body)).await
            }
            Err(odd) => self.lfs_odd(asked.action, &odd),
        }
    }

    /// Answers `POST locks`.
    pub(super) async fn lfs_lock(&self, mut asked: Asked) -> Response<ResponseBody> {
        let read = self.lfs_taken(&mut asked, |value| {
            let path = ask::text(value, "path")?;
            let path = path.ok_or_else(|| ask::malformed("path"))?;
            let mut body = with_ref(value)?;
            body.insert("path".to_owned(), json!(path));
            Ok((body, path))
        });
        match read.await {
            Ok((body, path)) => {
                let operation = GitOperation::LfsLock { path };
                self.lfs_about_locks(asked, operation, Some(body)).await
            }
            Err(odd) => self.lfs_odd(asked.action, &odd),
        }
    }

    /// Answers `POST locks/ID/unlock`.
    pub(super) async fn lfs_unlock(&self, mut asked: Asked, id: String) -> Response<ResponseBody> {
        match self.lfs_taken(&mut asked, unlock).await {
            Ok(body) => {
                let operation = GitOperation::LfsUnlock { id };
                self.lfs_about_locks(asked, operation, Some(body)).await
            }
            Err(odd) => self.lfs_odd(asked.action, &odd),
        }
    }

    async fn lfs_taken<T>(
        &self,
        asked: &mut Asked,
        read: impl FnOnce(&Value) -> Result<T, Odd>,
    ) -> Result<T, Odd> {
        let body = std::mem::replace(&mut asked.body, ringfence_gateway::http::empty());
        self.lfs_read(&asked.head.headers, body, read).await
    }

    async fn lfs_about_locks(
        &self,
        asked: Asked,
        operation: GitOperation,
        body: Option<Map<String, Value>>,
    ) -> Response<ResponseBody> {
        let Asked { place, head, .. } = asked;
        let permit = match self.decide(&place, operation) {
            Ok((permit, _)) => permit,
            Err(stopped) => return Words::of(&stopped).as_lfs(None),
        };
        let event = permit.event();
        let body = body.map(Value::Object);
        let question = (&head.headers, body.as_ref());
        let asking = self.lfs_ask(&place, permit, question, &GOOD);
        let said = match asking.await {
            Ok(said) => said,
            Err(stopped) => return *stopped,
        };
        match answer(&said.value) {
            Some(value) => ask::answer(said.status, &value, said.extensions),
            None => {
                let reason = "what it says of locks is not what Git LFS says";
                self.lfs_not_understood(&place, event, reason)
            }
        }
    }
}

/// 409 says whose a lock is already.
const GOOD: [StatusCode; 3] = [StatusCode::OK, StatusCode::CREATED, StatusCode::CONFLICT];

fn with_ref(value: &Value) -> Result<Map<String, Value>, Odd> {
    let mut body = Map::new();
    if let Some(name) = ask::ref_name(value)? {
        body.insert("ref".to_owned(), json!({ "name": name }));
    }
    Ok(body)
}

fn verify(value: &Value) -> Result<Map<String, Value>, Odd> {
    let mut body = with_ref(value)?;
    if let Some(cursor) = ask::text(value, "cursor")? {
        body.insert("cursor".to_owned(), json!(cursor));
    }
    match value.get("limit") {
        None | Some(Value::Null) => {}
        Some(limit) => {
            let limit = limit.as_u64().ok_or_else(|| ask::malformed("limit"))?;
            body.insert("limit".to_owned(), json!(limit));
        }
    }
    Ok(body)
}

/// A lock of somebody else's is not taken away: who may do so is a question to people.
fn unlock(value: &Value) -> Result<Map<String, Value>, Odd> {
    let body = with_ref(value)?;
    match value.get("force") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(body),
        Some(Value::Bool(true)) => {
            let reason = "a lock is not taken away by force";
            Err(Odd::Body(reason.to_owned()))
        }
        Some(_) => Err(ask::malformed("force")),
    }
}

/// What an upstream says of locks, written anew from what is known.
fn answer(value: &Value) -> Option<Value> {
    let mut out = Map::new();
    for name in ["locks", "ours", "theirs"] {
        match value.get(name) {
            None => {}
            Some(Value::Null) => drop(out.insert(name.to_owned(), json!([]))),
            Some(Value::Array(locks)) if locks.len() <= LFS_LOCKS => {
                let locks: Option<Vec<Value>> = locks.iter().map(lock).collect();
                out.insert(name.to_owned(), json!(locks?));
            }
            Some(_) => return None,
        }
    }
    if let Some(one) = value.get("lock").filter(|lock| !lock.is_null()) {
        out.insert("lock".to_owned(), lock(one)?);
    }
    for name in ["next_cursor", "message"] {
        match value.get(name) {
            None | Some(Value::Null) => {}
            Some(text) => drop(out.insert(name.to_owned(), line(text)?)),
        }
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

fn lock(value: &Value) -> Option<Value> {
    let mut out = Map::new();
    for name in ["id", "path"] {
        out.insert(name.to_owned(), line(value.get(name)?)?);
    }
    if let Some(time) = value.get("locked_at").filter(|time| !time.is_null()) {
        out.insert("locked_at".to_owned(), line(time)?);
    }
    let owner = value.get("owner").and_then(|owner| owner.get("name"));
    if let Some(owner) = owner.filter(|owner| !owner.is_null()) {
        out.insert("owner".to_owned(), json!({ "name": line(owner)? }));
    }
    Some(Value::Object(out))
}

fn line(value: &Value) -> Option<Value> {
    let text = one_line(value.as_str()?);
    (text.chars().count() <= LFS_LOCK_TEXT_CHARS).then(|| json!(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_about_locks_are_written_from_what_is_known() {
        let lock = json!({
            "id": "7", "path": "a.bin", "locked_at": "2026-01-01T00:00:00Z",
            "owner": { "name": "Ann", "mail": "x" }, "extra": 1,
        });
        let value = json!({ "ours": [lock], "theirs": null, "next_cursor": "", "more": {} });
        let out = answer(&value).unwrap();
        assert_eq!(out["ours"][0]["owner"], json!({ "name": "Ann" }));
        assert_eq!(out["ours"][0].get("extra"), None);
        assert_eq!((&out["theirs"], out.get("more")), (&json!([]), None));
        for odd in [
            json!({}),
            json!({ "locks": {} }),
            json!({ "locks": [{ "id": 7, "path": "x" }] }),
            json!({ "locks": [{ "id": "7" }] }),
            json!({ "lock": "7" }),
            json!({ "ours": vec![lock; LFS_LOCKS + 1] }),
        ] {
            assert_eq!(answer(&odd), None, "{odd}");
        }
    }

    #[test]
    fn a_lock_is_not_taken_away_by_force() {
        assert!(unlock(&json!({ "force": false })).is_ok());
        assert!(unlock(&json!({})).is_ok());
        for force in [json!(true), json!("true"), json!(1)] {
            assert!(unlock(&json!({ "force": force })).is_err());
        }
    }
}
