//! A chunked body: the same in one piece and in many, and the same when it is written anew.
//! The first octet chooses the size of the pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_gateway::wire::http::{ChunkedReader, HttpError, LAST_CHUNK, write_chunk};

fuzz_target!(|input: &[u8]| {
    let Some((size, input)) = input.split_first() else {
        return;
    };
    let whole = decode(input, usize::MAX);
    assert_eq!(whole, decode(input, 1 + usize::from(*size)));
    assert_eq!(whole, decode(input, 1));
    if let Ok(body) = whole {
        let mut wire = Vec::new();
        for chunk in body.octets.chunks(1 + usize::from(*size)) {
            write_chunk(chunk, &mut wire);
        }
        wire.extend_from_slice(LAST_CHUNK);
        let again = decode(&wire, 3).unwrap();
        assert!(again.done && again.used == wire.len() && again.octets == body.octets);
    }
});

#[derive(Debug, PartialEq, Eq)]
struct Body {
    octets: Vec<u8>,
    used: usize,
    done: bool,
}

fn decode(input: &[u8], size: usize) -> Result<Body, HttpError> {
    let mut reader = ChunkedReader::default();
    let mut body = Body {
        octets: Vec::new(),
        used: 0,
        done: false,
    };
    for mut piece in input.chunks(size.min(input.len().max(1))) {
        while !piece.is_empty() && !body.done {
            let step = reader.feed(piece)?;
            assert!(step.consumed > 0 && step.data.len() <= step.consumed);
            body.octets.extend_from_slice(step.data);
            body.used += step.consumed;
            body.done = step.done;
            piece = &piece[step.consumed..];
        }
    }
    assert!(body.octets.len() <= body.used && body.used <= input.len());
    Ok(body)
}
