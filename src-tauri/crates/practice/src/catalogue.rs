//! Providers and models of the practice workspace: real marketing names at the providers that answer
//! on loopback. Prices are in credits of the practised product.

use makegood_connectors::providers::{Retention, Table, TableError};
use makegood_domain::ids::{ModelId, ProviderId};
use makegood_domain::money::Credits;
use makegood_domain::work::{AnswerMode, Media, Model, Provider, RetentionSource};
use serde_json::{Value, json};

pub const REPLICATE: &str = "replicate";
pub const FAL: &str = "fal";
pub const VEO: &str = "gemini_veo";
pub const VERTEX: &str = "vertex_veo";
pub const OPENAI: &str = "openai";
pub const RUNWAY: &str = "runway";
pub const LUMA: &str = "luma";
pub const LUMA_AGENTS: &str = "luma_agents";
pub const ELEVENLABS: &str = "elevenlabs";
pub const BFL: &str = "bfl";
pub const SYNC: &str = "sync";
pub const HEYGEN: &str = "heygen_v3";
pub const KLING: &str = "kling";
pub const MINIMAX_V2: &str = "minimax_v2";
pub const MINIMAX_V1: &str = "minimax_v1";
pub const SEEDANCE: &str = "seedance";
pub const STABILITY: &str = "stability";

/// All of them.
pub const PROVIDERS: [&str; 17] = [
    REPLICATE,
    FAL,
    VEO,
    VERTEX,
    OPENAI,
    RUNWAY,
    LUMA,
    LUMA_AGENTS,
    ELEVENLABS,
    BFL,
    SYNC,
    HEYGEN,
    KLING,
    MINIMAX_V2,
    MINIMAX_V1,
    SEEDANCE,
    STABILITY,
];

/// Days that the practised product's own bucket keeps what Vertex puts there.
pub const BUCKET_DAYS: i64 = 3;

/// Hours that files are kept by a rule of the practised product: its lifecycle at fal, its bucket at Vertex. That is
/// how an operator overrules what a vendor states.
pub const AGREED: [(&str, u32); 2] = [(FAL, 168), (VERTEX, 24 * BUCKET_DAYS as u32)];

/// Who sends no webhook, or none about what is practised here: the platform asks them.
const SILENT: [&str; 6] = [VERTEX, OPENAI, RUNWAY, LUMA_AGENTS, ELEVENLABS, STABILITY];

/// Who has no word for a job that waits.
const WITHOUT_QUEUE: [&str; 5] = [VEO, VERTEX, BFL, ELEVENLABS, STABILITY];

/// Why a task of Seedance made nothing: its own time ran out.
pub const TIME_RAN_OUT: &str = "the task's time ran out before it was done";

/// For a practised file that nobody states a limit of.
const UNLIMITED_SECONDS: i64 = 10 * 366 * 24 * 3600;

/// How long the providers keep files: what the product itself states, and what is agreed.
#[derive(Debug)]
pub struct Kept(Table);

impl Kept {
    /// Reads the rows that come with the product.
    ///
    /// # Errors
    /// When they can't be followed.
    pub fn read() -> Result<Self, TableError> {
        Table::built_in().map(Self)
    }

    /// Minutes from the end of a job; `None` where no limit is stated.
    #[must_use]
    pub fn minutes(&self, provider: &str) -> Option<i64> {
        let agreed = AGREED.iter().find(|(id, _)| *id == provider).map(|(_, hours)| hours.saturating_mul(60));
        let stated = || self.0.row(provider)?.retention.as_ref().and_then(Retention::minutes);
        agreed.or_else(stated).map(i64::from)
    }

    /// Seconds that a file stays at its provider here. An image of OpenAI is in the answer and nowhere else.
    #[must_use]
    pub fn seconds(&self, provider: &str) -> i64 {
        if provider == OPENAI { 0 } else { self.minutes(provider).map_or(UNLIMITED_SECONDS, |minutes| minutes * 60) }
    }

    /// The provider rows of the feed, in whole hours: ten minutes are written as one.
    #[must_use]
    pub fn providers(&self) -> Vec<Provider> {
        let row = |id: &&str| {
            let hours = self.minutes(id).map(|minutes| (minutes + 59) / 60);
            let is_agreed = AGREED.iter().any(|(agreed, _)| agreed == id);
            let retention_source = match hours {
                None => RetentionSource::Unknown,
                Some(_) if is_agreed => RetentionSource::Contract,
                Some(_) => RetentionSource::Documented,
            };
            Provider { id: ProviderId::new(*id), retention_hours: hours, retention_source }
        };
        PROVIDERS.iter().map(row).collect()
    }
}

/// Whether a provider tells the platform of a job's end by itself.
#[must_use]
pub fn sends_webhooks(provider: &str) -> bool {
    !SILENT.contains(&provider)
}

/// Whether a provider says of a job that it waits.
#[must_use]
pub fn has_queue(provider: &str) -> bool {
    !WITHOUT_QUEUE.contains(&provider)
}

/// A model of the catalogue with what the practice world needs besides.
pub struct Offer {
    pub id: &'static str,
    pub name: &'static str,
    pub family: &'static str,
    pub aliases: &'static [&'static str],
    pub provider: &'static str,
    /// Endpoint or model path upstream.
    pub endpoint: &'static str,
    pub media: Media,
    /// Credits of one item.
    pub price: Credits,
    /// Seconds that a run usually takes upstream.
    pub takes: i64,
}

/// All offers.
pub const OFFERS: &[Offer] = &[
    offer(
        "veo-3.1",
        "Veo 3.1",
        "veo",
        &["veo 3", "veo3", "google veo"],
        VEO,
        "veo-3.1-generate-preview",
        Media::Video,
        320,
        440,
    ),
    offer(
        "veo-3.1-fast",
        "Veo 3.1 Fast",
        "veo",
        &["veo fast", "veo 3 fast", "veo3 fast"],
        VEO,
        "veo-3.1-fast-generate-preview",
        Media::Video,
        120,
        150,
    ),
    offer(
        "veo-3.1-lite",
        "Veo 3.1 Lite",
        "veo",
        &["veo lite", "veo 3 lite", "veo3 lite"],
        VERTEX,
        "veo-3.1-lite-generate-001",
        Media::Video,
        90,
        120,
    ),
    offer(
        "kling-3.0",
        "Kling 3.0",
        "kling",
        &["kling 3", "kling v3", "kling 3 multi-shot"],
        FAL,
        "fal-ai/kling-video/v3/pro/image-to-video",
        Media::Video,
        240,
        380,
    ),
    offer(
        "ltx-2",
        "LTX-2",
        "ltx",
        &["ltx 2", "ltx2", "lightricks ltx"],
        FAL,
        "fal-ai/ltx-2/text-to-video",
        Media::Video,
        70,
        90,
    ),
    offer(
        "gemini-3-pro-image",
        "Nano Banana Pro",
        "nano banana",
        &["nanobanana", "banana pro", "gemini image", "ナノバナナ"],
        FAL,
        "fal-ai/nano-banana-pro",
        Media::Image,
        18,
        40,
    ),
    offer(
        "kling-2.6-pro",
        "Kling 2.6 Pro",
        "kling",
        &["kling 2.6", "kling pro"],
        KLING,
        "videos/image2video",
        Media::Video,
        110,
        260,
    ),
    offer(
        "kling-image-2.1",
        "Kling Image 2.1",
        "kling image",
        &["kling image", "kolors"],
        KLING,
        "images/generations",
        Media::Image,
        8,
        25,
    ),
    offer(
        "hailuo-03",
        "Hailuo 03",
        "hailuo",
        &["hailuo 3", "minimax h3"],
        MINIMAX_V2,
        "MiniMax-H3",
        Media::Video,
        140,
        300,
    ),
    offer(
        "hailuo-02",
        "Hailuo 02",
        "hailuo",
        &["minimax hailuo", "hailou", "hailuo 2", "minimax"],
        MINIMAX_V1,
        "MiniMax-Hailuo-02",
        Media::Video,
        95,
        240,
    ),
    offer(
        "seedance-2.0",
        "Seedance 2.0",
        "seedance",
        &["seedance 2", "bytedance seedance", "seedance pro"],
        SEEDANCE,
        "doubao-seedance-2-0-260128",
        Media::Video,
        130,
        210,
    ),
    offer(
        "luma-ray-2",
        "Luma Ray 2",
        "luma",
        &["ray 2", "ray2", "luma ray", "dream machine"],
        LUMA,
        "ray-2",
        Media::Video,
        100,
        140,
    ),
    offer("luma-photon", "Luma Photon", "photon", &["photon", "photon 1"], LUMA, "photon-1", Media::Image, 7, 18),
    offer(
        "luma-ray-3.2",
        "Luma Ray 3.2",
        "luma",
        &["ray 3.2", "ray 3", "ray3"],
        LUMA_AGENTS,
        "ray-3.2",
        Media::Video,
        170,
        200,
    ),
    offer(
        "eleven-v3",
        "Eleven v3",
        "elevenlabs",
        &["eleven labs", "11labs", "eleven v3 voice"],
        ELEVENLABS,
        "eleven_v3",
        Media::Audio,
        14,
        9,
    ),
    offer(
        "gpt-image-1.5",
        "GPT Image 1.5",
        "gpt image",
        &["gpt image", "gpt-image", "chatgpt image"],
        OPENAI,
        "gpt-image-1.5",
        Media::Image,
        20,
        35,
    ),
    offer(
        "runway-gen-4.5",
        "Runway Gen-4.5",
        "runway",
        &["gen 4.5", "runway gen4.5", "gen-4"],
        RUNWAY,
        "gen4.5",
        Media::Video,
        180,
        170,
    ),
    offer(
        "runway-act-two",
        "Runway Act-Two",
        "runway",
        &["act two", "act 2", "runway act"],
        RUNWAY,
        "act_two",
        Media::Video,
        150,
        190,
    ),
    offer(
        "wan-2.5",
        "Wan 2.5",
        "wan",
        &["wan25", "alibaba wan"],
        REPLICATE,
        "wan-video/wan-2.5-t2v",
        Media::Video,
        60,
        130,
    ),
    offer(
        "seedream-4",
        "Seedream 4",
        "seedream",
        &["seed dream 4", "seedream v4"],
        REPLICATE,
        "bytedance/seedream-4",
        Media::Image,
        9,
        14,
    ),
    offer(
        "lipsync-2",
        "Sync Lipsync 2",
        "lipsync",
        &["lip sync", "sync labs", "lip-sync 2"],
        SYNC,
        "lipsync-2",
        Media::Lipsync,
        150,
        300,
    ),
    offer(
        "heygen-avatar-iv",
        "HeyGen Avatar IV",
        "heygen",
        &["heygen", "avatar iv", "avatar 4"],
        HEYGEN,
        "avatar_iv",
        Media::Lipsync,
        200,
        360,
    ),
    offer(
        "flux-kontext-max",
        "FLUX.1 Kontext [max]",
        "flux",
        &["kontext", "flux kontext", "flux max"],
        BFL,
        "flux-kontext-max",
        Media::Image,
        12,
        12,
    ),
    offer(
        "stable-creative-upscaler",
        "Stable Creative Upscaler",
        "stability",
        &["creative upscale", "stability upscaler", "stable upscale"],
        STABILITY,
        "stable-image/upscale/creative",
        Media::Image,
        25,
        60,
    ),
];

#[expect(clippy::too_many_arguments, reason = "one row of the table above, in its order")]
const fn offer(
    id: &'static str,
    name: &'static str,
    family: &'static str,
    aliases: &'static [&'static str],
    provider: &'static str,
    endpoint: &'static str,
    media: Media,
    price: Credits,
    takes: i64,
) -> Offer {
    Offer { id, name, family, aliases, provider, endpoint, media, price, takes }
}

impl Offer {
    /// Settings of a run, as the canvas shows them.
    #[must_use]
    pub fn params(&self) -> Value {
        match self.media {
            Media::Video => json!({"resolution": "1080p", "seconds": 8}),
            Media::Image => json!({"resolution": "2K"}),
            Media::Lipsync => json!({"seconds": 24}),
            Media::Audio => json!({"characters": 640}),
        }
    }

    /// Name and settings in one line, as Billing shows them.
    #[must_use]
    pub fn billing_name(&self) -> String {
        match self.media {
            Media::Video => format!("{} - 1080p - 8s", self.name),
            Media::Image => format!("{} - 2K", self.name),
            Media::Lipsync => format!("{} - 24s", self.name),
            Media::Audio => self.name.to_owned(),
        }
    }
}

/// The model rows of the feed.
#[must_use]
pub fn models() -> Vec<Model> {
    OFFERS
        .iter()
        .map(|offer| Model {
            id: ModelId::new(offer.id),
            display_name: offer.name.to_owned(),
            family: offer.family.to_owned(),
            aliases: offer.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            provider_id: ProviderId::new(offer.provider),
            media: offer.media,
            mode: if matches!(offer.media, Media::Image | Media::Audio) { AnswerMode::Sync } else { AnswerMode::Async },
        })
        .collect()
}
