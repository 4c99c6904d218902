//! Sends a push that may go on, and relays what the upstream says of it.

use bytes::Bytes;
use http::Response;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::BodyExt as _;
use ringfence_gateway::Permit;
use ringfence_gateway::git::GitTerms;
use ringfence_gateway::http::ResponseBody;
use ringfence_git::wire::WireError;
use ringfence_git::wire::push::{PushRequest, ReportVersion};
use ringfence_git::wire::report::{Answer, Report, ReportReader};
use ringfence_git::wire::target::{request_type, result_type};
use ringfence_model::EventId;
use ringfence_model::git::{GitService, RefName};

use super::super::driven::Progress;
use super::super::heard::{Heard, clean, clean_report};
use super::super::say::{Words, result};
use super::super::service::{Client, Place, headers};
use super::super::shown::{self, Viewer};
use super::super::spool::Spooled;
use super::super::status::{self, Failed};
use super::noted::{self, Noting};

const SERVICE: GitService = GitService::ReceivePack;

/// What a push is sent with.
pub(super) struct Sending<'a> {
    pub(super) client: &'a Client,
    pub(super) place: &'a Place,
    pub(super) head: &'a Parts,
    pub(super) request: PushRequest,
    pub(super) terms: &'a GitTerms,
    pub(super) progress: Progress,
    pub(super) noting: Noting,
}

impl Sending<'_> {
    /// Sends the push, and reads the upstream's report to its end.
    pub(super) async fn send(self, pack: Spooled, permit: Permit) -> Response<ResponseBody> {
        let own = [
            (CONTENT_TYPE, request_type(SERVICE)),
            (ACCEPT, result_type(SERVICE)),
            (ACCEPT_ENCODING, "identity"),
        ];
        let headers = headers(&self.head.headers, &own);
        let asked = asked(&self.request);
        let body = pack.into_body(asked.write());
        let event = permit.event();
        let viewer = self.client.viewer(self.place, &permit);
        self.noting.sent();
        let response = match self.client.send(permit, headers, body).await {
            Ok(response) => response,
            Err(stopped) => {
                self.noting.unsaid(noted::reason(&stopped));
                return Words::of(&stopped).as_push(&self.request, |_| None);
            }
        };
        let body = match status::check(response, self.place, result_type(SERVICE)).await {
            Ok(body) => body.octets,
            Err(failed) => return self.failed(event, &failed),
        };
        match self.report(body, &asked).await {
            Ok(answer) => self.relayed(answer, &viewer),
            Err(reason) => self.failed(event, &Failed::Report(reason)),
        }
    }

    fn failed(&self, event: EventId, failed: &Failed) -> Response<ResponseBody> {
        self.noting.unsaid(&failed.to_string());
        let words = self.client.failed(self.place, event, failed);
        words.as_push(&self.request, |_| None)
    }

    /// Reads the answer. A report that is there counts for the record, whatever comes after it.
    async fn report(&self, body: ResponseBody, asked: &PushRequest) -> Result<Answer, String> {
        let own = self.client.gateway.withheld();
        let reader = ReportReader::new(&asked.capabilities);
        let mut reader = reader.censored(Heard::new(own.clone()));
        let read = self.read(body, &mut reader).await;
        if let Some(report) = reader.so_far() {
            self.noting.report(&clean_report(&own, report));
        }
        read.map_err(|words| clean(&own, words))?;
        let finished = reader.finish();
        let answer = finished.map_err(|error| clean(&own, error.to_string()))?;
        Ok(Answer {
            report: answer.report.map(|report| clean_report(&own, report)),
            fatal: answer.fatal.map(|words| clean(&own, words)),
        })
    }

    async fn read(&self, mut body: ResponseBody, reader: &mut ReportReader) -> Result<(), String> {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| error.to_string())?;
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            let mut messages = Vec::new();
            let fed = reader.feed(&piece, &mut messages);
            if !messages.is_empty() {
                self.progress.pass(Bytes::from(messages));
            }
            fed.map_err(|error: WireError| error.to_string())?;
        }
        Ok(())
    }

    fn relayed(&self, answer: Answer, viewer: &Viewer) -> Response<ResponseBody> {
        let report = match (answer.report, answer.fatal) {
            (Some(report), _) => {
                self.noting.report(&report);
                self.show(&report, viewer);
                report.for_request(&self.request)
            }
            (None, reason) => {
                let reason = reason.unwrap_or_else(|| "without a reason".to_owned());
                let reason = format!("the upstream gave up: {reason}");
                self.noting.unsaid(&reason);
                Report::refusal(&self.request, |_| &reason)
            }
        };
        let answer = report.answer("", &self.request.capabilities);
        result(SERVICE, answer.unwrap_or_default())
    }

    /// Whoever set a ref knows what it was set to, and may build on it.
    fn show(&self, report: &Report, viewer: &Viewer) {
        if self.terms.reads_all_refs() || report.unpack.is_err() {
            return;
        }
        let is_done = |name: &RefName| {
            let said = report.refs.iter().find(|said| said.name == *name);
            said.is_some_and(|said| said.outcome.is_ok())
        };
        let set = self.request.updates.iter();
        let set = set.filter(|update| !update.new.is_null() && is_done(&update.name));
        shown::note(viewer, set.map(|update| update.new));
    }
}

/// What the upstream is asked for: the same, with a report, which the record needs, and without
/// the ends of a cut history. Such ends would let the upstream cut its own there, for everybody; it
/// needs none where it has the commits that the push rests on, and refuses the push where it has not.
fn asked(request: &PushRequest) -> PushRequest {
    let mut asked = request.clone();
    asked.shallow.clear();
    asked.capabilities.report.get_or_insert(ReportVersion::V1);
    asked
}

#[cfg(test)]
mod tests {
    use ringfence_git::wire::push::{PushReader, PushStart};

    use super::*;

    fn request(capabilities: &str) -> PushRequest {
        let (none, one) = ("0".repeat(40), "1".repeat(40));
        let shallow = format!("shallow {one}");
        let update = format!("{none} {one} refs/heads/a\0{capabilities}");
        let text = format!(
            "{:04x}{shallow}{:04x}{update}0000",
            shallow.len() + 4,
            update.len() + 4
        );
        let read = PushReader::default()
            .feed(text.as_bytes())
            .unwrap()
            .unwrap();
        match read {
            (PushStart::Push(request), _) => request,
            (PushStart::Probe, _) => panic!("a probe"),
        }
    }

    #[test]
    fn the_upstream_is_asked_for_a_report_and_never_to_cut_its_history() {
        for (client, upstream) in [
            ("", "report-status "),
            ("report-status", "report-status "),
            (
                "report-status-v2 side-band-64k",
                "report-status-v2 side-band-64k ",
            ),
        ] {
            let request = request(client);
            assert_eq!(request.shallow.len(), 1);
            let written = asked(&request).write();
            let text = String::from_utf8(written).unwrap();
            let (command, capabilities) = text.split_once('\0').unwrap();
            assert!(!command.contains("shallow"), "{text}");
            assert!(capabilities.starts_with(upstream), "{text}");
        }
    }
}
