//! Takes out of a text what must never be shown or logged: keys, tokens, the query strings of
//! addresses (signatures live there), and bytes in `data:` addresses.

use secrecy::{ExposeSecret, SecretString};

/// The longest text that is kept of an answer, in bytes.
pub const SHOWN_BYTES: usize = 64 * 1024;

/// Parts of a key that are shorter are words, and prove nothing.
const SHORTEST_PART: usize = 6;

/// `text` without secrets, cut at [`SHOWN_BYTES`] on a character.
#[must_use]
pub fn shown<'a>(text: &str, keys: impl IntoIterator<Item = &'a SecretString>) -> String {
    let mut clean = text.to_owned();
    for key in keys.into_iter().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty()) {
        clean = clean.replace(key, "[key]");
        // A key of several parts, `ACCESS:SECRET`, is as secret in each of them.
        for part in key.split(':').filter(|part| part.len() >= SHORTEST_PART && part.len() < key.len()) {
            clean = clean.replace(part, "[key]");
        }
    }
    clean = without_bytes(&clean);
    // Cut before the addresses are cleaned: half an address is cleaned as well as a whole one.
    let long = clean.len() > SHOWN_BYTES;
    if long {
        clean.truncate(clean.floor_char_boundary(SHOWN_BYTES));
    }
    clean = without_tokens(&without_queries(&clean));
    if long {
        clean.push_str("… [cut]");
    }
    clean
}

/// A run of characters of base64 that is longer than any word or key: the bytes of a file.
const BYTES_FROM: usize = 2048;

/// `text` without the bytes of files that came inside it.
fn without_bytes(text: &str) -> String {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    let mut clean = String::with_capacity(text.len().min(2 * SHOWN_BYTES));
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.bytes().take_while(|byte| is_base64(*byte)).count();
        let (word, after) = rest.split_at(run);
        if run >= BYTES_FROM {
            clean.push_str(&format!("[{run} characters]"));
        } else {
            clean.push_str(word);
        }
        let end = after.bytes().position(is_base64).unwrap_or(after.len());
        let (between, next) = after.split_at(end);
        clean.push_str(between);
        rest = next;
    }
    clean
}

/// `text` without JSON Web Tokens, which are as good as a key while they last: three words of base64,
/// joined by dots, of which the first is an object.
fn without_tokens(text: &str) -> String {
    const MARK: &str = "eyJ";
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (before, from) = rest.split_at(at);
        clean.push_str(before);
        let end = from.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.=".contains(c))).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        clean.push_str(if word.matches('.').count() >= 2 { "[token]" } else { word });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

/// Every address in `text` without its query and fragment. Works on JSON and on prose, and keeps
/// everything else as it is.
fn without_queries(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, kind)) = next_address(rest) {
        let (before, from) = rest.split_at(at);
        clean.push_str(before);
        let end = from.find(ends_address).unwrap_or(from.len());
        let (address, after) = from.split_at(end);
        match kind {
            Kind::Web => match address.find(['?', '#']) {
                Some(query) => {
                    clean.push_str(&address[..query]);
                    clean.push_str("?[…]");
                }
                None => clean.push_str(address),
            },
            Kind::Data => clean.push_str("data:[…]"),
        }
        rest = after;
    }
    clean.push_str(rest);
    clean
}

#[derive(Clone, Copy)]
enum Kind {
    Web,
    Data,
}

/// The next address and where it begins. Schemes count in any case, and with the slashes escaped
/// as some JSON writers do.
fn next_address(text: &str) -> Option<(usize, Kind)> {
    const MARKS: [(&str, Kind); 5] = [
        ("https:/", Kind::Web),
        ("http:/", Kind::Web),
        ("https:\\/", Kind::Web),
        ("http:\\/", Kind::Web),
        ("data:", Kind::Data),
    ];
    let bytes = text.as_bytes();
    (0..bytes.len()).filter(|&i| matches!(bytes[i], b'h' | b'H' | b'd' | b'D')).find_map(|i| {
        MARKS.iter().find_map(|&(mark, kind)| {
            let hit = bytes.get(i..i + mark.len()).is_some_and(|b| b.eq_ignore_ascii_case(mark.as_bytes()));
            let holds_bytes = || text[i..].split(ends_address).next().is_some_and(|word| word.contains(";base64,"));
            (hit && (matches!(kind, Kind::Web) || holds_bytes())).then_some((i, kind))
        })
    })
}

fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|' | '^' | '{' | '}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_bytes_go_and_the_rest_stays() {
        for (text, want) in [
            (
                r#"{"output":["https://c.example/a.mp4?_jwt=ey.a.b"],"n":1}"#,
                r#"{"output":["https://c.example/a.mp4?[…]"],"n":1}"#,
            ),
            (r#"{"u":"https:\/\/c.example\/a?sig=x\u0026y=1"}"#, r#"{"u":"https:\/\/c.example\/a?[…]"}"#),
            (
                "see HTTPS://c.example/a?k=1 and http://d.example/b#t, why?",
                "see HTTPS://c.example/a?[…] and http://d.example/b?[…] why?",
            ),
            (r#"{"image":"data:image/png;base64,iVBORw0KGgo="}"#, r#"{"image":"data:[…]"}"#),
            ("the data: what is it? https is a word; d", "the data: what is it? https is a word; d"),
            ("https://c.example/plain", "https://c.example/plain"),
            ("ключ? データ", "ключ? データ"),
        ] {
            assert_eq!(shown(text, None), want);
        }
    }

    #[test]
    fn keys_go_and_length_is_limited() {
        let key = SecretString::from("r8_secret");
        assert_eq!(shown("bad token r8_secret.", Some(&key)), "bad token [key].");
        assert_eq!(shown("abc", Some(&SecretString::from(""))), "abc");
        let pair = SecretString::from("access-1:secret-1");
        assert_eq!(shown("no access-1, nor secret-1", Some(&pair)), "no [key], nor [key]");
        assert_eq!(shown("a:b", Some(&SecretString::from("a:bcdefgh"))), "a:b");
        assert_eq!(shown("bad token eyJhbGci.eyJpc3M.c2ln-_, eyJ.x", None), "bad token [token], eyJ.x");
        let long = "ä".repeat(SHOWN_BYTES);
        let cut = shown(&long, None);
        assert!(cut.len() < SHOWN_BYTES + 20 && cut.ends_with("[cut]"));
        let file = format!("{{\"a\":\"{}==\",\"b\":\"{}\"}}", "Zm9v/+".repeat(500), "x".repeat(100));
        assert_eq!(shown(&file, None), format!("{{\"a\":\"[3002 characters]\",\"b\":\"{}\"}}", "x".repeat(100)));
    }

    proptest::proptest! {
        #[test]
        fn no_signature_survives(before in ".{0,40}", path in "[a-z/.]{0,20}", after in "[\" <>].{0,40}") {
            let text = format!("{before}https://c.example/{path}?sig=TOPSECRETVALUE{after}");
            let clean = shown(&text, None);
            proptest::prop_assert!(!clean.contains("TOPSECRETVALUE"));
        }
    }
}
