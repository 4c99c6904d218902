//! Every bound on what issuers answer and on what they are asked with.

use std::time::Duration;

/// Longest token in octets that an issuer may give out: it has to fit into a header.
pub(super) const TOKEN_OCTETS: usize = 16 * 1024;

/// Longest life of a token in seconds: ten years. More is a mistake of the issuer's.
pub(super) const LIFE_SECONDS: i64 = 10 * 366 * 24 * 60 * 60;

/// Longest life of an installation token of a GitHub App; GitHub gives one hour.
pub(super) const INSTALLATION_LIFE_SECONDS: i64 = 2 * 60 * 60;

/// Most repositories of one installation token: the answer describes each at length.
pub(super) const REPOSITORIES: usize = 100;

/// Most permissions of one installation token.
pub(super) const PERMISSIONS: usize = 64;

/// How long an assertion is good for, from before now to after now. Together it is well below the
/// ten minutes that GitHub takes at most and the three that Salesforce takes ahead.
pub(super) const ASSERTION_BEFORE: Duration = Duration::from_secs(60);

/// See [`ASSERTION_BEFORE`].
pub(super) const ASSERTION_AFTER: Duration = Duration::from_secs(120);

/// An issuer whose clock differs by more is asked again with an assertion by its own clock.
pub(super) const SKEW_NOTICED: i64 = 30;

/// An issuer whose clock differs by more than this number of seconds is not followed.
pub(super) const SKEW_FOLLOWED: i64 = 15 * 60;

/// Characters of an issuer's error code that are shown.
pub(super) const CODE_CHARACTERS: usize = 64;

/// Characters of an issuer's explanation that are shown.
pub(super) const WORDS_CHARACTERS: usize = 200;

/// A run of so many octets that a secret has, too, keeps an issuer's words from being shown.
pub(super) const TELLING_OCTETS: usize = 8;

/// The seconds that temporary keys of a role may be asked for (AWS STS).
pub(super) const ROLE_SECONDS: std::ops::RangeInclusive<i64> = 900..=43_200;

/// How long, where nothing else is set.
pub(super) const ROLE_SECONDS_USUAL: i64 = 3600;

/// Octets of the id of an access key.
pub(super) const ACCESS_KEY_OCTETS: usize = 128;
