//! A certificate authority for tests. Nothing trusts it but what a test points at its file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::Workdir;

/// The authority and its certificate on disk.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    directory: PathBuf,
    certificate: PathBuf,
}

/// A server's certificate chain and private key, as PEM files.
pub struct Leaf {
    /// The certificate, followed by the authority's.
    pub certificate: PathBuf,
    /// The private key, PKCS #8.
    pub key: PathBuf,
}

impl Ca {
    /// Creates an authority; its files lie in `ca/` of the directory.
    pub fn new(workdir: &Workdir) -> io::Result<Self> {
        let directory = workdir.dir("ca")?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let params = authority()?;
        let pem = params.self_signed(&key).map_err(io::Error::other)?.pem();
        let certificate = directory.join("ca.pem");
        fs::write(&certificate, pem)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            directory,
            certificate,
        })
    }

    /// The authority's certificate (PEM), for a client's trust store.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Issues a server certificate for host names, wildcards or IP addresses. The files are called after the first name.
    pub fn leaf(&self, names: &[&str]) -> io::Result<Leaf> {
        let first = names
            .first()
            .ok_or_else(|| io::Error::other("a certificate needs a name"))?
            .replace('*', "_");
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let params = server(names)?;
        let signed = params
            .signed_by(&key, &self.issuer)
            .map_err(io::Error::other)?;
        let chain = signed.pem() + &fs::read_to_string(&self.certificate)?;
        let leaf = Leaf {
            certificate: self.directory.join(format!("{first}.pem")),
            key: self.directory.join(format!("{first}.key")),
        };
        fs::write(&leaf.certificate, chain)?;
        fs::write(&leaf.key, key.serialize_pem())?;
        Ok(leaf)
    }
}

fn authority() -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Ringfence test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn server(names: &[&str]) -> io::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Ringfence test server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{command, run};

    #[test]
    fn openssl_accepts_a_leaf_for_its_names_only() {
        let workdir = Workdir::new().unwrap();
        let ca = Ca::new(&workdir).unwrap();
        let leaf = ca.leaf(&["api.acme.test", "*.acme.test"]).unwrap();
        let verify = |name: &str| {
            let mut openssl = command("openssl");
            openssl.args([
                "verify",
                "-x509_strict",
                "-verify_hostname",
                name,
                "-CAfile",
            ]);
            run(openssl.arg(ca.certificate()).arg(&leaf.certificate))
        };
        verify("api.acme.test").unwrap();
        verify("www.acme.test").unwrap();
        verify("acme.test").unwrap_err();
    }
}
