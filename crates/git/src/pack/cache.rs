//! Recent contents, held in memory because deltas mostly follow soon after what they are against.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use crate::limits::BASE_CACHE_OCTETS;

/// Contents by the number of the object; those that nobody asked for lately go first.
#[derive(Default)]
pub(super) struct Cache {
    held: HashMap<u32, Held>,
    order: VecDeque<u32>,
    octets: usize,
}

struct Held {
    content: Rc<Vec<u8>>,
    was_asked: bool,
}

/// What holding one content costs beside its octets.
const OVERHEAD: usize = 128;

impl Cache {
    pub(super) fn get(&mut self, object: u32) -> Option<Rc<Vec<u8>>> {
        let held = self.held.get_mut(&object)?;
        held.was_asked = true;
        Some(held.content.clone())
    }

    pub(super) fn put(&mut self, object: u32, content: Rc<Vec<u8>>) {
        if self.held.contains_key(&object) {
            return;
        }
        self.octets += content.len() + OVERHEAD;
        self.order.push_back(object);
        let was_asked = false;
        self.held.insert(object, Held { content, was_asked });
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.octets > BASE_CACHE_OCTETS {
            let Some(object) = self.order.pop_front() else {
                return;
            };
            match self.held.get_mut(&object) {
                Some(held) if held.was_asked => {
                    held.was_asked = false;
                    self.order.push_back(object);
                }
                _ => self.forget(object),
            }
        }
    }

    fn forget(&mut self, object: u32) {
        if let Some(held) = self.held.remove(&object) {
            self.octets -= held.content.len() + OVERHEAD;
        }
    }
}
