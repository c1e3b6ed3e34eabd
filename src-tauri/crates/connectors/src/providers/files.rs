//! Finds the files in an answer whose shape depends on the model: the addresses in it, the main
//! ones before thumbnails and the like.

use serde_json::{Map, Value};

use super::kind::FileKind;
use super::reading::Asset;

/// Deeper than this nobody nests files.
const DEEPEST: u32 = 16;

/// Which values are files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Any text that is an address.
    Texts,
    /// Only objects with a `url`; other texts may repeat the input.
    Objects,
}

/// The files of `value`, the main ones first, otherwise in the answer's order.
pub fn collect(value: &Value, shape: Shape, is_file: &dyn Fn(&str) -> bool) -> Vec<Asset> {
    places(value, shape, is_file).into_iter().flatten().collect()
}

/// The same, and `None` for each place in a list of files that holds nothing: the files behind it keep theirs.
pub fn places(value: &Value, shape: Shape, is_file: &dyn Fn(&str) -> bool) -> Vec<Option<Asset>> {
    let mut walk = Walk { shape, is_file, found: Vec::new() };
    walk.through(value, Within { rank: 2, kind: None, depth: DEEPEST });
    walk.found.sort_by_key(|(rank, _)| *rank);
    walk.found.into_iter().map(|(_, place)| place).collect()
}

/// Whether a text in `value` is an address, or tells one, that is none of those of `known`. Where a file may be,
/// nobody says that there is none.
pub fn holds_more(value: &Value, known: &[Asset]) -> bool {
    match value {
        Value::String(text) => tells_address(text) && known.iter().all(|asset| asset.url != *text),
        Value::Array(list) => list.iter().any(|one| holds_more(one, known)),
        Value::Object(fields) => fields.values().any(|one| holds_more(one, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The same of the fields of an object, without those of these names.
pub fn holds_more_beside(value: &Value, names: &[&str], known: &[Asset]) -> bool {
    let mut fields = value.as_object().into_iter().flatten().filter(|(name, _)| !names.contains(&name.as_str()));
    fields.any(|(_, one)| holds_more(one, known))
}

fn tells_address(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.starts_with("data:") || ["http://", "https://", "gs://"].iter().any(|scheme| text.contains(scheme))
}

struct Walk<'a> {
    shape: Shape,
    is_file: &'a dyn Fn(&str) -> bool,
    found: Vec<(u8, Option<Asset>)>,
}

/// What the fields round a value say of the files in it.
#[derive(Clone, Copy)]
struct Within {
    rank: u8,
    kind: Option<FileKind>,
    /// How much deeper is looked.
    depth: u32,
}

impl Within {
    fn field(self, name: &str) -> Self {
        match rank_of(name) {
            // What a thumbnail is, its ending tells better than the film that it is of.
            Some(BY_THE_WAY) => Self { rank: BY_THE_WAY, kind: None, ..self },
            rank => Self { rank: rank.unwrap_or(self.rank), kind: FileKind::of_word(name).or(self.kind), ..self },
        }
    }
}

impl Walk<'_> {
    fn through(&mut self, value: &Value, within: Within) {
        let Some(depth) = within.depth.checked_sub(1) else { return };
        let within = Within { depth, ..within };
        match value {
            Value::String(text) if self.shape == Shape::Texts && (self.is_file)(text) => {
                let asset = Asset { url: text.clone(), kind: within.kind, ..Asset::default() };
                self.found.push((within.rank, Some(asset)));
            }
            Value::Array(list) => self.through_list(list, within),
            Value::Object(fields) => match asset(fields).filter(|asset| (self.is_file)(&asset.url)) {
                Some(asset) => {
                    let kind = asset.kind.or(within.kind);
                    self.found.push((within.rank, Some(Asset { kind, ..asset })));
                }
                None => fields.iter().for_each(|(name, one)| self.through(one, within.field(name))),
            },
            _ => {}
        }
    }

    /// A place without anything counts beside files only: a list of nothing is none of files.
    fn through_list(&mut self, list: &[Value], within: Within) {
        let before = self.found.len();
        for one in list {
            if one.is_null() || one.as_str().is_some_and(str::is_empty) {
                self.found.push((within.rank, None));
            } else {
                self.through(one, within);
            }
        }
        if self.found[before..].iter().all(|(_, place)| place.is_none()) {
            self.found.truncate(before);
        }
    }
}

/// An object that describes a file.
fn asset(fields: &Map<String, Value>) -> Option<Asset> {
    let url = fields.get("url")?.as_str()?.to_owned();
    let bytes = fields.get("file_size").and_then(Value::as_u64).unwrap_or(0);
    let stated = ["content_type", "mime_type", "media_type"].into_iter().filter_map(|name| fields.get(name)?.as_str());
    let kind = stated.filter_map(FileKind::of_media_type).next();
    Some(Asset { url, bytes, kind, ..Asset::default() })
}

/// The rank of what comes with the product of a run, and is none of it.
const BY_THE_WAY: u8 = 9;

/// How much a field of this name is the product of the run; `None`: no more than what is round it.
fn rank_of(name: &str) -> Option<u8> {
    const NAMES: [&str; 8] = ["thumb", "preview", "poster", "cover", "mask", "last_frame", "log", "subtitle"];
    let name = name.to_ascii_lowercase();
    if NAMES.iter().any(|word| name.contains(word)) {
        Some(BY_THE_WAY)
    } else if name.starts_with("video") {
        Some(0)
    } else if name.starts_with("image") {
        Some(1)
    } else if name.starts_with("audio") {
        Some(3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn urls(value: &Value, shape: Shape) -> Vec<String> {
        collect(value, shape, &|text| text.starts_with("https://c.example/")).into_iter().map(|a| a.url).collect()
    }

    #[test]
    fn an_address_anywhere_is_found() {
        let known = [Asset { url: "https://c.example/a".to_owned(), ..Asset::default() }];
        for (value, want) in [
            (json!({"images": [{"url": "https://c.example/a"}], "seed": 1}), false),
            (json!({"images": [{"url": "https://c.example/a"}, {"file": " HTTPS://c.example/b"}]}), true),
            (json!({"deep": [{"er": [["see http://c.example/b for it"]]}]}), true),
            (json!("data:image/png,x"), true),
            (json!("gs://bucket/o.mp4"), true),
            (json!({"https://c.example/b": "a name is no value"}), false),
            (json!({"text": "metadata: none", "path": "/tmp/a.png", "n": 1, "is": true, "no": null}), false),
        ] {
            assert_eq!(holds_more(&value, &known), want, "{value}");
        }
        let value = json!({"input": "https://c.example/in", "url": "https://c.example/a", "n": 1});
        assert!(!holds_more_beside(&value, &["input"], &known) && holds_more_beside(&value, &["url"], &known));
        assert!(!holds_more_beside(&json!("https://c.example/b"), &[], &known), "no object");
    }

    #[test]
    fn a_place_without_anything_keeps_the_others_in_theirs() {
        let (a, b) = ("https://c.example/a", "https://c.example/b");
        for (value, want) in [
            (json!([a, null, b]), vec![Some(a), None, Some(b)]),
            (json!([null, a]), vec![None, Some(a)]),
            (json!([a, "", b]), vec![Some(a), None, Some(b)]),
            (json!({"images": [{"url": a}, null, {"url": b}]}), vec![Some(a), None, Some(b)]),
            (json!({"logs": [null], "video": a, "seeds": [null, 7]}), vec![Some(a)]),
            (json!([[null], [a]]), vec![Some(a)]),
            (json!([null, null]), vec![]),
            (json!([null, "words"]), vec![]),
            (json!(null), vec![]),
        ] {
            let found = places(&value, Shape::Texts, &|text| text.starts_with("https://"));
            let urls: Vec<_> = found.iter().map(|place| place.as_ref().map(|asset| asset.url.as_str())).collect();
            assert_eq!(urls, want, "{value}");
        }
        assert_eq!(urls(&json!([a, null, b]), Shape::Texts), [a, b]);
    }

    #[test]
    fn a_stated_type_goes_before_the_name_of_the_field() {
        use FileKind::{Audio, File, Image, Video};
        let url = "https://c.example/a";
        for (value, want) in [
            (json!({"video": {"url": url, "content_type": "video/mp4"}}), Some(Video)),
            (json!({"video": {"url": url, "content_type": "application/octet-stream"}}), Some(Video)),
            (json!({"file": {"url": url, "content_type": "audio/wav"}}), Some(Audio)),
            (json!({"video": {"url": url, "content_type": "application/zip"}}), Some(File)),
            (json!({"images": [{"url": url}]}), Some(Image)),
            (json!({"audio_file": url}), Some(Audio)),
            (json!({"videos": [{"main": url}]}), Some(Video)),
            (json!({"video": {"thumbnail": url}}), None),
            (json!({"model_mesh": {"url": url}}), None),
            (json!(url), None),
        ] {
            let found = collect(&value, Shape::Texts, &|text| text == url);
            assert_eq!(found.iter().map(|asset| asset.kind).collect::<Vec<_>>(), [want], "{value}");
        }
    }

    #[test]
    fn main_files_come_first_and_strangers_never() {
        let at = |name: &str| format!("https://c.example/{name}");
        for (value, want) in [
            (json!(at("a")), vec!["a"]),
            (json!([at("a"), at("b"), at("c")]), vec!["a", "b", "c"]),
            (json!({"thumbnails": [at("t")], "video": at("v"), "seed": 7}), vec!["v", "t"]),
            (json!({"audio": at("s"), "video": {"url": at("v")}}), vec!["v", "s"]),
            (json!("hello https://c.example/a"), vec![]),
            (json!(["/tmp/out.png", "https://evil.example/a"]), vec![]),
            (json!(null), vec![]),
        ] {
            let want: Vec<String> = want.into_iter().map(at).collect();
            assert_eq!(urls(&value, Shape::Texts), want, "{value}");
        }
        let echoed = json!({"image_url": at("input"), "images": [{"url": at("a"), "file_size": 5}]});
        assert_eq!(urls(&echoed, Shape::Objects), [at("a")]);
        assert_eq!(collect(&echoed, Shape::Objects, &|_| true)[0].bytes, 5);
    }
}
