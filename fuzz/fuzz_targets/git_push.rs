//! The part of a push before its pack: the same in one piece and in many, and the same when it
//! is written anew. What an upstream reports is read in any pieces and written anew.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_git::wire::push::{PushCapabilities, PushReader, PushStart, ReportVersion};
use ringfence_git::wire::report::{Report, ReportReader};

fuzz_target!(|input: &[u8]| {
    let Some((size, input)) = input.split_first() else {
        return;
    };
    let size = 1 + usize::from(*size);
    let whole = read(input, usize::MAX);
    assert_eq!(whole, read(input, size));
    if let Some((PushStart::Push(mut push), taken)) = whole {
        assert!(taken <= input.len() && !push.updates.is_empty());
        let written = push.write();
        let again = read(&written, size);
        // Our own name stands there instead of the client's.
        if let Some((PushStart::Push(again), _)) = &again {
            push.capabilities
                .agent
                .clone_from(&again.capabilities.agent);
        }
        assert_eq!(again, Some((PushStart::Push(push), written.len())));
    }
    for side_band in [true, false] {
        let capabilities = PushCapabilities {
            report: Some(ReportVersion::V2),
            side_band,
            ..PushCapabilities::default()
        };
        let report = report(input, &capabilities, usize::MAX);
        assert_eq!(report, self::report(input, &capabilities, size));
        if let Some(report) = report {
            let mut out = Vec::new();
            report.write(&capabilities, &mut out);
            let again = self::report(&out, &capabilities, size);
            assert_eq!(again.map(|again| again.refs.len()), Some(report.refs.len()));
        }
    }
});

fn read(input: &[u8], size: usize) -> Option<(PushStart, usize)> {
    let (mut reader, mut fed) = (PushReader::default(), 0);
    for piece in input.chunks(size.min(input.len().max(1))) {
        if let Some((start, taken)) = reader.feed(piece).ok()? {
            return Some((start, fed + taken));
        }
        fed += piece.len();
    }
    None
}

fn report(input: &[u8], capabilities: &PushCapabilities, size: usize) -> Option<Report> {
    let (mut reader, mut messages) = (ReportReader::new(capabilities), Vec::new());
    for piece in input.chunks(size.min(input.len().max(1))) {
        reader.feed(piece, &mut messages).ok()?;
    }
    assert!(!messages.contains(&0x1b));
    reader.finish().ok()?.report
}
