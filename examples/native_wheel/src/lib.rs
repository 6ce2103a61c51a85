//! Two hot routes: an index over a million rows, and a table of SQLite's.

mod index;
mod table;

use data_bridge_sdk::module;

pub use index::range;
pub use table::city;

module! {
    name: native_wheel,
    states: [index::made, table::made],
    handlers: [range, city],
}
