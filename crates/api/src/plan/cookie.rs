//! A `Cookie` field as pairs. Reads it as Starlette's parser does; knows no parameter.

/// Name and value of each cookie, in their order; `None` where quotes or odd bytes leave room for doubt.
pub(super) fn pairs(field: &[u8]) -> Option<impl Iterator<Item = (&str, &str)>> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    let text = std::str::from_utf8(field).ok()?;
    field
        .iter()
        .all(is_plain)
        .then(|| text.split(';').map(pair))
}

fn pair(chunk: &str) -> (&str, &str) {
    let (name, value) = chunk.split_once('=').unwrap_or(("", chunk));
    (name.trim(), value.trim())
}
