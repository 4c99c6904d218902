//! Amounts of money, exact: what a budget adds up must not drift.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of US dollars, in billionths of one (1e-9 USD).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(u64);

/// Why a text is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an amount of US dollars is a number such as `5`, `0.25` or `0.0000001`, with at most nine decimals"
)]
pub struct MoneyError;

const NANOS: u64 = 1_000_000_000;
const DECIMALS: usize = 9;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The greatest amount that is counted.
    pub const MAX: Self = Self(u64::MAX);

    /// An amount in billionths of a US dollar.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The amount in billionths of a US dollar.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// What `count` things cost at this price for a million of them, rounded up.
    #[must_use]
    pub fn per_million(self, count: u64) -> Self {
        let cost = (u128::from(self.0) * u128::from(count)).div_ceil(1_000_000);
        Self(u64::try_from(cost).unwrap_or(u64::MAX))
    }

    /// The sum, at most [`Self::MAX`].
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least nothing.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// US dollars with at least two decimals, and no more than are needed: `0.25`, `0.0034125`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:09}", self.0 % NANOS);
        let needed = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / NANOS, &decimals[..needed])
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS {
            return Err(MoneyError);
        }
        let whole: u64 = whole.parse().map_err(|_| MoneyError)?;
        let nanos: u64 = format!("{decimals:0<DECIMALS$}")
            .parse()
            .map_err(|_| MoneyError)?;
        let total = whole
            .checked_mul(NANOS)
            .and_then(|it| it.checked_add(nanos));
        total.map(Self).ok_or(MoneyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_and_written_exactly() {
        for (text, nanos, written) in [
            ("5", 5_000_000_000, "5.00"),
            ("0.25", 250_000_000, "0.25"),
            ("0.0034125", 3_412_500, "0.0034125"),
            ("0.000000001", 1, "0.000000001"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!(money.nanos(), nanos);
            assert_eq!(money.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "1e3",
            "+1",
            "1_0",
            "0.0000000001",
            "18446744074",
        ] {
            assert_eq!(text.parse::<Money>(), Err(MoneyError), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_price_is_rounded_up() {
        let price: Money = "0.075".parse().unwrap();
        assert_eq!(price.per_million(1_000_000), price);
        assert_eq!(price.per_million(1).nanos(), 75);
        assert_eq!(Money::from_nanos(1).per_million(1).nanos(), 1);
        assert_eq!(Money::MAX.per_million(u64::MAX), Money::MAX);
    }
}
