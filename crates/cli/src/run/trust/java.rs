//! The bundle in the form that Java reads. A Java runtime has its authorities in a file of its
//! own, and no variable that leads to another one goes unnoticed: `JAVA_TOOL_OPTIONS` makes each
//! start print a line. So the file is shown in the place of the runtime's.

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The trust stores of the Java runtimes of this machine.
pub(super) fn stores() -> Vec<PathBuf> {
    let mut stores: Vec<PathBuf> = SHARED.map(PathBuf::from).into();
    for root in ROOTS {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            stores.extend(WITHIN.map(|within| entry.path().join(within)));
        }
    }
    stores.retain(|path| path.is_file());
    stores
}

/// A key store of the JKS form (version 2) with the certificates of a PEM bundle.
pub(super) fn store(bundle: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bundle);
    let mut entries = Vec::with_capacity(bundle.len());
    let mut number = 0;
    for certificate in certificates(&text) {
        entries.extend_from_slice(&TRUSTED_CERTIFICATE);
        push_text(&mut entries, &format!("ringfence-{number}"));
        // The time at which it was added matters to nobody.
        entries.extend_from_slice(&[0; 8]);
        push_text(&mut entries, "X.509");
        entries.extend_from_slice(&length(certificate.len()));
        entries.extend_from_slice(&certificate);
        number += 1;
    }
    let head = [MAGIC, VERSION, length(number)].concat();
    let seal = seal(&[&head, &entries]);
    [&head, &*entries, seal.as_ref()].concat()
}

/// What is between the marks of a certificate, decoded. Anything else is left out.
fn certificates(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let blocks = text.split(BEGIN).skip(1);
    let blocks = blocks.filter_map(|block| block.split(END).next());
    blocks.filter_map(|block| {
        let mut encoded = String::with_capacity(block.len());
        encoded.extend(block.lines().map(str::trim));
        STANDARD.decode(encoded).ok()
    })
}

/// The check sum that the form asks for. It proves nothing: everybody knows the password.
fn seal(store: &[&[u8]]) -> digest::Digest {
    let mut seal = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    for unit in PASSWORD.encode_utf16() {
        seal.update(&unit.to_be_bytes());
    }
    seal.update(WHITENER);
    for part in store {
        seal.update(part);
    }
    seal.finish()
}

fn push_text(store: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    store.extend_from_slice(&length.to_be_bytes());
    store.extend_from_slice(text.as_bytes());
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Where distributions keep one for all runtimes.
const SHARED: [&str; 3] = [
    "/etc/ssl/certs/java/cacerts",
    "/etc/pki/ca-trust/extracted/java/cacerts",
    "/etc/pki/java/cacerts",
];
/// Directories of runtimes.
const ROOTS: [&str; 2] = ["/usr/lib/jvm", "/opt"];
/// Where a runtime has its own.
const WITHIN: [&str; 2] = ["lib/security/cacerts", "jre/lib/security/cacerts"];

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const VERSION: [u8; 4] = [0, 0, 0, 2];
const TRUSTED_CERTIFICATE: [u8; 4] = [0, 0, 0, 2];
/// The password of every trust store of Java.
const PASSWORD: &str = "changeit";
const WHITENER: &[u8] = b"Mighty Aphrodite";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_becomes_a_store_with_an_entry_for_each_certificate() {
        let bundle =
            format!("# one\n{BEGIN}\nAQ\nID\n{END}\n\n{BEGIN}\nBA==\n{END}\nx{BEGIN}!{END}");
        let store = store(bundle.as_bytes());
        let (head, rest) = store.split_at(12);
        assert_eq!(head, [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 2]);
        let first = [
            &[0, 0, 0, 2, 0, 11][..],
            b"ringfence-0",
            &[0; 8],
            b"\0\x05X.509\0\0\0\x03\x01\x02\x03",
        ]
        .concat();
        assert!(rest.starts_with(&first), "{}", rest.escape_ascii());
        assert_eq!(rest.len(), first.len() * 2 - 2 + 20);
    }
}
