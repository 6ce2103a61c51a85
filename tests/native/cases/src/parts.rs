//! What a request gives, and small answers.

use data_bridge_sdk::{
    Client, Cookies, HeaderMap, HeaderValue, Headers, Html, Json, JsonSchema, Method, Optional,
    Path, Query, Redirect, Rejection, RequestId, StatusCode, Uri, handler,
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Filter {
    limit: Option<u8>,
    #[serde(default)]
    tag: Vec<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Agent {
    user_agent: String,
    x_count: Option<i64>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Session {
    session: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Seen {
    id: u64,
    filter: Filter,
    agent: Agent,
    session: Option<String>,
}

/// All parts of a head.
#[handler]
pub async fn all(
    Path(id): Path<u64>,
    Query(filter): Query<Filter>,
    Headers(agent): Headers<Agent>,
    Optional(session): Optional<Cookies<Session>>,
) -> Json<Seen> {
    Json(Seen {
        id,
        filter,
        agent,
        session: session.map(|Cookies(session)| session.session),
    })
}

#[handler]
pub async fn pair(Path((first, second)): Path<(String, i32)>) -> String {
    format!("{first}:{second}")
}

#[derive(Deserialize, JsonSchema)]
pub struct Named {
    first: String,
    second: bool,
}

#[handler]
pub async fn named(Path(named): Path<Named>) -> String {
    format!("{}:{}", named.first, named.second)
}

#[handler]
pub async fn made_response(headers: HeaderMap) -> (StatusCode, (HeaderMap, &'static str)) {
    let mut answer = HeaderMap::new();
    answer.append("x-many", HeaderValue::from_static("1"));
    answer.append("x-many", HeaderValue::from_static("2"));
    answer.insert("x-seen", HeaderValue::from(headers.len()));
    (StatusCode::CREATED, (answer, "made"))
}

/// Who asks, and under which name.
#[handler]
pub async fn asker(client: Client, id: RequestId) -> String {
    said(client, &id)
}

pub fn said(client: Client, RequestId(id): &RequestId) -> String {
    let address = client.address.map(|address| address.ip().to_string());
    let scheme = if client.secure { "https" } else { "http" };
    let none = "-".to_owned();
    format!(
        "{} {scheme} {}",
        address.as_ref().unwrap_or(&none),
        id.as_ref().unwrap_or(&none)
    )
}

/// Answers in its own way to what does not fit.
#[handler]
pub async fn lenient(filter: Result<Query<Filter>, Rejection>) -> Result<Redirect, String> {
    match filter {
        Ok(Query(filter)) => Ok(Redirect::to(format!("/{}", filter.limit.unwrap_or(0)))),
        Err(rejection) => Err(format!(
            "{}: {}",
            rejection.status().as_u16(),
            rejection.message()
        )),
    }
}

#[handler]
pub async fn target(
    method: Method,
    uri: Uri,
) -> (StatusCode, [(&'static str, String); 2], Html<&'static str>) {
    let fields = [
        ("x-target", uri.to_string()),
        ("x-target", method.to_string()),
    ];
    (StatusCode::ACCEPTED, fields, Html("<p>"))
}

#[handler]
pub async fn nothing() -> StatusCode {
    StatusCode::NO_CONTENT
}
