//! A PostgreSQL server that lives as long as a test: from the system's packages, in a folder of its
//! own, as an unprivileged user. Nothing of it stays behind, also not after a panic or a kill: a
//! watcher outside the test's process stops the server when the process is gone.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tempfile::TempDir;

use crate::certificates::Identity;

/// Where Debian keeps its servers, one folder a version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The server refuses to run as root; this user comes with Debian's package.
const UNPRIVILEGED: &str = "postgres";

/// The superuser of each cluster. It may always come in without a password.
pub const SUPERUSER: &str = "postgres";

/// Makes a record believe its callers about the time, for tests in virtual time: in production the
/// database's own clock counts. To be run in the database after migrating.
pub const VIRTUAL_TIME: &str = "CREATE OR REPLACE FUNCTION record.clock(p_at bigint) RETURNS bigint LANGUAGE sql
    AS $$ SELECT p_at $$";

/// Another program can take the free port that was found: so often another one is tried.
const TRIES: u32 = 5;

/// So many databases of tests are kept at least, at some 10 MB each.
const KEPT: usize = 16;

/// How a cluster is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Off is faster, and loses what was acknowledged when the *machine* goes down, not the server.
    pub fsync: bool,
    /// Logins other than the superuser's need their password.
    pub passwords: bool,
    /// Who the server says that it is, to clients that ask for TLS. None: it offers none.
    pub identity: Option<Identity>,
    /// Further settings of `postgresql.conf`, by name.
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { fsync: true, passwords: false, identity: None, settings: Vec::new() }
    }
}

/// A running server. Stopped, with all that it kept, when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    run_as: Option<String>,
    watcher: Child,
    named: AtomicU32,
    made: Mutex<VecDeque<String>>,
    templates: Mutex<HashSet<String>>,
    building: tokio::sync::Mutex<()>,
}

impl Cluster {
    /// Makes a cluster and starts its server.
    ///
    /// # Errors
    /// In plain words: where PostgreSQL is not installed, or why it did not start, with the end of
    /// its log.
    pub fn start(options: &Options) -> Result<Self, String> {
        let programs = newest_programs(Path::new(VERSIONS))?;
        let folder = TempDir::with_prefix("makegood-pg-").map_err(|error| format!("no temporary folder: {error}"))?;
        let run_as = owner_for(folder.path())?;
        let watcher = watch(&programs, folder.path(), run_as.as_deref())?;
        let mut cluster = Self {
            programs,
            folder,
            port: 0,
            run_as,
            watcher,
            named: AtomicU32::new(0),
            made: Mutex::default(),
            templates: Mutex::default(),
            building: tokio::sync::Mutex::new(()),
        };
        cluster.make(options)?;
        Ok(cluster)
    }

    /// The one cluster of this test process, made at its first use, without `fsync`.
    ///
    /// # Panics
    /// In plain words, where PostgreSQL is not installed or did not start.
    #[expect(clippy::panic, reason = "a test that needs a database and has none has failed, and says why")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        let options = Options { fsync: false, ..Options::default() };
        match SHARED.get_or_init(|| Self::start(&options)) {
            Ok(cluster) => cluster,
            Err(why) => panic!("{why}"),
        }
    }

    /// The address of a database for a login, over the socket in the cluster's folder.
    #[must_use]
    pub fn url(&self, database: &str, user: &str) -> String {
        format!("postgres://{user}@localhost:{}/{database}?host={}", self.port, self.folder.path().display())
    }

    /// The same over TCP, for what stands between a client and the server. `user` may be
    /// `name:password`.
    #[must_use]
    pub fn tcp_url(&self, database: &str, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1, and of the socket.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server's programs: `psql`, `pgbench`.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The folder with the socket, the data (`data`) and the log (`log`).
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new, empty database.
    ///
    /// # Errors
    /// What the server said.
    pub fn empty_database(&self) -> Result<String, String> {
        let name = self.new_name();
        self.sql(SUPERUSER, &format!("CREATE DATABASE {name}"))?;
        Ok(name)
    }

    /// A new database like the one that `build` fills: it is called once per cluster and template,
    /// with the superuser's address of an empty database, and must close its connections. The rest
    /// are copies.
    ///
    /// # Errors
    /// What the server, or `build`, said.
    pub async fn database<F, B>(&self, template: &str, build: B) -> Result<String, String>
    where
        F: Future<Output = Result<(), String>>,
        B: FnOnce(String) -> F,
    {
        let building = self.building.lock().await;
        let is_built = self.templates.lock().unwrap_or_else(PoisonError::into_inner).contains(template);
        if !is_built {
            // What an earlier try left half built.
            self.sql(SUPERUSER, &format!("DROP DATABASE IF EXISTS {template}"))?;
            self.sql(SUPERUSER, &format!("CREATE DATABASE {template}"))?;
            build(self.url(template, SUPERUSER)).await?;
            self.sql(SUPERUSER, &format!("ALTER DATABASE {template} ALLOW_CONNECTIONS false"))?;
            self.templates.lock().unwrap_or_else(PoisonError::into_inner).insert(template.to_owned());
        }
        drop(building);
        let name = self.new_name();
        self.sql(SUPERUSER, &format!("CREATE DATABASE {name} TEMPLATE {template}"))?;
        self.drop_oldest(&name);
        Ok(name)
    }

    /// Keeps the disk from filling with the databases of tests that are done: drops the oldest, which
    /// the server refuses where somebody is still connected.
    fn drop_oldest(&self, newest: &str) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push_back(newest.to_owned());
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let oldest = if made.len() > KEPT.max(4 * at_once) { made.pop_front() } else { None };
        drop(made);
        if let Some(oldest) = oldest
            && let Err(why) = self.sql(SUPERUSER, &format!("DROP DATABASE {oldest}"))
        {
            eprintln!("{oldest} is kept: {}", why.trim());
        }
    }

    /// Runs statements as the superuser, and returns what they print: a line a row, `|` between
    /// columns.
    ///
    /// # Errors
    /// What the server said to the first statement that failed.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String, String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", SUPERUSER, "-d", database, "-f", "-"]);
        psql.arg("-h").arg(self.folder.path()).arg("-p").arg(self.port.to_string()).current_dir("/");
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().map_err(|error| format!("psql can't be run: {error}"))?;
        if let Some(mut input) = child.stdin.take() {
            std::io::Write::write_all(&mut input, statements.as_bytes()).map_err(|error| format!("psql: {error}"))?;
        }
        said(child.wait_with_output())
    }

    /// Stops the server as a kill does: no checkpoint, open transactions are gone.
    ///
    /// # Errors
    /// What `pg_ctl` said.
    pub fn stop_at_once(&self) -> Result<(), String> {
        self.control(&["stop", "-m", "immediate"]).map(drop)
    }

    /// Starts the server again after [`Self::stop_at_once`], on the same port; recovered when this returns.
    ///
    /// # Errors
    /// What `pg_ctl` said, and the end of the server's log.
    pub fn start_again(&self) -> Result<(), String> {
        let log = self.folder.path().join("log");
        let log = log.to_string_lossy();
        let started = self.control(&["start", "-s", "-l", &log, "-t", "60"]);
        started.map(drop).map_err(|why| format!("PostgreSQL did not start: {why}{}", self.log_end()))
    }

    /// The server reads a key only where nobody else can.
    fn put_identity(&self, identity: &Identity) -> Result<(), String> {
        let owner = fs::metadata(self.folder.path()).map_err(|error| format!("the folder: {error}"))?;
        for (from, name) in [(&identity.certificate, "server.crt"), (&identity.key, "server.key")] {
            let to = self.folder.path().join(name);
            let put = || -> std::io::Result<()> {
                fs::copy(from, &to)?;
                fs::set_permissions(&to, fs::Permissions::from_mode(0o600))?;
                chown(&to, Some(owner.uid()), Some(owner.gid()))
            };
            put().map_err(|error| format!("{}: {error}", to.display()))?;
        }
        Ok(())
    }

    /// The last lines of the server's log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn new_name(&self) -> String {
        format!("test_{}", self.named.fetch_add(1, Ordering::Relaxed))
    }

    fn make(&mut self, options: &Options) -> Result<(), String> {
        let data = self.folder.path().join("data");
        let mut initdb = self.program("initdb");
        initdb.args([
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]);
        said(initdb.arg("-D").arg(&data).output())?;
        fs::write(data.join("pg_hba.conf"), doors(options.passwords))
            .map_err(|error| format!("pg_hba.conf: {error}"))?;
        if let Some(identity) = &options.identity {
            self.put_identity(identity)?;
        }
        let defaults =
            fs::read_to_string(data.join("postgresql.conf")).map_err(|error| format!("settings: {error}"))?;
        let mut result = Ok(());
        for _ in 0..TRIES {
            self.port = free_port()?;
            let settings = settings(self.folder.path(), self.port, options);
            let path = data.join("postgresql.conf");
            fs::write(path, format!("{defaults}{settings}")).map_err(|error| format!("settings: {error}"))?;
            result = self.start_again();
            if result.is_ok() {
                break;
            }
        }
        result
    }

    fn control(&self, arguments: &[&str]) -> Result<String, String> {
        let mut control = self.program("pg_ctl");
        control.args(arguments).arg("-w").arg("-D").arg(self.folder.path().join("data"));
        // The server inherits what it is given: a pipe would stay open as long as it runs.
        control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match control.status() {
            Ok(status) if status.success() => Ok(String::new()),
            Ok(status) => Err(format!("pg_ctl ended with {status}\n")),
            Err(error) => Err(format!("pg_ctl can't be run: {error}\n")),
        }
    }

    fn program(&self, name: &str) -> Command {
        let mut command = unprivileged(&self.programs.join(name), self.run_as.as_deref());
        command.current_dir("/").env("LC_ALL", "C");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        if let Err(error) = self.watcher.wait() {
            eprintln!("the watcher of {}: {error}", self.folder.path().display());
        }
    }
}

/// The programs of the newest server that is installed.
fn newest_programs(versions: &Path) -> Result<PathBuf, String> {
    let missing = || {
        format!(
            "PostgreSQL is not installed: there is no {}/*/bin/initdb. `apt-get install postgresql`",
            versions.display()
        )
    };
    let folders = fs::read_dir(versions).map_err(|_| missing())?;
    folders
        .filter_map(|folder| {
            let version: u32 = folder.as_ref().ok()?.file_name().to_str()?.parse().ok()?;
            let programs = folder.ok()?.path().join("bin");
            programs.join("initdb").exists().then_some((version, programs))
        })
        .max()
        .map(|(_, programs)| programs)
        .ok_or_else(missing)
}

/// The user to run the server as, where we are root: the folder is given to that user.
fn owner_for(folder: &Path) -> Result<Option<String>, String> {
    let ours = fs::metadata(folder).map_err(|error| format!("{}: {error}", folder.display()))?.uid();
    if ours != 0 {
        return Ok(None);
    }
    let id = |flag: &str| -> Result<u32, String> {
        let found = said(Command::new("id").args([flag, UNPRIVILEGED]).output());
        let found =
            found.map_err(|why| format!("the server can't run as root, and there is no user {UNPRIVILEGED}: {why}"))?;
        found.trim().parse().map_err(|_| format!("`id {flag} {UNPRIVILEGED}` says {found}"))
    };
    chown(folder, Some(id("-u")?), Some(id("-g")?)).map_err(|error| format!("{}: {error}", folder.display()))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(Some(UNPRIVILEGED.to_owned()))
}

fn unprivileged(program: &Path, user: Option<&str>) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups"]).arg(program);
    command
}

/// A process that waits for the end of its input, which comes with our end, whatever that is; then
/// it stops the server and deletes the folder.
fn watch(programs: &Path, folder: &Path, user: Option<&str>) -> Result<Child, String> {
    let script = r#"trap '' HUP INT TERM
read -r _
folder=$1; shift
[ ! -f "$folder/data/postmaster.pid" ] || "$@" stop -s -w -m immediate -D "$folder/data"
rm -rf "$folder""#;
    let control = unprivileged(&programs.join("pg_ctl"), user);
    let mut watcher = Command::new("sh");
    watcher.args(["-c", script, "watcher"]).arg(folder).arg(control.get_program()).args(control.get_args());
    watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").process_group(0);
    watcher.spawn().map_err(|error| format!("sh can't be run: {error}"))
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

fn doors(passwords: bool) -> String {
    let others = if passwords { "scram-sha-256" } else { "trust" };
    format!(
        "local all {SUPERUSER} trust\nlocal all all {others}\nhost all {SUPERUSER} 127.0.0.1/32 trust\n\
         host all all 127.0.0.1/32 {others}\n"
    )
}

fn settings(folder: &Path, port: u16, options: &Options) -> String {
    let fsync = if options.fsync { "on" } else { "off" };
    let mut text = format!(
        "\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n\
         max_connections = 200\nmax_wal_size = '128MB'\nmin_wal_size = '32MB'\nfsync = {fsync}\ntimezone = 'UTC'\nlc_messages = 'C'\n\
         password_encryption = 'scram-sha-256'\n",
        folder.display()
    );
    if options.identity.is_some() {
        let file = |name: &str| folder.join(name).display().to_string();
        let files = format!("'{}'\nssl_key_file = '{}'", file("server.crt"), file("server.key"));
        text.push_str(&format!("ssl = on\nssl_cert_file = {files}\n"));
    }
    for (name, value) in &options.settings {
        text.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
    }
    text
}

fn said(output: std::io::Result<Output>) -> Result<String, String> {
    let output = output.map_err(|error| format!("it can't be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(text) } else { Err(format!("{text}{}", String::from_utf8_lossy(&output.stderr))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn databases_are_copies_and_nothing_stays_behind() {
        let cluster = Cluster::start(&Options { fsync: false, ..Options::default() }).unwrap();
        let fill = |url: String| async move {
            assert!(url.contains("/shape?host="), "{url}");
            Ok(())
        };
        let first = cluster.database("shape", fill).await.unwrap();
        cluster.sql(&first, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)").unwrap();
        assert_eq!(cluster.sql(&first, "SELECT a, a + 1 FROM t").unwrap(), "1|2\n2|3\n");
        let second = cluster.database("shape", |_| async { Err("is built once".to_owned()) }).await.unwrap();
        assert!(cluster.sql(&second, "SELECT a FROM t").unwrap_err().contains("does not exist"));
        cluster.stop_at_once().unwrap();
        assert!(cluster.sql(&first, "SELECT 1").is_err());
        cluster.start_again().unwrap();
        assert_eq!(cluster.sql(&first, "SELECT count(*) FROM t").unwrap(), "2\n");
        let folder = cluster.folder().to_owned();
        drop(cluster);
        assert!(!folder.exists(), "{}", folder.display());
    }

    #[test]
    fn a_missing_server_is_named() {
        let nowhere = tempfile::tempdir().unwrap();
        let why = newest_programs(nowhere.path()).unwrap_err();
        assert!(why.starts_with("PostgreSQL is not installed"), "{why}");
        for version in ["9.6", "13", "9", "17"] {
            fs::create_dir_all(nowhere.path().join(version).join("bin")).unwrap();
        }
        fs::write(nowhere.path().join("13/bin/initdb"), "").unwrap();
        fs::write(nowhere.path().join("9/bin/initdb"), "").unwrap();
        assert!(newest_programs(nowhere.path()).unwrap().ends_with("13/bin"));
    }
}
