use std::fs;

use ringfence_model::{NoticeKind, Outcome, Record};
use tempfile::{TempDir, tempdir};

use super::*;
use crate::filter::Filter;
use crate::spool::Spool;
use crate::testing::{allowed, closed, denied, events, run, spooled, store_of, story, verified};

/// A spool as the first release wrote it; it must be readable for ever.
const SAMPLE_V1: &str = include_str!("../../tests/samples/spool-v1.jsonl");

fn spool_file(data: &TempDir, number: u32) -> PathBuf {
    spool::folder(data.path()).join(format!("{}.jsonl", run(number)))
}

/// The findings about the spool of run 1, by code.
async fn findings(store: &Store) -> Vec<String> {
    let Some(summary) = store.run_summary(run(1)).await.unwrap() else {
        return Vec::new();
    };
    let found = |stored: crate::StoredNotice| match stored.notice.kind {
        NoticeKind::Finding { code, .. } => Some(code),
        _ => None,
    };
    summary.notices.into_iter().filter_map(found).collect()
}

#[tokio::test]
async fn takes_in_a_spool_of_version_1_and_removes_it() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    fs::write(spool_file(&data, 1), SAMPLE_V1).unwrap();
    let done = store.ingest_spools().await.unwrap();
    assert_eq!((done.records, done.removed, done.live), (10, 1, 0));
    assert!(!spool_file(&data, 1).exists());
    let events = events(&store, &Filter::default()).await;
    let stored: Vec<_> = events.into_iter().map(|stored| stored.event).collect();
    let expected: Vec<_> = story()
        .into_iter()
        .filter_map(|record| match record {
            Record::Opened(event) => Some(event),
            _ => None,
        })
        .collect();
    assert_eq!(stored, expected);
    assert_eq!(verified(&store).await, 10);
}

#[test]
fn still_writes_what_the_sample_of_version_1_holds() {
    let data = tempdir().unwrap();
    spooled(data.path(), run(1), &story());
    assert_eq!(
        fs::read_to_string(spool_file(&data, 1)).unwrap(),
        SAMPLE_V1,
        "another form needs another version"
    );
}

#[tokio::test]
async fn loses_nothing_acknowledged_wherever_the_last_record_is_torn() {
    let whole = SAMPLE_V1.as_bytes();
    let last = SAMPLE_V1.trim_end().rfind('\n').unwrap() + 1;
    let data = tempdir().unwrap();
    for cut in (last + 1..whole.len()).step_by(17).chain([whole.len() - 1]) {
        let data = tempfile::tempdir_in(data.path()).unwrap();
        let store = Store::open(data.path()).await.unwrap();
        fs::write(spool_file(&data, 1), &whole[..cut]).unwrap();
        let done = store.ingest_spools().await.unwrap();
        assert_eq!(
            (done.records, done.torn),
            (10, vec![run(1)]),
            "cut at {cut}"
        );
        assert_eq!(findings(&store).await, ["spool-torn"], "cut at {cut}");
        let aside = spool_file(&data, 1).with_extension("jsonl.torn");
        assert_eq!(fs::read(aside).unwrap(), &whole[..cut]);
        assert_eq!(verified(&store).await, 10);
        store.close().await;
    }
}

#[tokio::test]
async fn takes_a_record_in_once_however_often_the_spool_is_there() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    for records in [10, 0, 0] {
        // As after a crash between the commit and the removal.
        fs::write(spool_file(&data, 1), SAMPLE_V1).unwrap();
        assert_eq!(store.ingest_spools().await.unwrap().records, records);
        assert!(!spool_file(&data, 1).exists());
    }
    assert_eq!(verified(&store).await, 10);
}

#[tokio::test]
async fn follows_a_writer_that_goes_on() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    for (number, record) in (1..).zip(&story()) {
        spool.append(record).unwrap();
        let done = store.ingest_spools().await.unwrap();
        assert_eq!((done.records, done.live, done.removed), (1, 1, 0));
        assert_eq!(store.last_seq().await.unwrap(), number);
        assert_eq!(store.ingest_spools().await.unwrap().records, 0);
    }
    drop(spool);
    assert_eq!(store.ingest_spools().await.unwrap().removed, 1);
    assert_eq!(verified(&store).await, 10);
}

#[tokio::test]
async fn leaves_the_part_of_a_line_that_a_living_writer_is_writing() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    let (part, rest) = SAMPLE_V1.as_bytes().split_at(SAMPLE_V1.len() - 40);
    fs::write(spool.path(), part).unwrap();
    let done = store.ingest_spools().await.unwrap();
    assert_eq!((done.records, done.live, done.torn), (9, 1, vec![]));
    fs::write(spool.path(), [part, rest].concat()).unwrap();
    assert_eq!(store.ingest_spools().await.unwrap().records, 1);
    assert!(findings(&store).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_at_once_neither_double_a_record_nor_fork_the_chain() {
    let data = tempdir().unwrap();
    let (first, second) = tokio::join!(Store::open(data.path()), Store::open(data.path()));
    let (first, second) = (first.unwrap(), second.unwrap());
    let live = Spool::create(data.path(), run(100)).unwrap();
    for number in 0..20 {
        let event = |which| Record::Opened(denied(number * 100 + which, "evil.test:443"));
        let records: Vec<_> = (0..60).map(event).collect();
        spooled(data.path(), run(number), &records);
        live.append(&event(60)).unwrap();
    }
    let mut total = 0;
    for _ in 0..3 {
        let (one, two) = tokio::join!(first.ingest_spools(), second.ingest_spools());
        total += one.unwrap().records + two.unwrap().records;
    }
    assert_eq!(total, 20 * 61);
    assert_eq!(verified(&first).await, total);
    assert_eq!(verified(&second).await, total);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_spool_that_is_just_being_made_is_not_removed_under_its_writer() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let folder = data.path().to_owned();
    let writer = tokio::task::spawn_blocking(move || {
        for number in 0..300 {
            let record = Record::Opened(denied(number, "evil.test:443"));
            spooled(&folder, run(number), &[record]);
        }
    });
    while !writer.is_finished() {
        store.ingest_spools().await.unwrap();
    }
    writer.await.unwrap();
    store.ingest_spools().await.unwrap();
    assert_eq!(verified(&store).await, 300);
}

#[tokio::test]
async fn takes_in_a_broken_spool_as_far_as_it_is_whole_and_sets_it_aside() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let changed = SAMPLE_V1.replacen("\"sent\":517", "\"sent\":518", 1);
    fs::write(spool_file(&data, 1), &changed).unwrap();
    let done = store.ingest_spools().await.unwrap();
    assert_eq!(done.broken.len(), 1);
    assert_eq!((done.broken[0].run, done.broken[0].seq), (run(1), 5));
    assert_eq!(done.records, 5, "four records and the finding");
    assert_eq!(findings(&store).await, ["spool-broken"]);
    let aside = spool_file(&data, 1).with_extension("jsonl.broken");
    assert_eq!(fs::read_to_string(aside).unwrap(), changed);
    assert_eq!(store.ingest_spools().await.unwrap(), Ingested::default());
    assert_eq!(verified(&store).await, 5);
}

#[tokio::test]
async fn reports_the_broken_spool_of_a_living_writer_once() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    fs::write(spool.path(), SAMPLE_V1).unwrap();
    store.ingest_spools().await.unwrap();
    fs::write(spool.path(), &SAMPLE_V1[..SAMPLE_V1.len() / 2]).unwrap();
    for records in [1, 0] {
        let done = store.ingest_spools().await.unwrap();
        assert_eq!((done.records, done.broken.len()), (records, 1));
    }
    assert!(spool.path().exists());
    assert_eq!(findings(&store).await, ["spool-broken"]);
}

#[tokio::test]
async fn a_spool_of_garbage_is_a_finding_too() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    fs::write(spool_file(&data, 1), "hello\n").unwrap();
    fs::write(spool::folder(data.path()).join("notes.txt"), "hello\n").unwrap();
    let done = store.ingest_spools().await.unwrap();
    assert_eq!((done.records, done.broken.len()), (1, 1));
    assert_eq!(findings(&store).await, ["spool-broken"]);
}

#[tokio::test]
async fn leaves_a_spool_of_a_later_version_alone() {
    let data = tempdir().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let later = SAMPLE_V1.replace("{\"v\":1,", "{\"v\":2,");
    fs::write(spool_file(&data, 1), later).unwrap();
    let done = store.ingest_spools().await.unwrap();
    assert_eq!((done.records, done.unsupported), (0, vec![run(1)]));
    assert!(spool_file(&data, 1).exists());
}

#[tokio::test]
async fn a_record_that_opens_an_event_again_breaks_the_spool() {
    let data = tempdir().unwrap();
    let opened = Record::Opened(denied(1, "evil.test:443"));
    let again = Record::Opened(allowed(1, "docs.test:443"));
    let store = store_of(data.path(), &[opened, again]).await;
    assert_eq!(findings(&store).await, ["spool-broken"]);
    let events = events(&store, &Filter::default()).await;
    assert_eq!(events.len(), 1);
    assert!(!events[0].event.decision.is_allow());
    assert_eq!(verified(&store).await, 2);
}

#[tokio::test]
async fn only_the_first_closing_of_an_event_counts() {
    let data = tempdir().unwrap();
    let records = [
        Record::Closed(closed(9, Outcome::Done)),
        Record::Opened(allowed(1, "docs.test:443")),
        Record::Closed(closed(1, Outcome::Status(200))),
        Record::Closed(closed(1, Outcome::Aborted)),
    ];
    let store = store_of(data.path(), &records).await;
    let events = events(&store, &Filter::default()).await;
    let outcomes: Vec<_> = events
        .into_iter()
        .filter_map(|stored| stored.closing)
        .map(|closing| closing.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Status(200)]);
    assert_eq!(verified(&store).await, 4);
}

#[tokio::test]
async fn takes_in_more_than_one_batch() {
    let data = tempdir().unwrap();
    let event = |number| Record::Opened(denied(number, "evil.test:443"));
    let records: Vec<_> = (0..1_300).map(event).collect();
    let store = store_of(data.path(), &records).await;
    assert_eq!(verified(&store).await, 1_300);
}

#[tokio::test]
async fn does_not_continue_a_log_that_was_cut_off() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    for cut in ["DELETE FROM entries WHERE seq = 10", "DELETE FROM head"] {
        sqlx::query(cut).execute(&store.pool).await.unwrap();
        fs::remove_file(spool_file(&data, 2)).ok();
        spooled(
            data.path(),
            run(2),
            &[Record::Opened(denied(7, "a.test:1"))],
        );
        let refused = store.ingest_spools().await;
        assert!(matches!(refused, Err(StoreError::Tampered(_))), "{cut}");
        assert!(spool_file(&data, 2).exists());
    }
}
