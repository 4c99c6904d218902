//! A place in a text, and as much around it as a rule may look at.

/// What surrounds an anchor. It is cut to a size that does not depend on how the text came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'t> {
    /// What comes before the anchor.
    pub(super) before: &'t [u8],
    /// The anchor as it stands in the text.
    pub(super) anchor: &'t [u8],
    /// What comes after the anchor.
    pub(super) after: &'t [u8],
}

impl<'t> Around<'t> {
    /// Whether something that is made of letters, digits and underscores may begin at the anchor. An
    /// escape such as `\n` or `%3D` before it is no part of it.
    pub(super) fn begins_word(&self) -> bool {
        let Some(last) = self.before.len().checked_sub(1) else {
            return true;
        };
        let is_part = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'_';
        let is_escape = self.escape_at(last) == 1 || self.escape_at(last.saturating_sub(1)) == 2;
        is_escape || !self.before.last().is_some_and(is_part)
    }

    /// How many octets from a place before the anchor on are the end of an escape that begins there.
    pub(super) fn escape_at(&self, at: usize) -> usize {
        let (before, rest) = self.before.split_at(at.min(self.before.len()));
        match (before.last(), rest) {
            (Some(b'\\'), [b'n' | b'r' | b't', ..]) => 1,
            (Some(b'%'), [high, low, ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                2
            }
            _ => 0,
        }
    }

    /// Whether the text stands before or after the anchor, whatever its case.
    pub(super) fn mentions(&self, text: &[u8]) -> bool {
        holds(self.before, text) || holds(self.after, text)
    }
}

/// Whether a text holds another, whatever the case.
pub(super) fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}
