//! Addresses that nobody may be led to, in every notation that somebody reads as one.

use std::net::IpAddr;

/// The host whose files may be fetched, with all names below it.
pub const HOST: &str = "replicate.delivery";

/// What is no address of a file: of another host, a number, another scheme or port, with a name or a password.
pub fn texts() -> Vec<String> {
    let of = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let numbers = NUMBERS.iter().map(|number| format!("https://{number}/f"));
    let clear = CLEAR.iter().map(|number| format!("http://{number}/latest/meta-data/"));
    let ports = PORTS.iter().map(|port| format!("https://{HOST}:{port}/f"));
    let schemes = SCHEMES.iter().map(|scheme| format!("{scheme}{HOST}/f"));
    let hosts = HOSTS.iter().map(|host| format!("https://{host}/f"));
    let long = format!("https://{HOST}/{}", "a".repeat(5000));
    hosts.chain(numbers).chain(clear).chain(ports).chain(schemes).chain(of(OTHERS)).chain([long]).collect()
}

/// Hosts that look like the one that may be asked, and such as no provider has.
const HOSTS: &[&str] = &[
    "evil-replicate.delivery",
    "evilreplicate.delivery",
    "replicate.delivery.evil.test",
    "replicate.delivery.",
    "replicate.delivery..",
    ".replicate.delivery",
    "replicate-delivery",
    "replicate.deliveryx",
    "replicate.deliver",
    "replicate。delivery.evil.test",
    "rеplicate.delivery",
    "replicate.delivеry",
    "replicate.ⅾelivery.evil.test",
    "xn--rplicate-4uf.delivery",
    "replicate%2edelivery.evil.test",
    "evil.test%2freplicate.delivery",
    "evil.test%00.replicate.delivery",
    "evil.test\\.replicate.delivery",
    "evil.test#.replicate.delivery",
    "evil.test?.replicate.delivery",
    "evil.test;replicate.delivery",
    "evil.test,replicate.delivery",
    "delivery",
    "localhost",
    "LOCALHOST",
    "localhost.localdomain",
    "ip6-localhost",
    "metadata.google.internal",
    "metadata",
    "instance-data",
    "kubernetes.default.svc",
    "router.local",
    "127.0.0.1.nip.io",
    "10.0.0.1.sslip.io",
    "printer",
];

/// 127.0.0.1, 10.0.0.1, 169.254.169.254 and others as numbers, in each notation.
const NUMBERS: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7F.0x0.0x0.0x1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.0x0.0.1",
    "00000177.0.0.1",
    "127.000.000.001",
    "127.0.0.0x1",
    "１２７.０.０.１",
    "127。0。0。1",
    "⑫7.0.0.1",
    "127.127.127.127",
    "0",
    "0.0.0.0",
    "00.00.00.00",
    "0x0",
    "10.0.0.1",
    "167772161",
    "0xa000001",
    "012.0.0.1",
    "10.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "172.16.0.1",
    "192.168.0.1",
    "3232235521",
    "100.100.100.200",
    "255.255.255.255",
    "4294967295",
    "224.0.0.1",
    "8.8.8.8",
    "134744072",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:10.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[2606:4700:4700::1111]",
];

/// Asked in clear, as services inside of networks are.
const CLEAR: &[&str] = &[
    "169.254.169.254",
    "127.0.0.1",
    "127.0.0.1:9200",
    "10.0.0.1:8080",
    "[::1]",
    "[fd00:ec2::254]",
    "metadata.google.internal",
    "localhost:6379",
    "replicate.delivery",
    "replicate.delivery:443",
];

const PORTS: &[&str] = &["80", "22", "25", "444", "6379", "8080", "8443", "0", "65535", "99999"];

const SCHEMES: &[&str] = &[
    "http://",
    "ftp://",
    "file://",
    "gopher://",
    "dict://",
    "ldap://",
    "ws://",
    "wss://",
    "tftp://",
    "sftp://",
    "jar:https://",
    "blob:https://",
    "view-source:https://",
    "unix://",
    "//",
    "",
    "javascript://",
    "https:evil.test@",
];

/// Names and passwords, things that are read in two ways, and no addresses at all.
const OTHERS: &[&str] = &[
    "https://replicate.delivery@evil.test/f",
    "https://replicate.delivery:443@evil.test/f",
    "https://user@replicate.delivery/f",
    "https://user:word@replicate.delivery/f",
    "https://:word@replicate.delivery/f",
    "https://replicate.delivery%40evil.test/f",
    "https://evil.test\\@replicate.delivery/f",
    "https://127.0.0.1@replicate.delivery/f",
    "https://replicate.delivery@127.0.0.1/f",
    "https://a@b@replicate.delivery/f",
    "https:\\\\127.0.0.1\\f",
    "https:/127.0.0.1/f",
    "https:127.0.0.1/f",
    "https:///127.0.0.1/f",
    "\thttps://127.0.0.1/f",
    "ht\ntps://127.0.0.1/f",
    "https://127.0\t.0.1/f",
    "file:///etc/passwd",
    "file://localhost/etc/shadow",
    "/etc/passwd",
    "data:text/html,<p>here</p>",
    "about:blank",
    "https://",
    "https://[::1/f",
    "https://[replicate.delivery]/f",
    "https://replicate delivery/f",
];

/// Addresses that a name may not lead to: one of each kind that is not public, and the edges of each.
pub fn forbidden() -> Vec<IpAddr> {
    FORBIDDEN.iter().filter_map(|text| text.parse().ok()).collect()
}

/// Such as it may.
pub fn public() -> Vec<IpAddr> {
    PUBLIC.iter().filter_map(|text| text.parse().ok()).collect()
}

const FORBIDDEN: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "0.255.255.255",
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.0.0.53",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.17.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::7f00:1",
    "::ffff:0.0.0.0",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:192.168.1.1",
    "::ffff:0:7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
];

const PUBLIC: &[&str] = &[
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "198.20.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_address_is_another_one_and_can_be_read() {
        let texts = texts();
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), texts.len());
        assert_eq!((forbidden().len(), public().len()), (FORBIDDEN.len(), PUBLIC.len()));
        assert!(texts.len() >= 140, "{} texts", texts.len());
    }
}
