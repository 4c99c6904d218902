//! The rules of one destination put together: what the forbids leave, what the allows give.

use std::cmp::Ordering;

use jiff::Timestamp;
use ringfence_model::Host;

use super::grant::Scope;
use super::{Bar, Fit, Miss, Query, bar, fit};
use crate::compile::{Protocols, Rule, Snapshot};
use crate::document::HOST_NAME;

/// What the forbids of a destination leave.
pub(super) struct Barred<'a> {
    /// The rule that forbids all of it.
    pub(super) everything: Option<&'a Rule>,
    /// The rule that takes away what cannot be read.
    pub(super) unread: Option<&'a Rule>,
    pub(super) left: Protocols,
}

/// The allows of a destination, put together.
pub(super) struct Gathered<'a> {
    allowed: Protocols,
    /// Whether some rule needs the requests inside TLS to be read.
    reads_tls: bool,
    /// The first rule that allows it, by name.
    pub(super) rule: Option<&'a Rule>,
    /// For a request: all rules that allow it.
    pub(super) covering: Vec<&'a Rule>,
    closest: Option<Closest<'a>>,
    /// Whether some rule allows what a forbid that cannot be checked takes away.
    pub(super) lost_to_forbid: bool,
    pub(super) scope: Scope,
    pub(super) valid_until: Option<Timestamp>,
}

/// A rule that misses an action.
struct Closest<'a> {
    miss: Miss,
    /// Of rules that miss its path: how near they come.
    nearness: usize,
    rule: &'a Rule,
}

impl Snapshot {
    pub(super) fn barred<'a>(&'a self, query: &Query<'a>, now: Timestamp) -> Barred<'a> {
        let mut barred = Barred {
            everything: None,
            unread: None,
            left: Protocols::ALL,
        };
        for rule in self.forbids.covering(&query.destination.host) {
            match bar(rule, query, now) {
                Bar::Nothing(_) => {}
                Bar::Unread(_) => {
                    barred.unread = Some(first(barred.unread, rule));
                    barred.left = Protocols::READABLE;
                }
                Bar::Everything => barred.everything = Some(first(barred.everything, rule)),
            }
        }
        if barred.everything.is_some() {
            barred.left = Protocols::NONE;
        }
        barred
    }

    pub(super) fn gather<'a>(
        &'a self,
        query: &Query<'a>,
        barred: &Barred<'_>,
        now: Timestamp,
    ) -> Gathered<'a> {
        let mut gathered = Gathered::new(&query.destination.host);
        for rule in self.allows.covering(&query.destination.host) {
            match fit(rule, query, now) {
                Fit::Misses(miss) => gathered.miss(miss, rule, query),
                Fit::Covers(offered) => {
                    gathered.cover(offered & barred.left, rule, query);
                    gathered.reads_tls |= reads_tls(offered);
                }
            }
        }
        gathered
    }
}

impl<'a> Gathered<'a> {
    fn new(host: &Host) -> Self {
        Self {
            allowed: Protocols::NONE,
            reads_tls: false,
            rule: None,
            covering: Vec::new(),
            closest: None,
            lost_to_forbid: false,
            scope: Scope::of(host, HOST_NAME),
            valid_until: None,
        }
    }

    /// The kinds of bytes that are granted. TLS is either read or not, and is read where a rule
    /// needs it and none says that it passes end to end.
    pub(super) fn carried(&self, query: &Query<'_>) -> Protocols {
        let allowed = self.allowed;
        let is_request = query.request.is_some();
        let unread = allowed.has(Protocols::TLS) && !self.reads_tls && !is_request;
        let read = allowed.has(Protocols::HTTPS) && !unread;
        let tunnel = allowed.has(Protocols::TUNNEL) && !(is_request && read);
        let mut carried = allowed & (Protocols::HTTP | Protocols::OPAQUE);
        if unread || tunnel {
            carried = carried | Protocols::TLS;
        }
        if read {
            carried = carried | Protocols::HTTPS;
        }
        carried
    }

    /// Whether the gateway reads what is granted.
    pub(super) fn is_read(&self, query: &Query<'_>) -> bool {
        self.carried(query).has(Protocols::READABLE)
    }

    /// The rule that came closest, and in what it misses.
    pub(super) fn closest(&self) -> Option<(Miss, &'a Rule)> {
        self.closest.as_ref().map(|it| (it.miss, it.rule))
    }

    fn miss(&mut self, miss: Miss, rule: &'a Rule, query: &Query<'_>) {
        let nearness = match miss {
            Miss::Path => rule.nearness(query.line().1),
            _ => 0,
        };
        let closest = self.closest.as_ref();
        let order = closest.map(|known| (known.miss, known.nearness).cmp(&(miss, nearness)));
        let named = match (closest, order) {
            (Some(_), Some(Ordering::Greater)) => return,
            (Some(known), Some(Ordering::Equal)) => first(Some(known.rule), rule),
            _ => rule,
        };
        self.closest = Some(Closest {
            miss,
            nearness,
            rule: named,
        });
    }

    fn cover(&mut self, offered: Protocols, rule: &'a Rule, query: &Query<'_>) {
        if offered.is_empty() {
            self.lost_to_forbid = true;
            return;
        }
        self.allowed = self.allowed | offered;
        self.rule = Some(first(self.rule, rule));
        if query.request.is_some() {
            self.covering.push(rule);
        }
        self.scope.add(rule.addresses.as_ref());
        self.valid_until = match (self.valid_until, rule.expires) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Whether a rule lets TLS through only for the requests in it.
fn reads_tls(offered: Protocols) -> bool {
    offered.has(Protocols::HTTPS) && !offered.has(Protocols::TLS)
}

/// Of two rules the one that is named, whatever the order in which they were found.
pub(super) fn first<'a>(known: Option<&'a Rule>, other: &'a Rule) -> &'a Rule {
    match known {
        Some(known) if known.reference <= other.reference => known,
        _ => other,
    }
}
