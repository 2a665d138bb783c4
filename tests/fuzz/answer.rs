//! Answers as they stand in inputs: a line with the status, lines of headers, an empty line and the body.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What stands between two answers.
const BETWEEN: &[u8] = b"\n%%\n";

/// The parts of an input.
pub(crate) fn parts(input: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), input);
    while let Some(end) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(&rest[..end]);
        rest = &rest[end + BETWEEN.len()..];
    }
    parts.push(rest);
    parts
}

/// The first line, and what follows it.
pub(crate) fn line(text: &[u8]) -> (&str, &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (line, rest) = end.map_or((text, &[][..]), |end| (&text[..end], &text[end + 1..]));
    (str::from_utf8(line).unwrap_or_default(), rest)
}

/// Status, headers and body. Lines that are no header are left out.
pub(crate) fn answer(part: &[u8]) -> Option<(StatusCode, HeaderMap, &[u8])> {
    let (status, mut rest) = line(part);
    let status = status.parse().ok()?;
    let mut headers = HeaderMap::new();
    loop {
        let (header, after) = line(rest);
        rest = after;
        if header.is_empty() {
            return Some((status, headers, rest));
        }
        let (name, value) = header.split_once(": ").unwrap_or_default();
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
}
