//! What holds a secret neither prints nor serializes it.
//!
//! The fields of the source are held to a rule by their names; types with such fields are formatted; and what must not be
//! implemented for [`Secret`], by which all of them keep theirs, is not.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Display},
    fs,
    marker::PhantomData,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use foundryhub::arm::{
    Client, Cloud, Secret, Settings,
    auth::{
        AccessToken, AppService, AzureDevOps, ClientCertificate, ClientSecret, GitHub, ManagedIdentity, OidcToken,
        ValueOrFile,
    },
    storage_accounts::StorageKey,
};
use serde::Serialize;
use time::OffsetDateTime;
use url::Url;

/// A field whose name has one of these words may hold a secret.
const WORDS: [&str; 12] = [
    "secret",
    "secrets",
    "token",
    "password",
    "assertion",
    "proof",
    "credential",
    "credentials",
    "pem",
    "pkcs12",
    "sas",
    "body",
];

/// So may one of these names, in a type whose name has one of these words.
const PLAIN_NAMES: [&str; 4] = ["value", "text", "content", "0"];
const WORDS_OF_TYPES: [&str; 6] = ["secret", "token", "password", "key", "credential", "body"];

/// Types that can be read by whoever prints them.
const READABLE: [&str; 10] =
    ["String", "str", "u8", "Bytes", "Json", "Value", "OsString", "PathBuf", "Cow", "HeaderValue"];

/// The types that keep what they hold to themselves, and the file of each.
const KEEPERS: [(&str, &str); 2] = [("Secret", "arm/secret.rs"), ("Body", "arm/body.rs")];

/// Fields that have the name of a secret and are none.
const NO_SECRETS: [(&str, &str, &str); 2] = [
    ("arm/datastores.rs", "DatastoreCredentials.credentials_type", "which kind of secret a datastore has"),
    ("arm/vaults.rs", "Permissions.secrets", "what one may do with the secrets of a vault"),
];

#[test]
fn fields_that_are_named_like_secrets_cannot_be_read() {
    let mut exceptions: BTreeSet<_> =
        NO_SECRETS.iter().map(|(file, field, _)| ((*file).to_owned(), (*field).to_owned())).collect();
    let mut faults = Vec::new();
    for (file, text) in source() {
        for Field { of, name, ty } in fields(&text) {
            let keeps = KEEPERS.contains(&(of.as_str(), file.as_str()));
            let label = format!("{of}.{name}");
            if !keeps
                && is_named_like_a_secret(&of, &name)
                && is_readable(&ty)
                && !exceptions.remove(&(file.clone(), label.clone()))
            {
                faults.push(format!("{file}: {label} is a {ty}; make it a Secret or a Body"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(exceptions.is_empty(), "these are not there any more: {exceptions:?}");
}

#[test]
fn no_type_that_holds_a_secret_shows_it() {
    const PLANTED: &str = "planted~S3cret";
    let id = || ValueOrFile::from("c");
    let value = || ValueOrFile::new("secret", Some(PLANTED.into()), None);
    let (tenant_id, url) = (|| "t".to_owned(), || Url::parse("https://issuer.test").unwrap());
    let client_secret = || ClientSecret { tenant_id: tenant_id(), client_id: id(), client_secret: value() };
    let app_service = || AppService { endpoint: url(), header: PLANTED.into() };
    let mut shown = Vec::new();
    shows(&mut shown, Secret::new(PLANTED));
    shows(&mut shown, value());
    shows(&mut shown, client_secret());
    shows(&mut shown, OidcToken { tenant_id: tenant_id(), client_id: id(), token: value() });
    shows(
        &mut shown,
        ClientCertificate {
            tenant_id: tenant_id(),
            client_id: id(),
            certificate: value(),
            password: Some(PLANTED.into()),
        },
    );
    shows(
        &mut shown,
        GitHub { tenant_id: tenant_id(), client_id: id(), request_url: url(), request_token: PLANTED.into() },
    );
    let service_connection_id = "s".to_owned();
    shows(
        &mut shown,
        AzureDevOps {
            tenant_id: tenant_id(),
            client_id: id(),
            request_url: url(),
            request_token: PLANTED.into(),
            service_connection_id,
        },
    );
    shows(&mut shown, app_service());
    let client_id = Some(value());
    shows(&mut shown, ManagedIdentity { client_id, app_service: Some(app_service()), ..ManagedIdentity::default() });
    shows(&mut shown, AccessToken { token: PLANTED.into(), expires_on: OffsetDateTime::UNIX_EPOCH });
    let key_name = "key1".to_owned();
    shows(&mut shown, StorageKey { key_name, value: PLANTED.into() });
    let client = Client::new(Settings::new(Cloud::Public.endpoints()), std::sync::Arc::new(client_secret())).unwrap();
    shows(&mut shown, client);

    let forms = [PLANTED.to_owned(), STANDARD.encode(PLANTED), format!("{:?}", &PLANTED.as_bytes()[..4])];
    for (name, text) in &shown {
        let form = forms.iter().find(|form| text.contains(form.trim_matches(['[', ']'])));
        assert!(form.is_none(), "{name} shows its secret: {text}");
    }
    let formatted: BTreeSet<_> = shown.into_iter().map(|(name, _)| name).collect();
    let missing: Vec<_> = public_holders().into_iter().filter(|holder| !formatted.contains(holder)).collect();
    assert!(missing.is_empty(), "these hold secrets and are not formatted here: {missing:?}");
}

/// Notes how a value is shown, by the name of its type.
fn shows<T: Debug>(shown: &mut Vec<(String, String)>, value: T) {
    let name = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default().to_owned();
    shown.push((name, format!("{value:?} {value:#?} {:?}", Some(&value))));
}

/// The public types with a field that is a secret.
fn public_holders() -> BTreeSet<String> {
    let mut holders = BTreeSet::new();
    for (_, text) in source() {
        let is_public = |of: &str| ["struct", "enum"].iter().any(|kind| text.contains(&format!("\npub {kind} {of}")));
        let is_secret = |ty: &str| words(ty).any(|word| ["Secret", "ValueOrFile"].contains(&word));
        let fields = fields(&text).into_iter();
        holders.extend(fields.filter(|field| is_secret(&field.ty) && is_public(&field.of)).map(|field| field.of));
    }
    holders
}

/// Whether a type implements a trait: the constant of the type itself is taken before that of the trait.
struct Of<T>(PhantomData<T>);

trait ImplementsNeither {
    const SERIALIZE: bool = false;
    const DISPLAY: bool = false;
}

impl<T> ImplementsNeither for Of<T> {}

impl<T: Serialize> Of<T> {
    const SERIALIZE: bool = true;
}

impl<T: Display> Of<T> {
    const DISPLAY: bool = true;
}

const _: () = {
    assert!(Of::<String>::SERIALIZE && Of::<String>::DISPLAY);
    assert!(!Of::<Secret>::SERIALIZE && !Of::<Secret>::DISPLAY);
    assert!(!Of::<ValueOrFile>::SERIALIZE && !Of::<ValueOrFile>::DISPLAY);
    assert!(!Of::<AccessToken>::SERIALIZE && !Of::<AccessToken>::DISPLAY);
    assert!(!Of::<StorageKey>::SERIALIZE && !Of::<StorageKey>::DISPLAY);
};

#[test]
fn the_rule_sees_what_it_looks_for() {
    let text = "pub struct A<'a> {\n    pub(crate) client_secret: Option<String>,\n    name: &'static str,\n}\n\n\
                enum B {\n    C { token: Vec<u8>, n: u8 },\n    D(String),\n    E,\n}\n\nstruct StorageKey(String);\n\
                struct Key {\n    value: HashMap<String, Arc<str>>,\n}\n";
    let found: Vec<_> = fields(text)
        .into_iter()
        .filter(|field| is_named_like_a_secret(&field.of, &field.name) && is_readable(&field.ty))
        .map(|field| format!("{}.{}", field.of, field.name))
        .collect();
    assert_eq!(found, ["A.client_secret", "StorageKey.0", "Key.value", "B.token"]);
    assert!(!is_readable("Option<&'a Secret>") && !is_readable("&'static str") && is_readable("&'a str"));
    assert!(!is_named_like_a_secret("Retry", "tokenizer") && !is_named_like_a_secret("IpRule", "value"));
}

struct Field {
    /// The struct or enumeration.
    of: String,
    /// Its name, or its position where it has none.
    name: String,
    ty: String,
}

fn is_named_like_a_secret(of: &str, field: &str) -> bool {
    let starts: Vec<_> = of.char_indices().filter(|(_, char)| char.is_uppercase()).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([of.len()]);
    let mut words_of_type = starts.iter().zip(ends).map(|(start, end)| of[*start..end].to_lowercase());
    let mut of_such_a_type = || words_of_type.any(|word| WORDS_OF_TYPES.contains(&word.as_str()));
    field.split('_').any(|word| WORDS.contains(&word)) || (PLAIN_NAMES.contains(&field) && of_such_a_type())
}

fn is_readable(ty: &str) -> bool {
    words(&ty.replace("&'static str", "")).any(|word| READABLE.contains(&word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric() && char != '_')
}

/// The fields of all types that a file declares, those of variants among them.
fn fields(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(['/', '#']))
        .fold(String::new(), |code, line| code + line + "\n");
    for kind in ["struct ", "enum "] {
        for (start, _) in code.match_indices(kind) {
            let before = code[..start].chars().next_back();
            if before.is_some_and(|char| !char.is_whitespace()) {
                continue;
            }
            let declared = &code[start + kind.len()..];
            let of: String = declared.chars().take_while(|char| char.is_alphanumeric()).collect();
            let Some(opens) = declared.find(['{', '(', ';']) else { continue };
            match declared.as_bytes()[opens] {
                b'{' => named(&of, inside(&declared[opens..]), &mut fields),
                b'(' => positional(&of, inside(&declared[opens..]), &mut fields),
                _ => {}
            }
        }
    }
    fields
}

/// What stands between a bracket, with which the text begins, and the one that closes it.
fn inside(text: &str) -> &str {
    let mut depth = 0;
    for (at, char) in text.char_indices() {
        match char {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[1..at];
        }
    }
    text
}

/// Splits at the commas that are in no brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, char) in text.char_indices() {
        match char {
            '{' | '(' | '<' | '[' => depth += 1,
            // Not that of an arrow.
            '>' if text[..at].ends_with('-') => {}
            '}' | ')' | '>' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn named(of: &str, text: &str, fields: &mut Vec<Field>) {
    for part in parts(text) {
        if let Some(opens) =
            part.find(['{', '(']).filter(|opens| !part[..*opens].contains(':') && !part.starts_with("pub"))
        {
            match part.as_bytes()[opens] {
                b'{' => named(of, inside(&part[opens..]), fields),
                _ => positional(of, inside(&part[opens..]), fields),
            }
        } else if let Some((name, ty)) = part.split_once(": ") {
            let name = name.rsplit(' ').next().unwrap_or_default().to_owned();
            fields.push(Field { of: of.to_owned(), name, ty: ty.to_owned() });
        }
    }
}

fn positional(of: &str, text: &str, fields: &mut Vec<Field>) {
    for (position, ty) in parts(text).into_iter().enumerate() {
        fields.push(Field { of: of.to_owned(), name: position.to_string(), ty: ty.to_owned() });
    }
}

/// The files of the source below `src`, as far as their tests.
fn source() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
                files.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    assert!(files.len() > 100);
    files
}
