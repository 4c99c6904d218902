//! What an agent tells of itself, in both forms of OTLP: never a panic, never much, and no span that is not of the run. What is
//! taken is placed in the trace of the run, whatever its ids are, and all of it can be seen there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_model::{Notice, NoticeKind, Record, RunId, SpanId};
use ringfence_trace::told::{Form, Within, read};
use ringfence_trace::{Trace, story};

fuzz_target!(|input: &[u8]| {
    let Some((form, body)) = input.split_first() else {
        return;
    };
    let form = match form % 2 {
        0 => Form::Protobuf,
        _ => Form::Json,
    };
    let run: RunId = "0192f0c1-0000-7000-8000-00000000000a"
        .parse()
        .expect("an id");
    let begun = "2024-11-22T12:00:00Z".parse().expect("a time");
    let Ok(heard) = read(body, form, Within::of(run, begun)) else {
        return;
    };
    assert!(heard.spans.len() <= ringfence_trace::limits::TOLD_SPANS);
    assert_eq!(heard.why.is_some(), heard.refused > 0);
    for span in &heard.spans {
        assert!(span.id != SpanId::root(run) && span.start <= span.end);
        assert!(span.what.name.len() <= ringfence_trace::limits::TOLD_OCTETS);
    }
    let notice = Record::Notice(Notice {
        time: begun,
        run,
        sandbox: "0192f0c1-0000-7000-8000-00000000000b"
            .parse()
            .expect("an id"),
        agent: "a".parse().expect("a name"),
        kind: NoticeKind::Told {
            spans: heard.spans,
            refused: heard.refused,
            dropped: 0,
        },
    });
    let trace = Trace::of([&notice]).expect("a trace");
    let count = usize::try_from(trace.run.told.spans).expect("few");
    assert_eq!(trace.nodes.len(), count);
    let said = |line: &String| line.contains("the agent says: ");
    assert_eq!(
        story::run(&trace).iter().filter(|line| said(line)).count(),
        count
    );
});
