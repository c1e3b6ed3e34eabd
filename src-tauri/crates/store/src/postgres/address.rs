//! Where the record is and how it is reached: the address as people write it, what is refused about
//! it, and what to say when nobody answers.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};

use super::fault::said;
use super::writes::sweeps::LANES;

/// So long a server may take to let somebody in.
const PATIENCE: Duration = Duration::from_secs(10);

const STATEMENTS_KEPT: usize = 256;

/// A secret that is never shown.
#[derive(Clone)]
struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// How to reach the record.
#[derive(Clone, Debug)]
pub struct PgSettings {
    /// `postgres://login@host:port/database`, with `sslrootcert=FILE` where the server's certificate
    /// comes from a CA of one's own. TLS is `verify-full` unless the server is on this machine.
    pub url: String,
    /// At most so many connections at a time for reading and cases, and as many for calls.
    pub connections: u32,
    password: Option<Password>,
}

impl PgSettings {
    /// What a busy program has of each kind, unless told otherwise.
    const CONNECTIONS: u32 = 4;

    /// All that such a program has open when it is busiest: for reading, for calls, and for what is
    /// settled together.
    pub(super) const CONNECTIONS_OF_A_STORE: u32 = 2 * Self::CONNECTIONS + LANES;

    /// The record at an address, with four connections of each kind. The password is that of the address, else of
    /// `PGPASSWORD`, else of `.pgpass`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: Self::CONNECTIONS, password: None }
    }

    /// The same with a password of its own.
    #[must_use]
    pub fn with_password(self, password: impl Into<String>) -> Self {
        Self { password: Some(Password(password.into())), ..self }
    }

    /// How to reach the server, and what to call it.
    ///
    /// # Errors
    /// `Unavailable` where the address is none, or would send a password unprotected.
    pub(super) fn address(&self) -> StoreResult<Address> {
        let options: PgConnectOptions = self.url.parse().map_err(|error| {
            StoreError::Unavailable(format!(
                "the record's address is not one: {error}. It reads postgres://login@host:5432/database"
            ))
        })?;
        let wanted = parameter(&self.url, "sslmode");
        let options = match &self.password {
            Some(password) => options.password(&password.0),
            None => options,
        };
        let address = Address {
            is_near: is_near(&options),
            has_password: self.password.is_some() || std::env::var_os("PGPASSWORD").is_some(),
            authority: parameter(&self.url, "sslrootcert").map(str::to_owned),
            options,
        };
        let mode = address.protection(wanted)?;
        let options = address
            .options
            .ssl_mode(mode)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .application_name("makegood")
            // ROLLBACK outside a transaction warns; it is sent each time a connection is taken.
            .options([("client_min_messages", "error")]);
        Ok(Address { options, ..address })
    }
}

/// The value of a parameter of an address, if it is there.
fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, parameters) = url.split_once('?')?;
    parameters
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| key.replace('-', "").eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .next_back()
}

/// Whether what is sent stays on this machine.
fn is_near(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A server, as it is reached and as it is called in messages.
pub(super) struct Address {
    pub options: PgConnectOptions,
    is_near: bool,
    has_password: bool,
    /// The file of the CA, as the address says it.
    authority: Option<String>,
}

impl Address {
    /// `host:port/database`, without login and password.
    pub(super) fn location(&self) -> String {
        format!("{}/{}", self.server(), self.database())
    }

    pub(super) fn login(&self) -> &str {
        self.options.get_username()
    }

    fn database(&self) -> &str {
        self.options.get_database().unwrap_or_else(|| self.login())
    }

    fn server(&self) -> String {
        match self.options.get_socket() {
            Some(folder) => format!("{}:{}", folder.display(), self.options.get_port()),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    /// How the way to the server is protected. What falls back to no protection is never taken: whoever
    /// sits between could ask for it. `require` and `verify-ca` don't prove whose server it is.
    fn protection(&self, wanted: Option<&str>) -> StoreResult<PgSslMode> {
        let server = self.server();
        match wanted {
            Some("disable") if self.is_near => Ok(PgSslMode::Disable),
            Some("disable") => Err(StoreError::Unavailable(format!(
                "sslmode=disable would send the password in the clear to {server}: only a server on this machine may \
                 go without TLS. Leave sslmode out"
            ))),
            Some("verify-full") => Ok(PgSslMode::VerifyFull),
            Some(mode @ ("prefer" | "allow")) => Err(StoreError::Unavailable(format!(
                "sslmode={mode} goes on without TLS as soon as somebody between here and {server} says so. Leave \
                 sslmode out: verify-full is taken"
            ))),
            Some(mode @ ("require" | "verify-ca")) => Err(StoreError::Unavailable(format!(
                "sslmode={mode} does not check that the server is {server}. Leave sslmode out: verify-full is taken, \
                 and sslrootcert=FILE names the CA"
            ))),
            Some(mode) => Err(StoreError::Unavailable(format!("sslmode={mode} is unknown. Leave sslmode out"))),
            None if self.is_near => Ok(PgSslMode::Disable),
            None => Ok(PgSslMode::VerifyFull),
        }
    }

    /// One connection, outside any pool.
    ///
    /// # Errors
    /// `Unavailable`: who did not answer, or who may not come in.
    pub(super) async fn reach(&self) -> StoreResult<PgConnection> {
        match tokio::time::timeout(PATIENCE, self.options.connect()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(StoreError::Unavailable(self.explain(&error))),
            Err(_) => Err(StoreError::Unavailable(format!("{} did not answer within 10 seconds", self.server()))),
        }
    }

    /// What went wrong on the way in, in plain words, without the password.
    fn explain(&self, error: &sqlx::Error) -> String {
        let (server, login, database) = (self.server(), self.login(), self.database());
        if let Some(said) = said(error) {
            let message = said.message();
            return match said.code() {
                "28P01" if self.has_password => format!("{server} does not take the password of {login}"),
                "28P01" | "28000" if message.contains("password") => format!(
                    "{server} asks for the password of {login}, and takes none that is known here: set the variable \
                     that the settings name, or PGPASSWORD, or .pgpass"
                ),
                "28P01" | "28000" => format!("{server} does not let {login} in: {message}"),
                "3D000" => format!("{server} has no database {database}"),
                "53300" => format!("{server} has no connection left for {login}: {message}"),
                "57P03" => format!("{server} is starting or stopping: {message}"),
                _ => format!("{server} says: {message}"),
            };
        }
        match error {
            sqlx::Error::Tls(why) if why.to_string().contains("does not support TLS") => format!(
                "{server} offers no TLS, and the password is not sent without it. Nothing was sent. Switch ssl on in \
                 the server's settings"
            ),
            sqlx::Error::Tls(why) if self.lacks_authority() => self.no_authority(&why.to_string()),
            sqlx::Error::Io(why) if self.lacks_authority() => self.no_authority(&why.to_string()),
            sqlx::Error::Tls(why) => self.untrusted(&why.to_string()),
            sqlx::Error::Io(why) if is_certificate(why) => self.untrusted(&why.to_string()),
            sqlx::Error::Io(why) if why.kind() == std::io::ErrorKind::ConnectionRefused => {
                format!("nobody answers at {server}: no PostgreSQL listens there, or another port is right")
            }
            sqlx::Error::Io(why) if why.kind() == std::io::ErrorKind::NotFound => {
                format!("there is no server's socket at {server}")
            }
            sqlx::Error::Io(why) => format!("{server} can't be reached: {why}"),
            other => format!("{server}: {other}"),
        }
    }

    /// Whether the CA's file can't be read as one. Then nobody was asked anything.
    fn lacks_authority(&self) -> bool {
        let Some(file) = &self.authority else { return false };
        !std::fs::read_to_string(file).is_ok_and(|text| text.contains("-----BEGIN CERTIFICATE-----"))
    }

    fn no_authority(&self, why: &str) -> String {
        format!(
            "{} can't prove who it is: the file {} holds no certificate of a CA that can be read ({why})",
            self.server(),
            self.authority.as_deref().unwrap_or_default()
        )
    }

    fn untrusted(&self, why: &str) -> String {
        format!(
            "{} does not prove that it is that server: {why}. sslrootcert=FILE in the address names the CA that vouches \
             for it",
            self.server()
        )
    }
}

fn is_certificate(error: &std::io::Error) -> bool {
    let text = error.to_string().to_lowercase();
    error.kind() == std::io::ErrorKind::InvalidData || text.contains("certificate")
}
