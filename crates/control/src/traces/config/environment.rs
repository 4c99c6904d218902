//! The collector that the caller's environment names, as every program with OpenTelemetry would find
//! it: what is said about one signal counts before what is said about all.

use percent_encoding::percent_decode_str;

use super::{Collector, CollectorError, Protocol, Signal, Target, read};

/// The collector of an environment; none where it names none, or switches traces off.
///
/// # Errors
/// Where it cannot be used.
pub fn from_environment(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Collector>, CollectorError> {
    let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let is_off = value("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"))
        || value("OTEL_TRACES_EXPORTER").is_some_and(|it| it.trim() == "none");
    if is_off {
        return Ok(None);
    }
    let Some(traces) = target(&value, &TRACES)? else {
        return Ok(None);
    };
    let asks = value("OTEL_METRICS_EXPORTER").is_some_and(|it| it.trim() == "otlp");
    let metrics = asks.then(|| target(&value, &METRICS)).transpose()?;
    Ok(Some(Collector {
        traces,
        metrics: metrics.flatten(),
    }))
}

/// The variables of one signal. Behind each the one for all signals.
struct Names {
    signal: Signal,
    endpoint: &'static str,
    protocol: [&'static str; 2],
    headers: [&'static str; 2],
    insecure: [&'static str; 2],
}

fn target(
    value: &impl Fn(&str) -> Option<String>,
    names: &Names,
) -> Result<Option<Target>, CollectorError> {
    let first = |[own, all]: [&'static str; 2]| {
        let own = value(own).map(|it| (own, it));
        own.or_else(|| value(all).map(|it| (all, it)))
    };
    let Some((name, address)) = first([names.endpoint, BASE]) else {
        return Ok(None);
    };
    let protocol = match first(names.protocol) {
        Some((name, text)) => protocol(name, text.trim())?,
        None => Protocol::Http,
    };
    let insecure = first(names.insecure).is_some_and(|(_, it)| it.eq_ignore_ascii_case("true"));
    let address = match address.trim() {
        // With gRPC, and only with it, an address may be without a scheme.
        bare if protocol == Protocol::Grpc && !bare.contains("://") => {
            let scheme = if insecure { "http" } else { "https" };
            format!("{scheme}://{bare}")
        }
        whole => whole.to_owned(),
    };
    let endpoint = read(&address);
    let endpoint = endpoint.map_err(|it| CollectorError::Address(name, it.to_string()))?;
    let mut target = if protocol == Protocol::Http && name != BASE {
        Target::whole(endpoint)
    } else {
        Target::below(&endpoint, (names.signal, protocol), name)?
    };
    let Some((name, headers)) = first(names.headers) else {
        return Ok(Some(target));
    };
    for pair in headers.split(',') {
        let Some((key, value)) = pair.split_once('=') else {
            continue;
        };
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        target.add(name, key, &value)?;
    }
    Ok(Some(target))
}

/// A collector that takes JSON takes protobuf at the same place as well.
fn protocol(name: &'static str, text: &str) -> Result<Protocol, CollectorError> {
    match text {
        "grpc" => Ok(Protocol::Grpc),
        "http/protobuf" | "http/json" => Ok(Protocol::Http),
        other => Err(CollectorError::Protocol(name, other.to_owned())),
    }
}

const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES: Names = Names {
    signal: Signal::Traces,
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    protocol: [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ],
    headers: [
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_HEADERS",
    ],
    insecure: [
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
        "OTEL_EXPORTER_OTLP_INSECURE",
    ],
};
const METRICS: Names = Names {
    signal: Signal::Metrics,
    endpoint: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    protocol: [
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ],
    headers: [
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        "OTEL_EXPORTER_OTLP_HEADERS",
    ],
    insecure: [
        "OTEL_EXPORTER_OTLP_METRICS_INSECURE",
        "OTEL_EXPORTER_OTLP_INSECURE",
    ],
};
