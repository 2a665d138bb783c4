//! The bodies of requests and answers, and reading them.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use time::OffsetDateTime;

/// The body of a request or an answer. It may have tokens or keys in it, so that `Debug` tells its length alone.
#[derive(Clone)]
pub struct Body(Arc<[u8]>);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl<T: Into<Arc<[u8]>>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// The body without the byte order mark that Azure puts before some, and that JSON does not allow.
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// For members that services write as null instead of leaving them out.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A list without its elements that are null.
pub(crate) fn without_nulls<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list: Option<Vec<Option<T>>> = Option::deserialize(deserializer)?;
    Ok(list.into_iter().flatten().flatten().collect())
}

/// A map in which what is null is left at its default.
pub(crate) fn or_default_inside<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    let map: Option<BTreeMap<String, Option<T>>> = Option::deserialize(deserializer)?;
    Ok(map.into_iter().flatten().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// A time as the headers of HTTP have it.
pub(crate) fn http_date(text: &str) -> Option<OffsetDateTime> {
    httpdate::parse_http_date(text).ok().map(OffsetDateTime::from)
}

/// A time as Azure writes it; `None` when it cannot be read, which is not worth failing for.
pub(crate) fn lenient_time<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    let text: Option<String> = Deserialize::deserialize(deserializer)?;
    Ok(text.and_then(|text| OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339).ok()))
}
