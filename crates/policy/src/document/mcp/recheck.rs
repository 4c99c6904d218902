//! How old what is known of definitions may be.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A time, or `always`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(always|[0-9]{1,4}(s|m))$"))]
pub struct Recheck(Option<Duration>);

/// Why a text is no such time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is as in `30s` or `10m`, at most an hour, or `always`")]
pub struct RecheckError;

impl Recheck {
    /// What counts where a rule does not say.
    pub(crate) const USUAL: Duration = Duration::from_secs(5);

    const MOST: Duration = Duration::from_secs(60 * 60);

    /// The time; none for `always`.
    #[must_use]
    pub const fn time(self) -> Option<Duration> {
        self.0
    }
}

impl FromStr for Recheck {
    type Err = RecheckError;

    fn from_str(text: &str) -> Result<Self, RecheckError> {
        if text == "always" {
            return Ok(Self(None));
        }
        let (digits, unit) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
            (Some(digits), _) => (digits, 1),
            (_, Some(digits)) => (digits, 60),
            _ => return Err(RecheckError),
        };
        let is_plain =
            (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let count: u64 = digits.parse().map_err(|_| RecheckError)?;
        let time = Duration::from_secs(count * unit);
        (is_plain && time <= Self::MOST)
            .then_some(Self(Some(time)))
            .ok_or(RecheckError)
    }
}

impl TryFrom<String> for Recheck {
    type Error = RecheckError;

    fn try_from(text: String) -> Result<Self, RecheckError> {
        text.parse()
    }
}

impl fmt::Display for Recheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("always"),
            Some(time) => write!(f, "{}s", time.as_secs()),
        }
    }
}

impl From<Recheck> for String {
    fn from(recheck: Recheck) -> Self {
        recheck.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_short_and_plain() {
        let seconds = |text: &str| {
            text.parse::<Recheck>()
                .unwrap()
                .time()
                .map(|it| it.as_secs())
        };
        assert_eq!(seconds("0s"), Some(0));
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("always"), None);
        for text in [
            "", "s", "5", "-5s", "+5s", "5 s", "3601s", "61m", "1h", "99999s", "never",
        ] {
            assert!(text.parse::<Recheck>().is_err(), "{text}");
        }
    }
}
