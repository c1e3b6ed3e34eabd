//! Providers and models of the practice workspace: real marketing names at the four providers that
//! answer on loopback. Prices are in credits of the practised product.

use makegood_domain::ids::{ModelId, ProviderId};
use makegood_domain::money::Credits;
use makegood_domain::work::{AnswerMode, Media, Model, Provider, RetentionSource};
use serde_json::{Value, json};

pub const REPLICATE: &str = "replicate";
pub const FAL: &str = "fal";
pub const VEO: &str = "gemini_veo";
pub const RUNWAY: &str = "runway";

/// Hours that a provider keeps a finished file, and how that is known.
/// Replicate and Veo document theirs; Runway documents 24 to 48, of which the longer one is agreed;
/// at fal it is set by the customer's own lifecycle rule.
pub const RETENTION: [(&str, i64, RetentionSource); 4] = [
    (REPLICATE, 1, RetentionSource::Documented),
    (FAL, 168, RetentionSource::Contract),
    (VEO, 48, RetentionSource::Documented),
    (RUNWAY, 48, RetentionSource::Contract),
];

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
        "kling-2.6-pro",
        "Kling 2.6 Pro",
        "kling",
        &["kling 2.6", "kling pro"],
        FAL,
        "fal-ai/kling-video/v2.6/pro/image-to-video",
        Media::Video,
        110,
        260,
    ),
    offer(
        "hailuo-02",
        "Hailuo 02",
        "hailuo",
        &["minimax hailuo", "hailou", "hailuo 2", "minimax"],
        FAL,
        "fal-ai/minimax/hailuo-02/standard/image-to-video",
        Media::Video,
        95,
        240,
    ),
    offer(
        "seedance-2.0",
        "Seedance 2.0",
        "seedance",
        &["seedance 2", "bytedance seedance", "seedance pro"],
        FAL,
        "fal-ai/bytedance/seedance/v2/pro/text-to-video",
        Media::Video,
        130,
        210,
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
        "eleven-v3",
        "Eleven v3",
        "elevenlabs",
        &["eleven labs", "11labs", "eleven v3 voice"],
        FAL,
        "fal-ai/elevenlabs/tts/eleven-v3",
        Media::Audio,
        14,
        9,
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
        "lipsync-2",
        "Sync Lipsync 2",
        "lipsync",
        &["lip sync", "sync labs", "lip-sync 2"],
        REPLICATE,
        "sync/lipsync-2",
        Media::Lipsync,
        150,
        300,
    ),
    offer(
        "flux-kontext-max",
        "FLUX.1 Kontext [max]",
        "flux",
        &["kontext", "flux kontext", "flux max"],
        REPLICATE,
        "black-forest-labs/flux-kontext-max",
        Media::Image,
        12,
        12,
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
    /// Hours that this model's files are kept.
    #[must_use]
    pub fn keeps_hours(&self) -> i64 {
        RETENTION.iter().find(|(id, ..)| *id == self.provider).map_or(0, |(_, hours, _)| *hours)
    }

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

/// The provider rows of the feed.
#[must_use]
pub fn providers() -> Vec<Provider> {
    RETENTION
        .iter()
        .map(|(id, hours, source)| Provider {
            id: ProviderId::new(*id),
            retention_hours: Some(*hours),
            retention_source: *source,
        })
        .collect()
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
