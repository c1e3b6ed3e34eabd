use super::*;

#[test]
fn settings_are_checked_before_anything_is_asked() {
    let connect = |settings| Registry::new(settings).map(|_| ()).map_err(|e| e.to_string());
    let set = |id: &str, adapter: &str| ProviderSettings::new(id, adapter);
    let based = |url: &str| ProviderSettings { base_url: Some(url.to_owned()), ..set("r", "replicate") };
    assert_eq!(connect(adapters().iter().map(|name| set(name, name)).collect()), Ok(()));
    assert_eq!(connect(vec![set("eu", "replicate"), set("us", "replicate")]), Ok(()));
    for (settings, says) in [
        (vec![set("x", "nobody")], "no adapter `nobody`"),
        (vec![set("r", "replicate"), set("r", "replicate")], "set up twice"),
        (vec![based("ftp://files.example/")], "not an address of http or https"),
        (vec![based("127.0.0.1:4101")], "not an address of http or https"),
        (vec![ProviderSettings { key: Some("bad\nkey".into()), ..set("r", "replicate") }], "the key holds characters"),
    ] {
        let refused = connect(settings).expect_err("refused");
        assert!(refused.contains(says) && !refused.contains("bad"), "{refused}");
    }
}

/// A document in a ticket says *not found* with or without words; what is a page is of whoever made it.
#[test]
fn nothing_there_is_explained_as_not_found_also_without_a_word() {
    for protocol in ADAPTERS.iter().filter(|protocol| protocol.facts().capability.look_up) {
        let facts = protocol.facts();
        for status in [404, 410] {
            let explained = |body: &[u8]| protocol.explain(&Document { origin: Origin::Answer, status, body });
            let worded = explained(br#"{"detail":"nothing here"}"#);
            assert_eq!((worded.word, worded.notes.len()), (facts.not_found, 0), "{}: {status}", facts.adapter);
            for body in ["", "Not Found", " \n"] {
                let told = explained(body.as_bytes());
                let notes = told.notes.join("; ");
                assert_eq!(told.word, facts.not_found, "{}: HTTP {status} {body:?}: {told:?}", facts.adapter);
                assert!(notes.contains("without the provider's own words"), "{}: {status} {body:?}", facts.adapter);
            }
            let page = explained(b"\n<!DOCTYPE html><h1>404</h1>");
            assert_eq!((page.word, page.retryable), (Word::Retryable, true), "{}: {status}: {page:?}", facts.adapter);
        }
    }
}
