//! Reading the bodies of answers.

use serde::Deserialize;
use time::OffsetDateTime;

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

/// A time as Azure writes it; `None` when it cannot be read, which is not worth failing for.
pub(crate) fn lenient_time<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    let text: Option<String> = Deserialize::deserialize(deserializer)?;
    Ok(text.and_then(|text| OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339).ok()))
}
