//! A tool that runs a program. There is never a shell between: each argument of the program is one
//! element, and a value never becomes more of them, an option, or a part of the program's name.

mod run;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::error::CallError;
use crate::limits::COMMAND_OCTETS;
use crate::template::{Arguments, Form, Template, Written};

pub(crate) use run::{Ended, Stopped};

/// A program, as the file describes it.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    elements: Vec<Template>,
    stdin: Option<Template>,
    /// Whether a value alone may start with `-`.
    allows_dash: bool,
    /// The variables that are passed on beside the usual ones.
    environment: Vec<String>,
}

/// What is to be run: the program, its arguments, and its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) elements: Vec<String>,
    pub(crate) stdin: Option<String>,
}

impl Command {
    /// Checks what a file says.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(
        elements: &[String],
        stdin: Option<&str>,
        allows_dash: bool,
        environment: Vec<String>,
    ) -> Result<Self, String> {
        let elements: Vec<Template> = elements
            .iter()
            .map(|element| Template::read(element))
            .collect::<Result<_, _>>()?;
        let program = elements.first().and_then(Template::as_literal);
        if program.is_none_or(str::is_empty) {
            return Err(
                "`command` starts with the name of a program, which is no argument of the tool"
                    .to_owned(),
            );
        }
        refuse_code(&elements)?;
        let stdin = stdin.map(Template::read).transpose()?;
        if stdin
            .iter()
            .flat_map(Template::places)
            .any(|it| it.form == Form::List)
        {
            return Err("`stdin` takes no list".to_owned());
        }
        if let Some(name) = environment.iter().find(|name| !is_variable(name)) {
            return Err(format!("`{name}` is no name of a variable"));
        }
        Ok(Self {
            elements,
            stdin,
            allows_dash,
            environment,
        })
    }

    /// The templates, for a check of the arguments that they name.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.elements.iter().chain(&self.stdin)
    }

    /// The command line for these arguments.
    ///
    /// # Errors
    /// Where a value cannot stand where it would.
    pub(crate) fn line(&self, arguments: &Arguments) -> Result<Line, CallError> {
        let mut elements = Vec::with_capacity(self.elements.len());
        for template in &self.elements {
            let written = match template.plain(arguments)? {
                Written::Absent => continue,
                Written::One(text) => vec![text],
                Written::Many(texts) => texts,
            };
            for text in written {
                if template.begins_with_place() && text.starts_with('-') && !self.allows_dash {
                    let shown = crate::error::head(&text, 64);
                    return Err(CallError::new(format!(
                        "`{shown}` would be read as an option of the program: the value must not start with `-`"
                    )));
                }
                elements.push(text);
            }
        }
        let stdin = match &self.stdin {
            Some(template) => match template.plain(arguments)? {
                Written::One(text) => Some(text),
                Written::Absent | Written::Many(_) => None,
            },
            None => None,
        };
        if elements.iter().map(|it| it.len() + 1).sum::<usize>() > COMMAND_OCTETS {
            return Err(CallError::new(format!(
                "the arguments are longer than a command line of {COMMAND_OCTETS} octets"
            )));
        }
        Ok(Line { elements, stdin })
    }

    /// Runs it to its end.
    pub(crate) async fn run(
        &self,
        line: Line,
        surroundings: &BTreeMap<String, String>,
        limits: (Duration, usize),
    ) -> Result<Ended, Stopped> {
        let passed =
            |name: &str| USUAL.contains(&name) || self.environment.iter().any(|it| it == name);
        let environment = surroundings.iter().filter(|(name, _)| passed(name));
        run::run(line, environment, limits).await
    }
}

/// A value within a program's text would be read as a part of that program.
fn refuse_code(elements: &[Template]) -> Result<(), String> {
    let mut reader: Option<&Interpreter> = None;
    // Whether the next element is text by the option before it, or a value of that option.
    let (mut is_text, mut is_value, mut has_text) = (false, false, false);
    for element in elements {
        let literal = element.as_literal();
        let is_option = literal.is_some_and(|text| text.starts_with('-'));
        let by_place = !is_option && !is_value && !has_text;
        let is_read = is_text
            || reader.is_some_and(|it| match it.text {
                Text::Option => false,
                Text::First => by_place,
                Text::All => true,
            });
        let Some(text) = literal else {
            if is_read {
                return Err(CODE.to_owned());
            }
            continue;
        };
        has_text |= text == "-f" || is_read && !is_option;
        is_value = matches!(text, "-v" | "-F" | "-f");
        is_text = reader.is_some_and(|it| takes_text(text, it.options));
        if !is_read && let Some(known) = interpreter(text) {
            (reader, is_text, has_text) = (Some(known), false, false);
        }
    }
    Ok(())
}

fn interpreter(program: &str) -> Option<&'static Interpreter> {
    let name = Path::new(program).file_name()?.to_str()?;
    let name = name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
    INTERPRETERS.iter().find(|it| it.names.contains(&name))
}

/// Whether what follows this option is a program's text.
fn takes_text(option: &str, letters: &str) -> bool {
    if matches!(
        option,
        "--eval" | "--print" | "--command" | "--execute" | "--expression"
    ) {
        return true;
    }
    let short = option.strip_prefix('-').filter(|it| !it.starts_with('-'));
    short.is_some_and(|short| short.contains(|letter| letters.contains(letter)))
}

fn is_variable(name: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    !name.is_empty() && name.len() <= 128 && name.bytes().all(is_known)
}

/// A program that reads an argument as a program.
struct Interpreter {
    names: &'static [&'static str],
    /// The letters of the options that text stands behind.
    options: &'static str,
    text: Text,
}

/// Which arguments are text beside those behind options.
enum Text {
    Option,
    /// The first that is no option.
    First,
    All,
}

const INTERPRETERS: [Interpreter; 8] = [
    of(
        &[
            "sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "csh", "tcsh", "su",
        ],
        "c",
        Text::Option,
    ),
    of(&["python", "pypy"], "c", Text::Option),
    of(&["perl", "ruby"], "eE", Text::Option),
    of(&["node", "deno", "bun"], "ep", Text::Option),
    of(&["php", "lua", "Rscript"], "re", Text::Option),
    of(&["psql", "mysql", "sqlite"], "ce", Text::Option),
    of(&["awk", "gawk", "mawk", "nawk", "sed"], "e", Text::First),
    of(&["ssh", "watch", "parallel", "eval"], "", Text::All),
];

const fn of(names: &'static [&'static str], options: &'static str, text: Text) -> Interpreter {
    Interpreter {
        names,
        options,
        text,
    }
}

const CODE: &str = "a value inside of a program's text would be read as a part of the program: pass it as an argument of its own, as in [sh, -c, 'grep -- \"$1\" list', sh, \"{name}\"]";

/// The variables that every program is given: how to find programs and files, how to speak, and
/// the way out. None of them is a secret.
const USUAL: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "RINGFENCE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NIX_SSL_CERT_FILE",
    "GIT_CONFIG_SYSTEM",
];

#[cfg(test)]
mod tests;
