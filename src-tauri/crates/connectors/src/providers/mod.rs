//! Providers of generations. One folder each: `wire` is what they send, `map` decides what it
//! means, `mod` says what is fixed about them and asks. A new one is a folder and a line in
//! [`ADAPTERS`].

pub mod bfl;
pub mod elevenlabs;
pub mod fal;
pub mod gemini_veo;
pub mod heygen_v3;
pub mod kling;
pub mod luma;
pub mod luma_agents;
pub mod minimax_v1;
pub mod minimax_v2;
pub mod openai;
pub mod replicate;
pub mod runway;
pub mod seedance;
pub mod stability;
pub mod sync;
pub mod vertex_veo;

mod archive;
mod archives;
mod explain;
mod files;
mod inquiry;
mod items;
mod key_check;
mod kind;
mod listing;
mod looked_up;
mod minimax;
mod protocol;
mod reading;
mod registry;
mod settings;
mod signature;
mod table;
mod veo;
mod witness;

pub use explain::{AssetState, Document, Explained, Origin, Output, Word, explain};
pub use inquiry::Inquiry;
pub use key_check::NoSuchJob;
pub use kind::FileKind;
pub use looked_up::asset_of;
pub use protocol::{Facts, KeyPlace, Protocol};
pub use reading::{Asset, Cause, Piece, Pieces, Reading, Unread};
pub use registry::Registry;
pub use settings::{ProviderSettings, SettingsError};
pub use table::{AddressLife, Hosts, Requests, Retention, Row, Table, TableError};

/// Pages of a list that are read at most: more than that, and the time asked for was too wide.
const PAGES_MAX: usize = 20;

/// Every adapter.
const ADAPTERS: &[&dyn Protocol] = &[
    &replicate::Replicate,
    &fal::Fal,
    &gemini_veo::Veo,
    &vertex_veo::Veo,
    &openai::OpenAi,
    &luma::Luma,
    &luma_agents::LumaAgents,
    &elevenlabs::ElevenLabs,
    &runway::Runway,
    &bfl::Bfl,
    &sync::Sync,
    &heygen_v3::HeyGen,
    &kling::Kling,
    &minimax_v2::MiniMax,
    &minimax_v1::MiniMax,
    &seedance::Seedance,
    &stability::Stability,
];

/// The protocol of an adapter's name.
#[must_use]
pub fn protocol(adapter: &str) -> Option<&'static dyn Protocol> {
    ADAPTERS.iter().copied().find(|protocol| protocol.facts().adapter == adapter)
}

/// What is fixed about every provider that there is an adapter for.
pub fn all_facts() -> impl Iterator<Item = &'static Facts> {
    ADAPTERS.iter().map(|protocol| protocol.facts())
}

/// The names of all adapters.
#[must_use]
pub fn adapters() -> Vec<&'static str> {
    all_facts().map(|facts| facts.adapter).collect()
}

#[cfg(test)]
mod examples;
#[cfg(test)]
mod payloads;
#[cfg(test)]
pub(crate) mod subject;
#[cfg(test)]
mod symptoms;
#[cfg(test)]
mod tests;
