//! Takes out of a text what must never be shown or logged: keys, tokens, the query strings of
//! addresses (signatures live there), and bytes in `data:` addresses.

use secrecy::{ExposeSecret, SecretString};

/// The longest text that is kept of an answer, in bytes.
pub const SHOWN_BYTES: usize = 64 * 1024;

/// Parts of a key that are shorter are words, and prove nothing.
const SHORTEST_PART: usize = 6;

/// `text` without secrets, cut at [`SHOWN_BYTES`] on a character. However long it is, little more than that is read
/// and copied: an answer can be megabytes long.
#[must_use]
pub fn shown<'a>(text: &(impl AsRef<[u8]> + ?Sized), keys: impl IntoIterator<Item = &'a SecretString>) -> String {
    let keys: Vec<&str> = keys.into_iter().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty()).collect();
    // A key that is cut in two is not found any more: so much of the end is read, and not shown.
    let unseen = keys.iter().map(|key| key.len()).max().unwrap_or(0) + LONGEST_CHARACTER;
    let (start, is_whole) = without_bytes(text.as_ref(), SHOWN_BYTES + unseen);
    let mut clean = String::from_utf8_lossy(&start).into_owned();
    for secret in keys.into_iter().flat_map(secrets_in) {
        clean = clean.replace(secret, "[key]");
    }
    let end = if is_whole { clean.len() } else { clean.len().saturating_sub(unseen) };
    let is_cut = !is_whole || end > SHOWN_BYTES;
    // Cut before the addresses are cleaned: half an address is cleaned as well as a whole one.
    clean.truncate(clean.floor_char_boundary(end.min(SHOWN_BYTES)));
    clean = without_tokens(&without_queries(&clean));
    if is_cut {
        clean.push_str("… [cut]");
    }
    clean
}

/// Bytes of a character in UTF-8, at the most.
const LONGEST_CHARACTER: usize = 4;

/// What must not be seen of a key: all of it, and, of several parts, `ACCESS:SECRET`, each of them. Of one that is as
/// long as a file, also what is left beside its runs of base64, which are taken for a file's.
fn secrets_in(key: &str) -> impl Iterator<Item = &str> {
    let is_part = |part: &&str| part.len() >= SHORTEST_PART && part.len() < key.len();
    let parts = key.split(':').filter(is_part);
    let is_long = key.len() >= BYTES_FROM;
    let beside = key.split(|c: char| is_base64(u8::try_from(c).unwrap_or(0)));
    let beside = beside.filter(move |_| is_long).filter(is_part);
    std::iter::once(key).chain(parts).chain(beside)
}

/// A run of characters of base64 that is longer than any word or key: the bytes of a file.
const BYTES_FROM: usize = 2048;

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// The beginning of `text` without the bytes of files that came inside it, up to so many bytes, and whether that is
/// all of it.
fn without_bytes(text: &[u8], longest: usize) -> (Vec<u8>, bool) {
    let mut clean = Vec::with_capacity(text.len().min(longest));
    let mut rest = text;
    while !rest.is_empty() && clean.len() <= longest {
        let run = rest.iter().take_while(|byte| is_base64(**byte)).count();
        let (word, after) = rest.split_at(run);
        if run >= BYTES_FROM {
            clean.extend_from_slice(format!("[{run} characters]").as_bytes());
        } else {
            clean.extend_from_slice(word);
        }
        let room = longest.saturating_sub(clean.len()) + 1;
        let end = after.iter().take(room).position(|byte| is_base64(*byte)).unwrap_or(after.len().min(room));
        let (between, next) = after.split_at(end);
        clean.extend_from_slice(between);
        rest = next;
    }
    let is_whole = rest.is_empty() && clean.len() <= longest;
    clean.truncate(longest);
    (clean, is_whole)
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

    #[test]
    fn a_key_across_the_cut_is_not_half_shown() {
        let key = SecretString::from("sk-0123456789:abcdefghij");
        for at in SHOWN_BYTES - 40..=SHOWN_BYTES + 60 {
            for tail in ["", " and more", &" more".repeat(100)] {
                let text = format!("{}sk-0123456789:abcdefghij{tail}", " ".repeat(at));
                let clean = shown(&text, Some(&key));
                assert!(!clean.contains("sk-") && !clean.contains("abc"), "{at}: {:?}", clean.trim_start());
                assert!(clean.len() <= SHOWN_BYTES + 12, "{at}");
                let is_long = text.replace(key.expose_secret(), "[key]").len() > SHOWN_BYTES;
                assert_eq!(clean.ends_with("[cut]"), is_long, "{at}: {}", text.len());
            }
        }
        // Keys that are taken out bring the end nearer, and what is cut in two there is not shown either.
        let text = "sk-0123456789:abcdefghij ".repeat(SHOWN_BYTES / 16);
        let clean = shown(&text, Some(&key));
        assert!(!clean.contains("sk-") && !clean.contains("abc") && clean.ends_with("[cut]"));
    }

    #[test]
    fn of_a_key_as_long_as_a_file_nothing_stays() {
        let long = "A1b2".repeat(600);
        let key = SecretString::from(format!("{{\"private\": \"{long}\", \"of\": \"robot@acme.example\"}}"));
        let clean = shown(&format!("no: {}", key.expose_secret()), Some(&key));
        assert!(!clean.contains("A1b2") && !clean.contains("robot"), "{clean}");
    }

    #[test]
    fn an_answer_that_is_no_text_is_shown_as_far_as_it_is() {
        assert_eq!(shown(b"a\xffb", None), "a\u{fffd}b");
        let long = [b"\xff".repeat(SHOWN_BYTES), b"end".to_vec()].concat();
        let clean = shown(&long, None);
        assert!(clean.len() < SHOWN_BYTES + 20 && clean.ends_with("[cut]"));
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
