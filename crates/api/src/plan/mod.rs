//! The plan: what each route needs, decided at registration. Data and its reading; knows no handler and no interpreter.
//!
//! One kind of thing a file: [`scalar`] values, [`Param`]s and where they come from, [`Route`]s and what answers them.
//! [`extract`] runs a plan as far as it goes before user code.

mod cookie;
mod extract;
mod param;
mod query;
mod route;
pub mod scalar;

pub use extract::{Fields, Refusal, Request, Values, extract, is_form, is_json};
pub use param::{Names, Param, Source};
pub use query::decode;
pub use route::{Call, Constant, Decision, Plan, Route, Target};
pub use scalar::{Scalar, Value};
