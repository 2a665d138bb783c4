//! Shared access signatures of the blob service: those made with an account's key, and those made with a key that
//! Microsoft Entra lends to a user, which go on when account keys are off (facts: azure.md §2).

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::clock;
use super::super::http::Request;
use super::super::world::World;

/// What a signature is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The account's key, for one container or blob.
    Service,
    /// The account's key, for whole services.
    Account,
    /// A user delegation key.
    UserDelegation,
}

/// Which kind of signature a request's query has; `None` when it has none.
pub(super) fn kind(request: &Request) -> Option<Kind> {
    request.query("sig")?;
    Some(if request.query("skoid").is_some() {
        Kind::UserDelegation
    } else if request.query("ss").is_some() {
        Kind::Account
    } else {
        Kind::Service
    })
}

/// Whether the signature is right and still in force.
pub(super) fn is_valid(world: &World, request: &Request, account: &str, key: &str, kind: Kind) -> bool {
    let ends = request.query("se").and_then(|end| clock::parse(end).ok());
    let begins = request.query("st").map(clock::parse);
    let now = world.clock.now();
    if ends.is_none_or(|end| end <= now) || begins.is_some_and(|begin| begin.is_ok_and(|begin| begin > now)) {
        return false;
    }
    let Ok(signature) = STANDARD.decode(request.query("sig").unwrap_or("")) else { return false };
    let signed = string_to_sign(request, account, kind);
    let fits =
        |secret: &[u8]| hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes(), &signature).is_ok();
    if kind == Kind::UserDelegation {
        let field = |name: &str| request.query(name).unwrap_or("");
        let lent = clock::parse(field("ske")).is_ok_and(|end| end > now);
        return lent && fits(&delegation_key(world, field("skoid"), field("skt"), field("ske")));
    }
    let keys = world.store.account_keys.get(key).into_iter().flatten();
    keys.map(|key| STANDARD.decode(&key.value).unwrap_or_default()).any(|secret| fits(&secret))
}

/// The key that a principal is lent for a time: always the same one, so that nothing need be kept.
pub(super) fn delegation_key(world: &World, object_id: &str, start: &str, end: &str) -> Vec<u8> {
    world.signer.derive(&format!("user delegation key:{}:{start}:{end}", object_id.to_ascii_lowercase()))
}

/// What is signed, as the service documents it for versions from 2020-12-06 on.
fn string_to_sign(request: &Request, account: &str, kind: Kind) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut fields = |names: &[&str]| {
        lines.extend(names.iter().map(|name| request.query(name).unwrap_or("").to_owned()));
    };
    if kind == Kind::Account {
        fields(&["sp", "ss", "srt", "st", "se", "sip", "spr", "sv", "ses"]);
        lines.insert(0, account.to_owned());
        lines.push(String::new());
        return lines.join("\n");
    }
    fields(&["sp", "st", "se"]);
    // A directory or blob is signed whole, a container without what is in it.
    let named = request.segments.iter().skip(2);
    let depth = if request.query("sr") == Some("c") { 1 } else { usize::MAX };
    lines.push(format!("/blob/{account}{}", named.take(depth).map(|name| format!("/{name}")).collect::<String>()));
    let mut fields = |names: &[&str]| {
        lines.extend(names.iter().map(|name| request.query(name).unwrap_or("").to_owned()));
    };
    match kind {
        Kind::UserDelegation => fields(&["skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"]),
        Kind::Service | Kind::Account => fields(&["si"]),
    }
    fields(&["sip", "spr", "sv", "sr", "snapshot", "ses", "rscc", "rscd", "rsce", "rscl", "rsct"]);
    lines.join("\n")
}

/// Whether the signature allows a list of a container's blobs.
pub(super) fn may_list(request: &Request, kind: Kind) -> bool {
    let has = |name: &str, letter: char| request.query(name).is_some_and(|letters| letters.contains(letter));
    has("sp", 'l')
        && match kind {
            Kind::Account => has("ss", 'b') && has("srt", 'c'),
            Kind::Service | Kind::UserDelegation => request.query("sr") == Some("c"),
        }
}
