//! Handlers that are none: what the compiler says of each is tested.

use data_bridge_sdk::{Bytes, Json, Path, handler};

pub struct Untaken;

#[handler]
pub async fn takes_anything(Path(_id): Path<u64>, untaken: Untaken) -> String {
    drop(untaken);
    String::new()
}

pub struct Unanswered;

#[handler]
pub async fn gives_anything() -> Unanswered {
    Unanswered
}

#[handler]
pub async fn takes_two_bodies(_body: Bytes, Json(_number): Json<u64>) -> String {
    String::new()
}

#[handler]
pub fn at_once() -> String {
    String::new()
}

#[handler]
pub async fn generic<T: Send>(_value: Path<T>) -> String {
    String::new()
}

#[handler(threads)]
pub async fn in_threads() -> String {
    String::new()
}
