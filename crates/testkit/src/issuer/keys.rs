//! Keys and certificates of clients, made by OpenSSL.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Workdir;
use crate::process::{command, run};

/// A key pair on disk and in memory.
pub struct ClientKey {
    directory: PathBuf,
    name: String,
    /// The private key in PEM, PKCS #8.
    pub private_pem: String,
}

impl ClientKey {
    /// A new RSA key of 2048 bits. Its files lie in `keys/` of the directory.
    pub fn rsa(workdir: &Workdir, name: &str) -> io::Result<Self> {
        Self::new(workdir, name, &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
    }

    /// A new key of the curve P-256.
    pub fn p256(workdir: &Workdir, name: &str) -> io::Result<Self> {
        Self::new(
            workdir,
            name,
            &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        )
    }

    fn new(workdir: &Workdir, name: &str, kind: &[&str]) -> io::Result<Self> {
        let directory = workdir.dir("keys")?;
        let private = directory.join(format!("{name}.key"));
        let mut openssl = command("openssl");
        openssl.args(["genpkey", "-quiet", "-algorithm"]).args(kind);
        run(openssl.arg("-out").arg(&private))?;
        let mut openssl = command("openssl");
        openssl.args(["pkey", "-pubout", "-in"]).arg(&private);
        run(openssl
            .arg("-out")
            .arg(directory.join(format!("{name}.pub"))))?;
        Ok(Self {
            private_pem: fs::read_to_string(&private)?,
            directory,
            name: name.to_owned(),
        })
    }

    /// The private key in the form that is older than PKCS #8: PKCS #1 for RSA, SEC 1 for EC.
    pub fn traditional_pem(&self) -> io::Result<String> {
        let mut openssl = command("openssl");
        openssl.args(["pkey", "-traditional", "-in"]);
        text(run(openssl.arg(self.private())).map(|output| output.stdout)?)
    }

    /// The private key, encrypted with a password.
    pub fn encrypted_pem(&self) -> io::Result<String> {
        let mut openssl = command("openssl");
        openssl.args(["pkey", "-aes256", "-passout", "pass:secret", "-in"]);
        text(run(openssl.arg(self.private())).map(|output| output.stdout)?)
    }

    /// A certificate for the key, signed by itself, in PEM.
    pub fn certificate(&self) -> io::Result<String> {
        let mut openssl = command("openssl");
        openssl.args(["req", "-x509", "-subj", "/CN=agent", "-days", "1", "-key"]);
        text(run(openssl.arg(self.private())).map(|output| output.stdout)?)
    }

    /// The file with the public key.
    pub fn public(&self) -> PathBuf {
        self.file("pub")
    }

    fn private(&self) -> PathBuf {
        self.file("key")
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.name))
    }
}

/// The SHA-256 of a certificate (PEM) in hexadecimal digits, as OpenSSL says it.
pub fn fingerprint(directory: &Path, certificate: &str) -> io::Result<String> {
    let file = directory.join("fingerprint.pem");
    fs::write(&file, certificate)?;
    let mut openssl = command("openssl");
    openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]);
    let shown = text(run(openssl.arg(file)).map(|output| output.stdout)?)?;
    let digits = shown.split('=').nth(1).unwrap_or_default();
    Ok(digits.trim().replace(':', "").to_ascii_lowercase())
}

fn text(octets: Vec<u8>) -> io::Result<String> {
    String::from_utf8(octets).map_err(io::Error::other)
}
