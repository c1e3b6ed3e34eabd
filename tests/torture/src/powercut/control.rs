//! The negative control: the same cuts under a setting that is known to lose commits. If it loses
//! none, the cuts cut nothing.

use std::io::Write;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
}

/// Writes numbers, each committed and then acknowledged, until it is killed.
pub async fn work(file: &Path, from: u64, acks: &mut impl Write) -> anyhow::Result<()> {
    let mut connection = SqliteConnection::connect_with(&options(file)).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)").execute(&mut connection).await?;
    for number in from.. {
        sqlx::query("INSERT INTO numbers (n) VALUES (?1)")
            .bind(i64::try_from(number)?)
            .execute(&mut connection)
            .await?;
        writeln!(acks, "{number}")?;
        acks.flush()?;
    }
    Ok(())
}

/// How many of the numbers below `end` are not there.
pub async fn lost(file: &Path, end: u64) -> anyhow::Result<u64> {
    let mut connection = SqliteConnection::connect_with(&options(file)).await?;
    let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'numbers'";
    let kept = if sqlx::query_scalar::<_, i64>(table).fetch_one(&mut connection).await? == 0 {
        0
    } else {
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM numbers WHERE n < ?1").bind(i64::try_from(end)?);
        u64::try_from(count.fetch_one(&mut connection).await?)?
    };
    connection.close().await?;
    Ok(end.saturating_sub(kept))
}
