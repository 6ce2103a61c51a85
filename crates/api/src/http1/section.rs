//! Finds the end of a header or trailer section within its bounds. Knows lines, and no field.

use super::lines::Lines;
use crate::error::Refusal;
use crate::limits::Limits;

/// Bounds of one section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of one line.
    field: usize,
    /// Number of lines.
    fields: usize,
    /// Bytes of all lines together.
    section: usize,
}

impl Bounds {
    pub(super) fn of_header(limits: &Limits) -> Self {
        Self {
            field: usize::from(limits.field),
            fields: usize::from(limits.fields),
            section: limits.header as usize,
        }
    }

    pub(super) fn of_trailer(limits: &Limits) -> Self {
        Self {
            section: limits.trailer as usize,
            ..Self::of_header(limits)
        }
    }
}

/// How far a section has come.
#[derive(Debug, Default, Clone)]
pub(super) struct Section {
    /// Fields whose lines are whole.
    pub(super) count: usize,
    /// Where the section begins.
    start: usize,
}

impl Section {
    /// A section that begins where `lines` has come to.
    pub(super) fn after(lines: &Lines) -> Self {
        Self {
            count: 0,
            start: lines.consumed(),
        }
    }

    /// Length of everything up to the empty line, which is included, once that has come.
    pub(super) fn find_end(
        &mut self,
        lines: &mut Lines,
        buffer: &[u8],
        bounds: Bounds,
    ) -> Result<Option<usize>, Refusal> {
        loop {
            let (limit, too_long) = self.next_limit(lines, bounds);
            match lines.next(buffer, limit, too_long)? {
                None => return Ok(None),
                Some(0) => return Ok(Some(lines.consumed())),
                Some(_) => self.count += 1,
            }
        }
    }

    /// How long the next line may be, and what it means if it is longer.
    fn next_limit(&self, lines: &Lines, bounds: Bounds) -> (usize, Refusal) {
        if self.count >= bounds.fields {
            return (0, Refusal::new(431, "too many fields"));
        }
        let room = bounds.section.saturating_sub(lines.consumed() - self.start);
        if room < bounds.field {
            (room, Refusal::new(431, "header or trailer too large"))
        } else {
            (bounds.field, Refusal::new(431, "field too large"))
        }
    }
}
