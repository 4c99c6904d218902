//! Reading a pack from end to end: each object is named and checked as it comes. A delta against an
//! object that came before is applied at once; the others wait until everything was read.

use std::fs::File;
use std::io::Read as _;

use ringfence_model::git::{ObjectFormat, Oid};

use super::budget::Budget;
use super::cache::Cache;
use super::content::{Content, Source};
use super::delta::{Applied, Base, BaseContent, Delta};
use super::entry::{Form, Header};
use super::index::{Entry, Place};
use super::inflate::Inflater;
use super::input::Input;
use super::making::{Made, Making};
use super::pending::{Against, Pending};
use super::scratch::Scratch;
use super::sink::{Sink, Watch};
use super::{Excess, Kind, PackError, PackLimits, Spooled, Stop};
use crate::limits::PACK_STEP_OCTETS;

/// A pack that is being read.
pub(super) struct Build<'w> {
    input: Input,
    inflater: Inflater,
    /// Where the header of each object is.
    starts: Vec<u64>,
    pending: Vec<Pending>,
    objects: Objects<'w>,
}

/// The objects that were found so far, and what is needed to make more of them.
pub(super) struct Objects<'w> {
    pub(super) entries: Vec<Entry>,
    pub(super) sink: Sink<'w>,
    pub(super) budget: Budget,
    pub(super) format: ObjectFormat,
    pub(super) stop: Stop,
    pack: File,
    cache: Cache,
    limits: PackLimits,
}

/// What was read.
pub(super) struct Built {
    pub(super) source: Source,
    pub(super) entries: Vec<Entry>,
    pub(super) octets: u64,
    pub(super) inflated: u64,
}

/// The least octets that an object can have: a header and an empty stream.
const LEAST_OBJECT: u64 = 9;

impl<'w> Build<'w> {
    pub(super) fn new(
        spooled: Spooled,
        format: ObjectFormat,
        limits: PackLimits,
        watch: &'w mut Watch<'w>,
    ) -> Result<Self, PackError> {
        let pack = spooled.pack.try_clone().map_err(PackError::Io)?;
        let arrived = spooled.arrived.clone();
        Ok(Self {
            input: Input::new(spooled.pack, spooled.arrived, format),
            inflater: Inflater::new(spooled.stop.clone()),
            starts: Vec::new(),
            pending: Vec::new(),
            objects: Objects {
                entries: Vec::new(),
                sink: Sink::new(Scratch::new(spooled.scratch, spooled.room), watch),
                budget: Budget::new(limits, arrived, spooled.stop.clone()),
                format,
                stop: spooled.stop,
                pack,
                cache: Cache::default(),
                limits,
            },
        })
    }

    /// Reads everything.
    pub(super) fn run(mut self) -> Result<Built, PackError> {
        let count = self.header()?;
        self.reserve(count);
        for number in 0..count {
            self.objects.stop.check()?;
            self.object(number)?;
        }
        drop(self.starts);
        let (pack, octets) = self.input.finish()?;
        super::pending::resolve(&mut self.objects, self.pending)?;
        Ok(Built {
            octets,
            inflated: self.objects.budget.inflated_octets(),
            entries: self.objects.entries,
            source: Source {
                pack,
                scratch: self.objects.sink.scratch.finish()?,
            },
        })
    }

    /// Makes room for as many objects as it says, but no more than can be in what is there.
    fn reserve(&mut self, count: u32) {
        let most = usize::try_from(self.input.known().octets / LEAST_OBJECT);
        let likely = most.unwrap_or(usize::MAX).min(count as usize);
        self.starts.reserve_exact(likely);
        self.objects.entries.reserve_exact(likely);
    }

    /// Reads the header of the pack: how many objects it has. As many as cannot be in so few octets
    /// are not believed.
    fn header(&mut self) -> Result<u32, PackError> {
        let mut header = [0; 12];
        self.input.octets(&mut header)?;
        let [b'P', b'A', b'C', b'K', 0, 0, 0, 2, count @ ..] = header else {
            let reason = "it is not a pack of version 2";
            return Err(PackError::malformed(0, reason));
        };
        let count = u32::from_be_bytes(count);
        if count > self.objects.limits.objects {
            return Err(PackError::TooMuch(Excess::Objects));
        }
        let known = self.input.known();
        let around = self.input.at() + self.objects.format.octets() as u64;
        let left = known.octets.saturating_sub(around);
        if known.is_all && u64::from(count) * LEAST_OBJECT > left {
            let reason = "it has fewer objects than it says";
            return Err(PackError::malformed(8, reason));
        }
        Ok(count)
    }

    fn object(&mut self, number: u32) -> Result<(), PackError> {
        let header = Header::read(&mut self.input, self.objects.format)?;
        self.starts.push(header.at);
        self.objects.budget.take(header.size)?;
        match header.form {
            Form::Whole(kind) => self.whole(number, kind, header.size),
            Form::DeltaOf(base) => self.later(number, header.size, Against::Name(base)),
            Form::DeltaAt(at) => {
                let base = self.starts.binary_search(&at);
                let nothing = PackError::malformed(header.at, "a delta is against nothing");
                let base = base.ok().and_then(|base| u32::try_from(base).ok());
                self.delta(number, header.size, base.ok_or(nothing)?)
            }
        }
    }

    fn whole(&mut self, number: u32, kind: Kind, size: u64) -> Result<(), PackError> {
        let is_spilled = kind != Kind::Blob;
        let objects = &mut self.objects;
        let (place, at) = match is_spilled {
            true => (Place::Scratch, objects.sink.scratch.end()),
            false => (Place::Pack, self.input.at()),
        };
        let mut making = Making::new(objects.format, kind, size, is_spilled)?;
        self.inflater.run(&mut self.input, size, &mut |octets| {
            making.write(octets, &mut objects.sink)
        })?;
        let made = making.finish(&mut objects.sink)?;
        objects.entries.push(Entry {
            at,
            size,
            oid: made.oid,
            kind,
            place,
            depth: 0,
        });
        objects.hold(number, made);
        Ok(())
    }

    /// A delta against an object of the pack that came before; what that is may still be unknown.
    fn delta(&mut self, number: u32, size: u64, base: u32) -> Result<(), PackError> {
        let objects = &mut self.objects;
        let Some(below) = objects.resolved(base) else {
            return self.later(number, size, Against::Number(base));
        };
        let depth = objects.depth_above(&below)?;
        let mut delta = Delta::new(objects.format, objects.base(base)?);
        let at = objects.sink.scratch.end();
        self.inflater.run(&mut self.input, size, &mut |octets| {
            delta.push(octets, &mut objects.sink, &mut objects.budget)
        })?;
        let applied = delta.finish(&mut objects.sink)?;
        objects.entries.push(Entry {
            at,
            size: applied.size,
            oid: applied.made.oid,
            kind: below.kind,
            place: Place::Scratch,
            depth,
        });
        objects.hold_applied(number, applied);
        Ok(())
    }

    /// A delta that cannot be applied yet: its instructions go to the scratch file.
    fn later(&mut self, number: u32, size: u64, against: Against) -> Result<(), PackError> {
        let objects = &mut self.objects;
        let at = objects.sink.scratch.end();
        self.inflater.run(&mut self.input, size, &mut |octets| {
            objects.sink.scratch.append(octets)
        })?;
        objects.entries.push(Entry {
            at,
            size,
            oid: Oid::null(objects.format),
            kind: Kind::Blob,
            place: Place::Delta,
            depth: 0,
        });
        self.pending.push(Pending { number, against });
        Ok(())
    }
}

impl Objects<'_> {
    /// An object whose content is known.
    pub(super) fn resolved(&self, number: u32) -> Option<Entry> {
        let entry = self.entries.get(number as usize)?;
        (entry.place != Place::Delta).then_some(*entry)
    }

    /// How deep a delta against an object is.
    pub(super) fn depth_above(&self, below: &Entry) -> Result<u16, PackError> {
        let depth = below.depth.saturating_add(1);
        if depth > self.limits.delta_depth {
            return Err(PackError::TooMuch(Excess::DeltaDepth));
        }
        Ok(depth)
    }

    fn hold(&mut self, number: u32, made: Made) {
        if let Some(content) = made.content {
            self.cache.put(number, content);
        }
    }

    /// Holds what a delta made and what it was made of: the next one is mostly against either.
    pub(super) fn hold_applied(&mut self, number: u32, applied: Applied) {
        if let BaseContent::Held(content) = applied.base.content {
            self.cache.put(applied.base.number, content);
        }
        self.hold(number, applied.made);
    }

    /// An object as what a delta is against: its content where it is held, or where it is in the
    /// scratch file.
    pub(super) fn base(&mut self, number: u32) -> Result<Base, PackError> {
        let missing = PackError::MissingBase;
        let entry = self.resolved(number).ok_or(missing)?;
        let content = match self.cache.get(number) {
            Some(content) => BaseContent::Held(content),
            None => BaseContent::ScratchAt(self.spill(number, &entry)?),
        };
        Ok(Base {
            number,
            kind: entry.kind,
            size: entry.size,
            content,
        })
    }

    /// Where the content of an object is in the scratch file, which a blob is put into only when it
    /// is needed so for the first time.
    fn spill(&mut self, number: u32, entry: &Entry) -> Result<u64, PackError> {
        if entry.place == Place::Scratch {
            return Ok(entry.at);
        }
        self.budget.take(entry.size)?;
        let at = self.sink.scratch.end();
        let mut content = Content::of_pack(entry, &self.pack);
        let mut step = vec![0; PACK_STEP_OCTETS];
        loop {
            self.stop.check()?;
            let octets = content.read(&mut step).map_err(PackError::Io)?;
            if octets == 0 {
                break;
            }
            self.sink
                .scratch
                .append(step.get(..octets).unwrap_or_default())?;
        }
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.at = at;
            entry.place = Place::Scratch;
        }
        Ok(at)
    }
}
