//! Metrics as an `ExportMetricsServiceRequest`: cumulative, one stream for each run.

use jiff::Timestamp;

use super::wire::Message;
use super::{nanos, resource, scope, text_attribute};
use crate::metrics::{Meter, Metric, Series};
use crate::names;
use crate::node::Run;

/// What was counted of a run until then, in protobuf.
#[must_use]
pub fn metrics(run: &Run, meter: &Meter, until: Timestamp, version: &str) -> Vec<u8> {
    let mut scope_metrics = Message::default();
    scope_metrics.message(1, scope(version));
    let mut series = meter.series().peekable();
    while let Some((metric, labels, first)) = series.next() {
        let mut points = vec![(labels, first)];
        while let Some((_, labels, more)) = series.next_if(|(next, ..)| *next == metric) {
            points.push((labels, more));
        }
        let mut data = Message::default();
        for (labels, it) in points {
            let mut point = point(metric, it);
            point.fixed64(2, nanos(run.started));
            point.fixed64(3, nanos(until.max(run.started)));
            let field = if metric.bounds.is_empty() { 7 } else { 9 };
            for (name, value) in labels {
                point.message(field, text_attribute(name, value));
            }
            data.message(1, point);
        }
        data.number(2, CUMULATIVE);
        scope_metrics.message(2, whole(metric, data));
    }
    scope_metrics.text(3, names::SCHEMA_URL);
    let mut of = resource(version);
    of.message(
        1,
        text_attribute(names::SERVICE_INSTANCE_ID, &run.run.to_string()),
    );
    let mut resource_metrics = Message::default();
    resource_metrics.message(1, of);
    resource_metrics.message(2, scope_metrics);
    resource_metrics.text(3, names::SCHEMA_URL);
    let mut request = Message::default();
    request.message(1, resource_metrics);
    request.into_octets()
}

fn whole(metric: &Metric, mut data: Message) -> Message {
    let mut message = Message::default();
    message.text(1, metric.name);
    message.text(2, metric.description);
    message.text(3, metric.unit);
    if metric.bounds.is_empty() {
        // It only grows.
        data.number(3, 1);
        message.message(7, data);
    } else {
        message.message(9, data);
    }
    message
}

fn point(metric: &Metric, series: &Series) -> Message {
    let mut point = Message::default();
    if metric.bounds.is_empty() {
        point.fixed64(4, series.sum.to_bits());
        return point;
    }
    point.fixed64(4, series.count);
    point.fixed64(5, series.sum.to_bits());
    let counts = series.buckets.iter().flat_map(|count| count.to_le_bytes());
    point.octets(6, &counts.collect::<Vec<u8>>());
    let bounds = metric.bounds().flat_map(f64::to_le_bytes);
    point.octets(7, &bounds.collect::<Vec<u8>>());
    point
}

const CUMULATIVE: u64 = 2;
