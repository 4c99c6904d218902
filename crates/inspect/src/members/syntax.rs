//! The grammar of JSON (RFC 8259), an octet at a time. It keeps the brackets that are open, what
//! is to be done with the value that comes, and the name of the last member.

use super::MembersError;
use super::removals::Action;
use super::text::{Plain, Text};
use crate::limits::DEPTH;

/// What an octet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The first of a value.
    Begins(Kind, Action),
    /// The last of a value. A number has none: see [`Syntax::ends_number`].
    Ends,
    /// The quote at the end of a name.
    KeyEnds,
    /// Anything else.
    Other,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Brackets,
    Scalar,
}

#[derive(Debug)]
pub(super) struct Syntax {
    state: State,
    /// Of each bracket that is open, what is to be done with the next value.
    open: Vec<Bracket>,
    /// The name of the last member, as far as it can be one that is looked for.
    key: Plain,
    unwanted: Plain,
}

#[derive(Debug, Clone, Copy)]
struct Bracket {
    is_object: bool,
    action: Action,
}

#[derive(Debug)]
enum State {
    /// Before the one value of the text.
    Start,
    /// A value has to come.
    Value,
    /// After `[`.
    FirstItem,
    /// After `{`.
    FirstKey,
    /// After a comma in an object.
    Key,
    Colon,
    /// After a value.
    After,
    InKey(Text),
    InText(Text),
    Number(Number),
    /// What is left of a word.
    Word(&'static [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Syntax {
    /// `longest` is the length of the longest name that is looked for.
    pub(super) const fn new(longest: usize) -> Self {
        Self {
            state: State::Start,
            open: Vec::new(),
            // One octet more is enough to see that a name is longer.
            key: Plain::up_to(longest + 1),
            unwanted: Plain::up_to(0),
        }
    }

    /// How many brackets are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The name of the last member; cut, where it is longer than any that is looked for.
    pub(super) fn key(&self) -> &[u8] {
        self.key.octets()
    }

    /// Says what is to be done with the value of the last name.
    pub(super) fn set_action(&mut self, action: Action) {
        if let Some(bracket) = self.open.last_mut() {
            bracket.action = action;
        }
    }

    /// Whether the next octets are inside of a text that is a value, and not inside of a character.
    pub(super) fn is_in_plain_text(&self) -> bool {
        matches!(&self.state, State::InText(text) if text.is_plain())
    }

    /// Whether the text may end here: with its value, or without any octet.
    pub(super) fn is_complete(&self) -> bool {
        let is_over = match &self.state {
            State::Start | State::After => true,
            State::Number(number) => number.is_whole(),
            _ => false,
        };
        is_over && self.open.is_empty()
    }

    /// Ends a number that this octet does not go on with, and says whether there was one.
    pub(super) fn ends_number(&mut self, octet: u8) -> Result<bool, MembersError> {
        let State::Number(number) = self.state else {
            return Ok(false);
        };
        if matches!(octet, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') {
            return Ok(false);
        }
        if !number.is_whole() {
            return Err(MembersError::Syntax);
        }
        self.state = State::After;
        Ok(true)
    }

    /// Takes the next octet.
    pub(super) fn step(&mut self, octet: u8) -> Result<Step, MembersError> {
        match &mut self.state {
            State::InText(text) => {
                if text.step(octet, &mut self.unwanted)? {
                    self.state = State::After;
                    return Ok(Step::Ends);
                }
                return Ok(Step::Other);
            }
            State::InKey(text) => {
                if text.step(octet, &mut self.key)? {
                    self.state = State::Colon;
                    return Ok(Step::KeyEnds);
                }
                return Ok(Step::Other);
            }
            State::Number(number) => {
                *number = number.next(octet).ok_or(MembersError::Syntax)?;
                return Ok(Step::Other);
            }
            State::Word(rest) => {
                let rest = *rest;
                return self.in_word(rest, octet);
            }
            _ => {}
        }
        if matches!(octet, b' ' | b'\t' | b'\n' | b'\r') {
            // A body of blanks has no value.
            if matches!(self.state, State::Start) {
                self.state = State::Value;
            }
            return Ok(Step::Other);
        }
        self.between(octet)
    }

    fn in_word(&mut self, rest: &'static [u8], octet: u8) -> Result<Step, MembersError> {
        match rest.split_first() {
            Some((expected, [])) if *expected == octet => {
                self.state = State::After;
                Ok(Step::Ends)
            }
            Some((expected, rest)) if *expected == octet => {
                self.state = State::Word(rest);
                Ok(Step::Other)
            }
            _ => Err(MembersError::Syntax),
        }
    }

    /// An octet that is outside of every value and name, and no blank.
    fn between(&mut self, octet: u8) -> Result<Step, MembersError> {
        let in_object = self.open.last().map(|bracket| bracket.is_object);
        match (&self.state, octet, in_object) {
            (State::FirstItem, b']', _)
            | (State::After, b']', Some(false))
            | (State::FirstKey, b'}', _)
            | (State::After, b'}', Some(true)) => {
                self.open.pop();
                self.state = State::After;
                Ok(Step::Ends)
            }
            (State::After, b',', Some(is_object)) => {
                self.state = if is_object { State::Key } else { State::Value };
                Ok(Step::Other)
            }
            (State::FirstKey | State::Key, b'"', _) => {
                self.key.clear();
                self.state = State::InKey(Text::default());
                Ok(Step::Other)
            }
            (State::Colon, b':', _) => {
                self.state = State::Value;
                Ok(Step::Other)
            }
            (State::Start | State::Value | State::FirstItem, _, _) => self.begin(octet),
            _ => Err(MembersError::Syntax),
        }
    }

    fn begin(&mut self, octet: u8) -> Result<Step, MembersError> {
        let action = self
            .open
            .last()
            .map_or(Action::Keep, |bracket| bracket.action);
        let (state, kind) = match octet {
            b'"' => (State::InText(Text::default()), Kind::Text),
            b'{' => (self.open(true, Action::Keep)?, Kind::Brackets),
            // What is said of a member counts for each text of a list as well.
            b'[' => (self.open(false, action)?, Kind::Brackets),
            b't' => (State::Word(b"rue"), Kind::Scalar),
            b'f' => (State::Word(b"alse"), Kind::Scalar),
            b'n' => (State::Word(b"ull"), Kind::Scalar),
            b'-' => (State::Number(Number::Minus), Kind::Scalar),
            b'0' => (State::Number(Number::Zero), Kind::Scalar),
            b'1'..=b'9' => (State::Number(Number::Digits), Kind::Scalar),
            _ => return Err(MembersError::Syntax),
        };
        self.state = state;
        Ok(Step::Begins(kind, action))
    }

    fn open(&mut self, is_object: bool, action: Action) -> Result<State, MembersError> {
        if self.open.len() == DEPTH {
            return Err(MembersError::Depth);
        }
        self.open.push(Bracket { is_object, action });
        Ok(if is_object {
            State::FirstKey
        } else {
            State::FirstItem
        })
    }
}

impl Number {
    const fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Digits | Self::Fraction | Self::Power
        )
    }

    const fn next(self, octet: u8) -> Option<Self> {
        Some(match (self, octet) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Digits, b'0'..=b'9') => Self::Digits,
            (Self::Zero | Self::Digits, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Digits | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Self::Power,
            _ => return None,
        })
    }
}
