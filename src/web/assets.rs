//! Style sheets and scripts of pages: named by their content, so that a browser keeps them for ever, and compressed when Hearth is built (`build.rs`).

use std::io::Write;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One file of `static/`, or of what was made of packages.
struct Asset {
    /// `panel.css`.
    name: &'static str,
    /// `/static/panel.0123456789ab.css`.
    path: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    brotli: &'static [u8],
}

const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where they are.
pub const STATIC: &str = "/static/";

/// The address of a file by its name in `static/`; `None` where Hearth was built without it.
pub fn asset(name: &str) -> Option<&'static str> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| asset.path)
}

/// The file of this name below [`STATIC`], with its hash; `None`: there is none.
pub fn serve(file: &str, headers: &HeaderMap) -> Option<Response> {
    let asset = ASSETS.iter().find(|asset| asset.path.strip_prefix(STATIC) == Some(file))?;
    let brotli = accepts_brotli(headers);
    let mut answer = (StatusCode::OK, if brotli { asset.brotli } else { asset.plain }).into_response();
    let head = answer.headers_mut();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    // Another content is another address.
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if brotli {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    Some(answer)
}

/// A page, compressed for whoever takes that: nothing in a page of ours is a secret that its reader could not see.
pub fn html(headers: &HeaderMap, status: StatusCode, text: String) -> Response {
    /// Larger than what a packet holds, and fast: a page of 300 KB in 3 ms.
    const WORTH: usize = 1400;
    const QUALITY: u32 = 4;
    let packed = (text.len() > WORTH && accepts_brotli(headers)).then(|| {
        let mut packed = Vec::with_capacity(text.len() / 6);
        let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, QUALITY, 20);
        let done = writer.write_all(text.as_bytes());
        drop(writer);
        done.ok().map(|()| packed)
    });
    let (body, is_packed) = match packed.flatten() {
        Some(packed) => (packed, true),
        None => (text.into_bytes(), false),
    };
    let mut answer = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response();
    let head = answer.headers_mut();
    head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_packed {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    answer
}

/// Whether `Accept-Encoding` (RFC 9110, 12.5.3) names brotli, and not to refuse it.
pub(super) fn accepts_brotli(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
        name.trim().eq_ignore_ascii_case("br") && !refused
    })
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_file_is_kept_for_ever_and_another_content_is_another_address() {
        let path = asset("panel.css").unwrap();
        let file = path.strip_prefix(STATIC).unwrap();
        let plain = serve(file, &HeaderMap::new()).unwrap();
        assert_eq!(plain.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert!(plain.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        let plain = plain.into_body().collect().await.unwrap().to_bytes();
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"))]);
        let packed = serve(file, &headers).unwrap();
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br");
        let packed = packed.into_body().collect().await.unwrap().to_bytes();
        let mut whole = Vec::new();
        brotli::BrotliDecompress(&mut &packed[..], &mut whole).unwrap();
        assert!(whole == plain && packed.len() * 2 < plain.len());
        assert!(serve("panel.css", &headers).is_none() && serve("panel.000000000000.css", &headers).is_none());
    }

    #[test]
    fn what_a_browser_does_not_read_it_is_not_sent() {
        let asks = |text: &'static str| {
            accepts_brotli(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]))
        };
        assert!(asks("br") && asks("gzip, deflate, br;q=0.5") && asks("BR"));
        assert!(!asks("gzip") && !asks("br;q=0") && !asks("br; q=0.0, gzip") && !asks("brotli") && !asks(""));
    }
}
