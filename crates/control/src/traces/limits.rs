//! Every bound of the exporter on memory and time.

use std::time::Duration;

/// Records that wait for the exporter. The gateway never waits for it: what comes beyond is dropped
/// and counted.
pub(super) const QUEUE_RECORDS: usize = 8_192;

/// Spans that wait to be sent; the oldest are dropped, and counted.
pub(super) const QUEUE_SPANS: usize = 8_192;

/// Octets of those spans.
pub(super) const QUEUE_OCTETS: usize = 32 * 1024 * 1024;

/// Most spans of one request.
pub(super) const BATCH_SPANS: usize = 512;

/// A request takes no more spans past this many octets.
pub(super) const BATCH_OCTETS: usize = 1024 * 1024;

/// How long records of the run gather before they are taken.
pub(super) const GATHERED: Duration = Duration::from_millis(5);

/// How long a span waits for others.
pub(super) const BATCH_WAIT: Duration = Duration::from_secs(2);

/// How often metrics are sent.
pub(super) const METRICS_EVERY: Duration = Duration::from_secs(30);

/// After a request that may be tried again: the first pause, twice as long after each further one.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest such pause, also where the collector asks for a longer one.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a run that has ended waits for its last spans to be taken.
pub(super) const FLUSH: Duration = Duration::from_secs(3);

/// Headers of a collector.
pub(super) const HEADERS: usize = 16;

/// Runs whose traces are owed that are remembered.
pub(super) const OWED: usize = 1_024;

/// How long a run that has ended waits for its metrics to be taken, of that time.
pub(super) const FLUSH_METRICS: Duration = Duration::from_secs(1);

/// Octets of the details of a status of gRPC, encoded.
pub(super) const DETAILS_OCTETS: usize = 8 * 1024;

/// Characters of what a collector says that are shown.
pub(super) const WORDS: usize = 200;
