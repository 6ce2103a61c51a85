//! A response that is compressed on its way: which one is, and what becomes of its parts. Knows no coding.

use super::Chunk;
use super::inner::Inner;
use super::response::pairs;
use crate::compress::{Coding, Compression, Encoder, Field, Stream, Verdict, amend};
use crate::connection::FileRange;
use crate::error::ResponseError;
use bytes::Bytes;

/// What becomes of the parts of a body.
#[derive(Default)]
pub(super) enum Coded {
    /// They are sent as they are.
    #[default]
    Plain,
    /// They are compressed, if the first of them is no file: then the head is this one.
    Planned {
        status: u16,
        fields: Vec<Field>,
        coding: Coding,
        length: Option<u64>,
    },
    Streaming(Box<Stream>),
}

impl Inner {
    /// A whole response as it is sent to this client.
    pub(super) fn compressed<'a, N, V>(
        &self,
        compression: &Compression,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
        body: Chunk<'a>,
    ) -> (Vec<Field>, Chunk<'a>)
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut fields = owned(headers);
        let length = Some(body.len() as u64);
        match compression.judge(&self.head, status, &fields, length) {
            Verdict::Leave => {}
            Verdict::Vary => amend(&mut fields, None),
            Verdict::Encode(coding) => {
                let encoded = Encoder::new(coding).and_then(|new| new.end(body.as_slice()));
                // What does not shrink is sent as it is.
                if let Some(encoded) = encoded.ok().filter(|encoded| encoded.len() < body.len()) {
                    amend(&mut fields, Some(coding));
                    return (fields, Chunk::Owned(encoded.into()));
                }
                amend(&mut fields, None);
            }
        }
        (fields, body)
    }

    /// The fields of a streamed response, should it be sent as it is; notes whether it is to be compressed.
    pub(super) fn coded_start<N, V>(
        &self,
        compression: &Compression,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Vec<Field>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut fields = owned(headers);
        let length = announced(&fields);
        let verdict = compression.judge(&self.head, status, &fields, length);
        if let Verdict::Encode(coding) = verdict {
            let mut encoded = fields.clone();
            amend(&mut encoded, Some(coding));
            self.response.coded.replace(Coded::Planned {
                status,
                fields: encoded,
                coding,
                length,
            });
        }
        if verdict != Verdict::Leave {
            amend(&mut fields, None);
        }
        fields
    }

    /// Whether parts are being compressed, so that a file has to be as well. One that comes first is sent as it is.
    pub(super) fn is_coded(&self) -> bool {
        let mut coded = self.response.coded.borrow_mut();
        match &*coded {
            Coded::Streaming(_) => true,
            Coded::Planned { .. } => {
                *coded = Coded::Plain;
                false
            }
            Coded::Plain => false,
        }
    }

    /// What is to be sent for a part, and how many bytes it has more than was announced; nothing where it is sent as it is.
    pub(super) fn coded_part(
        &self,
        compression: &Compression,
        part: &[u8],
    ) -> Result<Option<(Bytes, usize)>, ResponseError> {
        let mut coded = self.response.coded.borrow_mut();
        if let Coded::Planned {
            status,
            fields,
            coding,
            length,
        } = &*coded
        {
            *coded = match compression.begin(*coding, *length) {
                Some(stream) => {
                    self.hold(*status, pairs(fields))?;
                    Coded::Streaming(Box::new(stream))
                }
                None => Coded::Plain,
            };
        }
        let Coded::Streaming(stream) = &mut *coded else {
            return Ok(None);
        };
        let (out, excess) = stream.part(part).map_err(|_| ResponseError::Finished)?;
        Ok(Some((out.into(), excess)))
    }

    /// The end of a compressed body, and how many bytes of it are missing.
    pub(super) fn coded_end(&self) -> Result<(Bytes, u64), ResponseError> {
        match self.response.coded.take() {
            Coded::Streaming(stream) => {
                let (last, missing) = stream.end().map_err(|_| ResponseError::Finished)?;
                Ok((last.into(), missing))
            }
            Coded::Plain | Coded::Planned { .. } => Ok((Bytes::new(), 0)),
        }
    }

    /// Writes a part of a file behind parts that are compressed: it has to pass through the same stream.
    pub(super) fn write_read(&self, range: &FileRange) -> Result<(), ResponseError> {
        let mut sent = 0;
        while sent < range.length {
            // Where the file has become shorter, what was announced cannot be kept.
            let Ok(block) = range.after(sent).read(range.length - sent) else {
                self.fail();
                return Ok(());
            };
            sent += block.len();
            self.write(Chunk::Owned(block))?;
        }
        Ok(())
    }
}

fn owned<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Vec<Field>
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let headers = headers.into_iter();
    let field = |(name, value): (N, V)| (name.as_ref().to_vec(), value.as_ref().to_vec());
    headers.map(field).collect()
}

/// What the app says of the length.
fn announced(fields: &[Field]) -> Option<u64> {
    let mut named = fields.iter();
    let (_, digits) = named.find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"))?;
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}
