//! Whether another file can take the place of one, and what is done where none can: a single file that was mounted, as
//! containers have them, is written where it is.

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

/// How a file is given a new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A new file takes its place.
    Replaced,
    /// It is a mount point: `rename` answers EBUSY. It is written where it is.
    InPlace,
    /// It, or its folder, is immutable or append-only: nothing may be renamed to it, not even by root.
    Fixed,
}

/// How the file can be given a new text; nothing of it is touched. Where the system does not say, it is tried.
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

/// Whether the file could be written where it is, and there is room for so many bytes more.
pub(super) fn look(path: &Path, more: usize) -> io::Result<()> {
    accessat(CWD, path, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS)?;
    let disk = statvfs(path)?;
    let has_room = disk.f_bavail.saturating_mul(disk.f_frsize) >= more as u64;
    if has_room { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
}

/// Writes the text over the one before, and brings that back if the write fails. A reader in between may see some of
/// each, and a crash may leave that: there is no better way.
pub(super) fn write(path: &Path, before: &str, after: &str) -> io::Result<()> {
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let file = File::options().write(true).custom_flags(nofollow).open(path)?;
    // the folder that is locked may be another one for whoever sees the file elsewhere
    file.lock()?;
    // what there is no room for is found before anything is written; not every file system can tell
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
