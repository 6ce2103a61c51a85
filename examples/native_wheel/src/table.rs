//! A table of SQLite's, asked on the module's own Tokio: SQLite blocks, and the thread that serves all connections must not.

use data_bridge_sdk::{Errors, Json, JsonSchema, Path, State, handler};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};

/// The database. One connection, so one question at a time.
#[derive(Clone)]
pub struct Database(Arc<Mutex<Connection>>);

/// Opens it; called once, at start-up.
pub fn made() -> rusqlite::Result<Database> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE TABLE city (name TEXT PRIMARY KEY, people INTEGER NOT NULL);
         INSERT INTO city VALUES ('Bonn', 335975), ('Köln', 1087353);",
    )?;
    Ok(Database(Arc::new(Mutex::new(connection))))
}

impl Database {
    fn people(&self, name: &str) -> rusqlite::Result<Option<i64>> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked = connection.prepare_cached("SELECT people FROM city WHERE name = ?1")?;
        asked.query_row([name], |row| row.get(0)).optional()
    }
}

#[derive(Serialize, JsonSchema)]
pub struct City {
    name: String,
    people: i64,
}

#[derive(Errors)]
pub enum Refused {
    #[error(status = 404, code = "no_such_city", message = "there is no such city")]
    Unknown,
    #[error(
        status = 503,
        code = "database",
        message = "the database does not answer"
    )]
    Database,
}

/// How many people live in a city.
#[handler(tokio)]
pub async fn city(
    Path(name): Path<String>,
    State(database): State<Database>,
) -> Result<Json<City>, Refused> {
    let asked = tokio::task::spawn_blocking(move || Ok((database.people(&name)?, name)));
    let found: rusqlite::Result<_> = asked.await.map_err(|_| Refused::Database)?;
    let (people, name) = found.map_err(|_| Refused::Database)?;
    let people = people.ok_or(Refused::Unknown)?;
    Ok(Json(City { name, people }))
}
