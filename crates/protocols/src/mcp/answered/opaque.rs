//! Values that mean something to the server alone: the agent gets them in a form that only it can give
//! back, and that says nothing of them.

use ringfence_json::{Value, quoted};
use ringfence_mcp::frame::Frame;
use ringfence_mcp::seal::Sealed;

use super::Reading;
use crate::llm::redact::looked_at;

impl Reading {
    /// Seals what is opaque in a result. False where it cannot be, or must not pass.
    pub(super) fn sealed(&self, frame: &mut Frame) -> bool {
        let Some(result) = frame.result() else {
            return true;
        };
        let task = result.get("task").and_then(|it| it.get("taskId"));
        let own = result.get("taskId");
        let mut found = vec![
            (result.get("nextCursor"), Sealed::Cursor),
            (result.get("requestState"), Sealed::State),
            (own, Sealed::Task),
            (task, Sealed::Task),
        ];
        for id in [own, task].into_iter().flatten().filter_map(Value::text) {
            self.memory.lock().begin_task(&id);
        }
        let mut others = Vec::new();
        let is_list = self.method.is_some_and(|it| it.name == "tasks/list");
        let tasks = result.get("tasks").filter(|_| is_list);
        for entry in tasks.into_iter().flat_map(Value::elements) {
            // Whoever has the same credential has the same tasks at the server.
            let id = entry.get("taskId");
            let text = id.and_then(Value::text);
            if text.is_some_and(|text| self.memory.lock().has_task(&text)) {
                found.push((id, Sealed::Task));
            } else {
                others.push(entry.at());
            }
        }
        let Some(sealed) = self.each(&found) else {
            return false;
        };
        self.hold
            .note_mcp(|facts| facts.hidden += others.len() as u64);
        let changes = frame.changes();
        for (at, text) in sealed {
            changes.replace(at, quoted(&text));
        }
        for at in others {
            changes.remove(at);
        }
        true
    }

    /// Seals the task that a notification tells of. False where it is none of this agent's.
    pub(super) fn of_own_task(&self, frame: &mut Frame) -> bool {
        let id = frame.params().and_then(|it| it.get("taskId"));
        let Some(text) = id.and_then(Value::text) else {
            return false;
        };
        let is_own = self.memory.lock().has_task(&text);
        drop(text);
        match self.each(&[(id, Sealed::Task)]) {
            Some(sealed) if is_own => {
                for (at, text) in sealed {
                    frame.changes().replace(at, quoted(&text));
                }
                true
            }
            _ => false,
        }
    }

    /// The sealed forms of those that are texts, by their numbers. A credential of ours is nothing
    /// that a server would need to get back.
    fn each(&self, found: &[(Option<Value<'_>>, Sealed)]) -> Option<Vec<(u32, String)>> {
        let mut all = Vec::new();
        for (value, kind) in found {
            let Some(value) = value else { continue };
            let Some(text) = value.text() else { continue };
            if looked_at(&text, &self.own).is_own {
                return None;
            }
            all.push((value.at(), self.memory.seal()?.seal(*kind, &text)?));
        }
        Some(all)
    }
}
