//! All facts of runs, in a fixed number of queries for however many runs.

use std::collections::HashMap;

use makegood_domain::ids::TicketId;
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::Dossier;
use sqlx::SqliteConnection;

use super::rows::id_list;
use super::{charges, deliveries, jobs, outputs, refunds, runs, ticket_links};

/// Values by key, in the order in which they came.
pub(super) fn group<T>(rows: Vec<(String, T)>) -> HashMap<String, Vec<T>> {
    group_by(rows, |row| row.0.clone())
        .into_iter()
        .map(|(key, rows)| (key, rows.into_iter().map(|r| r.1).collect()))
        .collect()
}

fn group_by<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

/// The dossiers of these runs, oldest first.
pub(super) async fn dossiers<T: AsRef<str>>(
    connection: &mut SqliteConnection,
    ids: &[T],
    except: Option<&TicketId>,
) -> StoreResult<Vec<Dossier>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = id_list(ids);
    let mut charges = group_by(charges::charges(connection, &list).await?, |row| row.run_id.0.clone());
    let mut refunds = group_by(refunds::refunds(connection, &list).await?, |row| row.run_id.0.clone());
    let mut jobs = group_by(jobs::jobs(connection, &list).await?, |row| row.run_id.0.clone());
    let mut webhooks = group_by(deliveries::webhooks(connection, &list).await?, |row| row.run_id.0.clone());
    let mut uploads = group_by(deliveries::uploads(connection, &list).await?, |row| row.run_id.0.clone());
    let mut outputs = group_by(outputs::outputs(connection, &list).await?, |row| row.run_id.0.clone());
    let links = ticket_links::about(connection, &list, except).await?;
    let mut tickets: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, link) in links.iter().enumerate() {
        for run in &link.run_ids {
            tickets.entry(run.0.clone()).or_default().push(place);
        }
    }
    Ok(runs::runs(connection, &list)
        .await?
        .into_iter()
        .map(|(run, account)| {
            let id = run.id.0.clone();
            let about = tickets.remove(&id).unwrap_or_default();
            Dossier {
                run,
                account_id: account.as_str().into(),
                charges: charges.remove(&id).unwrap_or_default(),
                refunds: refunds.remove(&id).unwrap_or_default(),
                jobs: jobs.remove(&id).unwrap_or_default(),
                webhooks: webhooks.remove(&id).unwrap_or_default(),
                uploads: uploads.remove(&id).unwrap_or_default(),
                outputs: outputs.remove(&id).unwrap_or_default(),
                tickets: about.into_iter().filter_map(|place| links.get(place).cloned()).collect(),
            }
        })
        .collect())
}
