//! The reader's only unsafe code, one purpose a file: the function, its argument's memory, runs of plain bytes, characters,
//! objects, keys.
#![allow(unsafe_code)]

mod characters;
mod function;
mod input;
pub mod keys;
mod objects;
mod run;

pub use characters::{ascii, utf8};
pub use function::install;
pub use objects::{
    Object, Values, big_integer, boolean, empty_dict, empty_list, float, integer, none,
};
pub use run::{LONGEST_RUN, copy_run, is_plain, run};
