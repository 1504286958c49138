//! A file when the disk is full, the process is killed, another process writes, or the caller lacks permission.

use std::{
    env, fs,
    io::{self, Write},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use seskey_aws::store::{FileError, FileProblem, Held, StoreError};
use tempfile::tempdir;

use super::{
    credential,
    file::{chmod, names, place},
    held, read, write,
};

#[tokio::test]
async fn whoever_is_killed_leaves_the_old_or_the_new() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.env");
    let store = format!("file:{}", path.display());
    write(&store, &credential(1)).await.unwrap();
    for round in 0..12 {
        let begun = tempdir().unwrap();
        let mut child =
            alone("file_danger::child_that_writes_for_ever", folder.path(), Command::new(exe()))
                .env("BEGUN", begun.path().join("begun"))
                .spawn()
                .unwrap();
        let started = Instant::now();
        while !begun.path().join("begun").exists() {
            assert!(started.elapsed() < Duration::from_secs(60));
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_micros(700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = read(&store).await.unwrap();
        assert!(now == held(&credential(1)) || now == held(&credential(2)), "{now:?}");
    }
    place(&folder.path().join(".seskey-abcdef.tmp"), "left behind");
    write(&store, &credential(3)).await.unwrap();
    assert_eq!(read(&store).await, Ok(held(&credential(3))));
    assert_eq!(names(folder.path()), ["app.env"]);
}

#[tokio::test]
#[ignore = "run by another test, to be killed"]
async fn child_that_writes_for_ever() {
    let store = format!("file:{}/app.env", folder().display());
    for number in [1, 2].into_iter().cycle() {
        write(&store, &credential(number)).await.unwrap();
        fs::write(env::var("BEGUN").unwrap(), "").unwrap();
    }
}

#[tokio::test]
async fn of_many_writers_none_loses_what_another_wrote() {
    let folder = tempdir().unwrap();
    let store =
        |host: u32| format!("file:{}/sasl_passwd?host=h{host}.example", folder.path().display());
    let writers: Vec<_> = (0..12)
        .map(|host| {
            let store = store(host);
            tokio::spawn(async move { write(&store, &credential(host)).await })
        })
        .collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap(), Ok(()));
    }
    for host in 0..12 {
        assert_eq!(read(&store(host)).await, Ok(held(&credential(host))));
    }
    assert_eq!(names(folder.path()), ["sasl_passwd"]);
}

#[tokio::test]
async fn whoever_waits_for_another_gives_up() {
    let folder = tempdir().unwrap();
    let lock = fs::File::open(folder.path()).unwrap();
    lock.lock().unwrap();
    let store = format!("file:{}/app.env", folder.path().display());
    // the time limit is long, so the test only sees that the writer waits
    let writer = tokio::spawn({
        let store = store.clone();
        async move { write(&store, &credential(1)).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    assert!(!writer.is_finished());
    lock.unlock().unwrap();
    assert_eq!(writer.await.unwrap(), Ok(()));
}

/// A full disk harms nothing. The test needs a mount namespace of its own, which takes root.
#[test]
fn a_full_disk_harms_nothing() {
    if !Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|s| s.success()) {
        return skipped("only root has mounts of its own");
    }
    let folder = tempdir().unwrap();
    let mut unshare = Command::new("unshare");
    let script = "mount -t tmpfs -o size=16k tmpfs \"$FOLDER\" && exec \"$@\"";
    unshare.args(["-m", "sh", "-c", script, "sh"]).arg(exe());
    let status = alone("file_danger::child_on_a_small_disk", folder.path(), unshare).status();
    assert!(status.unwrap().success());
}

#[tokio::test]
#[ignore = "run by another test, on a small disk"]
async fn child_on_a_small_disk() {
    let store = format!("file:{}/app.env", folder().display());
    write(&store, &credential(1)).await.unwrap();
    let mut filler = fs::File::create(folder().join("filler")).unwrap();
    while filler.write_all(&[b'x'; 512]).is_ok() {}
    let error = write(&store, &credential(2)).await.unwrap_err();
    assert!(matches!(
        problem(&error),
        FileProblem::System { kind: io::ErrorKind::StorageFull, .. }
    ));
    assert_eq!(read(&store).await, Ok(held(&credential(1))));
    assert_eq!(names(&folder()), ["app.env", "filler"]);
}

/// A user without permission to write harms nothing. The test becomes another user, which takes root.
#[test]
fn whoever_may_not_write_harms_nothing() {
    let folder = tempdir().unwrap();
    if fs::metadata(folder.path()).unwrap().uid() != 0 {
        return skipped("only root can become another user");
    }
    let (own, unwritable) = (folder.path().join("own"), folder.path().join("unwritable"));
    chmod(folder.path(), 0o711);
    for path in [&own, &unwritable] {
        fs::create_dir(path).unwrap();
        place(&path.join("app.env"), "A=1\n");
        chmod(&path.join("app.env"), 0o640);
        chown(path.join("app.env"), Some(0), Some(NOBODY)).unwrap();
        chown(path, Some(NOBODY), None).unwrap();
    }
    chmod(&unwritable, 0o555);
    // The binary may be in a place that only root can enter. Another program copies it: a child that another test forks
    // meanwhile would hold open a file that this process writes, and such a file cannot be run.
    let binary = folder.path().join("tests");
    assert!(Command::new("cp").args([&exe(), &binary]).status().unwrap().success());
    chmod(&binary, 0o755);
    let mut command = Command::new(binary);
    command.uid(NOBODY).gid(NOBODY);
    let status = alone("file_danger::child_that_is_not_root", folder.path(), command).status();
    assert!(status.unwrap().success());
    for path in [&own, &unwritable] {
        assert_eq!(fs::read_to_string(path.join("app.env")).unwrap(), "A=1\n");
        assert_eq!(names(path), ["app.env"]);
    }
}

#[tokio::test]
#[ignore = "run by another test, as another user"]
async fn child_that_is_not_root() {
    let store = |name: &str| format!("file:{}/{name}/app.env", folder().display());
    // the old file is root's, and this user cannot make another such file
    let error = write(&store("own"), &credential(1)).await.unwrap_err();
    assert_eq!(*problem(&error), FileProblem::Owner { user: 0, group: NOBODY });
    let error = write(&store("unwritable"), &credential(1)).await.unwrap_err();
    let kind = io::ErrorKind::PermissionDenied;
    assert!(matches!(problem(&error), FileProblem::System { kind: k, .. } if *k == kind));
    let error = write(&store("missing"), &credential(1)).await.unwrap_err();
    let kind = io::ErrorKind::NotFound;
    assert!(matches!(problem(&error), FileProblem::System { kind: k, .. } if *k == kind));
    // a path that is relative to the working directory
    env::set_current_dir(folder().join("own")).unwrap();
    write("file:new.env", &credential(1)).await.unwrap();
    assert_eq!(read("file:./new.env").await, Ok(held(&credential(1))));
    fs::remove_file("new.env").unwrap();
}

const NOBODY: u32 = 65534;

fn problem(error: &StoreError) -> &FileProblem {
    match error {
        StoreError::File(FileError { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

/// Writes to the terminal, since the output of a test is not shown when it passes. In CI everything is run.
pub(super) fn skipped(why: &str) {
    assert!(env::var_os("CI").is_none(), "cannot be run: {why}");
    let mut terminal = io::stderr();
    writeln!(terminal, "SKIPPED: {why}").unwrap();
}

pub(super) fn exe() -> PathBuf {
    env::current_exe().unwrap()
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env::var_os("FOLDER").expect("run by another test"))
}

/// Returns the command for an ignored test of the stores, which gets the folder.
pub(super) fn alone(test: &str, folder: &Path, mut command: Command) -> Command {
    command.args(["--exact", &format!("stores::{test}"), "--ignored"]).env("FOLDER", folder);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
