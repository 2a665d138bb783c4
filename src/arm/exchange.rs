//! One exchange over HTTP: the only place where requests leave the process, and where an answer is held to a limit.

use super::body::Body;
use http::{HeaderMap, StatusCode};

/// The largest answer of Azure Resource Manager that is read, unpacked. Pages of lists are far smaller.
pub(crate) const LARGEST_ANSWER: usize = 32 * MIB;

/// The largest answer of a service that gives tokens, or the addresses of a cloud.
pub(crate) const LARGEST_OF_SIGN_IN: usize = MIB;

/// How much of an error is read, and of an operation's. Its status and its code, which comes first, say what to do, even where
/// the rest of it is missing.
pub(crate) const LARGEST_ERROR: usize = MIB;

pub(crate) const MIB: usize = 1 << 20;

/// An answer of any status.
pub(crate) struct RawAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// Why there is no answer that can be used.
#[derive(Debug)]
pub(crate) enum Failed {
    /// None arrived, or only a part.
    Transport(reqwest::Error),
    /// It is a success, and larger than the limit.
    TooLarge(StatusCode),
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error)
    }
}

/// Sends one request and reads the answer, of which no more than `largest` bytes are kept.
pub(crate) async fn exchange(
    http: &reqwest::Client,
    request: reqwest::Request,
    largest: usize,
) -> Result<RawAnswer, Failed> {
    #[expect(clippy::disallowed_methods, reason = "the one place where requests leave the process")]
    let mut response = http.execute(request).await?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let most = if status.is_success() { largest } else { LARGEST_ERROR };
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        let room = most - body.len();
        if part.len() > room {
            if status.is_success() {
                return Err(Failed::TooLarge(status));
            }
            body.extend_from_slice(&part[..room]);
            break;
        }
        body.extend_from_slice(&part);
        // What is being unpacked does not wait for the network.
        tokio::task::consume_budget().await;
    }
    Ok(RawAnswer { status, headers, body: body.into() })
}
