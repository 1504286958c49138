//! The choice between replacing a file and writing it in place: a single mounted file, as in containers, cannot be
//! replaced.

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::{
    Access, AtFlags, CWD, FallocateFlags, OFlags, StatxAttributes, StatxFlags, accessat, fallocate,
    statvfs, statx,
};

/// A way to give a file a new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A new file replaces it.
    Replaced,
    /// The file is a mount point, for which `rename` fails with EBUSY. It is written in place.
    InPlace,
    /// The file or its folder is immutable or append-only: no file may be renamed to it, not even by root.
    Fixed,
}

/// Returns the way to give the file a new text, without touching it. If the system does not say, replacing is tried.
/// Source: statx(2), "File attributes"; rename(2), EBUSY, EPERM.
pub(super) fn way(path: &Path, folder: &Path) -> Way {
    let of = |path| {
        let found = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS);
        found.map_or(StatxAttributes::empty(), |found| found.stx_attributes)
    };
    let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    if of(path).intersects(fixed) || of(folder).intersects(fixed) {
        Way::Fixed
    } else if of(path).contains(StatxAttributes::MOUNT_ROOT) {
        Way::InPlace
    } else {
        Way::Replaced
    }
}

/// Checks that the file could be written in place, and that there is room for so many bytes more.
pub(super) fn look(path: &Path, more: usize) -> io::Result<()> {
    accessat(CWD, path, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS)?;
    let disk = statvfs(path)?;
    let has_room = disk.f_bavail.saturating_mul(disk.f_frsize) >= more as u64;
    if has_room { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
}

/// Writes the text over the old one, and restores the old one if the write fails. A reader in between may see parts of
/// both, and a crash may leave such a mixture: there is no better way.
pub(super) fn write(path: &Path, before: &str, after: &str) -> io::Result<()> {
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let file = File::options().write(true).custom_flags(nofollow).open(path)?;
    // a process that sees the file elsewhere may have locked another folder
    file.lock()?;
    // a lack of room is found before anything is written; not every file system can tell
    match fallocate(&file, FallocateFlags::KEEP_SIZE, 0, after.len() as u64) {
        Err(error) if error == rustix::io::Errno::NOSPC => return Err(error.into()),
        _ => {}
    }
    put(&file, after).inspect_err(|_| {
        let _ = put(&file, before);
    })
}

fn put(file: &File, text: &str) -> io::Result<()> {
    file.write_all_at(text.as_bytes(), 0)?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}
