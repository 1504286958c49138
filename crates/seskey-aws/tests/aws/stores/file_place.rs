//! The place of a file, and the ways to write it there: found before a key is made, and without a trace.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use seskey_aws::store::{self, FileError, FileProblem, Held, StoreError};
use tempfile::tempdir;

use super::{
    account, credential,
    file::{chmod, names, place},
    file_danger::{alone, exe, folder, skipped},
    held, parsed, read, region, write,
};

async fn probe(path: &Path) -> Result<(), StoreError> {
    let store = format!("file:{}", path.display());
    store::probe(&account().await, &parsed(&store), &region(), "mailer", &BTreeSet::new()).await
}

async fn put(path: &Path, number: u32) -> Result<(), StoreError> {
    write(&format!("file:{}", path.display()), &credential(number)).await
}

async fn holds(path: &Path) -> Result<Held, StoreError> {
    read(&format!("file:{}", path.display())).await
}

fn kind(result: &Result<(), StoreError>) -> io::ErrorKind {
    match result {
        Err(StoreError::File(FileError { problem: FileProblem::System { kind, .. }, .. })) => *kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_probe_changes_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.env");
    assert_eq!(probe(&path).await, Ok(()));
    assert_eq!(names(folder.path()), [""; 0]);
    place(&path, "A=1\n");
    let before = fs::metadata(&path).unwrap();
    assert_eq!(probe(&path).await, Ok(()));
    let after = fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.ctime_nsec()), (after.ino(), after.ctime_nsec()));
    assert_eq!(names(folder.path()), ["app.env"]);
    let missing = folder.path().join("missing/app.env");
    assert_eq!(kind(&probe(&missing).await), io::ErrorKind::NotFound);
    place(&path, "SMTP_PASSWORD=changeme\n");
    assert_eq!(probe(&path).await, Err(StoreError::NotOurs));
}

/// A full disk and odd files are handled. The test needs mounts of its own, which takes root.
#[test]
fn odd_places() {
    let tried = Command::new("unshare").args(["-m", "sh", "-c", "command -v chattr"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        return skipped("only root has mounts of its own, and it takes chattr");
    }
    for child in [
        "file_place::child_on_a_full_disk",
        "file_place::child_with_a_mounted_file",
        "file_place::child_with_immutable_files",
    ] {
        let home = tempdir().unwrap();
        let mut unshare = Command::new("unshare");
        let script = "mount -t tmpfs -o size=32k tmpfs \"$FOLDER\" && exec \"$@\"";
        unshare.args(["-m", "sh", "-c", script, "sh"]).arg(exe());
        let mut command = alone(child, home.path(), unshare);
        let output = command.stdout(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{child}: {said}");
    }
}

fn fill(path: &Path) {
    let mut filler = File::create(path).unwrap();
    while filler.write_all(&[b'x'; 512]).is_ok() {}
}

#[tokio::test]
#[ignore = "run by another test, on a small disk"]
async fn child_on_a_full_disk() {
    let (path, filler) = (folder().join("app.env"), folder().join("filler"));
    place(&path, "A=1\n");
    assert_eq!(probe(&path).await, Ok(()));
    fill(&filler);
    assert_eq!(kind(&probe(&path).await), io::ErrorKind::StorageFull);
    assert_eq!(names(&folder()), ["app.env", "filler"]);
    fs::remove_file(&filler).unwrap();
    assert_eq!(probe(&path).await, Ok(()));
    assert_eq!(put(&path, 1).await, Ok(()));
}

fn run(command: &str, arguments: &[&Path]) {
    let mut words = command.split(' ');
    let mut command = Command::new(words.next().unwrap());
    assert!(command.args(words).args(arguments).status().unwrap().success(), "{command:?}");
}

/// A single mounted file, as in containers, is written in place, since it cannot be replaced.
#[tokio::test]
#[ignore = "run by another test, in mounts of its own"]
async fn child_with_a_mounted_file() {
    let (outside, inside) = (folder().join("outside"), folder().join("inside"));
    for path in [&outside, &inside] {
        fs::create_dir(path).unwrap();
    }
    let (real, path) = (outside.join("app.env"), inside.join("app.env"));
    place(&real, "# mine\nA=1\n");
    chmod(&real, 0o640);
    fs::write(&path, "").unwrap();
    run("mount --bind", &[&real, &path]);
    let before = fs::metadata(&real).unwrap();
    for number in 1..3 {
        assert_eq!(probe(&path).await, Ok(()));
        assert_eq!(put(&path, number).await, Ok(()));
        assert_eq!(holds(&real).await, Ok(held(&credential(number))));
    }
    assert!(fs::read_to_string(&real).unwrap().starts_with("# mine\nA=1\n"));
    let after = fs::metadata(&real).unwrap();
    assert_eq!((after.ino(), after.mode() & 0o777), (before.ino(), 0o640));
    assert_eq!(names(&inside), ["app.env"]);

    // a shorter text leaves nothing of the longer one
    place(&real, &format!("A={}\nSMTP_USERNAME=\n", "x".repeat(9)));
    assert_eq!(put(&path, 1).await, Ok(()));
    let text = fs::read_to_string(&real).unwrap();
    assert!(text.ends_with('\n') && !text.contains('\0'), "{text:?}");

    // the old text stays if there is no room for the new one
    let long = format!("A={}\n", "x".repeat(4090 - text.len() % 7));
    place(&real, &long);
    let filler = folder().join("filler");
    fill(&filler);
    assert_eq!(kind(&probe(&path).await), io::ErrorKind::StorageFull);
    assert_eq!(kind(&put(&path, 2).await), io::ErrorKind::StorageFull);
    assert_eq!(fs::read_to_string(&real).unwrap(), long);
    fs::remove_file(&filler).unwrap();

    run("mount -o remount,bind,ro", &[&path]);
    assert_eq!(kind(&probe(&path).await), io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(fs::read_to_string(&real).unwrap(), long);
}

#[tokio::test]
#[ignore = "run by another test, in mounts of its own"]
async fn child_with_immutable_files() {
    let fixed = |path: PathBuf| {
        let problem = FileProblem::Fixed;
        Err(StoreError::File(FileError { path, problem }))
    };
    for flag in ["i", "a"] {
        let own = folder().join(flag);
        fs::create_dir(&own).unwrap();
        let path = own.join("app.env");
        place(&path, "A=1\n");
        for fixed_one in [&path, &own] {
            run(&format!("chattr +{flag}"), &[fixed_one]);
            assert_eq!(probe(&path).await, fixed(path.clone()), "{flag} {}", fixed_one.display());
            assert_eq!(put(&path, 1).await, fixed(path.clone()));
            run(&format!("chattr -{flag}"), &[fixed_one]);
        }
        assert_eq!(
            (names(&own), &*fs::read_to_string(&path).unwrap()),
            (vec!["app.env".to_owned()], "A=1\n")
        );
        assert_eq!(put(&path, 1).await, Ok(()));
    }
}
