//! The metrics: their names, labels and buckets.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use ringfence_gateway::Identity;
use ringfence_trace::metrics::{DURATION, FIRST_CHUNK, Metric};

/// Labels whose values are ours.
pub(super) type Fixed<const N: usize> = [(&'static str, &'static str); N];
/// Labels whose values come from policy, providers and agents; who fills them in bounds them.
pub(super) type Texts<const N: usize> = [(&'static str, String); N];
/// Seconds.
type Seconds<const N: usize> = Family<Texts<N>, Histogram, fn() -> Histogram>;

/// All that is counted.
#[derive(Debug)]
pub(super) struct Families {
    pub(super) decisions: Family<Fixed<3>, Counter>,
    pub(super) refusals: Family<Fixed<2>, Counter>,
    pub(super) open: Family<Fixed<1>, Gauge>,
    pub(super) streams: Family<Texts<1>, Gauge>,
    pub(super) tokens: Family<Texts<3>, Counter>,
    pub(super) cached: Family<Texts<3>, Counter>,
    pub(super) reasoning: Family<Texts<2>, Counter>,
    pub(super) cost: Family<Texts<2>, Counter<f64, AtomicU64>>,
    pub(super) duration: Seconds<2>,
    pub(super) first_chunk: Seconds<2>,
    pub(super) errors: Family<Texts<3>, Counter>,
    pub(super) redacted: Family<Texts<1>, Counter>,
    pub(super) scrubbed: Counter,
    pub(super) findings: Family<Texts<1>, Counter>,
    pub(super) generation: Gauge,
    pub(super) policies_rejected: Counter,
}

impl Families {
    /// Makes them and puts them into a registry.
    pub(super) fn register(registry: &mut Registry, of: &Identity) -> Self {
        let families = Self {
            decisions: Family::default(),
            refusals: Family::default(),
            open: Family::default(),
            streams: Family::default(),
            tokens: Family::default(),
            cached: Family::default(),
            reasoning: Family::default(),
            cost: Family::default(),
            duration: Family::new_with_constructor(|| histogram(&DURATION)),
            first_chunk: Family::new_with_constructor(|| histogram(&FIRST_CHUNK)),
            errors: Family::default(),
            redacted: Family::default(),
            scrubbed: Counter::default(),
            findings: Family::default(),
            generation: Gauge::default(),
            policies_rejected: Counter::default(),
        };
        // The first policy is in force before anything is counted.
        families.generation.set(1);
        families.register_run(registry, of);
        families.register_llm(registry);
        families
    }

    fn register_run(&self, registry: &mut Registry, of: &Identity) {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register(
            "ringfence_build",
            "The program that is measured",
            Info::new(version),
        );
        let run = [("agent", of.agent.to_string()), ("run", of.run.to_string())];
        registry.register("ringfence_run", "The run that is measured", Info::new(run));
        registry.register(
            "ringfence_decisions",
            "Decisions about actions",
            self.decisions.clone(),
        );
        registry.register(
            "ringfence_late_refusals",
            "Allowed actions that were refused later, because they were not what was decided on",
            self.refusals.clone(),
        );
        registry.register(
            "ringfence_open_actions",
            "Allowed actions that go on",
            self.open.clone(),
        );
        registry.register(
            "ringfence_scrubbed_values",
            "Credential values that were removed from what went to the agent",
            self.scrubbed.clone(),
        );
        registry.register(
            "ringfence_findings",
            "What a person should look at",
            self.findings.clone(),
        );
        registry.register(
            "ringfence_policy_generation",
            "The policy in force",
            self.generation.clone(),
        );
        registry.register(
            "ringfence_policies_rejected",
            "Changed policies that could not be used",
            self.policies_rejected.clone(),
        );
    }

    fn register_llm(&self, registry: &mut Registry) {
        registry.register(
            "ringfence_llm_tokens",
            "Tokens of requests to models: input with all that came from the cache, output with all reasoning",
            self.tokens.clone(),
        );
        registry.register(
            "ringfence_llm_cached_tokens",
            "Tokens of the input that were read from the provider's cache or written to it",
            self.cached.clone(),
        );
        registry.register(
            "ringfence_llm_reasoning_tokens",
            "Tokens of the output that were reasoning",
            self.reasoning.clone(),
        );
        registry.register(
            "ringfence_llm_cost_usd",
            "What requests to models cost, in US dollars",
            self.cost.clone(),
        );
        registry.register_with_unit(
            "ringfence_llm_request_duration",
            "How long requests to models took, from the decision to the last octet",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register_with_unit(
            "ringfence_llm_time_to_first_chunk",
            "Time from the decision to the first octets of an answer that is streamed",
            Unit::Seconds,
            self.first_chunk.clone(),
        );
        registry.register(
            "ringfence_llm_errors",
            "Requests to models that were allowed and failed",
            self.errors.clone(),
        );
        registry.register(
            "ringfence_llm_open_streams",
            "Streamed answers of models that go on",
            self.streams.clone(),
        );
        registry.register(
            "ringfence_llm_redacted_texts",
            "Texts that were put out of requests to models",
            self.redacted.clone(),
        );
    }
}

fn histogram(metric: &'static Metric) -> Histogram {
    Histogram::new(metric.bounds())
}
