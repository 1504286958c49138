//! A file in which the credential of the user has several places, under any names.

use std::{collections::BTreeSet, fs};

use seskey::{
    AccessKeyId, SecretAccessKey, SmtpCredential, SmtpPassword,
    render::{Lines, RenderError},
};
use seskey_aws::store::{self, Held, StoreError};
use tempfile::tempdir;

use super::{
    account, credential,
    file::{names, place},
    held, parsed, region,
};

async fn read(store: &str) -> Result<Held, StoreError> {
    store::read(&account().await, &parsed(store), &region(), &keys()).await
}

async fn write(store: &str, credential: &SmtpCredential) -> Result<(), StoreError> {
    store::write(&account().await, &parsed(store), &region(), credential, &keys()).await
}

/// Returns the keys of the user: those of the first three credentials.
fn keys() -> BTreeSet<AccessKeyId> {
    (1..4).map(|number| credential(number).user_name).collect()
}

/// Returns `ID:PASSWORD` of the credential with this number.
fn pair(number: u32) -> String {
    let credential = credential(number);
    format!("{}:{}", credential.user_name, credential.password.expose())
}

#[tokio::test]
async fn every_entry_of_the_user_is_read_and_replaced() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("sasl_passwd");
    let store = format!("file:{}", path.display());
    let text = |first: u32, second: u32| {
        format!(
            "# {}\nemail-smtp.us-east-1.amazonaws.com:2587\t{}\n[other.example]:25 {}\nnews@example.com {}\r\n",
            pair(1),
            pair(first),
            pair(6),
            pair(second),
        )
    };
    place(&path, &text(1, 1));
    assert_eq!(read(&store).await, Ok(held(&credential(1))));
    // one entry was written by hand, or by a run that was killed
    place(&path, &text(1, 2));
    let pairs = [1, 2].map(|n| (credential(n).user_name, credential(n).password));
    assert_eq!(read(&store).await, Ok(Held::Credentials(pairs.to_vec())));
    // IAM may not list the new key yet
    for new in [3, 7] {
        write(&store, &credential(new)).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text(new, new));
        place(&path, &text(1, 2));
    }
    assert_eq!(names(folder.path()), ["sasl_passwd"]);
}

#[tokio::test]
async fn without_an_entry_of_the_user_a_new_one_is_added() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("sasl_passwd");
    let store = format!("file:{}", path.display());
    let others = format!("email-smtp.us-east-1.amazonaws.com:587 {}\n", pair(6));
    place(&path, &others);
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    write(&store, &credential(1)).await.unwrap();
    let expected = format!("{others}[email-smtp.us-east-1.amazonaws.com]:587 {}\n", pair(1));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[tokio::test]
async fn what_cannot_be_told_apart_is_left_and_its_lines_are_named() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.env");
    let store = format!("file:{}", path.display());
    let old = credential(1);
    let entry =
        format!("SMTP_USERNAME={}\nSMTP_PASSWORD={}\n", old.user_name, old.password.expose());
    let secret = SecretAccessKey::parse(&"x".repeat(40)).unwrap();
    let broken = SmtpPassword::derive(&secret, &region());
    let stray = format!("A_USER={}\nA_PASSWORD={}\n", old.user_name, broken.expose());
    let other = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
    for (text, error) in [
        (
            format!("{entry}MAILER_DSN=smtp://{}:x@default\n", old.user_name),
            RenderError::Unclear { lines: Lines(vec![3]) },
        ),
        (format!("{entry}{stray}"), RenderError::SeveralPasswords { lines: Lines(vec![2, 4]) }),
        (
            format!("A_USER={other}\nB_USER={}\nSECRET={}\n", old.user_name, broken.expose()),
            RenderError::Unclear { lines: Lines(vec![2, 3]) },
        ),
        (
            format!("{entry}SMTP_HOST=email-smtp.eu-west-1.amazonaws.com\n"),
            RenderError::OtherRegion { lines: Lines(vec![3]) },
        ),
    ] {
        place(&path, &text);
        assert_eq!(read(&store).await, Err(StoreError::Render(error.clone())), "{text}");
        assert_eq!(write(&store, &credential(2)).await, Err(StoreError::Render(error)), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
