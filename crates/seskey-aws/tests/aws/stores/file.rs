//! A file: the text that is written into it, and everything that stays as it was.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
    process::Command,
};

use seskey::{SmtpCredential, render::RenderError};
use seskey_aws::store::{FileError, FileProblem, Held, StoreError};
use tempfile::tempdir;

use super::{credential, held, read, write};

pub(super) fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

pub(super) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(super) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// Writes a file with this text that other users may not read.
pub(super) fn place(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    chmod(path, 0o600);
}

#[tokio::test]
async fn a_new_file_is_the_owners_alone() {
    for (name, format) in [
        ("sasl_passwd", ""),
        (".env", ""),
        ("mail.json", ""),
        ("credentials.csv", ""),
        ("environment", "?format=systemd"),
        ("config", "?format=msmtp"),
        ("secret.yaml", "?format=kubernetes"),
    ] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        let store = format!("file:{}{format}", path.display());
        assert_eq!(read(&store).await, Ok(Held::Nothing), "{name}");
        for number in 1..3 {
            assert_eq!(write(&store, &credential(number)).await, Ok(()), "{name}");
            assert_eq!(read(&store).await, Ok(held(&credential(number))), "{name}");
            assert_eq!((mode(&path), names(folder.path())), (0o600, vec![name.to_owned()]));
        }
    }
}

#[tokio::test]
async fn what_others_wrote_stays() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.env");
    let store = format!("file:{}", path.display());
    place(&path, "# ours\nDEBUG=1\n");
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    write(&store, &credential(1)).await.unwrap();
    write(&store, &credential(2)).await.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# ours\nDEBUG=1\n"), "{text}");
    assert_eq!(SmtpCredential::read(&text).unwrap()[0].password, credential(2).password);
    assert!(!text.contains(credential(1).password.expose()));
}

#[tokio::test]
async fn what_is_half_written_or_wrong_is_somebody_elses() {
    let folder = tempdir().unwrap();
    for (name, text, expected) in [
        ("a.json", r#"{"a":1}"#, Held::Nothing),
        ("a.json", r#"{"smtp_user_name":"","smtp_password":null}"#, Held::Nothing),
        ("a.json", r#"{"smtp_password":"changeme"}"#, Held::Foreign),
        ("a.json", r#"{"smtp_user_name":"AKIAIOSFODNN7EXAMPLE"}"#, Held::Foreign),
        ("a.json", "[]", Held::Foreign),
        ("a.env", "SMTP_USERNAME=\nSMTP_PASSWORD=''\n", Held::Nothing),
        ("a.env", "SMTP_PASSWORD=$(pass mail)\n", Held::Foreign),
        ("a.env", "SMTP_PASSWORD=${MAIL}\n", Held::Foreign),
        ("msmtprc", "account ses\nlogfile ~/log\n", Held::Nothing),
        ("msmtprc", "account ses\nuser me\npasswordeval pass mail\n", Held::Foreign),
        ("sasl_passwd", "[other.example]:587 a:b\n", Held::Nothing),
        ("sasl_passwd", "[email-smtp.us-east-1.amazonaws.com]:587 a:b\n", Held::Foreign),
        ("a.csv", "a,b\n", Held::Foreign),
    ] {
        let path = folder.path().join(name);
        let store = format!("file:{}", path.display());
        place(&path, text);
        assert_eq!(read(&store).await, Ok(expected.clone()), "{text}");
        let kept = write(&store, &credential(1)).await.is_err();
        assert_eq!(kept, expected == Held::Foreign, "{text}");
        assert!(!kept || fs::read_to_string(&path).unwrap() == text);
    }
}

#[tokio::test]
async fn names_can_be_chosen() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.env");
    let store = |rest: &str| format!("file:{}{rest}", path.display());
    let theirs = store("?user-name-key=A&password-key=B&host-key=C&port-key=D");
    write(&store(""), &credential(1)).await.unwrap();
    write(&theirs, &credential(2)).await.unwrap();
    assert_eq!(read(&store("")).await, Ok(held(&credential(1))));
    assert_eq!(read(&theirs).await, Ok(held(&credential(2))));
}

#[tokio::test]
async fn what_is_there_already_is_not_written_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.env");
    let store = format!("file:{}", path.display());
    write(&store, &credential(1)).await.unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    write(&store, &credential(1)).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    write(&store, &credential(2)).await.unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), inode);
}

#[tokio::test]
async fn mode_and_owner_stay() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.env");
    let store = format!("file:{}", path.display());
    place(&path, "A=1\n");
    // only root can give files away
    let owner = if fs::metadata(&path).unwrap().uid() == 0 { (1234, 4321) } else { (0, 0) };
    if owner.0 != 0 {
        std::os::unix::fs::chown(&path, Some(owner.0), Some(owner.1)).unwrap();
    }
    let before = fs::metadata(&path).unwrap();
    for mode in [0o400, 0o640, 0o660, 0o4600] {
        chmod(&path, mode);
        write(&store, &credential(mode)).await.unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_eq!(after.mode() & 0o7777, mode, "{:o}", after.mode());
    }
}

#[tokio::test]
async fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let folder = tempdir().unwrap();
    let (link, data) = (folder.path().join("app.env"), folder.path().join("data"));
    fs::create_dir(&data).unwrap();
    symlink("data/second", &link).unwrap();
    symlink("../data/real", data.join("second")).unwrap();
    let store = format!("file:{}", link.display());
    // the first time, the link leads nowhere
    for number in 1..3 {
        write(&store, &credential(number)).await.unwrap();
        assert_eq!(read(&store).await, Ok(held(&credential(number))));
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("data/second"));
        assert!(fs::symlink_metadata(data.join("real")).unwrap().is_file());
        assert_eq!(names(&data), ["real", "second"]);
    }
    symlink("loop.env", folder.path().join("loop.env")).unwrap();
    let looped = format!("file:{}/loop.env", folder.path().display());
    assert!(matches!(
        write(&looped, &credential(1)).await,
        Err(StoreError::File(FileError { problem: FileProblem::NotAFile, .. }))
    ));
}

#[tokio::test]
async fn names_may_be_odd() {
    let folder = tempdir().unwrap();
    let long = "x".repeat(251) + ".env";
    for (typed, name) in [
        ("a b 'c' \"d\" $(e).env", "a b 'c' \"d\" $(e).env"),
        ("%3Fwhat%25.env", "?what%.env"),
        ("-rf.env", "-rf.env"),
        ("größe%0A.env", "größe\n.env"),
        (long.as_str(), long.as_str()),
    ] {
        let store = format!("file:{}/{typed}", folder.path().display());
        write(&store, &credential(1)).await.unwrap();
        assert_eq!(read(&store).await, Ok(held(&credential(1))), "{typed}");
        assert_eq!(names(folder.path()), [name]);
        fs::remove_file(folder.path().join(name)).unwrap();
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("directory.env")).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe.env")).status().unwrap().success());
    let _socket = UnixListener::bind(path("socket.env")).unwrap();
    symlink("/dev/null", path("device.env")).unwrap();
    let before = names(folder.path());
    for name in ["directory.env", "pipe.env", "socket.env", "device.env"] {
        let store = format!("file:{}", path(name).display());
        for result in [read(&store).await.map(|_| ()), write(&store, &credential(1)).await] {
            let Err(StoreError::File(FileError { problem, .. })) = result else { panic!("{name}") };
            assert_eq!(problem, FileProblem::NotAFile, "{name}");
        }
    }
    assert_eq!(names(folder.path()), before);
}

#[tokio::test]
async fn what_everybody_may_read_or_write_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.env");
    let store = format!("file:{}", path.display());
    for bits in [0o644, 0o602] {
        place(&path, "A=1\n");
        chmod(&path, bits);
        let problem = FileProblem::TooOpen { mode: bits };
        let expected = Err(StoreError::File(FileError { path: path.clone(), problem }));
        assert_eq!(read(&store).await.map(|_| ()), expected);
        assert_eq!(write(&store, &credential(1)).await, expected);
        assert_eq!((fs::read_to_string(&path).unwrap(), mode(&path)), ("A=1\n".to_owned(), bits));
    }
    chmod(&path, 0o600);
    chmod(folder.path(), 0o777);
    let expected = Err(StoreError::File(FileError {
        path: path.clone(),
        problem: FileProblem::FolderTooOpen,
    }));
    assert_eq!(write(&store, &credential(1)).await, expected);
    // where only the owner can remove a file, the caller's own is safe, and others' is not followed
    chmod(folder.path(), 0o1777);
    assert_eq!(write(&store, &credential(1)).await, Ok(()));
    if fs::metadata(&path).unwrap().uid() == 0 {
        std::os::unix::fs::chown(&path, Some(1234), None).unwrap();
        assert_eq!(write(&store, &credential(2)).await, expected);
        fs::remove_file(&path).unwrap();
        symlink("elsewhere", &path).unwrap();
        std::os::unix::fs::lchown(&path, Some(1234), None).unwrap();
        assert_eq!(write(&store, &credential(2)).await, expected);
    }
}

#[tokio::test]
async fn what_is_not_ours_is_left_as_it_is() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("other.csv");
    let store = format!("file:{}", path.display());
    place(&path, "name,age\nx,1\n");
    assert_eq!(read(&store).await, Ok(Held::Foreign));
    assert_eq!(write(&store, &credential(1)).await, Err(StoreError::NotOurs));
    assert_eq!(fs::read_to_string(&path).unwrap(), "name,age\nx,1\n");
    fs::write(&path, b"\xff").unwrap();
    let expected = StoreError::File(FileError { path, problem: FileProblem::NotText });
    assert_eq!(read(&store).await, Err(expected.clone()));
    assert_eq!(write(&store, &credential(1)).await, Err(expected));
    // a value that the form cannot carry
    let user = Some("a b".to_owned());
    let bad = format!("file:{}/new.env", folder.path().display());
    let credential = SmtpCredential { iam_user: user, ..credential(1) };
    assert_eq!(write(&bad, &credential).await, Err(StoreError::Render(RenderError::IamUser)));
    assert_eq!(names(folder.path()), ["other.csv"]);
}
