//! `#[handler]`: a type beside a function.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, FnArg, Ident, ItemFn, Lit, Meta, Pat, ReturnType, Type};

pub(crate) fn expand(options: TokenStream, function: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(function)?;
    let on_tokio = if options.is_empty() {
        false
    } else {
        let option: Ident = syn::parse2(options)?;
        if option != "tokio" {
            let text = "the only option of a handler is `tokio`";
            return Err(syn::Error::new(option.span(), text));
        }
        true
    };
    if function.sig.asyncness.is_none() {
        let text = "a handler is an `async fn`";
        return Err(syn::Error::new_spanned(&function.sig, text));
    }
    if let Some(parameter) = function.sig.generics.params.first() {
        let text = "a handler has no type or lifetime parameters: the server calls it as it stands";
        return Err(syn::Error::new_spanned(parameter, text));
    }
    let arguments = arguments(&function)?;
    let kinds: Vec<&Type> = arguments.iter().map(|argument| argument.kind).collect();
    let described = arguments.iter().map(|Argument { kind, names }| {
        quote!(<#kind as ::data_bridge_sdk::FromRequest>::describe(operation, &[#names]);)
    });
    // All that asks for the trait stands where the type does, so that the compiler says once that it lacks it.
    let extracted = kinds.iter().map(|kind| {
        quote_spanned!(kind.span()=> <#kind as ::data_bridge_sdk::FromRequest>::from_request(request).await?)
    });
    let values: Vec<Ident> = (0..kinds.len())
        .map(|at| format_ident!("value{at}"))
        .collect();
    let (visibility, name) = (&function.vis, &function.sig.ident);
    let text = name.to_string();
    let doc = documentation(&function.attrs);
    let unit = Type::Verbatim(quote!(()));
    let answer = match &function.sig.output {
        ReturnType::Default => &unit,
        ReturnType::Type(_, kind) => kind,
    };
    // Where the type is none that can be answered with, this and `describe` below are one message of the compiler's.
    let answered = quote! {
        <#answer as ::data_bridge_sdk::IntoResponse>::into_response(#name(#(#values),*).await)
    };
    let bodies = format!("the handler `{name}` takes the request's body more than once");
    let bodies = quote_spanned! {name.span()=>
        const _: () = ::core::assert!(
            ::data_bridge_sdk::is_at_most_one(&[#(<#kinds as ::data_bridge_sdk::FromRequest>::TAKES_BODY),*]),
            #bodies
        );
    };
    let answered = if on_tokio {
        quote!(::data_bridge_sdk::runtime::run(async move { #answered }).await)
    } else {
        answered
    };
    Ok(quote! {
        #[allow(clippy::unused_async)]
        #function

        #[doc = concat!("The handler [`", #text, "()`].")]
        #[allow(non_camel_case_types)]
        #visibility struct #name {}

        #bodies

        impl ::data_bridge_sdk::Handler for #name {
            const NAME: &'static str = #text;
            const DOC: &'static str = #doc;
            type Arguments = (#(#kinds,)*);

            #[allow(unused_variables, clippy::unused_async_trait_impl)]
            async fn extract(
                request: &mut ::data_bridge_sdk::Request,
            ) -> ::core::result::Result<Self::Arguments, ::data_bridge_sdk::Rejection> {
                ::core::result::Result::Ok((
                    #(#extracted,)*
                ))
            }

            async fn answer((#(#values,)*): Self::Arguments) -> ::data_bridge_sdk::Response {
                #answered
            }

            #[allow(unused_variables)]
            fn describe(operation: &mut ::data_bridge_sdk::Operation) {
                #(#described)*
                <#answer as ::data_bridge_sdk::IntoResponse>::describe(operation);
            }
        }
    })
}

struct Argument<'a> {
    kind: &'a Type,
    /// The names in its pattern.
    names: TokenStream,
}

fn arguments(function: &ItemFn) -> syn::Result<Vec<Argument<'_>>> {
    let of = |argument: &'_ FnArg| match argument {
        FnArg::Receiver(receiver) => {
            let text = "a handler is a function, not a method";
            Err(syn::Error::new_spanned(receiver, text))
        }
        FnArg::Typed(_) => Ok(()),
    };
    function.sig.inputs.iter().try_for_each(of)?;
    let typed = function
        .sig
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
    let argument = |typed: &'_ syn::PatType| {
        let mut names = Vec::new();
        collect(&typed.pat, &mut names);
        quote!(#(#names),*)
    };
    let arguments = typed.map(|typed| Argument {
        kind: &typed.ty,
        names: argument(typed),
    });
    Ok(arguments.collect())
}

/// The names that a pattern binds, in its order; one that begins with `_` counts without that.
fn collect(pattern: &Pat, names: &mut Vec<String>) {
    match pattern {
        Pat::Ident(found) => {
            names.push(found.ident.to_string().trim_start_matches('_').to_owned());
        }
        Pat::TupleStruct(inner) => inner.elems.iter().for_each(|inner| collect(inner, names)),
        Pat::Tuple(inner) => inner.elems.iter().for_each(|inner| collect(inner, names)),
        Pat::Paren(inner) => collect(&inner.pat, names),
        _ => {}
    }
}

/// The text of `///` comments.
fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
                Expr::Lit(text) => match &text.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
    let lines = lines.map(|line| line.strip_prefix(' ').map(str::to_owned).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}
