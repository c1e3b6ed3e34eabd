//! All facts of runs, in a fixed number of queries for however many runs.

use std::collections::{HashMap, HashSet};

use makegood_domain::ids::TicketId;
use makegood_domain::ports::StoreResult;
use makegood_domain::scope::Dossier;
use makegood_domain::support::TicketLink;

use super::ScopeReader;

fn group_by<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

/// The dossiers of these runs, oldest first, with the tickets about them apart from `except`.
pub(crate) async fn dossiers(
    reader: &mut impl ScopeReader,
    ids: &[String],
    except: Option<&TicketId>,
) -> StoreResult<Vec<Dossier>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut charges = group_by(reader.charges(ids).await?, |row| row.run_id.0.clone());
    let mut refunds = group_by(reader.refunds(ids).await?, |row| row.run_id.0.clone());
    let mut jobs = group_by(reader.jobs(ids).await?, |row| row.run_id.0.clone());
    let mut webhooks = group_by(reader.webhooks(ids).await?, |row| row.run_id.0.clone());
    let mut uploads = group_by(reader.uploads(ids).await?, |row| row.run_id.0.clone());
    let mut outputs = group_by(reader.outputs(ids).await?, |row| row.run_id.0.clone());
    let mut captures = group_by(reader.captures(ids).await?, |row| row.run_id.0.clone());
    let links = tickets_about(reader, ids, except).await?;
    let mut tickets: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, link) in links.iter().enumerate() {
        for run in &link.run_ids {
            tickets.entry(run.0.clone()).or_default().push(place);
        }
    }
    Ok(reader
        .runs(ids)
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
                captures: captures.remove(&id).unwrap_or_default(),
                tickets: about.into_iter().filter_map(|place| links.get(place).cloned()).collect(),
            }
        })
        .collect())
}

/// Tickets about any of these runs, oldest first. Of a ticket that has a case here, the case is believed.
async fn tickets_about(
    reader: &mut impl ScopeReader,
    runs: &[String],
    except: Option<&TicketId>,
) -> StoreResult<Vec<TicketLink>> {
    let mut links = reader.our_tickets(runs).await?;
    let known: HashSet<TicketId> = links.iter().map(|link| link.id.clone()).collect();
    links.extend(reader.told_tickets(runs).await?.into_iter().filter(|link| !known.contains(&link.id)));
    links.retain(|link| Some(&link.id) != except);
    links.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(links)
}
