//! A million rows in memory, sorted by what they are asked for.

use data_bridge_sdk::{Errors, Json, JsonSchema, Path, Query, State, handler};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;

/// How many rows there are.
const ROWS: u32 = 1_000_000;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Row {
    pub id: u32,
    /// What the index is sorted by.
    pub price: u32,
}

/// The rows, cheapest first.
pub struct Index(Vec<Row>);

/// Makes the index; called once, at start-up.
pub fn made() -> Result<Arc<Index>, Infallible> {
    // A permutation of all prices, so that sorting has something to do.
    let price = |id: u32| (u64::from(id) * 7_919 % u64::from(ROWS)) as u32;
    let mut rows: Vec<Row> = (0..ROWS)
        .map(|id| Row {
            id,
            price: price(id),
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.price);
    Ok(Arc::new(Index(rows)))
}

impl Index {
    fn from(&self, price: u32) -> &[Row] {
        &self.0[self.0.partition_point(|row| row.price < price)..]
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct Page {
    /// How many rows at most.
    #[serde(default = "ten")]
    limit: usize,
}

fn ten() -> usize {
    10
}

#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rows {
    rows: Vec<Row>,
    /// How many there are besides.
    more: usize,
}

#[derive(Debug, PartialEq, Errors)]
pub enum Refused {
    #[error(status = 404, code = "too_dear", message = "no row costs that much")]
    TooDear,
}

/// Rows from a price on.
///
/// The cheapest first.
#[handler]
pub async fn range(
    Path(price): Path<u32>,
    Query(page): Query<Page>,
    State(index): State<Arc<Index>>,
) -> Result<Json<Rows>, Refused> {
    let found = index.from(price);
    if found.is_empty() {
        return Err(Refused::TooDear);
    }
    let rows = found[..page.limit.min(found.len())].to_vec();
    let more = found.len() - rows.len();
    Ok(Json(Rows { rows, more }))
}

#[cfg(test)]
mod tests {
    use super::{Page, Path, Query, Refused, State, made, range};

    async fn asked(price: u32) -> Result<usize, Refused> {
        let state = State(made().unwrap());
        let answer = range(Path(price), Query(Page { limit: 2 }), state).await;
        answer.map(|answer| answer.0.more)
    }

    #[tokio::test]
    async fn a_handler_is_a_function() {
        assert_eq!(asked(999_990).await, Ok(8));
        assert_eq!(asked(1_000_000).await, Err(Refused::TooDear));
    }
}
