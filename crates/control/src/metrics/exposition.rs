//! The two forms in which metrics are written: OpenMetrics 1.0, and the text format of Prometheus
//! 0.0.4 for what does not ask for the other one.

use super::limits::ACCEPTED;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    OpenMetrics,
    Text,
}

impl Form {
    /// The form that an `Accept` header prefers; text where it does not say.
    pub(super) fn preferred(accept: Option<&str>) -> Self {
        let (mut open, mut text) = (0, 0);
        for range in accept.unwrap_or_default().split(',').take(ACCEPTED) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let is_ours = match kind.as_str() {
                "application/openmetrics-text" => &mut open,
                "text/plain" => &mut text,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            *is_ours = (*is_ours).max(thousandths(quality));
        }
        if open > 0 && open >= text {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// Its media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Metrics in this form.
    pub(super) fn of(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Text => as_text(&open_metrics),
        }
    }
}

/// `q` of a media range (RFC 9110), 0 to 1000. What is none is as if it was not there.
fn thousandths(quality: Option<&str>) -> u32 {
    let Some(quality) = quality else {
        return WHOLE;
    };
    let (whole, part) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = format!("{whole}{part:0<3}");
    let is_number = part.len() <= 3 && digits.bytes().all(|octet| octet.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number);
    number.filter(|it| *it <= WHOLE).unwrap_or(WHOLE)
}

const WHOLE: u32 = 1_000;

/// The text format knows no units, no `info` and no end, and what describes a family has the name
/// that its samples have.
fn as_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 512);
    let mut help = None;
    for line in open_metrics.lines() {
        if line.starts_with("# HELP ") {
            help = Some(line);
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of.split_once(' ').unwrap_or((of, "untyped"));
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            let words = help.take().and_then(|it| it.splitn(4, ' ').nth(3));
            let words = words.unwrap_or_default();
            text.push_str(&format!("# HELP {name}{suffix} {words}\n"));
            text.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_is_preferred_is_given() {
        const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            (Some(PROMETHEUS), Form::OpenMetrics),
            (Some("application/openmetrics-text"), Form::OpenMetrics),
            (
                Some("Application/OpenMetrics-Text; version=1.0.0"),
                Form::OpenMetrics,
            ),
            (
                Some("text/plain;q=0.5, application/openmetrics-text;q=0.25"),
                Form::Text,
            ),
            (Some("application/openmetrics-text;q=0"), Form::Text),
            (
                Some("application/openmetrics-text;q=0.000, */*"),
                Form::Text,
            ),
            (Some("text/plain"), Form::Text),
            (Some("*/*"), Form::Text),
            (Some(""), Form::Text),
            (None, Form::Text),
        ] {
            assert_eq!(Form::preferred(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_quality_is_read_in_thousandths() {
        for (text, expected) in [
            ("0", 0),
            ("0.5", 500),
            ("0.123", 123),
            ("1", 1_000),
            ("1.000", 1_000),
            ("7", 1_000),
            ("0.1234", 1_000),
            ("-1", 1_000),
        ] {
            assert_eq!(thousandths(Some(text)), expected, "{text}");
        }
    }

    #[test]
    fn text_has_what_the_format_knows() {
        const OPEN: &str = "# HELP a_build The program.\n# TYPE a_build info\na_build_info{v=\"# x\"} 1\n# HELP b Counted.\n# TYPE b counter\nb_total 2\n# HELP c_seconds Took long.\n# TYPE c_seconds histogram\n# UNIT c_seconds seconds\nc_seconds_sum 1.5\n# EOF\n";
        const TEXT: &str = "# HELP a_build_info The program.\n# TYPE a_build_info gauge\na_build_info{v=\"# x\"} 1\n# HELP b_total Counted.\n# TYPE b_total counter\nb_total 2\n# HELP c_seconds Took long.\n# TYPE c_seconds histogram\nc_seconds_sum 1.5\n";
        assert_eq!(as_text(OPEN), TEXT);
    }
}
