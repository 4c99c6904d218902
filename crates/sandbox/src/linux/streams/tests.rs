use std::fs::{self, File};
use std::io::{Read, Write};

use super::*;

fn is_pipe(fd: &OwnedFd) -> bool {
    FileType::from_raw_mode(rustix::fs::fstat(fd).unwrap().st_mode) == FileType::Fifo
}

fn number(fd: &OwnedFd) -> u64 {
    rustix::fs::fstat(fd).unwrap().st_ino
}

fn outputs(stdout: impl AsFd, stderr: impl AsFd) -> Streams {
    let stdin = null().unwrap();
    let outputs = [stdout.as_fd(), stderr.as_fd()];
    connect(stdin.as_fd(), outputs, Terminal::default()).unwrap()
}

fn log(directory: &tempfile::TempDir) -> File {
    File::options()
        .create(true)
        .append(true)
        .open(directory.path().join("log"))
        .unwrap()
}

#[test]
fn files_and_pipes_are_not_handed_in_as_output() {
    let directory = tempfile::tempdir().unwrap();
    let (_reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let streams = outputs(log(&directory), &writer);
    assert!(is_pipe(&streams.stdout) && is_pipe(&streams.stderr));
    assert_ne!(number(&streams.stderr), number(&writer));
}

#[test]
fn all_that_was_written_is_outside_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = log(&directory);
    let streams = outputs(&file, &file);
    assert_eq!(number(&streams.stdout), number(&streams.stderr));
    let mut stdout = File::from(streams.stdout.try_clone().unwrap());
    let mut copies = streams.into_copies();
    let octets = vec![b'x'; 1_000_000];
    stdout.write_all(&octets).unwrap();
    // The writer is still open: whoever holds it must not keep the run from ending.
    copies.finish().unwrap();
    assert_eq!(fs::read(directory.path().join("log")).unwrap(), octets);
}

#[test]
fn a_full_disk_is_told() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let streams = outputs(&full, null().unwrap());
    File::from(streams.stdout.try_clone().unwrap())
        .write_all(b"lost")
        .unwrap();
    let error = streams.into_copies().finish().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_reader_that_goes_away_is_seen_by_the_writer() {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let streams = outputs(&writer, null().unwrap());
    drop(reader);
    let mut stdout = File::from(streams.stdout.try_clone().unwrap());
    let error = loop {
        if let Err(error) = stdout.write_all(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    streams.into_copies().finish().unwrap();
}

#[test]
fn a_writer_without_patience_loses_nothing() {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
    let streams = outputs(&writer, null().unwrap());
    drop(writer);
    let mut stdout = File::from(streams.stdout.try_clone().unwrap());
    let mut copies = streams.into_copies();
    rustix::fs::fcntl_setfl(&reader, OFlags::empty()).unwrap();
    let reading = std::thread::spawn(move || {
        let mut read = Vec::new();
        File::from(reader).read_to_end(&mut read).unwrap();
        read.len()
    });
    stdout.write_all(&vec![0; 1_000_000]).unwrap();
    copies.finish().unwrap();
    assert_eq!(reading.join().unwrap(), 1_000_000);
}

#[test]
fn input_that_the_next_command_may_want_is_not_read_ahead() {
    let directory = tempfile::tempdir().unwrap();
    drop(log(&directory));
    let file = File::open(directory.path().join("log")).unwrap();
    assert!(is_plain_input(file.as_fd()).unwrap());
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    assert!(is_plain_input(reader.as_fd()).unwrap());
    // Both of these could be written.
    assert!(!is_plain_input(writer.as_fd()).unwrap());
    assert!(!is_plain_input(log(&directory).as_fd()).unwrap());
}
