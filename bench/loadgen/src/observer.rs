//! Looks at the proxy while it is measured: at its process, or, from inside of a sandbox where that cannot be seen, by telling whoever
//! reads our output when to look.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::processes;
use crate::sample::Meter;

#[derive(Args, Clone, Copy)]
pub struct Observer {
    /// The proxy's process, for its CPU time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// The number that is told with each moment at which to look.
    #[arg(long, conflicts_with = "pid")]
    mark: Option<u64>,
}

/// A moment at which to look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Begin,
    End,
}

impl Moment {
    pub const ALL: [Self; 2] = [Self::Begin, Self::End];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
        }
    }
}

/// What was seen at one moment.
pub struct Seen {
    cpu_seconds: f64,
    mebibytes: f64,
}

impl Seen {
    /// Of the process and its descendants.
    pub fn of_all(pid: u32) -> Self {
        Self {
            cpu_seconds: processes::cpu_seconds(pid),
            mebibytes: processes::memory(pid),
        }
    }

    /// Of this process alone.
    pub fn of_one(pid: u32) -> Self {
        Self {
            cpu_seconds: processes::cpu_seconds_of(&[pid]),
            mebibytes: processes::memory_of(&[pid]),
        }
    }

    /// Adds to a result what happened from `self` to `end`.
    pub fn report(&self, end: &Self, result: &mut Value) {
        let each = |name: &str| result[name].as_f64().filter(|count| *count > 0.0);
        let cpu =
            each("operations").map(|count| (end.cpu_seconds - self.cpu_seconds) * 1e6 / count);
        let open = each("open").map(|count| (end.mebibytes - self.mebibytes) * 1024.0 / count);
        if let Some(cpu) = cpu {
            result["cpu_us_op"] = json!(cpu);
        }
        if let Some(open) = open {
            result["kb_each"] = json!(open);
            result["mb"] = json!(end.mebibytes);
            result["mb_before"] = json!(self.mebibytes);
        }
    }
}

/// A measurement that has begun.
pub struct Observed {
    observer: Observer,
    begin: Option<Seen>,
    pub meter: Meter,
}

impl Observer {
    pub fn begin(self) -> Observed {
        Observed {
            begin: self.look(Moment::Begin),
            meter: Meter::start(None),
            observer: self,
        }
    }

    fn look(self, moment: Moment) -> Option<Seen> {
        if let Some(mark) = self.mark {
            println!("{mark} {}", moment.name());
        }
        self.pid.map(Seen::of_all)
    }
}

impl Observed {
    /// Ends it: the result with what was seen of the proxy, where that can be seen from here.
    pub fn end(self, mut result: Value) -> Result<Value> {
        result["seconds"] = json!(self.meter.seconds());
        result["loadgen_cpu_pct"] = json!(self.meter.own_cpu_percent());
        if let (Some(begin), Some(end)) = (self.begin, self.observer.look(Moment::End)) {
            begin.report(&end, &mut result);
        }
        Ok(result)
    }
}
