//! Sends the spans of one run while it goes on. It has a thread of its own and a bounded queue on
//! either side, so that traffic never waits for a collector.

mod queue;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringfence_model::Record;
use ringfence_trace::metrics::Meter;
use ringfence_trace::spans::{Span, of_node, of_run};
use ringfence_trace::{Builder, Run, Totals};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::limits::{
    BATCH_WAIT, FIRST_PAUSE, FLUSH, FLUSH_METRICS, GATHERED, LONGEST_PAUSE, METRICS_EVERY,
    QUEUE_RECORDS,
};
use super::sender::{SendError, Sender, Taken};
use queue::Queue;

/// The exporter of one run.
pub struct Exporter {
    tee: Tee,
    done: oneshot::Sender<()>,
    thread: JoinHandle<Report>,
}

/// Takes the records of a run for its exporter. It never waits.
#[derive(Debug, Clone)]
pub struct Tee {
    records: mpsc::Sender<Record>,
    missed: Arc<AtomicU64>,
}

impl Tee {
    /// Takes a record, or counts that there was no room for it.
    pub fn offer(&self, record: &Record) {
        match self.records.try_reserve() {
            Ok(place) => place.send(record.clone()),
            Err(_) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// What became of the spans of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Spans that the collector took.
    pub sent: u64,
    /// Spans that it rejected for good.
    pub rejected: u64,
    /// Spans that it did not take.
    pub unsent: u64,
    /// Records that there was no room for; spans are missing or incomplete because of them.
    pub missed: u64,
    /// Why it did not take something, the last time.
    pub why: Option<String>,
    /// Why it did not take the metrics of the run.
    pub unmetered: Option<String>,
}

impl Report {
    /// Whether nothing is owed: sending again would add nothing.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.unsent == 0 && self.missed == 0
    }
}

impl Exporter {
    /// Starts the exporter of a run. What `make` makes is made on its thread, so that the run does not
    /// wait for it; where that fails, nothing is sent and the report says why.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn start(
        make: impl Future<Output = Result<Sender, String>> + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (records, offered) = mpsc::channel(QUEUE_RECORDS);
        let (done, ended) = oneshot::channel();
        let input = Input {
            records: offered,
            ended,
            deadline: None,
            is_busy: false,
        };
        let missed = Arc::new(AtomicU64::new(0));
        let tee = Tee {
            records,
            missed: Arc::clone(&missed),
        };
        let thread = thread::Builder::new().name("traces".to_owned());
        let thread = thread.spawn(move || {
            let sender = runtime.block_on(make);
            let mut report = work(&runtime, sender, input);
            report.missed = missed.load(Ordering::Relaxed);
            report
        })?;
        Ok(Self { tee, done, thread })
    }

    /// What takes the records of the run.
    #[must_use]
    pub fn tee(&self) -> Tee {
        self.tee.clone()
    }

    /// Sends what is left, for at most a few seconds. Records that come later are not sent.
    #[must_use]
    pub fn finish(self) -> Report {
        // Where the thread is gone, there is nobody to tell.
        let _ = self.done.send(());
        self.thread.join().unwrap_or_default()
    }
}

fn work(runtime: &Runtime, sender: Result<Sender, String>, input: Input) -> Report {
    let (sender, why) = match sender {
        Ok(sender) => (Some(sender), None),
        Err(why) => (None, Some(why)),
    };
    let mut work = Work {
        sender,
        builder: Builder::default(),
        totals: Totals::default(),
        meter: Meter::default(),
        metrics_due: Instant::now() + METRICS_EVERY,
        queue: Queue::default(),
        report: Report {
            why,
            ..Report::default()
        },
        pause: FIRST_PAUSE,
    };
    runtime.block_on(async {
        let deadline = work.follow(input).await;
        work.flush(deadline).await;
    });
    work.report.unsent += work.queue.len() as u64 + work.queue.dropped();
    work.report
}

/// What comes from the run.
struct Input {
    records: mpsc::Receiver<Record>,
    ended: oneshot::Receiver<()>,
    /// Where the run is over: until when all that is left must have been sent.
    deadline: Option<Instant>,
    /// Whether a record was taken, and more may follow in quick succession.
    is_busy: bool,
}

impl Input {
    /// The next record; none where the run is over.
    async fn next(&mut self) -> Option<Record> {
        // Records are taken some at a time: to wake this thread for each would cost those that
        // serve requests more than the record itself.
        if self.is_busy {
            if let Ok(record) = self.records.try_recv() {
                return Some(record);
            }
            self.is_busy = false;
            if timeout(GATHERED, &mut self.ended).await.is_ok() {
                return self.over();
            }
        }
        let record = tokio::select! {
            biased;
            _ = &mut self.ended => None,
            record = self.records.recv() => record,
        };
        match record {
            None => self.over(),
            Some(record) => {
                self.is_busy = true;
                Some(record)
            }
        }
    }

    /// The run is over.
    fn over(&mut self) -> Option<Record> {
        self.deadline = Some(Instant::now() + FLUSH);
        None
    }
}

fn too_slow(sender: &Sender) -> SendError {
    SendError::Later {
        why: format!("{} did not answer in time", sender.shown()),
        after: Some(FLUSH),
    }
}

struct Work {
    sender: Option<Sender>,
    builder: Builder,
    totals: Totals,
    meter: Meter,
    metrics_due: Instant,
    queue: Queue,
    report: Report,
    pause: Duration,
}

impl Work {
    /// Takes records until the run is over, and sends spans meanwhile. Returns until when the rest
    /// must have been sent.
    async fn follow(&mut self, mut input: Input) -> Instant {
        let mut next = Instant::now() + BATCH_WAIT;
        let deadline = loop {
            if let Some(deadline) = input.deadline {
                break deadline;
            }
            let is_due = !self.queue.is_empty();
            tokio::select! {
                biased;
                record = input.next() => record.iter().for_each(|record| self.take(record)),
                () = sleep_until(next), if is_due => {
                    let batch = self.queue.batch();
                    let pause = match self.send_beside(&batch, &mut input).await {
                        Some(pause) => {
                            self.queue.put_back(batch);
                            pause
                        }
                        None if self.queue.is_full_batch() => Duration::ZERO,
                        None => BATCH_WAIT,
                    };
                    self.send_metrics_beside(&mut input).await;
                    next = Instant::now() + pause;
                }
            }
        };
        while let Ok(record) = input.records.try_recv() {
            self.take(&record);
        }
        deadline
    }

    /// Sends a batch, and takes records meanwhile. A run that ends waits for it a little.
    async fn send_beside(&mut self, batch: &[Span], input: &mut Input) -> Option<Duration> {
        let sender = self.sender.clone()?;
        let sent = self.beside(sender.send(batch), input).await;
        let sent = sent.unwrap_or_else(|| Err(too_slow(&sender)));
        self.judge(batch.len(), sent)
    }

    /// Sends metrics once in a while. They are cumulative, so that one time that fails is no loss.
    async fn send_metrics_beside(&mut self, input: &mut Input) {
        let (Some(sender), Some(run)) = (self.sender.clone(), self.builder.run().cloned()) else {
            return;
        };
        if input.deadline.is_none() && Instant::now() >= self.metrics_due {
            self.metrics_due = Instant::now() + METRICS_EVERY;
            let meter = self.meter.clone();
            let _ = self.beside(sender.send_metrics(&run, &meter), input).await;
        }
    }

    /// Waits for something, and takes records meanwhile. None where the run ends and it takes too long.
    async fn beside<T>(&mut self, waited: impl Future<Output = T>, input: &mut Input) -> Option<T> {
        tokio::pin!(waited);
        while input.deadline.is_none() {
            tokio::select! {
                biased;
                done = &mut waited => return Some(done),
                record = input.next() => record.iter().for_each(|record| self.take(record)),
            }
        }
        timeout_at(input.deadline?, waited).await.ok()
    }

    fn take(&mut self, record: &Record) {
        self.totals.feed(record);
        self.builder.feed(record);
        let ready = self.builder.take_ready();
        ready.iter().for_each(|node| self.meter.count(node));
        if let Some(run) = self.builder.run() {
            let spans = ready.iter().map(|node| of_node(run, node));
            spans.for_each(|span| self.queue.push(span));
        }
    }

    /// Notes what became of a batch. Returns how long to wait before it is tried again, where it is to be.
    fn judge(&mut self, count: usize, sent: Result<Taken, SendError>) -> Option<Duration> {
        let count = count as u64;
        match sent {
            Ok(Taken { rejected, words }) => {
                self.pause = FIRST_PAUSE;
                self.report.sent += count.saturating_sub(rejected);
                self.report.rejected += rejected.min(count);
                if words.is_some() {
                    self.report.why = words;
                }
                None
            }
            Err(SendError::Never(why)) => {
                self.report.rejected += count;
                self.report.why = Some(why);
                None
            }
            Err(SendError::Later { why, after }) => {
                self.report.why = Some(why);
                let pause = after.unwrap_or(self.pause);
                self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
                Some(pause)
            }
        }
    }

    async fn flush_metrics(&mut self, sender: &Sender, run: &Run, deadline: Instant) {
        if self.meter.is_empty() {
            return;
        }
        let deadline = deadline.min(Instant::now() + FLUSH_METRICS);
        let sent = timeout_at(deadline, sender.send_metrics(run, &self.meter)).await;
        if let Err(error) = sent.unwrap_or_else(|_| Err(too_slow(sender))) {
            self.report.unmetered = Some(error.to_string());
        }
    }

    /// Sends all the rest, that of the run itself last.
    async fn flush(&mut self, deadline: Instant) {
        let (run, rest) = std::mem::take(&mut self.builder).finish();
        let Some(run) = run else {
            return;
        };
        rest.iter().for_each(|node| self.meter.count(node));
        let spans = rest.iter().map(|node| of_node(&run, node));
        spans.for_each(|span| self.queue.push(span));
        self.queue.push(of_run(&run, &self.totals));
        let Some(sender) = self.sender.clone() else {
            return;
        };
        self.pause = FIRST_PAUSE;
        self.flush_metrics(&sender, &run, deadline).await;
        while !self.queue.is_empty() {
            let batch = self.queue.batch();
            let sent = timeout_at(deadline, sender.send(&batch)).await;
            let sent = sent.unwrap_or_else(|_| Err(too_slow(&sender)));
            let Some(pause) = self.judge(batch.len(), sent) else {
                continue;
            };
            self.queue.put_back(batch);
            let next = Instant::now() + pause;
            if next >= deadline {
                return;
            }
            sleep_until(next).await;
        }
    }
}

#[cfg(test)]
mod tests;
