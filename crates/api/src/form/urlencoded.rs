//! application/x-www-form-urlencoded, as it arrives. Gives names and values as they were sent; knows no character set.

use super::{Limits, Refusal};

/// Name and value of a pair, as sent.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A form that is being read.
pub struct Urlencoded {
    limits: Limits,
    pairs: Vec<Pair>,
    /// The pair that is being read.
    open: Option<Open>,
}

#[derive(Default)]
struct Open {
    name: Vec<u8>,
    /// There from the equals sign on.
    value: Option<Vec<u8>>,
}

impl Urlencoded {
    /// A form with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            pairs: Vec::new(),
            open: None,
        }
    }

    /// Reads the next piece of the body. After an error there is nothing more to ask.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        let mut parts = piece.split(|byte| *byte == b'&');
        if let Some(first) = parts.next() {
            self.extend(first)?;
        }
        for part in parts {
            self.end()?;
            self.extend(part)?;
        }
        Ok(())
    }

    /// Gives all pairs. The body has ended.
    pub fn finish(mut self) -> Result<Vec<Pair>, Refusal> {
        self.end()?;
        Ok(self.pairs)
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), Refusal> {
        if part.is_empty() {
            return Ok(());
        }
        let open = self.open.get_or_insert_default();
        let rest = match (&open.value, memchr::memchr(b'=', part)) {
            (None, Some(equals)) => {
                open.name.extend_from_slice(&part[..equals]);
                open.value = Some(Vec::new());
                &part[equals + 1..]
            }
            _ => part,
        };
        open.value
            .as_mut()
            .unwrap_or(&mut open.name)
            .extend_from_slice(rest);
        let size = open.name.len() + open.value.as_ref().map_or(0, Vec::len);
        if size > self.limits.field_size {
            return Err(Refusal::FieldSize);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let Some(Open { name, value }) = self.open.take() else {
            return Ok(());
        };
        self.pairs.push((name, value.unwrap_or_default()));
        // As a float, which a limit may be; the count is far below what one cannot hold.
        #[expect(clippy::cast_precision_loss, reason = "a count of pairs in memory")]
        let count = self.pairs.len() as f64;
        if count > self.limits.fields {
            return Err(Refusal::Fields);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        files: 0.0,
        fields: 3.0,
        field_size: 4,
    };

    fn read(pieces: &[&[u8]]) -> Result<Vec<Pair>, Refusal> {
        let mut form = Urlencoded::new(LIMITS);
        for piece in pieces {
            form.feed(piece)?;
        }
        form.finish()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<Pair> {
        expected
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn pairs_may_lack_a_name_or_a_value() {
        assert_eq!(
            read(&[b"a=1&&b&=2&"]),
            Ok(pairs(&[("a", "1"), ("b", ""), ("", "2")]))
        );
        assert_eq!(read(&[b"="]), Ok(pairs(&[("", "")])));
        assert_eq!(read(&[b""]), Ok(pairs(&[])));
    }

    #[test]
    fn it_may_be_cut_anywhere() {
        let body = b"a=1&&b==2&c";
        for cut in 0..=body.len() {
            let (first, second) = body.split_at(cut);
            assert_eq!(
                read(&[first, second]),
                Ok(pairs(&[("a", "1"), ("b", "=2"), ("c", "")]))
            );
        }
    }

    #[test]
    fn there_are_limits() {
        assert_eq!(read(&[b"ab=cd"]), Ok(pairs(&[("ab", "cd")])));
        assert_eq!(read(&[b"ab=c", b"de"]), Err(Refusal::FieldSize));
        assert_eq!(
            read(&[b"a&b&c"]),
            Ok(pairs(&[("a", ""), ("b", ""), ("c", "")]))
        );
        assert_eq!(read(&[b"a&b&c&d"]), Err(Refusal::Fields));
    }
}
