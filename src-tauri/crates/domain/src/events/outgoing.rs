//! What the platform is told: the one list of its events, the letters of the outbox that become one, and their data.
//! Each is a Standard Webhook: `type`, `timestamp`, `data`, posted under an id that stays the same.

use jiff::Timestamp;
use serde::Serialize;

use crate::diagnose::{RestoredItem, RestoredLine};
use crate::ids::{BalanceId, ChargeId, JobId, OutputId, ProviderId, RefundId, RunId};
use crate::money::Credits;
use crate::plan::{Consent, Effect, Place, ReleasedItem, StoredFile};
use crate::ports::{BalanceMove, Receipt};

/// A type of event that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutgoingType {
    /// As `type` says it.
    pub word: &'static str,
    /// The kind of the letters of the outbox that become one.
    pub kind: &'static str,
    /// JSON Schema (draft 2020-12) of the whole body, as text.
    pub schema: &'static str,
}

macro_rules! outgoing {
    ($($word:literal = $kind:literal => $variant:ident($(#[$meta:meta])+ $data:ident { $($(#[$doc:meta])* $field:ident: $type:ty),+ $(,)? })),+ $(,)?) => {
        /// All of them. Letters of other kinds are for the help desk.
        pub const OUTGOING: &[OutgoingType] = &[$(OutgoingType {
            word: $word,
            kind: $kind,
            schema: include_str!(concat!("../../../../schemas/", $word, ".json")),
        }),+];

        /// What is told, and with what data.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(tag = "type", content = "data")]
        pub enum Outgoing {
            $(#[serde(rename = $word)] $variant($data)),+
        }

        $($(#[$meta])+
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct $data {
            $($(#[$doc])* pub $field: $type,)+
            /// Who did it: a person's id, or `reconciler`.
            pub by: String,
        })+

        /// The schemas of the data, as they follow from the types.
        #[cfg(test)]
        pub(super) fn derived(generator: &schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($word, generator.clone().into_root_schema_for::<$data>())),+]
        }
    };
}

outgoing! {
    "asset.delivered" = "asset_delivered" => Delivered(
        /// The file of an item is where it belongs.
        AssetDelivered { run_id: RunId, item: u32, output_id: OutputId, file: StoredFile, place: Place }
    ),
    "asset.moved" = "asset_moved" => Moved(
        /// A stored output is in another place.
        AssetMoved { output_id: OutputId, place: Place }
    ),
    "asset.quarantined" = "asset_quarantined" => Quarantined(
        /// An output can't be reached any more where it lies. It is not deleted.
        AssetQuarantined { output_id: OutputId, reason: String }
    ),
    "asset.released" = "asset_released" => Released(
        /// A result that came after its refund is delivered: the customer agreed to pay again, and the refunds are taken back.
        AssetReleased {
            run_id: RunId,
            refund_ids: Vec<RefundId>,
            /// What was taken again.
            credits: Credits,
            items: Vec<ReleasedItem>,
            balances: Vec<BalanceTold>,
            consent: Consent,
        }
    ),
    "credits.restored" = "credits_restored" => Restored(
        /// Credits are back in the balances that they came from.
        CreditsRestored {
            refund_id: RefundId,
            run_id: RunId,
            charge_id: ChargeId,
            credits: Credits,
            items: Vec<RestoredItem>,
            lines: Vec<RestoredLine>,
            balances: Vec<BalanceTold>,
            cause: String,
        }
    ),
    "upstream.cancel_requested" = "cancel_upstream" => CancelRequested(
        /// The platform is asked to have a job cancelled at its provider.
        CancelRequested { provider_id: ProviderId, job_id: JobId }
    ),
}

/// A balance before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BalanceTold {
    pub balance_id: BalanceId,
    pub before: Credits,
    pub after: Credits,
}

/// Whether letters of this kind are told to the platform.
#[must_use]
pub fn is_told(kind: &str) -> bool {
    OUTGOING.iter().any(|known| known.kind == kind)
}

/// The type that a word names.
#[must_use]
pub fn outgoing_type_of(word: &str) -> Option<&'static OutgoingType> {
    OUTGOING.iter().find(|known| known.word == word)
}

impl Outgoing {
    /// What is told of an effect that somebody had; `None` for what is not the platform's.
    #[must_use]
    pub fn of(effect: &Effect, receipt: &Receipt, by: &str) -> Option<Self> {
        let by = by.to_owned();
        Some(match (effect.clone(), receipt) {
            (Effect::Deliver { run_id, item, output_id, file, place, .. }, _) => {
                Self::Delivered(AssetDelivered { run_id, item, output_id, file, place, by })
            }
            (Effect::Restore { refund_id, restoration, cause }, Receipt::Restored { total, balances, .. }) => {
                Self::Restored(CreditsRestored {
                    refund_id,
                    run_id: restoration.run_id,
                    charge_id: restoration.charge_id,
                    credits: *total,
                    items: restoration.items,
                    lines: restoration.lines,
                    balances: told(balances),
                    cause,
                    by,
                })
            }
            (
                Effect::Release { run_id, refund_ids, items, consent, .. },
                Receipt::Redebited { total, balances, .. },
            ) => Self::Released(AssetReleased {
                run_id,
                refund_ids,
                credits: *total,
                items,
                balances: told(balances),
                consent,
                by,
            }),
            (Effect::Move { output_id, place }, _) => Self::Moved(AssetMoved { output_id, place, by }),
            (Effect::Quarantine { output_id, reason }, _) => {
                Self::Quarantined(AssetQuarantined { output_id, reason, by })
            }
            (Effect::CancelUpstream { provider_id, job_id }, _) => {
                Self::CancelRequested(CancelRequested { provider_id, job_id, by })
            }
            _ => return None,
        })
    }

    /// The body that is posted.
    ///
    /// # Errors
    /// It can't be written as JSON.
    pub fn body(&self, at: Timestamp) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(flatten)]
            event: &'a Outgoing,
            timestamp: Timestamp,
        }
        serde_json::to_string(&Body { event: self, timestamp: at })
    }
}

fn told(balances: &[BalanceMove]) -> Vec<BalanceTold> {
    let told =
        |row: &BalanceMove| BalanceTold { balance_id: row.balance_id.clone(), before: row.before, after: row.after };
    balances.iter().map(told).collect()
}
