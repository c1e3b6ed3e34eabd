//! N7 and N8: files of the right length that are something else, and damaged ones.

use super::super::house::hex_of;
use super::super::wire::{Act, Answer};
use super::{Script, Stage, Want};

/// Damaged files of one script each.
const DAMAGED: usize = 12;

/// What a refusal of content says.
const NO_FILE: &[&str] =
    &["no media file", "it is cut", "it is broken", "promised", "it is empty", "in place of the file"];

pub fn scripts(stage: &mut Stage) -> Vec<Script> {
    [other_bytes(stage), damaged(stage)].concat()
}

/// An answer that says that this is the video.
fn video(bytes: &[u8]) -> Answer {
    let head = format!("content-type: video/mp4\r\netag: \"x\"\r\ncontent-length: {}\r\n", bytes.len());
    Stage::said("200 OK", &head, bytes)
}

/// N7. What was refused is tried again, and then is the file: nothing of the first attempt may be in it.
fn other_bytes(stage: &mut Stage) -> Vec<Script> {
    let length = stage.file.bytes.len();
    let whole = stage.file.bytes.to_vec();
    let mut zeros = whole.clone();
    zeros[..length / 2].fill(0);
    let page = "<!DOCTYPE html><html><body>This link has expired</body></html>";
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &whole[..5000]].concat();
    let zip = [b"PK\x03\x04".as_slice(), &whole[..5000]].concat();
    let refused = |what: &str, bytes: &[u8]| Script::new("N7", what, Want::Failed(NO_FILE)).files([video(bytes)]);
    let mut scripts = vec![
        refused("a page", page.as_bytes()),
        refused("a page after empty lines", format!("\r\n\r\n  {page}").as_bytes()),
        refused("an error in XML", b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
        refused("an error in JSON", b"{\"detail\":\"gone\"}"),
        refused("words", b"Forbidden"),
        refused("nothing", b""),
        refused("zeros of the right length", &vec![0; length]),
        refused("half zeros", &zeros),
        refused("packed", &gzip),
        refused("an archive", &zip),
        refused("the half of it, as if that were all", &whole[..length / 2]),
        refused("all but the last byte, as if that were all", &whole[..length - 1]),
        refused("all but the first byte", &whole[1..]),
    ];
    // Each again, and then the file.
    scripts.extend(scripts.clone().into_iter().map(|script| Script {
        name: format!("{}, then the file", script.name),
        want: Want::Whole,
        ..script.attempts(2)
    }));
    // Whole files, of which another one was promised.
    let promised = hex_of(&whole)[..16].to_owned();
    let other = stage.old.honest(None);
    let once = Script::new("N7", "another file than was promised", Want::Failed(&["promised"])).files([other.clone()]);
    let again = Script::new("N7", "another file, then the promised one", Want::Whole).files([other]).attempts(2);
    scripts.extend([once, again].map(|script| Script { promised: promised.clone(), ..script }));
    let mut portal = video(page.as_bytes());
    portal[0] = Act::Send(
        format!("HTTP/1.1 302 Found\r\nlocation: {}/login\r\ncontent-length: 0\r\n\r\n", stage.base).into_bytes(),
    );
    scripts.push(Script::new("N17", "a captive portal", Want::Failed(NO_FILE)).files([portal.clone()]));
    scripts.push(Script::new("N17", "a captive portal, then the file", Want::Whole).files([portal]).attempts(2));
    scripts
}

/// N8: the container must say no, or the bytes be taken as they are; `torture` itself must go on.
fn damaged(stage: &mut Stage) -> Vec<Script> {
    let mut scripts = Vec::new();
    for number in 0..DAMAGED {
        let mut bytes = stage.file.bytes.to_vec();
        for _ in 0..=stage.dice.index(6) {
            // Where the structure is: at the beginning, or at the end.
            let near = stage.dice.index(120);
            let at = if stage.dice.chance(50) { near } else { bytes.len() - 1 - near };
            bytes[at] = u8::try_from(stage.dice.below(256)).unwrap_or(0);
        }
        let script = Script::new("N8", format!("damage {number}"), Want::Any).files([video(&bytes)]);
        scripts.push(script);
    }
    scripts
}
