//! Certificates, made for the moment: who says who somebody is, and what is wrong with it.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name by which servers are asked.
pub const NAME: &str = "localhost";

/// Who makes certificates.
pub struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

/// What a server shows of itself.
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { certificate: self.certificate.clone(), key: self.key.clone_key() }
    }
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct Says {
    pub name: &'static str,
    /// From and until when, as seconds of Unix time.
    pub valid: Option<(u64, u64)>,
    /// For whom: a server, as they should, or a client.
    pub purpose: ExtendedKeyUsagePurpose,
}

impl Default for Says {
    fn default() -> Self {
        Self { name: NAME, valid: None, purpose: ExtendedKeyUsagePurpose::ServerAuth }
    }
}

impl Authority {
    pub fn new(name: &str) -> anyhow::Result<Self> {
        Self::with_key(name, KeyPair::generate()?)
    }

    /// The one whose [key](Self::key) was kept.
    pub fn kept(name: &str, key: &[u8]) -> anyhow::Result<Self> {
        Self::with_key(name, KeyPair::try_from(key)?)
    }

    fn with_key(name: &str, key: KeyPair) -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { params, key, pem })
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn key(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    /// A server of which this authority says so.
    pub fn signs(&self, says: &Says) -> anyhow::Result<Identity> {
        let (params, key) = (params(says)?, KeyPair::generate()?);
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key))?;
        Ok(Identity { certificate: certificate.der().clone(), key: kept(&key) })
    }
}

/// A server that says so itself.
pub fn self_signed(says: &Says) -> anyhow::Result<Identity> {
    let key = KeyPair::generate()?;
    let certificate = params(says)?.self_signed(&key)?;
    Ok(Identity { certificate: certificate.der().clone(), key: kept(&key) })
}

fn params(says: &Says) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new([says.name.to_owned()])?;
    params.extended_key_usages = vec![says.purpose.clone()];
    if let Some((from, until)) = says.valid {
        let at = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        (params.not_before, params.not_after) = (at(from), at(until));
    }
    Ok(params)
}

fn kept(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}
