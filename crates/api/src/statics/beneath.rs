//! Opens what lies beneath a folder, and nothing else. Knows no request.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What is found at a path.
pub(super) enum Found {
    File(File, Metadata),
    Folder,
    Nothing,
}

/// Where a path that a client sent leads: relative, plain names alone. `None` for one with an empty or a hidden name in it.
pub(super) fn relative(path: &[u8]) -> Option<PathBuf> {
    if path.is_empty() {
        return Some(PathBuf::from("."));
    }
    let names = path.strip_suffix(b"/").unwrap_or(path);
    // A name that begins with a dot is `.` or `..`, or none of the client's business.
    let is_plain =
        |name: &[u8]| !matches!(name.first(), None | Some(b'.')) && !name.contains(&b'\0');
    let all_plain = names.split(|byte| *byte == b'/').all(is_plain);
    all_plain.then(|| PathBuf::from(OsStr::from_bytes(names)))
}

/// Opens `path` beneath `root`. What a link leads to outside of it is not found, and neither is what may not be read.
pub(super) fn open(root: &Path, path: &Path) -> io::Result<Found> {
    let opened = match open_at_once(root, path) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => open_by_name(root, path),
        opened => opened,
    };
    let file = match opened {
        Ok(file) => file,
        Err(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::XDEV
            | Errno::LOOP
            | Errno::ACCESS
            | Errno::NAMETOOLONG
            | Errno::NXIO,
        ) => return Ok(Found::Nothing),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    Ok(match metadata.file_type() {
        kind if kind.is_file() => Found::File(file, metadata),
        kind if kind.is_dir() => Found::Folder,
        _ => Found::Nothing,
    })
}

/// Nobody waits for the other end of a pipe.
const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// The kernel watches every step. The folder is opened anew for each request: a new one may have taken its name.
fn open_at_once(root: &Path, path: &Path) -> Result<File, Errno> {
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, root, folder, Mode::empty())?;
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, FLAGS, Mode::empty(), within).map(File::from)
}

/// The same by the names that links lead to.
fn open_by_name(root: &Path, path: &Path) -> Result<File, Errno> {
    let real = |path: &Path| {
        path.canonicalize()
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOENT))
    };
    let (root, path) = (real(root)?, real(&root.join(path))?);
    if !path.starts_with(&root) {
        return Err(Errno::XDEV);
    }
    openat(CWD, &path, FLAGS | OFlags::NOFOLLOW, Mode::empty()).map(File::from)
}

#[cfg(test)]
mod tests {
    use super::{Found, open, open_at_once, open_by_name, relative};
    use std::os::unix::fs::symlink;
    use std::path::Path;

    #[test]
    fn only_plain_names_lead_anywhere() {
        for path in ["a", "a/b.css", "a/", "caf\u{e9}/\\"] {
            let expected = Path::new(path.trim_end_matches('/'));
            assert_eq!(relative(path.as_bytes()).as_deref(), Some(expected));
        }
        assert_eq!(relative(b"").as_deref(), Some(Path::new(".")));
        for path in [
            "..", "a/../b", ".env", "a/.git/x", "a//b", "/", "/a", "./a", "a\0",
        ] {
            assert_eq!(relative(path.as_bytes()), None, "{path:?}");
        }
    }

    #[test]
    fn both_ways_of_opening_stay_beneath() {
        let name = format!("data_bridge_beneath_{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let root = folder.join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(folder.join("secret"), "secret").unwrap();
        std::fs::write(root.join("sub/file"), "file").unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink(&folder, root.join("up")).unwrap();
        symlink("sub/file", root.join("in")).unwrap();
        for way in [open_at_once, open_by_name] {
            for inside in ["sub/file", "in", "sub", "."] {
                assert!(way(&root, Path::new(inside)).is_ok(), "{inside}");
            }
            for outside in ["out", "up/secret", "missing", "sub/file/more"] {
                assert!(way(&root, Path::new(outside)).is_err(), "{outside}");
            }
        }
        let found = open(&root, Path::new("out")).unwrap();
        assert!(matches!(found, Found::Nothing));
        assert!(matches!(open(&root, Path::new("sub")), Ok(Found::Folder)));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
