//! `module!`: what Python imports.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::ffi::CString;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitCStr, Path, Token, bracketed};

struct Declaration {
    name: Ident,
    states: Vec<Path>,
    handlers: Vec<Path>,
    mounts: Vec<Path>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut name = None;
        let (mut states, mut handlers, mut mounts) = (Vec::new(), Vec::new(), Vec::new());
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            match key.to_string().as_str() {
                "name" => name = Some(input.parse()?),
                "states" => states = list(input)?,
                "handlers" => handlers = list(input)?,
                "mounts" => mounts = list(input)?,
                _ => {
                    let text = "a module has `name`, `states`, `handlers` and `mounts`";
                    return Err(syn::Error::new(key.span(), text));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let name = name.ok_or_else(|| input.error("the module has no `name: …`"))?;
        Ok(Self {
            name,
            states,
            handlers,
            mounts,
        })
    }
}

fn list(input: ParseStream<'_>) -> syn::Result<Vec<Path>> {
    let inside;
    bracketed!(inside in input);
    let paths =
        Punctuated::<Path, Token![,]>::parse_terminated_with(&inside, Path::parse_mod_style)?;
    Ok(paths.into_iter().collect())
}

pub(crate) fn expand(declaration: TokenStream) -> syn::Result<TokenStream> {
    let Declaration {
        name,
        states,
        handlers,
        mounts,
    } = syn::parse2(declaration)?;
    let (module_name, init) = (c_text(&name)?, format_ident!("PyInit_{name}"));
    let kinds: Vec<Ident> = (0..mounts.len())
        .map(|at| format_ident!("Mount{at}"))
        .collect();
    let mounted = mounts
        .iter()
        .zip(&kinds)
        .map(|(make, kind)| mount(make, kind));
    let mounted = mounted.collect::<syn::Result<Vec<_>>>()?;
    let mut names = Vec::new();
    for path in handlers.iter().chain(&mounts) {
        names.push(c_text(last(path)?)?);
    }
    let exported = handlers.iter().map(|path| quote!(#path));
    let exported = exported.chain(kinds.iter().map(|kind| quote!(#kind)));
    Ok(quote! {
        const _: () = {
            use ::data_bridge_sdk::{Made, Module, ffi, made};

            #(#mounted)*

            static MODULE: Module = Module::new(&[
                #(Made { kind: || made::kind(#states), make: || made::erase(#states()) },)*
                #(Made { kind: || made::kind(#kinds::made), make: || made::erase(#kinds::made()) },)*
            ]);
            static HANDLERS: &[(&::core::ffi::CStr, ffi::abi::Handler)] =
                &[#((#names, ffi::export::<#exported>(&MODULE)),)*];
            static DEFINITION: ffi::Definition = ffi::Definition::new(#module_name, exec);

            #[allow(unsafe_code)]
            unsafe extern "C" fn exec(module: *mut ::core::ffi::c_void) -> ::core::ffi::c_int {
                // SAFETY: Python calls this with its module, as the definition says.
                unsafe { ffi::exec(module, HANDLERS) }
            }

            #[allow(unsafe_code, non_snake_case)]
            #[unsafe(no_mangle)]
            unsafe extern "C" fn #init() -> *mut ::core::ffi::c_void {
                // SAFETY: Python calls this when it imports the module.
                unsafe { ffi::init(&DEFINITION) }
            }
        };
    })
}

/// The handler that a mount is; its service is a state of the module's.
fn mount(make: &Path, kind: &Ident) -> syn::Result<TokenStream> {
    let name = last(make)?.to_string();
    Ok(quote! {
        struct #kind;

        impl #kind {
            fn made() -> ::core::result::Result<::data_bridge_sdk::mount::Mount<#kind>, ::core::convert::Infallible> {
                ::core::result::Result::Ok(::data_bridge_sdk::mount::Mount::new(#make()))
            }
        }

        impl ::data_bridge_sdk::Handler for #kind {
            const NAME: &'static str = #name;
            const MOUNT: bool = true;
            type Arguments = ::data_bridge_sdk::mount::Answer;

            async fn extract(
                request: &mut ::data_bridge_sdk::Request,
            ) -> ::core::result::Result<Self::Arguments, ::data_bridge_sdk::Rejection> {
                ::data_bridge_sdk::mount::extract::<#kind>(request).await
            }

            async fn answer(answer: Self::Arguments) -> ::data_bridge_sdk::Response {
                ::data_bridge_sdk::mount::run(answer).await
            }

            fn describe(_: &mut ::data_bridge_sdk::Operation) {}
        }
    })
}

fn last(path: &Path) -> syn::Result<&Ident> {
    let last = path.segments.last().map(|segment| &segment.ident);
    last.ok_or_else(|| syn::Error::new_spanned(path, "a name is missing"))
}

fn c_text(name: &Ident) -> syn::Result<LitCStr> {
    let text = CString::new(name.to_string());
    let text = text.map_err(|error| syn::Error::new(name.span(), error))?;
    Ok(LitCStr::new(&text, name.span()))
}
