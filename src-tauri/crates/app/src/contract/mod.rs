//! The contract between window and core: one list of commands, the types they carry, and the
//! TypeScript that the window is compiled against.

mod action;
mod approval;
mod case;
mod connections;
mod error;
mod lost_job;
mod opening;
mod preview;
mod queue;
mod reconciler;
mod requests;
mod transfers;
mod typescript;

pub use action::*;
pub use approval::*;
pub use case::*;
pub use connections::*;
pub use error::*;
pub use lost_job::*;
pub use opening::*;
pub use preview::*;
pub use queue::*;
pub use reconciler::*;
pub use requests::*;
pub use transfers::*;
pub use typescript::typescript;

/// A call as it comes over the bridge.
#[derive(Clone, serde::Deserialize)]
pub struct Envelope {
    pub cmd: String,
    #[serde(default)]
    pub payload: serde_json::Value,
}

impl std::fmt::Debug for Envelope {
    /// Without the payload, which may hold a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope").field("cmd", &self.cmd).finish_non_exhaustive()
    }
}

/// Every command, once: `name(Request) -> Answer`. Reads can be repeated freely; acts change
/// something. A host that lacks a handler for one of them does not compile.
macro_rules! with_commands {
    ($then:ident) => {
        $then! {
            query {
                app_info(Nothing) -> AppInfo;
                queue(QueueRequest) -> QueueWindow;
                queue_counts(Nothing) -> QueueCounts;
                saved_views(Nothing) -> SavedViews;
                case_detail(CaseRequest) -> CaseDetail;
                raw_answer(RawAnswerRequest) -> RawAnswerView;
                review(ReviewRequest) -> ReviewSheet;
                action(ActionKeyRequest) -> ActionView;
                note_template(CaseRequest) -> NoteTemplate;
                audit(AuditRequest) -> AuditView;
                outbox(Nothing) -> OutboxView;
                reconciler(Nothing) -> ReconcilerView;
                approvals(ApprovalsRequest) -> ApprovalsView;
                connections(Nothing) -> ConnectionsView;
                transfers(Nothing) -> TransfersView;
                preview(PreviewRequest) -> PreviewView;
                lost_job(LostJobRequest) -> LostJobView;
            }
            act {
                confirm(ConfirmRequest) -> ActionView;
                check(ActionKeyRequest) -> ActionView;
                cancel_transfer(CancelTransferRequest) -> CancelTransferResult;
                look_up(CaseRequest) -> LookUpResult;
                choose_runs(ChooseRunsRequest) -> Nothing;
                claim_case(ClaimCaseRequest) -> Nothing;
                save_draft(SaveDraftRequest) -> SaveDraftResult;
                save_view(SavedView) -> Nothing;
                delete_view(ViewNameRequest) -> Nothing;
                reconcile_now(ReconcileRequest) -> PassView;
                ask_approval(AskApprovalRequest) -> ApprovalView;
                decide_approval(DecideApprovalRequest) -> ApprovalView;
                withdraw_approval(WithdrawApprovalRequest) -> ApprovalView;
                put_key(PutKeyRequest) -> ConnectionRow;
                remove_key(RemoveKeyRequest) -> ConnectionRow;
                check_key(ConnectionRequest) -> KeyCheckView;
                reset_connection(ConnectionRequest) -> ConnectionRow;
                add_connection(AddConnectionRequest) -> ConnectionRow;
                keep_lost_job(AdoptJobRequest) -> Nothing;
                open_outside(PreviewRequest) -> OpenedOutside;
                remove_connection(RemoveKeyRequest) -> ConnectionsView;
            }
        }
    };
}
pub(crate) use with_commands;
