//! Receives a pushed pack: it goes to the disk, and is read and searched there while more of it comes.

use std::sync::Arc;

use bytes::Bytes;
use ringfence_gateway::http::RequestBody;
use ringfence_git::pack::{Pack, PackError, PackLimits, Stop as PackStop};
use ringfence_model::ReasonCode;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::super::checked::{self, Searched};
use super::super::limits::{INFLATED_OCTETS, INFLATED_TIMES, PUSH_ARRIVES};
use super::super::service::Odd;
use super::super::spool::{Kept, Spool, Spooled};
use super::look::{Looking, Stop, join};
use super::next_piece;

/// A push that has arrived.
pub(super) struct Received {
    pub(super) spooled: Spooled,
    /// Its pack, if it has one, and what was found in it.
    pub(super) pack: Option<(Arc<Pack>, Searched)>,
}

/// A pack that is read, and searched on another thread.
struct Reading {
    pack: JoinHandle<Result<Pack, PackError>>,
    searched: JoinHandle<Result<Searched, PackError>>,
}

impl Looking<'_> {
    /// Takes in the whole push. One whose pack is refused on the way is taken in as well, though not
    /// kept: its client reads why only when it could send all of it.
    pub(super) async fn receive(
        &self,
        begin: Bytes,
        body: &mut RequestBody,
        stop: &PackStop,
    ) -> Result<Received, Stop> {
        let sandbox = self.client.session.identity().sandbox;
        let opening = Spool::open(Kept::Push, sandbox);
        let mut spool = opening.await.map_err(Stop::Disk)?;
        let reading = match self.request.has_pack() {
            true => Some(self.read_along(&mut spool, stop)?),
            false => None,
        };
        let filling = self.fill(&mut spool, reading.as_ref(), begin, body);
        let filling = timeout(PUSH_ARRIVES, filling).await;
        filling.map_err(|_| Stop::Client(Odd::TimedOut))??;
        let spooled = spool.finish().await.map_err(Stop::Disk)?;
        let pack = match reading {
            Some(reading) => {
                self.progress
                    .say_sometimes(|| "Ringfence: reading the objects".to_owned());
                let pack = join(reading.pack).await?;
                Some((Arc::new(pack), join(reading.searched).await?))
            }
            None if spooled.octets == 0 => None,
            None => {
                let reason = "octets follow a push that only deletes";
                return Err(Stop::Pack(ReasonCode::Malformed, reason.to_owned()));
            }
        };
        Ok(Received { spooled, pack })
    }

    async fn fill(
        &self,
        spool: &mut Spool,
        reading: Option<&Reading>,
        begin: Bytes,
        body: &mut RequestBody,
    ) -> Result<(), Stop> {
        let most = self.terms.limits().pack_octets;
        let mut octets = 0;
        let mut next = Some(begin);
        while let Some(piece) = next {
            octets += piece.len() as u64;
            if octets > most {
                let reason = format!("the pack has more than {most} octets");
                return Err(Stop::Pack(ReasonCode::LimitReached, reason));
            }
            // Before all has come, the reading can only end in a refusal.
            if !reading.is_some_and(|reading| reading.pack.is_finished()) {
                spool.write(&piece).await.map_err(Stop::Disk)?;
            }
            self.progress
                .say_sometimes(|| format!("Ringfence: {} KiB received", octets / 1024));
            next = next_piece(body).await.map_err(Stop::Client)?;
        }
        Ok(())
    }

    /// Begins to read and to search what comes.
    fn read_along(&self, spool: &mut Spool, stop: &PackStop) -> Result<Reading, Stop> {
        let file = spool.read_along(stop.clone()).map_err(Stop::Disk)?;
        let format = self.request.object_format();
        let limits = self.limits();
        let request = self.request.clone();
        let (mut handing, handed) = checked::handing();
        let pack = spawn_blocking(move || {
            let pack = Pack::watched(file, format, &limits, &mut |part| handing.take(part))?;
            handing.finish();
            checked::nothing_hidden(&pack, &request)?;
            Ok(pack)
        });
        let own = self.client.gateway.withheld();
        let searched = spawn_blocking(move || Ok(handed.search(own)));
        Ok(Reading { pack, searched })
    }

    fn limits(&self) -> PackLimits {
        let most = self.terms.limits();
        PackLimits {
            objects: u32::try_from(most.objects).unwrap_or(u32::MAX),
            inflated_octets: most.inflated_octets,
            // A small pack that inflates to much is made for that.
            inflated_times: INFLATED_TIMES,
            inflated_free: INFLATED_OCTETS,
            ..PackLimits::default()
        }
    }
}
