//! Tells the crate which Python it is built for: `cfg(Py_3_12)` and its like. Packs the SDK's sources for `data-bridge new-native`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What a module with native handlers is built from.
const CRATES: [&str; 3] = ["crates/abi", "crates/sdk", "crates/sdk-macros"];

fn main() -> io::Result<()> {
    pyo3_build_config::use_pyo3_cfgs();
    let folder = |name| env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let packed = pack(&folder("CARGO_MANIFEST_DIR").join("../.."))?;
    fs::write(folder("OUT_DIR").join("sdk.rs"), packed)
}

/// A slice of paths and texts, as Rust. Empty where the sources are not there.
fn pack(root: &Path) -> io::Result<String> {
    let mut files = vec![PathBuf::from("Cargo.toml")];
    for name in CRATES {
        println!("cargo:rerun-if-changed={}", root.join(name).display());
        if !root.join(name).exists() {
            return Ok("&[]".to_owned());
        }
        files.push(Path::new(name).join("Cargo.toml"));
        collect(root, &Path::new(name).join("src"), &mut files)?;
    }
    let mut packed = String::from("&[\n");
    for file in files {
        let mut text = fs::read_to_string(root.join(&file))?;
        if file == Path::new("Cargo.toml") {
            println!("cargo:rerun-if-changed={}", root.join(&file).display());
            let members = text.lines().find(|line| line.starts_with("members = "));
            let members = members.unwrap_or_default().to_owned();
            text = text.replace(&members, &format!("members = {CRATES:?}"));
        }
        // Nothing is lost: writing to a `String` cannot fail.
        let _ = writeln!(packed, "({:?}, {text:?}),", file.display().to_string());
    }
    packed.push(']');
    Ok(packed)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(root.join(folder))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
