//! The macros of `data-bridge-sdk`, which documents them and exports them all.

mod errors;
mod handler;
mod module;

use proc_macro::TokenStream;

/// Makes a handler of an `async fn`: each argument is taken from the request by its type (`FromRequest`), the result is answered
/// with (`IntoResponse`).
///
/// The function stays as it is, for tests and other callers; beside it stands a type of the same name, which `module!` takes.
/// `#[handler(tokio)]` (with the SDK's feature `tokio`) runs it on a Tokio runtime inside of the module.
#[proc_macro_attribute]
pub fn handler(options: TokenStream, function: TokenStream) -> TokenStream {
    finish(handler::expand(options.into(), function.into()))
}

/// Makes the Python module: `name:`, then in any order `states: […]` (functions that give `Result<T, E>`, called at start-up),
/// `handlers: […]`, and (with the SDK's feature `axum`) `mounts: […]` (functions that give a router).
#[proc_macro]
pub fn module(declaration: TokenStream) -> TokenStream {
    finish(module::expand(declaration.into()))
}

/// Makes an enum answerable: `#[error(status = 404, code = "no_such_item", message = "there is no such item")]` on each variant.
#[proc_macro_derive(Errors, attributes(error))]
pub fn errors(item: TokenStream) -> TokenStream {
    finish(errors::expand(item.into()))
}

fn finish(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
