//! One exchange over HTTP: the only place where requests leave the process.

use http::{HeaderMap, StatusCode};

/// An answer of any status.
pub(crate) struct RawAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Sends one request and reads the whole answer.
pub(crate) async fn exchange(http: &reqwest::Client, request: reqwest::Request) -> reqwest::Result<RawAnswer> {
    #[expect(clippy::disallowed_methods, reason = "the one place where requests leave the process")]
    let mut response = http.execute(request).await?;
    let headers = std::mem::take(response.headers_mut());
    Ok(RawAnswer { status: response.status(), headers, body: response.bytes().await?.into() })
}
