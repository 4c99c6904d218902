//! What a run took as metrics, by the GenAI conventions where they have some: counted since the start of
//! the run, in a bounded number of series.

use std::collections::BTreeMap;

use ringfence_model::Outcome;
use ringfence_model::llm::{LlmFacts, LlmRequest};

use crate::limits::SERIES;
use crate::names;
use crate::node::{LlmNode, Node, What, refusal};
use crate::spans::{operation, provider};

/// Counts the nodes of one run.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    series: BTreeMap<(&'static Metric, Labels), Series>,
}

/// Names and values that tell series of a metric apart.
pub type Labels = Vec<(&'static str, String)>;

/// A metric.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is counted in, by UCUM.
    pub unit: &'static str,
    /// What it is.
    pub description: &'static str,
    /// For a histogram: the upper bounds of its buckets, in thousandths. Empty for a sum.
    pub bounds: &'static [u64],
}

/// What was counted under some labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// How often.
    pub count: u64,
    /// The sum.
    pub sum: f64,
    /// For a histogram: how often in each bucket, one more than there are bounds.
    pub buckets: Vec<u64>,
}

impl Metric {
    /// The upper bounds of its buckets in its unit.
    pub fn bounds(&self) -> impl Iterator<Item = f64> {
        self.bounds.iter().map(|bound| number(*bound) / 1e3)
    }
}

impl Meter {
    /// Counts a node that is over.
    pub fn count(&mut self, node: &Node) {
        match &node.what {
            What::Llm(asked) => {
                self.decided(node, &asked.event);
                if let Some(request) = asked.request() {
                    self.asked(request, asked, node);
                }
            }
            What::Action(action) => self.decided(node, &action.event),
            What::Tool(_) | What::Told(_) => {}
        }
    }

    /// The series, in a stable order.
    pub fn series(&self) -> impl Iterator<Item = (&'static Metric, &Labels, &Series)> {
        self.series
            .iter()
            .map(|((metric, labels), it)| (*metric, labels, it))
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    fn decided(&mut self, node: &Node, event: &ringfence_model::Event) {
        let code = node.refusal().unwrap_or(event.decision.code);
        let effect = if node.refusal().is_some() {
            "deny"
        } else {
            "allow"
        };
        let labels = vec![
            (names::EFFECT, effect.to_owned()),
            (names::CODE, code.as_str().to_owned()),
        ];
        self.add(&ACTIONS, labels, 1.0);
    }

    fn asked(&mut self, request: &LlmRequest, asked: &LlmNode, node: &Node) {
        let (Some(operation), Some(closing)) = (operation(request.endpoint), &asked.closing) else {
            return;
        };
        let nothing = LlmFacts::default();
        let facts = asked.facts().unwrap_or(&nothing);
        let mut labels = vec![
            (names::OPERATION, operation.to_owned()),
            (names::PROVIDER, provider(request)),
            (names::SERVER_ADDRESS, request.destination.host.to_string()),
        ];
        labels.extend(request.model.clone().map(|it| (names::REQUEST_MODEL, it)));
        labels.extend(facts.model.clone().map(|it| (names::RESPONSE_MODEL, it)));
        if let Some(usage) = &facts.usage {
            for (kind, count) in [("input", usage.input), ("output", usage.output)] {
                let mut labels = labels.clone();
                labels.push((names::TOKEN_TYPE, kind.to_owned()));
                self.add(&TOKENS, labels, number(count));
            }
        }
        if let Some(cost) = facts.cost {
            self.add(&COST, labels.clone(), number(cost.nanos()) / 1e9);
        }
        if let Some(first) = facts.first_octets_us.filter(|_| request.stream) {
            self.add(&FIRST_CHUNK, labels.clone(), number(first) / 1e6);
        }
        let error = facts.failure.as_ref().map(|failure| failure.kind.clone());
        let refused = refusal(&asked.event, asked.closing.as_ref());
        let error = error.or_else(|| refused.map(|code| code.as_str().to_owned()));
        let error = error.or_else(|| trouble(closing.outcome));
        labels.extend(error.map(|error| (names::ERROR_TYPE, error)));
        if let Some(end) = node.end {
            let took = end.duration_since(node.start).as_secs_f64();
            self.add(&DURATION, labels, took.max(0.0));
        }
    }

    /// What would be a series too many is counted without labels.
    fn add(&mut self, metric: &'static Metric, labels: Labels, value: f64) {
        let key = (metric, labels);
        let is_room = self.series.len() < SERIES || self.series.contains_key(&key);
        let key = if is_room { key } else { (metric, Vec::new()) };
        self.series.entry(key).or_default().add(metric, value);
    }
}

impl Series {
    fn add(&mut self, metric: &Metric, value: f64) {
        self.count += 1;
        self.sum += value;
        if metric.bounds.is_empty() {
            return;
        }
        self.buckets.resize(metric.bounds.len() + 1, 0);
        let below = metric.bounds().take_while(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get_mut(below.count()) {
            *bucket += 1;
        }
    }
}

fn trouble(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Status(status) if status >= 400 => Some(status.to_string()),
        Outcome::UpstreamFailed => Some("upstream_failed".to_owned()),
        Outcome::TimedOut => Some("timeout".to_owned()),
        Outcome::Aborted => Some("aborted".to_owned()),
        Outcome::Done | Outcome::Status(_) | Outcome::Refused(_) => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "metrics have no exact numbers with decimals; the record has"
)]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

static TOKENS: Metric = Metric {
    name: names::METRIC_TOKENS,
    unit: "{token}",
    description: "Tokens of requests to models.",
    bounds: &[
        1_000,
        4_000,
        16_000,
        64_000,
        256_000,
        1_024_000,
        4_096_000,
        16_384_000,
        65_536_000,
        262_144_000,
        1_048_576_000,
        4_194_304_000,
        16_777_216_000,
        67_108_864_000,
    ],
};
/// Seconds that requests to models took, in the buckets that the conventions have for it.
pub static DURATION: Metric = Metric {
    name: names::METRIC_DURATION,
    unit: "s",
    description: "Duration of requests to models.",
    bounds: &[
        10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 40_960, 81_920,
    ],
};
/// Seconds to the first octets of an answer that is streamed, likewise.
pub static FIRST_CHUNK: Metric = Metric {
    name: names::METRIC_FIRST_CHUNK,
    unit: "s",
    description: "Time to the first octets of an answer that is streamed.",
    bounds: &[
        1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000,
    ],
};
static COST: Metric = Metric {
    name: names::METRIC_COST,
    unit: "USD",
    description: "What requests to models cost.",
    bounds: &[],
};
static ACTIONS: Metric = Metric {
    name: names::METRIC_ACTIONS,
    unit: "{action}",
    description: "Actions by what was decided.",
    bounds: &[],
};

#[cfg(test)]
mod tests {
    use ringfence_model::Record;

    use super::*;
    use crate::build::Trace;
    use crate::testing::{self, Story, asking, closed, facts};

    fn meter(records: &[Record]) -> Meter {
        let mut meter = Meter::default();
        let trace = Trace::of(records).unwrap();
        trace.nodes.iter().for_each(|node| meter.count(node));
        meter
    }

    fn shown(meter: &Meter) -> Vec<String> {
        let series = meter.series();
        let line = |(metric, labels, it): (&Metric, &Labels, &Series)| {
            let labels: Vec<&str> = labels.iter().map(|(_, value)| value.as_str()).collect();
            format!(
                "{} {} {} {:.4}",
                metric.name,
                labels.join(","),
                it.count,
                it.sum
            )
        };
        series.map(line).collect()
    }

    #[test]
    fn a_run_is_counted_by_the_conventions() {
        insta::assert_snapshot!(shown(&meter(&testing::story())).join("\n"));
    }

    #[test]
    fn a_value_is_in_the_bucket_whose_bound_it_does_not_pass() {
        let mut series = Series::default();
        for value in [0.005, 0.01, 0.011, 1_000.0] {
            series.add(&DURATION, value);
        }
        assert_eq!(series.buckets.first(), Some(&2));
        assert_eq!(series.buckets.get(1), Some(&1));
        assert_eq!(series.buckets.last(), Some(&1));
        assert_eq!(series.buckets.len(), DURATION.bounds.len() + 1);
    }

    #[test]
    fn an_error_is_told_apart() {
        let mut story = Story::started();
        story.open(asking(1, 0));
        story.close(ringfence_model::Closing {
            outcome: Outcome::Status(529),
            ..closed(1, 20)
        });
        let shown = shown(&meter(&story.ended(30, 0)));
        assert!(
            shown.iter().any(|it| it.contains(",529 1 0.02")),
            "{shown:?}"
        );
    }

    #[test]
    fn series_are_bounded() {
        let mut meter = Meter::default();
        for number in 0..SERIES + 50 {
            let mut story = Story::started();
            let named = LlmFacts {
                model: Some(format!("model-{number}")),
                ..facts(1, Vec::new(), Vec::new())
            };
            story.step(1, 0, 10, named);
            let trace = Trace::of(story.ended(20, 0)).unwrap();
            trace.nodes.iter().for_each(|node| meter.count(node));
        }
        assert!(meter.series.len() <= SERIES + 5, "{}", meter.series.len());
        let tokens = meter
            .series()
            .filter(|(metric, ..)| metric.name == TOKENS.name);
        let count: u64 = tokens.map(|(.., it)| it.count).sum();
        assert_eq!(count, 2 * (SERIES as u64 + 50), "none is lost");
    }
}
