//! The rules, by who gives the secrets out.

mod clouds;
mod forges;
mod general;
mod services;

use super::charset::Charset;
use super::pattern::{Check, Middle, Part, Token};
use super::rule::{Form, Rule};

pub(super) const ALL: &[&[Rule]] = &[
    forges::RULES,
    clouds::RULES,
    services::RULES,
    general::RULES,
];

/// A token of a prefix and parts that look random.
const fn token(
    id: &'static str,
    about: &'static str,
    anchors: &'static [&'static str],
    parts: &'static [Part],
) -> Rule {
    checked(id, about, anchors, (parts, Check::Random))
}

const fn checked(
    id: &'static str,
    about: &'static str,
    anchors: &'static [&'static str],
    (parts, check): (&'static [Part], Check),
) -> Rule {
    Rule {
        id,
        about,
        anchors,
        form: Form::Token(Token { parts, check }),
    }
}

/// A token with a mark in its middle.
const fn middle(
    id: &'static str,
    about: &'static str,
    anchors: &'static [&'static str],
    form: Middle,
) -> Rule {
    Rule {
        id,
        about,
        anchors,
        form: Form::Middle(form),
    }
}

const fn rule(
    id: &'static str,
    about: &'static str,
    anchors: &'static [&'static str],
    form: Form,
) -> Rule {
    Rule {
        id,
        about,
        anchors,
        form,
    }
}

/// So many characters, no more.
const fn run(charset: Charset, least: usize, most: usize) -> Part {
    Part::Run(charset, least, most)
}

/// At least so many characters.
const fn begin(charset: Charset, least: usize) -> Part {
    Part::Begin(charset, least)
}
