//! What a ledger counts by, and what it counts: accounts, windows of time in UTC, and sums that
//! cannot overflow.

use std::fmt;
use std::ops::{Add, Sub};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use ringfence_model::llm::Money;
use ringfence_model::{AgentName, RunId, WorkspaceName};
use serde::{Deserialize, Serialize};

/// What is counted together: all that the same ones spend in the same window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The workspace that all of it is in.
    pub workspace: WorkspaceName,
    /// Who shares it.
    pub scope: Scope,
    /// When it starts anew.
    pub window: Window,
}

/// Who shares an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One run.
    Run(RunId),
    /// All runs of an agent.
    Agent(AgentName),
    /// All agents with a profile.
    Profile(String),
    /// All of the workspace.
    Workspace,
}

/// When an account starts anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// Each hour.
    Hour,
    /// Each day.
    Day,
    /// Each month.
    Month,
    /// Never.
    Total,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Tokens, in and out.
    pub tokens: u64,
    /// Money, in billionths of a US dollar.
    pub cost: Money,
}

/// The most that there is of each; no bound where none is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Tokens, in and out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money, in billionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

/// A sum of amounts. Requests would have to take the greatest amount as often as there are
/// numbers of 64 bits before it overflows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sum {
    tokens: u128,
    cost: u128,
}

impl Window {
    /// When the window that `now` lies in began.
    pub(super) fn start(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Hour => start_of(now, 3_600),
            Self::Day => start_of(now, 86_400),
            Self::Month => {
                let month = now.to_zoned(TimeZone::UTC).date().first_of_month();
                let start = month.to_zoned(TimeZone::UTC);
                // The first month that a timestamp can name began before there were any.
                start.map_or(Timestamp::MIN, |start| start.timestamp())
            }
            Self::Total => Timestamp::UNIX_EPOCH,
        }
    }

    /// When the window that began then ends; never for one that has no end.
    pub(super) fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Hour => start.checked_add(SignedDuration::from_hours(1)).ok(),
            Self::Day => start.checked_add(SignedDuration::from_hours(24)).ok(),
            Self::Month => {
                let next = start.to_zoned(TimeZone::UTC).checked_add(1.month());
                next.ok().map(|next| next.timestamp())
            }
            Self::Total => None,
        }
    }

    /// Its name in policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }
}

/// UTC has no leap seconds here, and days are of one length.
fn start_of(now: Timestamp, seconds: i64) -> Timestamp {
    let second = now.as_second();
    // A timestamp before the epoch with a part of a second is rounded towards it.
    let second = if now.subsec_nanosecond() < 0 {
        second - 1
    } else {
        second
    };
    let start = second - second.rem_euclid(seconds);
    Timestamp::from_second(start).unwrap_or(Timestamp::MIN)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run {run}"),
            Self::Agent(agent) => write!(f, "agent {agent}"),
            Self::Profile(profile) => write!(f, "profile {profile}"),
            Self::Workspace => f.write_str("workspace"),
        }
    }
}

/// `agent claude, day`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.scope, self.window.as_str())
    }
}

impl Limits {
    /// The lower one of each.
    pub(super) fn least(self, other: Self) -> Self {
        Self {
            tokens: least(self.tokens, other.tokens),
            cost: least(self.cost, other.cost),
        }
    }

    /// Whether so much is within.
    pub(super) fn hold(&self, sum: Sum) -> bool {
        let tokens = self.tokens.is_none_or(|most| sum.tokens <= most.into());
        let cost = |most: Money| sum.cost <= most.nanos().into();
        tokens && self.cost.is_none_or(cost)
    }

    /// What is left after so much; nothing of what has no limit.
    #[must_use]
    pub(super) fn left(&self, sum: Sum) -> Amount {
        let taken = sum.amount();
        Amount {
            tokens: self.tokens.unwrap_or(0).saturating_sub(taken.tokens),
            cost: self.cost.unwrap_or_default().saturating_sub(taken.cost),
        }
    }
}

fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl Sum {
    /// As much of it as an amount can say.
    pub(super) fn amount(self) -> Amount {
        let most = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        Amount {
            tokens: most(self.tokens),
            cost: Money::from_nanos(most(self.cost)),
        }
    }

    /// Whether there is at least so much of both.
    pub(super) const fn covers(self, other: Self) -> bool {
        self.tokens >= other.tokens && self.cost >= other.cost
    }

    pub(super) const fn is_zero(self) -> bool {
        self.tokens == 0 && self.cost == 0
    }
}

impl From<Amount> for Sum {
    fn from(amount: Amount) -> Self {
        Self {
            tokens: amount.tokens.into(),
            cost: amount.cost.nanos().into(),
        }
    }
}

impl Add for Sum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            cost: self.cost.saturating_add(other.cost),
        }
    }
}

/// At least nothing.
impl Sub for Sum {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            cost: self.cost.saturating_sub(other.cost),
        }
    }
}

impl std::iter::Sum for Sum {
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        sums.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn windows_begin_and_end_at_the_marks_of_the_calendar_in_utc() {
        for (window, now, start, end) in [
            (
                Window::Hour,
                "2026-03-29T01:59:59.999999999Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T02:00:00Z",
            ),
            (
                Window::Hour,
                "2026-03-29T02:00:00Z",
                "2026-03-29T02:00:00Z",
                "2026-03-29T03:00:00Z",
            ),
            // The day on which clocks change in much of the world has 24 hours here.
            (
                Window::Day,
                "2026-03-29T23:59:59Z",
                "2026-03-29T00:00:00Z",
                "2026-03-30T00:00:00Z",
            ),
            (
                Window::Day,
                "2026-10-25T00:00:00Z",
                "2026-10-25T00:00:00Z",
                "2026-10-26T00:00:00Z",
            ),
            (
                Window::Month,
                "2028-02-29T23:59:59.9Z",
                "2028-02-01T00:00:00Z",
                "2028-03-01T00:00:00Z",
            ),
            (
                Window::Month,
                "2026-12-31T23:59:59Z",
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                Window::Hour,
                "1969-12-31T23:59:59.5Z",
                "1969-12-31T23:00:00Z",
                "1970-01-01T00:00:00Z",
            ),
            (
                Window::Hour,
                "1969-12-31T22:59:59.5Z",
                "1969-12-31T22:00:00Z",
                "1969-12-31T23:00:00Z",
            ),
        ] {
            assert_eq!(window.start(at(now)), at(start), "{window:?} {now}");
            assert_eq!(window.end(at(start)), Some(at(end)), "{window:?} {now}");
        }
        let total = Window::Total;
        assert_eq!(
            total.start(at("2026-12-31T23:59:59Z")),
            total.start(at("2030-01-01T00:00:00Z"))
        );
        assert_eq!(total.end(total.start(Timestamp::now())), None);
    }

    #[test]
    fn the_ends_of_time_are_no_error() {
        for window in [Window::Hour, Window::Day, Window::Month, Window::Total] {
            for now in [Timestamp::MIN, Timestamp::MAX] {
                let start = window.start(now);
                assert!(start <= now || window == Window::Total, "{window:?}");
                let _ = window.end(start);
            }
        }
    }

    #[test]
    fn a_sum_beyond_an_amount_is_kept_exactly() {
        let most = Amount {
            tokens: u64::MAX,
            cost: Money::MAX,
        };
        let sum = Sum::from(most) + Sum::from(most) + Sum::from(most);
        assert_eq!(sum.amount(), most);
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<Sum>(&text).unwrap(), sum);
        let one = Sum::from(Amount {
            tokens: 1,
            cost: Money::from_nanos(1),
        });
        assert_eq!((sum + one) - sum, one);
    }
}
