//! Places in a stream up to which everything goes on at once, because what comes next may be long
//! in coming. They depend on the format alone, and are in the middle of no value.

/// Finds the end of each event or record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boundary {
    format: Format,
    /// Octets since the last one.
    since: usize,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    /// Server-sent events: each ends with a blank line. A line ends with LF, CR or both.
    Events { blank: bool, after_cr: bool },
    /// A JSON text on each line. A line of base64 or of another text that is broken into lines
    /// ends in no bracket, if this is not what it is said to be.
    Lines { closed: bool },
    /// The messages of gRPC: each begins with a zero octet and its length in four. A value in two of
    /// them has the head of the second in its middle, so it would not be found anyway.
    Messages { head: u8, left: u32 },
    /// What is not what it is said to be has no boundaries any more.
    Lost,
}

impl Boundary {
    /// The boundaries of a media type, where it has any.
    pub(super) fn of(media: &str, http2: bool) -> Option<Self> {
        let format = match media {
            "text/event-stream" => Format::Events {
                blank: true,
                after_cr: false,
            },
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/json-seq" => Format::Lines { closed: false },
            _ if http2 && is_grpc(media) => Format::Messages { head: 0, left: 0 },
            _ => return None,
        };
        Some(Self { format, since: 0 })
    }

    /// Goes on over a piece of the stream.
    pub(super) fn pass(&mut self, piece: &[u8]) {
        for octet in piece {
            let ended = self.since == 0;
            self.since = if self.format.ends(*octet, ended) {
                0
            } else {
                self.since.saturating_add(1)
            };
        }
    }

    /// Octets since the last boundary.
    pub(super) const fn since(&self) -> usize {
        self.since
    }
}

fn is_grpc(media: &str) -> bool {
    let rest = media.strip_prefix("application/grpc");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('+'))
}

/// Octets before each message of gRPC.
const HEAD_OCTETS: u8 = 5;

impl Format {
    /// Whether a boundary is after this octet; `ended` says whether one was before it.
    const fn ends(&mut self, octet: u8, ended: bool) -> bool {
        match self {
            Self::Events { blank, after_cr } => match octet {
                b'\n' if *after_cr => {
                    *after_cr = false;
                    ended
                }
                b'\r' | b'\n' => {
                    *after_cr = octet == b'\r';
                    std::mem::replace(blank, true)
                }
                _ => {
                    (*blank, *after_cr) = (false, false);
                    false
                }
            },
            Self::Lines { closed } => match octet {
                b'\n' => std::mem::replace(closed, false),
                b'\r' => false,
                _ => {
                    *closed = matches!(octet, b'}' | b']');
                    false
                }
            },
            Self::Messages { head: 0, .. } if octet != 0 => {
                *self = Self::Lost;
                false
            }
            Self::Messages { head, left } => {
                if *head < HEAD_OCTETS {
                    *head += 1;
                    *left = *left << 8 | octet as u32;
                } else {
                    *left -= 1;
                }
                let ends = *head == HEAD_OCTETS && *left == 0;
                if ends {
                    *head = 0;
                }
                ends
            }
            Self::Lost => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with a bar at each boundary.
    fn marked(media: &str, text: &str) -> String {
        let mut boundary = Boundary::of(media, true).unwrap();
        let mut marked = String::new();
        for character in text.chars() {
            boundary.pass(character.to_string().as_bytes());
            marked.push(character);
            if boundary.since() == 0 {
                marked.push('|');
            }
        }
        marked
    }

    #[test]
    fn an_event_ends_with_a_blank_line_of_any_kind() {
        for (text, expected) in [
            ("a: 1\nb: 2\n\na: 3\n", "a: 1\nb: 2\n\n|a: 3\n"),
            ("a: 1\r\n\r\na: 3\r\n", "a: 1\r\n\r|\n|a: 3\r\n"),
            ("a: 1\r\ra: 3\r", "a: 1\r\r|a: 3\r"),
            ("a: 1\n\r\na", "a: 1\n\r|\n|a"),
        ] {
            assert_eq!(marked("text/event-stream", text), expected);
        }
    }

    #[test]
    fn a_record_ends_with_its_line_where_that_closes_a_bracket() {
        let text = "{\"a\":1}\n[2]\r\nc2VjcmV0\nx}\n";
        let expected = "{\"a\":1}\n|[2]\r\n|c2VjcmV0\nx}\n|";
        assert_eq!(marked("application/x-ndjson", text), expected);
        assert!(Boundary::of("text/plain", true).is_none());
    }

    #[test]
    fn a_message_of_grpc_ends_where_its_head_says() {
        let text = "\0\0\0\0\u{3}abc\0\0\0\0\0\0\0\0\0\u{1}d";
        let expected = "\0\0\0\0\u{3}abc|\0\0\0\0\0|\0\0\0\0\u{1}d|";
        for media in ["application/grpc", "application/grpc+proto"] {
            assert_eq!(marked(media, text), expected);
            assert!(Boundary::of(media, false).is_none());
        }
        // One that is compressed, and whatever else begins in another way, has none from then on.
        for text in ["\u{1}\0\0\0\u{1}ab\0\0\0\0\u{1}c", "{}\n\0\0\0\0\0"] {
            assert_eq!(marked("application/grpc", text), text);
        }
        assert!(Boundary::of("application/grpc-web", true).is_none());
    }
}
