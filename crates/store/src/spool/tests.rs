use std::os::unix::fs::PermissionsExt;

use ringfence_model::NoticeKind;
use tempfile::tempdir;

use super::*;
use crate::testing::{denied, notice, run, spooled, story};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn file(data: &Path) -> PathBuf {
    folder(data).join(format!("{}.jsonl", run(1)))
}

#[test]
fn gives_back_what_was_appended() {
    let data = tempdir().unwrap();
    spooled(data.path(), run(1), &story());
    let contents = read_all(&file(data.path())).unwrap();
    assert_eq!(contents.records, story());
    assert_eq!(contents.ending, Ending::Whole);
}

#[test]
fn belongs_to_its_user_alone_even_where_the_directory_was_open() {
    let data = tempdir().unwrap();
    let folder = folder(data.path());
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(spool.path()), 0o600);
}

#[test]
fn is_made_once_and_never_through_a_link() {
    let data = tempdir().unwrap();
    let first = Spool::create(data.path(), run(1)).unwrap();
    assert!(matches!(
        Spool::create(data.path(), run(1)),
        Err(SpoolError::File { .. })
    ));
    drop(first);

    let elsewhere = tempdir().unwrap();
    let target = elsewhere.path().join("target");
    let link = folder(data.path()).join(format!("{}.jsonl", run(2)));
    std::os::unix::fs::symlink(&target, link).unwrap();
    assert!(Spool::create(data.path(), run(2)).is_err());
    assert!(!target.exists());

    let linked = tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder(linked.path())).unwrap();
    assert!(matches!(
        Spool::create(linked.path(), run(3)),
        Err(SpoolError::Directory(_))
    ));
}

#[test]
fn refuses_a_directory_that_users_share() {
    let data = tempdir().unwrap();
    std::fs::set_permissions(data.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    assert!(matches!(
        Spool::create(data.path(), run(1)),
        Err(SpoolError::Directory(_))
    ));
}

#[test]
fn is_locked_for_as_long_as_its_writer_lives() {
    let data = tempdir().unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    let other = private::open_to_read(spool.path()).unwrap();
    assert!(!private::try_lock(&other).unwrap());
    drop(spool);
    assert!(private::try_lock(&other).unwrap());
}

#[test]
fn a_new_file_that_was_removed_before_it_was_locked_is_not_written_to() {
    let data = tempdir().unwrap();
    let path = data.path().join("new");
    let removed = private::create_new(&path, OFlags::APPEND).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(lock_in_place(removed).unwrap().is_none());
    let there = private::create_new(&path, OFlags::APPEND).unwrap();
    assert!(lock_in_place(there).unwrap().is_some());
}

#[test]
fn loses_nothing_acknowledged_wherever_the_last_record_is_torn() {
    let data = tempdir().unwrap();
    spooled(data.path(), run(1), &story());
    let path = file(data.path());
    let whole = std::fs::read(&path).unwrap();
    let kept = story().len() - 1;
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    for cut in last..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let contents = read_all(&path).unwrap();
        assert_eq!(contents.records, story()[..kept], "cut at {cut}");
        let octets = (cut - last) as u64;
        let expected = if octets == 0 {
            Ending::Whole
        } else {
            Ending::Torn { octets }
        };
        assert_eq!(contents.ending, expected, "cut at {cut}");
    }
}

#[test]
fn shows_every_changed_octet() {
    let data = tempdir().unwrap();
    spooled(data.path(), run(1), &story());
    let whole = std::fs::read(file(data.path())).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x01;
        let input = io::Cursor::new(changed);
        let mut reader = Reader::resume(input, Position::first(run(1))).unwrap();
        let ending = loop {
            if let Step::End(ending) = reader.step().unwrap() {
                break ending;
            }
        };
        assert_ne!(ending, Ending::Whole, "octet {at}");
    }
}

#[test]
fn shows_lines_that_were_removed_moved_doubled_or_given_to_another_run() {
    let data = tempdir().unwrap();
    spooled(data.path(), run(1), &story());
    let path = file(data.path());
    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let mut removed = lines.clone();
    removed.remove(2);
    let mut moved = lines.clone();
    moved.swap(2, 3);
    let mut doubled = lines.clone();
    doubled.insert(2, lines[1]);
    for (changed, seq) in [(removed, 3), (moved, 3), (doubled, 3)] {
        std::fs::write(&path, changed.concat()).unwrap();
        match read_all(&path).unwrap().ending {
            Ending::Broken(found) => assert_eq!(found.seq, seq),
            other => panic!("{other:?}"),
        }
    }
    let other = folder(data.path()).join(format!("{}.jsonl", run(2)));
    std::fs::write(&other, whole).unwrap();
    assert!(matches!(
        read_all(&other).unwrap().ending,
        Ending::Broken(Break { seq: 1, .. })
    ));
}

#[test]
fn takes_nothing_more_after_a_write_that_failed() {
    let full = private::open_or_create(Path::new("/dev/full")).unwrap();
    let spool = Spool {
        path: PathBuf::from("/dev/full"),
        file: full,
        named: AtomicBool::new(true),
        end: Mutex::new(End {
            position: Position::first(run(1)),
            line: Vec::new(),
            failed: false,
        }),
    };
    let record = Record::Opened(denied(1, "evil.test:443"));
    assert!(matches!(spool.append(&record), Err(SpoolError::Write(_))));
    assert!(matches!(spool.append(&record), Err(SpoolError::Failed)));
}

#[test]
fn refuses_a_record_that_is_too_long_and_takes_the_next() {
    let data = tempdir().unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    let long = NoticeKind::PolicyRejected {
        error: "x".repeat(RECORD_OCTETS),
    };
    assert!(matches!(
        spool.append(&notice(1, long)),
        Err(SpoolError::TooLong(octets)) if octets > RECORD_OCTETS
    ));
    let record = notice(2, NoticeKind::RunEnded { exit_code: 0 });
    spool.append(&record).unwrap();
    spool.sync().unwrap();
    assert_eq!(read_all(spool.path()).unwrap().records, [record]);
}

#[test]
fn keeps_one_chain_when_threads_append_at_once() {
    let data = tempdir().unwrap();
    let spool = Spool::create(data.path(), run(1)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let spool = &spool;
            let append = move |number: u32| {
                let event = denied(thread * 50 + number, "evil.test:443");
                spool.append(&Record::Opened(event)).unwrap();
            };
            scope.spawn(move || (0..50).for_each(append));
        }
    });
    let contents = read_all(spool.path()).unwrap();
    assert_eq!(
        (contents.records.len(), contents.ending),
        (200, Ending::Whole)
    );
}

#[test]
fn reads_no_more_than_the_longest_line_that_is_ever_written() {
    let data = tempdir().unwrap();
    spooled(data.path(), run(1), &[]);
    let path = file(data.path());
    let octets = usize::try_from(crate::limits::LINE_OCTETS).unwrap();
    std::fs::write(&path, vec![b'{'; octets * 2]).unwrap();
    assert!(matches!(
        read_all(&path).unwrap().ending,
        Ending::Broken(Break { seq: 1, .. })
    ));
}
