//! The smallest whole media files of each kind: enough structure to be told from a cut one.

/// A small file and what it is.
#[derive(Clone, Debug)]
pub struct Sample {
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
    /// Bytes that must be there for the file to be whole: cut anywhere before, it must be refused.
    pub needed: usize,
}

/// One of each kind.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let sample = |media_type, bytes: Vec<u8>| Sample { media_type, needed: bytes.len(), bytes };
    vec![
        Sample::mp4(64),
        sample("video/quicktime", mp4(b"qt  ", 16)),
        sample("audio/mp4", mp4(b"M4A ", 16)),
        sample("video/webm", webm()),
        Sample::png(),
        sample("image/jpeg", jpeg()),
        sample("image/gif", gif()),
        sample("image/webp", riff(b"WEBP", &[chunk(b"VP8L", &[0x2f, 0, 0, 0, 0x10, 0x88, 0x88, 0x08])])),
        sample("audio/wav", wav()),
        Sample { needed: MP3_FRAME * 2, ..sample("audio/mpeg", mp3()) },
        Sample { needed: FLAC_HEAD, ..sample("audio/flac", flac()) },
        sample("audio/ogg", ogg()),
    ]
}

impl Sample {
    /// A video whose media part has `payload` bytes.
    #[must_use]
    pub fn mp4(payload: usize) -> Self {
        let bytes = mp4(b"isom", payload);
        Self { media_type: "video/mp4", needed: bytes.len(), bytes }
    }

    /// A picture of one pixel.
    #[must_use]
    pub fn png() -> Self {
        Self { media_type: "image/png", bytes: PNG.to_vec(), needed: PNG.len() }
    }
}

const PNG: [u8; 70] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00, 0x0d, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x64, 0x60, 0xf8, 0x5f, 0x0f, 0x00, 0x02, 0x87, 0x01, 0x80, 0xeb, 0x47, 0xba,
    0x92, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

fn mp4(brand: &[u8; 4], payload: usize) -> Vec<u8> {
    let media: Vec<u8> = (0..payload).map(|i| u8::try_from(i % 251).unwrap_or(0)).collect();
    let kind = bmff(b"ftyp", &[&brand[..], &[0, 0, 2, 0], b"isom"].concat());
    // Nobody has set a length: a thousand units a second, and none of them.
    let header = bmff(b"mvhd", &[&[0; 12][..], &be32(1000), &[0; 84]].concat());
    [kind, bmff(b"mdat", &media), bmff(b"moov", &header)].concat()
}

fn bmff(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&be32(body.len() + 8)[..], name, body].concat()
}

fn webm() -> Vec<u8> {
    let header = [&[0x1a, 0x45, 0xdf, 0xa3, 0x87, 0x42, 0x82, 0x84][..], b"webm"].concat();
    let cluster = [0x1f, 0x43, 0xb6, 0x75, 0x83, 0xe7, 0x81, 0x00];
    [&header[..], &[0x18, 0x53, 0x80, 0x67, 0x88], &cluster].concat()
}

fn jpeg() -> Vec<u8> {
    let frame = [0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0];
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 0x3f, 0, 0x12, 0xff, 0x00, 0x34];
    [&[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0][..], &frame, &scan, &[0xff, 0xd9]].concat()
}

fn gif() -> Vec<u8> {
    let screen = [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff];
    let image = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
    [&b"GIF89a"[..], &screen, &image, &[0x3b]].concat()
}

fn riff(form: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [b"RIFF", &le32(body.len() + 4)[..], form, &body].concat()
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if body.len() % 2 == 1 { &[0] } else { &[] };
    [name, &le32(body.len())[..], body, padding].concat()
}

fn wav() -> Vec<u8> {
    let format = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0];
    riff(b"WAVE", &[chunk(b"fmt ", &format), chunk(b"data", &[0x80; 32])])
}

/// Of 32 kbit/s at 48 kHz.
const MP3_FRAME: usize = 96;

fn mp3() -> Vec<u8> {
    let frame = [&[0xff, 0xfb, 0x14, 0x00][..], &[0; MP3_FRAME - 4]].concat();
    [frame.clone(), frame.clone(), frame].concat()
}

const FLAC_HEAD: usize = 44;

fn flac() -> Vec<u8> {
    [&b"fLaC"[..], &[0x80, 0, 0, 34], &[0; 34], &[0xff, 0xf8], &[0; 16]].concat()
}

fn ogg() -> Vec<u8> {
    let page = |flags: u8, body: &[u8]| {
        let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
        [&b"OggS\0"[..], &[flags], &[0; 20], &[1, length], body].concat()
    };
    [page(2, b"OpusHead"), page(4, b"sound")].concat()
}

fn be32(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes()
}

fn le32(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}
