//! Certificates for servers of tests: an authority that lives as long as its folder, and what it
//! vouches for. Made by the `openssl` of the system, with keys that nobody else has.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A certificate and its private key, as PEM files.
#[derive(Clone, Debug)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Whoever vouches for servers.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    identity: Identity,
}

impl Authority {
    /// Makes an authority of this name, a file name, in a folder.
    ///
    /// # Errors
    /// What `openssl` said.
    pub fn new(folder: &Path, name: &str) -> Result<Self, String> {
        let identity = files(folder, name);
        let subject = format!("/CN={name}");
        let extension = "basicConstraints=critical,CA:TRUE";
        openssl(&identity, &["-subj", &subject, "-addext", extension, "-days", "2"])?;
        Ok(Self { folder: folder.to_owned(), identity })
    }

    /// The file for those who are to trust it.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.identity.certificate
    }

    /// Vouches for the server of this host name, which is also the name of the files.
    ///
    /// # Errors
    /// What `openssl` said.
    pub fn vouch(&self, host: &str) -> Result<Identity, String> {
        let identity = files(&self.folder, host);
        let (subject, name) = (format!("/CN={host}"), format!("subjectAltName=DNS:{host}"));
        let certificate = self.identity.certificate.to_string_lossy();
        let key = self.identity.key.to_string_lossy();
        let signed = ["-CA", &*certificate, "-CAkey", &*key, "-days", "2", "-subj", &subject, "-addext", &name];
        openssl(&identity, &[&signed[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat())?;
        Ok(identity)
    }
}

fn files(folder: &Path, name: &str) -> Identity {
    Identity { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) }
}

/// Makes a key and a certificate for it.
fn openssl(identity: &Identity, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
    command.arg("-keyout").arg(&identity.key).arg("-out").arg(&identity.certificate).args(arguments);
    let output = command.output().map_err(|error| format!("openssl can't be run: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
