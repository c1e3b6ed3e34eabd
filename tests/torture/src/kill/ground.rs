//! The records that programs are killed on: a file, or a database of a server.

use std::path::{Path, PathBuf};

use makegood_domain::ports::ApprovalStore as _;
use makegood_store::sqlite::SqliteStore;
use makegood_testkit::postgres::SUPERUSER;

use crate::child::runtime;
use crate::pg::Server;
use crate::product;
use crate::proof::{self, Acknowledged, Settled};
use crate::writer;

/// A record, with what stands before the first run.
pub enum Ground {
    Embedded { file: PathBuf },
    Shared { server: Box<Server> },
}

impl Ground {
    /// A new file in `folder`.
    pub fn embedded(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("record.db");
        runtime()?.block_on(async {
            let store = SqliteStore::open(&file).await?;
            store.put_person(&product::person(), product::at(0)).await?;
            writer::furnish(&store).await?;
            store.close().await;
            anyhow::Ok(())
        })?;
        Ok(Self::Embedded { file })
    }

    /// A new server. `fsync`: also the server is going to be killed.
    pub fn shared(fsync: bool) -> anyhow::Result<Self> {
        let server = runtime()?.block_on(async {
            let server = Server::start(fsync).await?;
            server.furnish().await?.close().await;
            anyhow::Ok(Box::new(server))
        })?;
        Ok(Self::Shared { server })
    }

    pub fn word(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => "sqlite",
            Self::Shared { .. } => "postgres",
        }
    }

    /// Where a program finds it.
    pub fn place(&self) -> PathBuf {
        match self {
            Self::Embedded { file } => file.clone(),
            Self::Shared { server } => server.url(SUPERUSER).into(),
        }
    }

    /// What is wrong with it, in words.
    pub fn wrong(&self, lane: &str, known: &Acknowledged, settled: Settled) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Embedded { file } => Ok(runtime()?.block_on(proof::of_sqlite(file, lane, known, settled))),
            Self::Shared { server } => proof::of_postgres(server, &[(lane.to_owned(), known.clone())], settled),
        }
    }
}
