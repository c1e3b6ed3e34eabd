//! Uploads in parts that were begun and never finished, by a crash or a cut line. Amazon keeps their parts, and
//! asks money for them, until they are given up by name. Google drops an unfinished upload after a week, and
//! Azure its blocks, each by itself.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use reqsign_aws_v4::{Credential, RequestSigner, StaticCredentialProvider};
use reqsign_core::{Context, Signer};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use url::Url;

use super::{Access, Address};
use crate::http::{HttpError, StorageError, StorageLine};

/// Pages of a list that are read at a time; what is on later ones is cleared another time.
const PAGES: u32 = 100;

/// The unfinished uploads below one prefix of a bucket, and what else is asked of S3 that the library does not ask.
pub struct Uploads {
    line: Arc<StorageLine>,
    signer: Signer<Credential>,
    bucket: String,
    prefix: String,
    endpoint: Url,
}

/// A page of the list.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Page {
    upload: Vec<Upload>,
    is_truncated: bool,
    next_key_marker: String,
    next_upload_id_marker: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
    initiated: Timestamp,
}

impl Uploads {
    /// Those of an address; `None` where the store drops them by itself.
    pub fn of(address: &Address, access: &Access, line: &Arc<StorageLine>) -> Option<Self> {
        let (Address::S3 { bucket, prefix, endpoint, region }, Access::S3 { id, secret, token }) = (address, access)
        else {
            return None;
        };
        let provider = StaticCredentialProvider::new(id, secret.expose_secret());
        let provider = match token {
            Some(token) => provider.with_session_token(token.expose_secret()),
            None => provider,
        };
        Some(Self {
            line: Arc::clone(line),
            signer: Signer::new(Context::new(), provider, RequestSigner::new("s3", region)),
            bucket: bucket.clone(),
            prefix: format!("{prefix}sha256/"),
            endpoint: endpoint.url.clone(),
        })
    }

    /// Gives up those that were begun before an instant, and says how many. Only what carries a name as we
    /// give it is touched.
    ///
    /// # Errors
    /// As the store answered.
    pub async fn clear(&self, before: Timestamp) -> Result<u32, StorageError> {
        let (mut cleared, mut after) = (0, None::<(String, String)>);
        for _ in 0..PAGES {
            let page = self.page(after.as_ref()).await?;
            for upload in page.upload.iter().filter(|upload| upload.initiated < before && self.is_ours(&upload.key)) {
                match self.ask(Method::DELETE, &upload.key, &[("uploadId", &upload.upload_id)]).await {
                    // Somebody else was quicker.
                    Ok(_) | Err(StorageError::Answered { status: 404, .. }) => cleared += 1,
                    Err(error) => return Err(error),
                }
            }
            if !page.is_truncated {
                break;
            }
            after = Some((page.next_key_marker, page.next_upload_id_marker));
        }
        Ok(cleared)
    }

    /// Whether the store keeps a checksum of a file: then it has compared what it was sent with ours. Many that speak
    /// like S3 pass over what they do not know.
    ///
    /// # Errors
    /// As the store answered.
    pub async fn has_checksum(&self, key: &super::ContentKey) -> Result<bool, StorageError> {
        let name = format!("{}{}/{key}", self.prefix, key.shard());
        let answer = self.send(Method::HEAD, &name, &[], &[("x-amz-checksum-mode", "ENABLED")]).await?;
        Ok(answer.headers().contains_key("x-amz-checksum-crc32c"))
    }

    fn is_ours(&self, key: &str) -> bool {
        let name = key.strip_prefix(&self.prefix).and_then(|rest| rest.split_once('/'));
        name.is_some_and(|(shard, key)| super::ContentKey::new(key).is_ok_and(|key| key.shard() == shard))
    }

    async fn page(&self, after: Option<&(String, String)>) -> Result<Page, StorageError> {
        let mut query = vec![("uploads", ""), ("prefix", &*self.prefix)];
        if let Some((key, upload)) = after {
            query.extend([("key-marker", &**key), ("upload-id-marker", &**upload)]);
        }
        let answer = self.ask(Method::GET, "", &query).await?;
        let unread = |why: String| StorageError::Unasked(HttpError::Cut(format!("a list that can't be read: {why}")));
        quick_xml::de::from_reader(&*answer).map_err(|error| unread(error.to_string()))
    }

    async fn ask(&self, method: Method, key: &str, query: &[(&str, &str)]) -> Result<Bytes, StorageError> {
        Ok(self.send(method, key, query, &[]).await?.into_body())
    }

    async fn send(
        &self,
        method: Method,
        key: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Response<Bytes>, StorageError> {
        let unmade = |why: String| StorageError::Unasked(HttpError::Client(why));
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value, false))).collect();
        let base = self.endpoint.as_str().trim_end_matches('/');
        let url = format!("{base}/{}/{}?{}", self.bucket, encoded(key, true), query.join("&"));
        let request = Request::builder().method(method).uri(url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let (mut head, ()) = request.body(()).map_err(|error| unmade(error.to_string()))?.into_parts();
        self.signer.sign(&mut head, None).await.map_err(|error| unmade(error.to_string()))?;
        // The client names the host itself.
        head.headers.remove(http::header::HOST);
        self.line.ask(Request::from_parts(head, Bytes::new())).await
    }
}

/// `text` as it stands in an address, encoded once; of a path the `/` stays.
fn encoded(text: &str, is_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b'/' if is_path => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_marks_and_without() {
        let whole = "<ListMultipartUploadsResult><Bucket>b</Bucket><IsTruncated>true</IsTruncated>\
            <NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>\
            <Upload><Key>a</Key><UploadId>1</UploadId><Initiated>2026-11-22T10:00:00.000Z</Initiated></Upload>\
            <Upload><Key>b</Key><UploadId>2</UploadId><Owner><ID>x</ID></Owner>\
            <Initiated>2026-11-22T11:00:00Z</Initiated></Upload></ListMultipartUploadsResult>";
        let page: Page = quick_xml::de::from_str(whole).expect("a list");
        assert_eq!((page.is_truncated, &*page.next_key_marker, &*page.next_upload_id_marker), (true, "k", "u"));
        assert_eq!(page.upload.iter().map(|one| &*one.upload_id).collect::<Vec<_>>(), ["1", "2"]);
        let none: Page = quick_xml::de::from_str("<ListMultipartUploadsResult/>").expect("an empty list");
        assert_eq!(none, Page::default());
    }

    #[test]
    fn names_are_encoded_once() {
        assert_eq!(encoded("a b/ü+~", true), "a%20b/%C3%BC%2B~");
        assert_eq!(encoded("a/b", false), "a%2Fb");
    }
}
