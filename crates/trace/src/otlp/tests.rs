use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message as _;

use super::{octets_of, rejected, traces, traces_json};
use crate::build::Trace;
use crate::names;
use crate::spans::{Span, of_node, of_run};
use crate::testing;

fn spans() -> Vec<Span> {
    let trace = Trace::of(testing::story()).unwrap();
    let nodes = trace.nodes.iter().map(|node| of_node(&trace.run, node));
    let mut spans: Vec<Span> = nodes.collect();
    spans.push(of_run(&trace.run, &trace.totals));
    let linked = "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap();
    spans[0]
        .links
        .push((linked, "00f067aa0ba902b7".parse().unwrap()));
    spans
}

fn decoded() -> (Vec<Span>, ExportTraceServiceRequest) {
    let spans = spans();
    let octets = traces(&spans, "1.2.3");
    let request = ExportTraceServiceRequest::decode(octets.as_slice()).unwrap();
    // Nothing was written that the official messages do not know.
    assert_eq!(request.encode_to_vec().len(), octets.len());
    (spans, request)
}

#[test]
fn the_official_messages_read_what_is_written() {
    let (spans, request) = decoded();
    let [resource_spans] = request.resource_spans.as_slice() else {
        panic!();
    };
    assert_eq!(resource_spans.schema_url, names::SCHEMA_URL);
    let resource = resource_spans.resource.as_ref().unwrap();
    assert_eq!(resource.attributes[0].key, "service.name");
    let [scope_spans] = resource_spans.scope_spans.as_slice() else {
        panic!();
    };
    assert_eq!(scope_spans.scope.as_ref().unwrap().version, "1.2.3");
    assert_eq!(scope_spans.spans.len(), spans.len());
    for (ours, read) in spans.iter().zip(&scope_spans.spans) {
        same(ours, read);
    }
    assert_eq!(scope_spans.spans[0].links.len(), 1);
}

fn same(ours: &Span, read: &proto::Span) {
    assert_eq!(read.trace_id, ours.trace.octets());
    assert_eq!(read.span_id, ours.id.octets());
    let parent = ours.parent.map(|it| it.octets().to_vec());
    assert_eq!(read.parent_span_id, parent.unwrap_or_default());
    assert_eq!(read.name, ours.name);
    let nanos = |time: jiff::Timestamp| u64::try_from(time.as_nanosecond()).unwrap();
    assert_eq!(read.start_time_unix_nano, nanos(ours.start));
    assert_eq!(read.end_time_unix_nano, nanos(ours.end));
    let code = read.status.as_ref().map_or(0, |status| status.code);
    assert_eq!(
        code == proto::status::StatusCode::Error as i32,
        ours.error.is_some()
    );
    assert_eq!(read.events.len(), ours.events.len());
    let keys: Vec<&str> = read.attributes.iter().map(|it| it.key.as_str()).collect();
    let names: Vec<&str> = ours.attributes.iter().map(|(name, _)| *name).collect();
    assert_eq!(keys, names);
    for attribute in &read.attributes {
        let value = attribute.value.as_ref().unwrap().value.as_ref();
        if attribute.key == names::COST {
            assert_eq!(value, Some(&any_value::Value::DoubleValue(0.0123)));
        }
        if attribute.key == names::INPUT_TOKENS {
            assert_eq!(value, Some(&any_value::Value::IntValue(12_034)));
        }
        assert!(value.is_some(), "{}", attribute.key);
    }
}

#[test]
fn json_and_protobuf_say_the_same() {
    let (spans, request) = decoded();
    let json = traces_json(&spans, "1.2.3");
    // Whoever reads JSON by the letter finds 64-bit numbers as texts.
    let text = json.to_string();
    assert!(text.contains(r#""intValue":"12034""#) && text.contains(r#"TimeUnixNano":"1"#));
    let read: ExportTraceServiceRequest = serde_json::from_value(json).unwrap();
    assert_eq!(read, request);
}

#[test]
fn what_a_receiver_rejected_is_read_from_its_answer() {
    let answer = |count, words: &str| {
        ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: count,
                error_message: words.to_owned(),
            }),
        }
        .encode_to_vec()
    };
    assert_eq!(
        rejected(&answer(300, "full")),
        Some((300, "full".to_owned()))
    );
    assert_eq!(rejected(&answer(0, "old")), Some((0, "old".to_owned())));
    assert_eq!(rejected(&answer(0, "")), None);
    for hostile in [
        &b""[..],
        b"\x0a",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"{}",
        &[0xff; 64],
    ] {
        assert_eq!(rejected(hostile), None, "{hostile:?}");
    }
}

#[test]
fn the_size_of_a_span_is_what_it_adds() {
    let spans = spans();
    let one = traces(&spans[..1], "1").len();
    let two = traces(&spans[..2], "1").len();
    assert!(two - one >= octets_of(&spans[1]));
    assert!(two - one < octets_of(&spans[1]) + 16);
}

#[test]
fn the_official_messages_read_metrics() {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};

    let trace = Trace::of(testing::story()).unwrap();
    let mut meter = crate::metrics::Meter::default();
    trace.nodes.iter().for_each(|node| meter.count(node));
    let octets = super::metrics(&trace.run, &meter, testing::at(9_000), "1");
    let request = ExportMetricsServiceRequest::decode(octets.as_slice()).unwrap();
    assert_eq!(request.encode_to_vec().len(), octets.len());
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let names: Vec<&str> = metrics.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        [
            names::METRIC_DURATION,
            names::METRIC_FIRST_CHUNK,
            names::METRIC_TOKENS,
            names::METRIC_ACTIONS,
            names::METRIC_COST,
        ]
    );
    let Some(Data::Histogram(tokens)) = &metrics[2].data else {
        panic!();
    };
    let [input, output] = tokens.data_points.as_slice() else {
        panic!();
    };
    assert_eq!(
        (input.count, input.sum, output.sum),
        (3, Some(36_102.0), Some(630.0))
    );
    assert_eq!(input.bucket_counts.iter().sum::<u64>(), 3);
    assert_eq!(input.explicit_bounds.first(), Some(&1.0));
    let Some(Data::Sum(cost)) = &metrics[4].data else {
        panic!();
    };
    assert!(cost.is_monotonic);
    let dollars = number_data_point::Value::AsDouble(0.0369);
    assert_eq!(cost.data_points[0].value, Some(dollars));
}
