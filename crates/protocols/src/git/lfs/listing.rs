//! What stands in a batch: the objects that are asked for, and what the upstream says of each.

use std::collections::BTreeMap;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use ringfence_git::wire::text::one_line;
use ringfence_model::git::{GitOperation, LfsDirection};
use serde_json::{Value, json};

use super::super::limits::{LFS_HEADERS_OCTETS, LFS_HREF_OCTETS, LFS_OBJECTS};
use super::super::service::Odd;
use super::ask::{malformed, ref_name};

/// A request for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) direction: LfsDirection,
    pub(super) ref_name: Option<String>,
    /// Octets by the SHA-256.
    pub(super) objects: BTreeMap<String, u64>,
}

/// What the upstream says of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) oid: String,
    pub(super) octets: u64,
    pub(super) transfer: Option<Step>,
    pub(super) verify: Option<Step>,
    /// Why there is no object, or none can be put.
    pub(super) error: Option<(u64, String)>,
}

/// Where a step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) href: String,
    pub(super) headers: HeaderMap,
    /// For how many seconds.
    pub(super) seconds: Option<u64>,
}

impl Wanted {
    /// Reads a request. Members that are none of the batch's are not passed on.
    pub(super) fn read(value: &Value) -> Result<Self, Odd> {
        let direction = match value.get("operation").and_then(Value::as_str) {
            Some("download") => LfsDirection::Download,
            Some("upload") => LfsDirection::Upload,
            _ => return Err(malformed("operation")),
        };
        check_transfers(value.get("transfers"))?;
        if value.get("hash_algo").is_some_and(|name| name != "sha256") {
            return Err(malformed("hash_algo"));
        }
        let listed = value.get("objects").and_then(Value::as_array);
        let listed = listed.ok_or_else(|| malformed("objects"))?;
        if listed.len() > LFS_OBJECTS {
            return Err(Odd::too_large());
        }
        let mut objects = BTreeMap::new();
        for object in listed {
            let (oid, octets) = object_of(object).ok_or_else(|| malformed("objects"))?;
            let before = objects.insert(oid, octets);
            if before.is_some_and(|before| before != octets) {
                return Err(malformed("objects"));
            }
        }
        Ok(Self {
            direction,
            ref_name: ref_name(value)?,
            objects,
        })
    }

    pub(super) fn operation(&self) -> GitOperation {
        let octets = self.objects.values().copied();
        GitOperation::LfsBatch {
            direction: self.direction,
            objects: u32::try_from(self.objects.len()).unwrap_or(u32::MAX),
            octets: octets.fold(0, u64::saturating_add),
            ref_name: self.ref_name.clone(),
        }
    }

    /// The request as it goes to the upstream.
    pub(super) fn write(&self) -> Value {
        let objects = self.objects.iter();
        let objects: Vec<Value> = objects
            .map(|(oid, octets)| json!({ "oid": oid, "size": octets }))
            .collect();
        let mut value = json!({
            "operation": match self.direction {
                LfsDirection::Download => "download",
                LfsDirection::Upload => "upload",
            },
            "transfers": ["basic"],
            "objects": objects,
            "hash_algo": "sha256",
        });
        if let (Some(name), Value::Object(members)) = (&self.ref_name, &mut value) {
            members.insert("ref".to_owned(), json!({ "name": name }));
        }
        value
    }

    /// Reads the upstream's answer: of what was asked for, each object once.
    pub(super) fn read_answer(&self, value: &Value) -> Result<Vec<Listed>, &'static str> {
        if value.get("transfer").is_some_and(|name| name != "basic") {
            return Err("it chose a transfer that was not offered");
        }
        let listed = value.get("objects").and_then(Value::as_array);
        let mut left = self.objects.clone();
        let mut read = Vec::new();
        for object in listed.ok_or("it lists no objects")? {
            let oid = object.get("oid").and_then(Value::as_str);
            let oid = oid.ok_or("it lists an object without its name")?;
            let asked = left.remove_entry(oid);
            let (oid, octets) =
                asked.ok_or("it lists an object that was not asked for, or twice")?;
            let size = object.get("size").and_then(Value::as_u64);
            let error = error_of(object.get("error"));
            if error.is_none() && size != Some(octets) {
                return Err("it states another size of an object");
            }
            read.push(self.listed((oid, octets), object, error)?);
        }
        Ok(read)
    }

    fn listed(
        &self,
        (oid, octets): (String, u64),
        object: &Value,
        error: Option<(u64, String)>,
    ) -> Result<Listed, &'static str> {
        let actions = object.get("actions").filter(|_| error.is_none());
        let step = |name| {
            actions
                .and_then(|it| it.get(name))
                .filter(|it| !it.is_null())
        };
        let (transfer, verify) = match self.direction {
            LfsDirection::Download => (step("download"), None),
            LfsDirection::Upload => (step("upload"), step("verify")),
        };
        Ok(Listed {
            oid,
            octets,
            transfer: transfer.map(Step::read).transpose()?,
            verify: verify.map(Step::read).transpose()?,
            error,
        })
    }
}

impl Step {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let href = value.get("href").and_then(Value::as_str);
        let href = href.filter(|href| href.len() <= LFS_HREF_OCTETS);
        let href = href.ok_or("it names no place of an object, or one that is too long")?;
        let seconds = value.get("expires_in");
        Ok(Self {
            href: href.to_owned(),
            headers: headers_of(value.get("header")).ok_or("its headers are not valid")?,
            seconds: seconds
                .and_then(Value::as_u64)
                .filter(|&seconds| seconds > 0),
        })
    }
}

/// Clients name what else they know; the one that every client and server has must be among them.
fn check_transfers(named: Option<&Value>) -> Result<(), Odd> {
    match named {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(names)) if names.iter().any(|name| name == "basic") => Ok(()),
        Some(_) => Err(malformed("transfers")),
    }
}

fn object_of(value: &Value) -> Option<(String, u64)> {
    let oid = value.get("oid")?.as_str()?;
    let is_digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    let is_oid = oid.len() == 64 && oid.bytes().all(is_digit);
    let octets = value.get("size")?.as_u64()?;
    (is_oid && octets <= MOST_OCTETS).then(|| (oid.to_owned(), octets))
}

fn error_of(value: Option<&Value>) -> Option<(u64, String)> {
    let value = value.filter(|value| !value.is_null())?;
    let code = value.get("code").and_then(Value::as_u64);
    let message = value.get("message").and_then(Value::as_str);
    let message: String = one_line(message.unwrap_or_default())
        .chars()
        .take(MESSAGE_CHARS)
        .collect();
    Some((
        code.filter(|code| (400..600).contains(code)).unwrap_or(500),
        message,
    ))
}

fn headers_of(value: Option<&Value>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let members = match value {
        None | Some(Value::Null) => return Some(headers),
        Some(value) => value.as_object()?,
    };
    let mut octets = 0;
    for (name, value) in members {
        let value = value.as_str()?;
        octets += name.len() + value.len();
        let name: HeaderName = name.parse().ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        // Two that differ in case alone are one header with two values.
        if headers.insert(name, value).is_some() {
            return None;
        }
    }
    (octets <= LFS_HEADERS_OCTETS).then_some(headers)
}

/// The most that [`LfsObject`](ringfence_git::wire::target::LfsObject) holds in its digits.
const MOST_OCTETS: u64 = 999_999_999_999_999;

/// Characters of an upstream's message that go on.
const MESSAGE_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: &str) -> String {
        digit.repeat(64)
    }

    fn request() -> Value {
        json!({
            "operation": "upload",
            "transfers": ["ssh", "basic"],
            "ref": { "name": "refs/heads/agent/x" },
            "objects": [{ "oid": oid("a"), "size": 3 }, { "oid": oid("b"), "size": 4 }],
            "hash_algo": "sha256",
            "extra": { "x": 1 },
        })
    }

    #[test]
    fn a_request_is_read_and_written_anew() {
        let wanted = Wanted::read(&request()).unwrap();
        assert_eq!(
            wanted.operation(),
            GitOperation::LfsBatch {
                direction: LfsDirection::Upload,
                objects: 2,
                octets: 7,
                ref_name: Some("refs/heads/agent/x".to_owned()),
            }
        );
        let written = wanted.write();
        assert_eq!(written["transfers"], json!(["basic"]));
        assert_eq!(written.get("extra"), None);
        assert_eq!(Wanted::read(&written).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        for (member, value) in [
            ("operation", json!("delete")),
            ("operation", Value::Null),
            ("transfers", json!(["tus"])),
            ("transfers", json!("basic")),
            ("hash_algo", json!("sha512")),
            ("ref", json!("refs/heads/main")),
            ("ref", json!({ "name": "a\nb" })),
            ("objects", json!({})),
            ("objects", json!([{ "oid": oid("A"), "size": 3 }])),
            ("objects", json!([{ "oid": oid("a"), "size": -1 }])),
            ("objects", json!([{ "oid": oid("a"), "size": 1.5 }])),
            ("objects", json!([{ "oid": oid("a"), "size": "3" }])),
            ("objects", json!([{ "oid": "../../x", "size": 3 }])),
            (
                "objects",
                json!([{ "oid": oid("a"), "size": 3 }, { "oid": oid("a"), "size": 4 }]),
            ),
            (
                "objects",
                json!(vec![json!({ "oid": oid("a"), "size": 3 }); LFS_OBJECTS + 1]),
            ),
        ] {
            let mut request = request();
            request[member] = value;
            assert!(Wanted::read(&request).is_err(), "{request}");
        }
    }

    #[test]
    fn of_an_answer_only_what_was_asked_for_is_read() {
        let wanted = Wanted::read(&request()).unwrap();
        let step = json!({ "href": "https://a.test/x", "header": { "Authorization": "x" }, "expires_in": 9 });
        let answer = json!({ "objects": [
            {
                "oid": oid("a"), "size": 3,
                "actions": { "upload": step, "verify": step, "download": step, "other": step },
            },
            { "oid": oid("b"), "size": 0, "error": { "code": 999, "message": "no\u{1b}[2J" } },
        ] });
        let [one, other] = wanted.read_answer(&answer).unwrap().try_into().unwrap();
        let upload = one.transfer.unwrap();
        assert_eq!((upload.headers.len(), upload.seconds), (1, Some(9)));
        assert!(one.verify.is_some());
        let (code, message) = other.error.unwrap();
        assert_eq!(code, 500);
        assert!(!message.contains('\u{1b}'), "{message}");
    }

    #[test]
    fn answers_that_do_not_fit_the_request_are_refused() {
        let wanted = Wanted::read(&request()).unwrap();
        let listed = |object: Value| json!({ "objects": [object] });
        let twice = json!({ "oid": oid("a"), "size": 3 });
        let step = |step: Value| {
            listed(json!({ "oid": oid("a"), "size": 3, "actions": { "upload": step } }))
        };
        for answer in [
            json!({}),
            json!({ "transfer": "tus", "objects": [] }),
            listed(json!({ "oid": oid("c"), "size": 3 })),
            listed(json!({ "oid": oid("a"), "size": 4 })),
            json!({ "objects": [twice, twice] }),
            step(json!({})),
            step(json!({ "href": "x".repeat(LFS_HREF_OCTETS + 1) })),
            step(json!({ "href": "x", "header": { "a b": "x" } })),
            step(json!({ "href": "x", "header": { "a": "x\r\nb: c" } })),
            step(json!({ "href": "x", "header": { "a": 1 } })),
            step(json!({ "href": "x", "header": { "a": "1", "A": "2" } })),
            step(json!({ "href": "x", "header": { "a": "x".repeat(LFS_HEADERS_OCTETS) } })),
        ] {
            assert!(wanted.read_answer(&answer).is_err(), "{answer}");
        }
    }
}
