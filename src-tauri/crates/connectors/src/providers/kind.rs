//! What kind of file a provider made: by the media type that it states, else by what the field that names the file
//! means, else by the ending of the address.

use serde::Serialize;
use url::Url;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Video,
    Image,
    Audio,
    /// Something else, or nothing tells what.
    File,
}

impl FileKind {
    /// By a media type (RFC 9110), `video/mp4; codecs=avc1`. `None` where it is none, or says no more than that there
    /// are bytes.
    #[must_use]
    pub fn of_media_type(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.split_once('/')? {
            ("video", _) => Some(Self::Video),
            ("image", _) => Some(Self::Image),
            ("audio", _) => Some(Self::Audio),
            (_, "octet-stream" | "*" | "") | ("" | "*", _) => None,
            _ => Some(Self::File),
        }
    }

    /// By a word of a provider's own for what it made, or for the field that it puts that in: `video`, `images`,
    /// `audio_url`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let plain = ["_urls", "_url", "_files", "_file"].into_iter().find_map(|end| word.strip_suffix(end));
        match plain.unwrap_or(&word).trim_end_matches('s') {
            "video" => Some(Self::Video),
            "image" | "series_image" => Some(Self::Image),
            "audio" => Some(Self::Audio),
            _ => None,
        }
    }

    /// By an address: the media type that a `data:` one begins with, or that a store is told to answer with, else the
    /// ending of the path.
    #[must_use]
    pub fn of_address(url: &str) -> Option<Self> {
        if let Some(inline) = url.strip_prefix("data:") {
            return Self::of_media_type(inline.split([',', ';']).next()?);
        }
        let parsed = Url::parse(url).ok();
        let answered = parsed.as_ref().and_then(|url| {
            let told = |name: &str| matches!(name, "response-content-type" | "rsct");
            url.query_pairs().find(|(name, _)| told(name)).and_then(|(_, value)| Self::of_media_type(&value))
        });
        answered.or_else(|| Self::of_ending(parsed.as_ref().map_or(url, Url::path)))
    }

    fn of_ending(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "mp4" | "webm" | "mov" | "mkv" | "m4v" => Some(Self::Video),
            "png" | "jpg" | "jpeg" | "webp" | "gif" | "avif" | "svg" => Some(Self::Image),
            "mp3" | "wav" | "flac" | "ogg" | "opus" | "m4a" | "aac" => Some(Self::Audio),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FileKind::{self, Audio, File, Image, Video};

    #[test]
    fn media_types_say_what_a_file_is() {
        for (text, want) in [
            ("video/mp4", Some(Video)),
            ("VIDEO/MP4; codecs=\"avc1\"", Some(Video)),
            ("image/svg+xml", Some(Image)),
            (" audio/mpeg", Some(Audio)),
            ("model/gltf-binary", Some(File)),
            ("application/zip", Some(File)),
            ("application/octet-stream", None),
            ("binary/octet-stream", None),
            ("video", None),
            ("*/*", None),
            ("", None),
        ] {
            assert_eq!(FileKind::of_media_type(text), want, "{text}");
        }
    }

    #[test]
    fn words_are_those_of_fields() {
        for (word, want) in [
            ("video", Some(Video)),
            ("videos", Some(Video)),
            ("video_url", Some(Video)),
            ("images", Some(Image)),
            ("series_images", Some(Image)),
            ("audio_file", Some(Audio)),
            ("video_captions", None),
            ("imagery", None),
            ("file", None),
            ("", None),
        ] {
            assert_eq!(FileKind::of_word(word), want, "{word}");
        }
    }

    #[test]
    fn addresses_tell_by_their_type_or_their_ending() {
        for (url, want) in [
            ("https://c.example/a/b.MP4?sig=x.png", Some(Video)),
            ("https://c.example/a/b.webp#x", Some(Image)),
            ("https://c.example/a.b/c", None),
            ("https://c.example/files/f1:download?alt=media", None),
            ("https://c.example/a?response-content-type=video%2Fmp4", Some(Video)),
            ("https://c.example/a.png?rsct=image%2Fjpeg", Some(Image)),
            ("https://c.example/a.mp3?rsct=", Some(Audio)),
            ("gs://bucket/runs/1/o.mp4", Some(Video)),
            ("data:audio/mpeg;base64,AAAA", Some(Audio)),
            ("data:image/svg+xml,<svg/>", Some(Image)),
            ("data:;base64,AAAA", None),
            ("", None),
        ] {
            assert_eq!(FileKind::of_address(url), want, "{url}");
        }
    }
}
