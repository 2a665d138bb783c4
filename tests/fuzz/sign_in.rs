//! Sign-in: a line with the method, then the answer of the issuer of OIDC tokens, then that of whoever gives tokens.
//!
//! The answers come from a server on this machine, through everything that reads them.

use crate::{
    answer::{answer, line, parts},
    errors::assert_shown,
};
use foundryhub::{
    arm::{
        Secret, SystemClock,
        auth::{
            AccessToken, AppService, AzureDevOps, ClientSecret, GitHub, ManagedIdentity, Network, OidcToken,
            TokenError, TokenRequest, TokenSource,
        },
    },
    framework::shown,
};
use http::StatusCode;
use serde_json::Value;
use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, LazyLock, Mutex},
    thread,
};
use tokio::runtime::Runtime;
use url::Url;

/// What proves who is calling. It has characters that are escaped in URLs and in JSON.
const PROOF: &str = "pr00f~of/the \"caller\"é";

/// The bearer token of requests to issuers, and what an app proves itself with.
const REQUEST_TOKEN: &str = "r3quest.token~that/is+not%shown";

pub(crate) fn check(input: &[u8]) {
    let [method, issuer, token, ..] = parts(input)[..] else { return };
    let name = line(method).0;
    let Some(method) = method_of(name) else { return };
    let (Some(issuer), Some(token)) = (scripted(issuer), scripted(token)) else { return };
    let proof = if name.starts_with(['g', 'a']) { assertion(&issuer) } else { Some(PROOF.to_owned()) };
    *SERVER.answers.lock().expect("no thread panics with it") = [issuer.clone(), token.clone()];
    let request = TokenRequest { scope: "https://arm.test/.default".to_owned(), tenant: None, claims: None };
    let network = Network::new(SERVER.url.clone(), SERVER.http.clone(), Arc::new(SystemClock));
    match SERVER.runtime.block_on(method.token(&request, &network)) {
        Ok(token) => assert_token(&token),
        Err(error) => assert_error(&error, &[issuer, token], proof.as_deref()),
    }
}

fn method_of(name: &str) -> Option<Box<dyn TokenSource>> {
    let (tenant_id, client_id) = ("t".to_owned(), "c".into());
    let (url, request_token) = (SERVER.url.join("issuer").expect("a URL"), Secret::new(REQUEST_TOKEN));
    Some(match name {
        "github" => Box::new(GitHub { tenant_id, client_id, request_url: url, request_token }),
        "azure_devops" => Box::new(AzureDevOps {
            tenant_id,
            client_id,
            request_url: url,
            request_token,
            service_connection_id: "s".to_owned(),
        }),
        "client_secret" => Box::new(ClientSecret { tenant_id, client_id, client_secret: PROOF.into() }),
        "oidc_token" => Box::new(OidcToken { tenant_id, client_id, token: PROOF.into() }),
        "managed_identity" => Box::new(ManagedIdentity {
            app_service: Some(AppService { endpoint: SERVER.url.join("token").expect("a URL"), header: request_token }),
            ..ManagedIdentity::default()
        }),
        _ => return None,
    })
}

fn assert_token(token: &AccessToken) {
    let text = token.token.reveal();
    assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?} cannot be sent");
    assert!(!format!("{token:?}").contains(text) || text.len() < 16);
}

fn assert_error(error: &TokenError, answers: &[Scripted], proof: Option<&str>) {
    let mut text = format!("{error} {error:?} {:?}", error.ids());
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(" {error}");
        cause = error.source();
    }
    assert_shown(&shown(&text));
    // What was sent to whoever gave the answer that is shown.
    let sent = match error {
        TokenError::Issuer { .. } | TokenError::ManagedIdentity { .. } => Some(REQUEST_TOKEN),
        _ => proof.filter(|text| is_like_a_token(text)),
    };
    if let Some(secret) = sent {
        assert!(!text.contains(secret) && !unescaped(&text).contains(secret), "{text:?} has {secret:?}");
    }
    let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
    let bodies = |answers: Vec<&Scripted>| answers.iter().map(|answer| text_of(answer)).collect::<String>();
    let (good, bad) = (bodies(good), bodies(bad));
    let words = good.split(|char: char| !char.is_ascii_alphanumeric() && !"-_.~".contains(char));
    for word in words.filter(|word| is_like_a_token(word) && !bad.contains(word)) {
        assert!(!text.contains(word), "{text:?} quotes {word:?} of an answer that may have a token");
    }
}

fn text_of(answer: &Scripted) -> String {
    format!("{} ", String::from_utf8_lossy(&answer.body))
}

/// Whether a text cannot be in a message by chance.
fn is_like_a_token(text: &str) -> bool {
    text.len() >= 16 && text.contains(|char: char| char.is_ascii_digit())
}

/// What the issuer gives as the OIDC token, and what is sent to Microsoft Entra.
fn assertion(issuer: &Scripted) -> Option<String> {
    let body: Value = serde_json::from_slice(&issuer.body).ok().filter(|_| issuer.status.is_success())?;
    ["value", "oidcToken"].iter().find_map(|member| Some(body.get(member)?.as_str()?.to_owned()))
}

/// The text as somebody reads it who knows how URLs and JSON escape.
fn unescaped(text: &str) -> String {
    let plain: String = url::form_urlencoded::parse(text.replace('&', "%26").replace('=', "%3D").as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    plain.replace("\\\"", "\"").replace("\\/", "/").replace("\\u00e9", "é").replace("\\u0022", "\"")
}

#[derive(Clone, Debug)]
struct Scripted {
    status: StatusCode,
    body: Vec<u8>,
}

/// An answer that HTTP allows to have a body.
fn scripted(part: &[u8]) -> Option<Scripted> {
    let (status, _, body) = answer(part)?;
    let has_body = status.as_u16() >= 200 && !matches!(status.as_u16(), 204 | 205 | 304);
    has_body.then(|| Scripted { status, body: body.to_vec() })
}

/// A server that gives the same two answers until it is told others, and what it is reached with.
struct Server {
    url: Url,
    answers: Mutex<[Scripted; 2]>,
    http: reqwest::Client,
    runtime: Runtime,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(&stream));
        }
    });
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .tls_certs_only([]);
    Server {
        url: Url::parse(&format!("http://{address}/")).expect("a URL"),
        answers: Mutex::new([(); 2].map(|()| Scripted { status: StatusCode::OK, body: Vec::new() })),
        http: http.build().expect("a client"),
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
    }
});

/// Answers the requests of one connection until it ends.
fn serve(stream: &TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut requests = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        requests.read_line(&mut head).ok().filter(|read| *read > 0)?;
        loop {
            let mut header = String::new();
            requests.read_line(&mut header).ok()?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            length = header.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap_or_default());
        }
        requests.read_exact(&mut vec![0; length]).ok()?;
        let of = usize::from(!head.contains("/issuer"));
        let Scripted { status, body } = SERVER.answers.lock().ok()?[of].clone();
        let mut answer =
            format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n\r\n", status.as_u16(), body.len()).into_bytes();
        answer.extend(body);
        let mut stream = stream;
        stream.write_all(&answer).ok()?;
    }
}
