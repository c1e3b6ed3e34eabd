//! People and approvals. Whose login it is, the database knows; what a caller says of that counts only
//! for the owner of the record.

use jiff::Timestamp;
use makegood_domain::ids::{AgentId, ApprovalId};
use makegood_domain::ports::{
    Approval, ApprovalDecision, ApprovalRequest, Decided, Identity, Person, StoreError, StoreResult,
};
use serde::Deserialize;
use serde_json::Value;

use super::{answer, at, document, said, text};
use crate::postgres::PgStore;
use crate::postgres::fault::{Fault, Worked, as_error};
use crate::rows::micros;

statements! {
    IDENTITY = "SELECT api.identity($1, $2)";
    PUT_PERSON = "SELECT api.put_person($1::jsonb, $2)";
    PUT_LOGIN = "SELECT api.put_login($1, $2, $3)";
    ASK = "SELECT api.ask_approval($1::jsonb, $2)";
    DECIDE = "SELECT api.decide_approval($1, $2::jsonb, $3)";
}

/// How the functions say what [`Decided`] says; refusals are raised.
#[derive(Deserialize)]
#[serde(tag = "decided", rename_all = "snake_case")]
enum Told {
    Done,
    Already,
}

impl PgStore {
    /// Says whose a login is. A person can have several; the role of each is granted apart.
    ///
    /// # Errors
    /// Where the login of this store is not the owner's, or nobody is recorded by that id.
    pub async fn put_login(&self, login: &str, person: &AgentId, when: Timestamp) -> StoreResult<()> {
        let put = self.call(PUT_LOGIN, &[said(login), said(person.as_str()), at(when)]).await;
        put.map_err(|fault| as_error(fault, login))?;
        Ok(())
    }

    pub(in crate::postgres) async fn read_identity(&self, claimed: &AgentId, when: Timestamp) -> StoreResult<Identity> {
        let claimed = text(claimed.as_str());
        // It writes nothing: who works here is also asked of a record that is only read.
        let told = match self.read_only() {
            None => self.call(IDENTITY, &[said(&claimed), at(when)]).await,
            Some(_) => {
                let identity = sqlx::query_scalar(IDENTITY).bind(&*claimed).bind(micros(when));
                identity.fetch_one(&self.pool).await.map_err(Fault::from)
            }
        };
        match told {
            Ok(identity) => answer(identity, "identity"),
            Err(Fault::Refused(why)) => Err(StoreError::Unavailable(why)),
            Err(Fault::Failed(error)) => Err(error),
        }
    }

    pub(in crate::postgres) async fn keep_person(&self, person: &Person, when: Timestamp) -> StoreResult<()> {
        let new = document(person)?;
        self.call(PUT_PERSON, &[said(&new), at(when)]).await.map_err(|fault| as_error(fault, person.id.as_str()))?;
        Ok(())
    }

    pub(in crate::postgres) async fn ask(&self, request: &ApprovalRequest) -> StoreResult<Decided> {
        let asked = document(request)?;
        let told = self.call(ASK, &[said(&asked), at(request.asked_at)]).await;
        self.decided(told, &request.id, "ask_approval").await
    }

    pub(in crate::postgres) async fn decide(
        &self,
        id: &ApprovalId,
        decision: &ApprovalDecision,
        when: Timestamp,
    ) -> StoreResult<Decided> {
        let decision = document(decision)?;
        let told = self.call(DECIDE, &[said(id.as_str()), said(&decision), at(when)]).await;
        self.decided(told, id, "decide_approval").await
    }

    async fn decided(&self, told: Worked<Value>, id: &ApprovalId, function: &str) -> StoreResult<Decided> {
        let told: Told = match told {
            Ok(told) => answer(told, function)?,
            Err(Fault::Refused(why)) => return Ok(Decided::Refused(why)),
            Err(Fault::Failed(error)) => return Err(error),
        };
        let approval: Approval = self.read_approval(id).await?;
        Ok(match told {
            Told::Done => Decided::Done(Box::new(approval)),
            Told::Already => Decided::Already(Box::new(approval)),
        })
    }
}
