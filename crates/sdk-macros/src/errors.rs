//! `#[derive(Errors)]`: a table of an enum's answers.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, LitInt, LitStr, Variant};

pub(crate) fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let Data::Enum(data) = &item.data else {
        return Err(syn::Error::new_spanned(&item.ident, "errors are an enum"));
    };
    let infos = data
        .variants
        .iter()
        .map(info)
        .collect::<syn::Result<Vec<_>>>()?;
    let arms = data.variants.iter().enumerate().map(|(index, variant)| {
        let name = &variant.ident;
        let fields = match variant.fields {
            Fields::Named(_) => quote!({ .. }),
            Fields::Unnamed(_) => quote!((..)),
            Fields::Unit => quote!(),
        };
        quote!(Self::#name #fields => &Self::ALL[#index],)
    });
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    Ok(quote! {
        impl #generics ::data_bridge_sdk::Errors for #name #arguments #bounds {
            const ALL: &'static [::data_bridge_sdk::ErrorInfo] = &[#(#infos),*];

            fn info(&self) -> &'static ::data_bridge_sdk::ErrorInfo {
                match self { #(#arms)* }
            }
        }

        impl #generics ::data_bridge_sdk::IntoResponse for #name #arguments #bounds {
            fn into_response(self) -> ::data_bridge_sdk::Response {
                ::data_bridge_sdk::errors::answer(::data_bridge_sdk::Errors::info(&self))
            }

            fn describe(operation: &mut ::data_bridge_sdk::Operation) {
                ::data_bridge_sdk::errors::describe(
                    <Self as ::data_bridge_sdk::Errors>::ALL,
                    operation,
                );
            }
        }
    })
}

fn info(variant: &Variant) -> syn::Result<TokenStream> {
    let (mut status, mut code, mut message) = (None::<LitInt>, None::<LitStr>, None::<LitStr>);
    for attribute in &variant.attrs {
        if !attribute.path().is_ident("error") {
            continue;
        }
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("status") {
                status = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("code") {
                code = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("message") {
                message = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("an error has `status`, `code` and `message`"));
            }
            Ok(())
        })?;
    }
    let (Some(status), Some(code), Some(message)) = (status, code, message) else {
        let text = "say #[error(status = …, code = \"…\", message = \"…\")]";
        return Err(syn::Error::new_spanned(variant, text));
    };
    let number: u16 = status.base10_parse()?;
    if !(400..=599).contains(&number) {
        return Err(syn::Error::new_spanned(
            status,
            "the status of an error is from 400 to 599",
        ));
    }
    Ok(quote! {
        ::data_bridge_sdk::ErrorInfo { status: #status, code: #code, message: #message }
    })
}
