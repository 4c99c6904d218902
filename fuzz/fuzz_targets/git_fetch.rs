//! Requests to fetch, of each version: what is written anew is read the same, and is written the
//! same again. What a service offers is relayed the same in any pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringfence_git::wire::ProtocolVersion;
use ringfence_git::wire::advertisement::{AdvertisementFilter, Offer};
use ringfence_git::wire::fetch::FetchRequest;
use ringfence_git::wire::fetched::{RefsFilter, SeenRef};
use ringfence_model::git::{GitService, ObjectFormat};

fuzz_target!(|input: &[u8]| {
    for version in [ProtocolVersion::V0, ProtocolVersion::V2] {
        if let Ok(request) = FetchRequest::parse(version, input) {
            let written = request.write();
            assert_eq!(
                FetchRequest::parse(version, &written).as_ref(),
                Ok(&request)
            );
        }
    }
    for service in [GitService::UploadPack, GitService::ReceivePack] {
        let whole = offered(service, input, usize::MAX);
        assert_eq!(whole, offered(service, input, 1));
        if let Some(out) = whole {
            assert_eq!(offered(service, &out, 7), Some(out));
        }
    }
    let whole = listed(input, usize::MAX);
    assert_eq!(whole, listed(input, 1));
    if let Some(out) = whole {
        assert_eq!(listed(&out, 7), Some(out));
    }
});

fn offered(service: GitService, input: &[u8], size: usize) -> Option<Vec<u8>> {
    let shows = |seen: &SeenRef<'_>| !seen.name.contains("secret");
    let mut filter = AdvertisementFilter::new(service, Offer::default(), shows);
    let mut out = Vec::new();
    for piece in input.chunks(size.min(input.len().max(1))) {
        filter.feed(piece, &mut out).ok()?;
    }
    filter.finish().ok().map(|_| out)
}

fn listed(input: &[u8], size: usize) -> Option<Vec<u8>> {
    let shows = |seen: &SeenRef<'_>| !seen.name.contains("secret");
    let mut filter = RefsFilter::new(ObjectFormat::Sha1, shows);
    let mut out = Vec::new();
    for piece in input.chunks(size.min(input.len().max(1))) {
        filter.feed(piece, &mut out).ok()?;
    }
    filter.finish().ok().map(|_| out)
}
