//! Finds the files in an answer whose shape depends on the model: the addresses in it, the main
//! ones before thumbnails and the like.

use serde_json::{Map, Value};

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
    let mut found = Vec::new();
    walk(value, shape, is_file, 2, DEEPEST, &mut found);
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, asset)| asset).collect()
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

fn walk(
    value: &Value,
    shape: Shape,
    is_file: &dyn Fn(&str) -> bool,
    rank: u8,
    depth: u32,
    found: &mut Vec<(u8, Asset)>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::String(text) if shape == Shape::Texts && is_file(text) => {
            found.push((rank, Asset { url: text.clone(), ..Asset::default() }));
        }
        Value::Array(list) => list.iter().for_each(|one| walk(one, shape, is_file, rank, depth, found)),
        Value::Object(fields) => match asset(fields).filter(|asset| is_file(&asset.url)) {
            Some(asset) => found.push((rank, asset)),
            None => fields.iter().for_each(|(name, one)| {
                walk(one, shape, is_file, rank_of(name).unwrap_or(rank), depth, found);
            }),
        },
        _ => {}
    }
}

/// An object that describes a file.
fn asset(fields: &Map<String, Value>) -> Option<Asset> {
    let url = fields.get("url")?.as_str()?.to_owned();
    let bytes = fields.get("file_size").and_then(Value::as_u64).unwrap_or(0);
    Some(Asset { url, bytes, ..Asset::default() })
}

/// How much a field of this name is the product of the run; `None`: no more than what is round it.
fn rank_of(name: &str) -> Option<u8> {
    const BY_THE_WAY: [&str; 8] = ["thumb", "preview", "poster", "cover", "mask", "last_frame", "log", "subtitle"];
    let name = name.to_ascii_lowercase();
    if BY_THE_WAY.iter().any(|word| name.contains(word)) {
        Some(9)
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
