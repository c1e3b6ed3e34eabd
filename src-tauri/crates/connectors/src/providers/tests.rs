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
