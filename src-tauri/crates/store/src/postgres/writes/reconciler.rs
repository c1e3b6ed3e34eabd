//! The reconciler's side: its claims, what it does, what it noticed, and the reports of its passes.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, RunId};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, Detection, DueRun, NextLook, PassReport, StoreError, StoreResult};
use serde::Deserialize;

use super::sweeps::{self, Sweep};
use super::{answer, at, document, said, text};
use crate::postgres::PgStore;
use crate::postgres::fault::as_error;
use crate::postgres::link::Argument;
use crate::postgres::rows::instant;

statements! {
    CLAIM = "SELECT api.claim_due($1, $2, $3, $4)";
    END = "SELECT api.end_look($1, $2, $3::jsonb, $4)";
    DETECT = "SELECT api.detect($1::jsonb)";
    CLOSE = "SELECT api.close_detections($1, $2::jsonb, $3)";
    SAVE_PASS = "SELECT api.save_pass($1::jsonb)";
}

/// A claimed run as the function says it.
#[derive(Deserialize)]
struct Claimed {
    root_id: RunId,
    /// Microseconds.
    charged_at: Option<i64>,
    tries: u32,
}

impl PgStore {
    pub(in crate::postgres) async fn claim_due_runs(
        &self,
        worker: &str,
        limit: u32,
        lease: SignedDuration,
        when: Timestamp,
    ) -> StoreResult<Vec<DueRun>> {
        let lease = i64::try_from(lease.as_micros()).map_err(|error| StoreError::Backend(error.to_string()))?;
        let (worker, number) = (text(worker), |number| Argument::Int(Some(number)));
        let claim = self.call(CLAIM, &[said(&worker), number(i64::from(limit)), number(lease), at(when)]).await;
        let claimed: Vec<Claimed> = answer(claim.map_err(|fault| as_error(fault, "due_runs"))?, "claim_due")?;
        let run = |run: Claimed| {
            let charged_at = run.charged_at.map(|at| instant(at, "due_runs.charged_at")).transpose()?;
            Ok(DueRun { root: run.root_id, charged_at, tries: run.tries })
        };
        claimed.into_iter().map(run).collect()
    }

    pub(in crate::postgres) async fn end_claim(
        &self,
        root: &RunId,
        worker: &str,
        next: &NextLook,
        when: Timestamp,
    ) -> StoreResult<()> {
        let (worker, next) = (text(worker), document(next)?);
        let end = self.call(END, &[said(root.as_str()), said(&worker), said(&next), at(when)]).await;
        end.map_err(|fault| as_error(fault, root.as_str()))?;
        Ok(())
    }

    pub(in crate::postgres) async fn settle_effect(
        &self,
        key: &ActionKey,
        part: u32,
        effect: &Effect,
        when: Timestamp,
    ) -> StoreResult<Applied> {
        let sweep = Sweep { key: key.clone(), part, effect: effect.clone(), when };
        match effect {
            Effect::Restore { .. } => self.sweeps.settle(sweep).await,
            _ => sweeps::settle_alone(&self.link, &sweep).await,
        }
    }

    pub(in crate::postgres) async fn keep_detection(&self, new: &Detection) -> StoreResult<bool> {
        let noticed = document(new)?;
        let is_new = self.call(DETECT, &[said(&noticed)]).await.map_err(|fault| as_error(fault, &new.subject))?;
        answer(is_new, "detect")
    }

    pub(in crate::postgres) async fn end_detections(
        &self,
        root: &RunId,
        still: &[Detection],
        when: Timestamp,
    ) -> StoreResult<u64> {
        let still = document(&still)?;
        let closed = self.call(CLOSE, &[said(root.as_str()), said(&still), at(when)]).await;
        answer(closed.map_err(|fault| as_error(fault, root.as_str()))?, "close_detections")
    }

    pub(in crate::postgres) async fn keep_pass(&self, report: &PassReport) -> StoreResult<()> {
        let said_so = document(report)?;
        self.call(SAVE_PASS, &[said(&said_so)]).await.map_err(|fault| as_error(fault, &report.id))?;
        Ok(())
    }
}
