//! The `attach:` scheme: customers' files by id, for `<img>` in the window and for nothing else.
//!
//! The files come from strangers. They are served with the type the store holds, only if it is one
//! that cannot run, never guessed at, and in a sandbox in case somebody navigates to one.

use std::borrow::Cow;

use makegood_domain::ids::AttachmentId;
use makegood_domain::ports::{AttachmentFile, StoreError};
use tauri::http::{Request, Response, StatusCode, Uri, header};
use tauri::{Manager as _, Runtime, UriSchemeContext, UriSchemeResponder};

use super::commands::Core;
use super::window::MAIN;

/// The name of the scheme.
pub const SCHEME: &str = "attach";

/// Types that a web view shows without running anything in them.
const SHOWN: [&str; 6] = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "image/bmp"];

/// Answers a request for `attach://localhost/<id>`.
pub fn serve<R: Runtime>(context: UriSchemeContext<'_, R>, request: Request<Vec<u8>>, responder: UriSchemeResponder) {
    if context.webview_label() != MAIN {
        return responder.respond(refusal(StatusCode::FORBIDDEN));
    }
    let Some(id) = attachment_id(request.uri()) else {
        return responder.respond(refusal(StatusCode::BAD_REQUEST));
    };
    let core = context.app_handle().try_state::<Core>();
    let Some(desk) = core.and_then(|core| core.desk().ok()) else {
        return responder.respond(refusal(StatusCode::SERVICE_UNAVAILABLE));
    };
    tauri::async_runtime::spawn(async move {
        let response = match desk.store().attachment(&id).await {
            Ok(file) => shown(file),
            Err(StoreError::NotFound { .. }) => refusal(StatusCode::NOT_FOUND),
            Err(error) => {
                tracing::warn!(%id, %error, "an attachment cannot be shown");
                refusal(StatusCode::SERVICE_UNAVAILABLE)
            }
        };
        responder.respond(response);
    });
}

/// The id in the address: one path segment of letters, digits, `-` and `_`, so never a path.
fn attachment_id(uri: &Uri) -> Option<AttachmentId> {
    let id = uri.path().strip_prefix('/')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (uri.query().is_none() && (1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| AttachmentId::new(id))
}

fn shown(file: AttachmentFile) -> Response<Cow<'static, [u8]>> {
    if !SHOWN.contains(&file.media_type.as_str()) {
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    respond(StatusCode::OK, &file.media_type, file.bytes.into())
}

fn refusal(status: StatusCode) -> Response<Cow<'static, [u8]>> {
    respond(status, "text/plain", Cow::Borrowed(b""))
}

fn respond(status: StatusCode, media_type: &str, body: Cow<'static, [u8]>) -> Response<Cow<'static, [u8]>> {
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
        .header(header::CACHE_CONTROL, "private, max-age=3600")
        .body(body);
    // Only a media type that is no header value can fail, and those are not shown.
    response.unwrap_or_else(|_| Response::new(Cow::Borrowed(b"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(media_type: &str) -> AttachmentFile {
        let (id, name) = (AttachmentId::new("a-1"), "shot".to_owned());
        AttachmentFile { id, name, media_type: media_type.to_owned(), bytes: b"bytes".to_vec() }
    }

    #[test]
    fn an_address_names_one_attachment_and_no_path() {
        let table = [
            ("attach://localhost/0192f0aa-7c1e-7a7a-9b7b-0242ac120002", Some("0192f0aa-7c1e-7a7a-9b7b-0242ac120002")),
            ("attach://localhost/att_1", Some("att_1")),
            ("attach://localhost/", None),
            ("attach://localhost/a/b", None),
            ("attach://localhost/..", None),
            ("attach://localhost/%2e%2e%2fetc", None),
            ("attach://localhost/a?b=c", None),
        ];
        for (address, id) in table {
            let uri: Uri = address.parse().expect("an address");
            assert_eq!(attachment_id(&uri).as_ref().map(AttachmentId::as_str), id, "{address}");
        }
        let long: Uri = format!("attach://localhost/{}", "a".repeat(65)).parse().expect("an address");
        assert_eq!(attachment_id(&long), None, "longer than any id");
    }

    #[test]
    fn only_pictures_are_shown_and_always_in_a_sandbox_with_their_own_type() {
        let table = [
            ("image/png", StatusCode::OK),
            ("image/webp", StatusCode::OK),
            ("image/svg+xml", StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("text/html", StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ("image/png\r\nx: y", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ];
        for (media_type, status) in table {
            let response = shown(file(media_type));
            assert_eq!(response.status(), status, "{media_type}");
            assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], "sandbox; default-src 'none'");
            let body: &[u8] = if status == StatusCode::OK { b"bytes" } else { b"" };
            assert_eq!(response.body().as_ref(), body, "{media_type}");
        }
    }
}
