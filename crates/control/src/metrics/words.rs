//! Words that become values of labels. Each new one costs memory here and in whatever scrapes, for
//! good, so that there is room for so many and no more; the rest is `other`.

use std::collections::HashSet;

/// What stands for all words that have no series of their own.
pub(super) const OTHER: &str = "other";

/// A bounded set of words, each of bounded length.
#[derive(Debug)]
pub(super) struct Words {
    known: HashSet<String>,
    most: usize,
    octets: usize,
}

impl Words {
    pub(super) fn new(most: usize, octets: usize) -> Self {
        Self {
            known: HashSet::new(),
            most,
            octets,
        }
    }

    /// The word, where it is known or there is room for it.
    pub(super) fn learn<'a>(&mut self, word: &'a str) -> &'a str {
        let is_known = self.known.contains(word);
        if !is_known && self.known.len() < self.most && self.is_fit(word) {
            self.known.insert(word.to_owned());
            return word;
        }
        if is_known { word } else { OTHER }
    }

    /// The word, where it is known.
    pub(super) fn find<'a>(&self, word: &'a str) -> &'a str {
        if self.known.contains(word) {
            word
        } else {
            OTHER
        }
    }

    fn is_fit(&self, word: &str) -> bool {
        let is_plain = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'\\');
        !word.is_empty() && word.len() <= self.octets && word.bytes().all(is_plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_words_and_no_more() {
        let mut words = Words::new(2, 8);
        assert_eq!(words.find("a"), OTHER);
        assert_eq!(words.learn("a"), "a");
        assert_eq!(words.learn("b"), "b");
        assert_eq!(words.learn("c"), OTHER);
        assert_eq!((words.learn("a"), words.find("b")), ("a", "b"));
    }

    #[test]
    fn a_word_that_could_do_harm_is_none() {
        let mut words = Words::new(64, 8);
        for word in ["", "a b", "a\nb", "a\"b", "a\\b", "\u{e9}", "123456789"] {
            assert_eq!(words.learn(word), OTHER, "{word:?}");
        }
        assert_eq!(words.learn("12345678"), "12345678");
    }
}
