//! A field with options, `value; name=value; name="quoted"`: media types and `Content-Disposition`. Knows no form.

use crate::http1::token::trim;

/// A field, taken apart. Names are in lower case, as is the value; options of RFC 5987 (`name*=`) are left out, since
/// forms may have none (RFC 7578, 4.2).
#[derive(Debug, PartialEq, Eq)]
pub struct WithOptions {
    /// What stands before the first semicolon.
    pub value: Vec<u8>,
    /// Names and values, in their order.
    pub options: Vec<(Vec<u8>, Vec<u8>)>,
}

impl WithOptions {
    /// Takes a field apart. There is nothing that it refuses.
    pub fn parse(field: &[u8]) -> Self {
        let mut parts = Parts(Some(field));
        let value = parts.next().unwrap_or_default().to_ascii_lowercase();
        Self {
            value: trim(&value).to_vec(),
            options: parts.filter_map(option).collect(),
        }
    }

    /// The last option of this name.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.options
            .iter()
            .rev()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_slice())
    }
}

/// What stands between semicolons, those in quotation marks left alone.
struct Parts<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.take()?;
        let end = memchr::memchr_iter(b';', rest).find(|end| is_closed(&rest[..*end]));
        self.0 = end.map(|end| &rest[end + 1..]);
        Some(&rest[..end.unwrap_or(rest.len())])
    }
}

/// Whether the text has an even number of quotation marks, those after a backslash not counted.
fn is_closed(text: &[u8]) -> bool {
    let marks = memchr::memchr_iter(b'"', text);
    let open = marks.filter(|at| *at == 0 || text[at - 1] != b'\\').count();
    open.is_multiple_of(2)
}

fn option(part: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (name, value) = match memchr::memchr(b'=', part) {
        Some(equals) => (&part[..equals], trim(&part[equals + 1..])),
        None => (part, &part[..0]),
    };
    if name.contains(&b'*') {
        return None;
    }
    let name = trim(name).to_ascii_lowercase();
    let value = match value {
        [b'"', quoted @ .., b'"'] => unescaped(quoted),
        plain => plain.to_vec(),
    };
    let value = if name == b"filename" {
        without_folders(value)
    } else {
        value
    };
    Some((name, value))
}

/// `\\` becomes `\`, and after that `\"` becomes `"`, in this order as others do it.
fn unescaped(quoted: &[u8]) -> Vec<u8> {
    replaced(&replaced(quoted, *b"\\\\", b'\\'), *b"\\\"", b'"')
}

fn replaced(text: &[u8], pair: [u8; 2], by: u8) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let found = text[at..].starts_with(&pair);
        made.push(if found { by } else { byte });
        at += if found { 2 } else { 1 };
    }
    made
}

/// Old browsers of Windows sent the whole path of a file.
fn without_folders(path: Vec<u8>) -> Vec<u8> {
    let is_path = path.get(1..3) == Some(br":\") || path.starts_with(br"\\");
    match memchr::memrchr(b'\\', &path) {
        Some(last) if is_path => path[last + 1..].to_vec(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(field: &[u8], name: &[u8]) -> Option<Vec<u8>> {
        WithOptions::parse(field).get(name).map(<[u8]>::to_vec)
    }

    #[test]
    fn names_and_the_value_are_in_lower_case() {
        let parsed = WithOptions::parse(b" Multipart/Form-Data ; BOUNDARY = aB ");
        assert_eq!(parsed.value, b"multipart/form-data");
        assert_eq!(parsed.get(b"boundary"), Some(&b"aB"[..]));
        assert_eq!(parsed.get(b"charset"), None);
    }

    #[test]
    fn semicolons_and_marks_may_be_quoted() {
        assert_eq!(
            get(br#"a; b="c;d\"e"; f=g"#, b"b"),
            Some(br#"c;d"e"#.to_vec())
        );
        assert_eq!(get(br#"a; b="c;d\"e"; f=g"#, b"f"), Some(b"g".to_vec()));
        assert_eq!(get(br#"a; b="c;d"#, b"b"), Some(br#""c;d"#.to_vec()));
    }

    #[test]
    fn a_path_of_windows_loses_its_folders() {
        assert_eq!(
            get(br#"a; filename="C:\x\y.txt""#, b"filename"),
            Some(b"y.txt".to_vec())
        );
        assert_eq!(
            get(br"a; filename=\\host\y", b"filename"),
            Some(b"y".to_vec())
        );
        assert_eq!(get(br"a; name=C:\x\y", b"name"), Some(br"C:\x\y".to_vec()));
    }

    #[test]
    fn extended_options_are_left_out() {
        assert_eq!(
            get(b"a; filename=b; filename*=utf-8''c", b"filename"),
            Some(b"b".to_vec())
        );
    }
}
