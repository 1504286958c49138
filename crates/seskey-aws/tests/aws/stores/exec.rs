//! The store that is a user's own command.

use std::fs;

use seskey::redact::redact;
use seskey_aws::{
    process::ProcessError,
    store::{Held, StoreError},
};
use tempfile::{TempDir, tempdir};

use super::{credential, held, read, write};

/// Returns a store that keeps its input in a file, and prints it.
fn keeper(folder: &TempDir) -> String {
    let path = folder.path().display();
    format!(
        "exec:cd '{path}'; keep() {{ case $1 in --read) if [ -e kept ]; then cat kept; fi;; \
         *) echo $# >> writes; cat > kept;; esac; }}; keep"
    )
}

#[tokio::test]
async fn what_is_given_is_kept_and_read_back() {
    let folder = tempdir().unwrap();
    let store = keeper(&folder);
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    for number in 1..3 {
        assert_eq!(write(&store, &credential(number)).await, Ok(()));
        assert_eq!(read(&store).await, Ok(held(&credential(number))));
    }
    // one write each, without arguments
    assert_eq!(fs::read_to_string(folder.path().join("writes")).unwrap(), "0\n0\n");
    let kept = fs::read_to_string(folder.path().join("kept")).unwrap();
    let password = credential(2).password;
    assert_eq!(
        kept,
        format!(
            r#"{{"user_name":"mailer","smtp_user_name":"AKIAQQQQQQQQQQQQQQQ2","smtp_password":"{}","smtp_endpoint":"email-smtp.us-east-1.amazonaws.com","smtp_port":587}}"#,
            password.expose()
        )
    );
}

/// The first recipe of the documentation keeps what it is given, unless its input is cut off.
#[tokio::test]
async fn the_recipe_for_a_file_on_another_host() {
    let folder = tempdir().unwrap();
    let kept = folder.path().join("smtp.json");
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/stores.md");
    let docs = fs::read_to_string(docs).unwrap();
    let recipe = docs.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(recipe.contains("file=/etc/app/smtp.json\n"), "{recipe}");
    let recipe = recipe.replace("/etc/app/smtp.json", kept.to_str().unwrap());
    fs::write(folder.path().join("keep"), recipe).unwrap();
    let store = format!("exec:sh '{}/keep'", folder.path().display());
    assert_eq!(read(&store).await, Ok(Held::Nothing));
    for number in 1..3 {
        assert_eq!(write(&store, &credential(number)).await, Ok(()));
        assert_eq!(read(&store).await, Ok(held(&credential(number))));
    }
    let cut_off = format!("head -c 50 | sh '{}/keep'", folder.path().display());
    let cut_off =
        format!("exec:f() {{ [ $# -gt 0 ] && cat '{}' || {cut_off}; }}; f", kept.display());
    assert!(write(&cut_off, &credential(3)).await.is_err());
    assert_eq!(read(&store).await, Ok(held(&credential(2))));
}

#[tokio::test]
async fn what_a_command_says_is_understood() {
    let password = credential(1).password;
    let ours = format!(
        r#"{{"smtp_user_name":"AKIAQQQQQQQQQQQQQQQ1","smtp_password":"{}","more":1}}"#,
        password.expose()
    );
    let foreign = [
        r#"{"smtp_password":"changeme"}"#.to_owned(),
        format!("[{ours}]"),
        "null".to_owned(),
        ours.replace("AKIA", "ASIA"),
        ours.replace("smtp_password", "password"),
    ];
    for (printed, expected) in [
        (String::new(), Ok(Held::Nothing)),
        ("{}".to_owned(), Ok(Held::Nothing)),
        (r#"{"smtp_user_name":"","smtp_password":null}"#.to_owned(), Ok(Held::Nothing)),
        ("Success!".to_owned(), Err(ProcessError::Unreadable.into())),
        ("\\377".to_owned(), Err(ProcessError::Unreadable.into())),
        (ours, Ok(held(&credential(1)))),
    ]
    .into_iter()
    .chain(foreign.map(|text| (text, Ok(Held::Foreign))))
    {
        let store = format!("exec:printf '{printed}\\n' #");
        assert_eq!(read(&format!("{store}\n:")).await, expected, "{printed}");
    }
}

#[tokio::test]
async fn what_fails_has_failed() {
    let failed = |code, said: &str| {
        Err(StoreError::Process(ProcessError::Failed { code, said: said.to_owned() }))
    };
    let password = credential(1).password;
    // a command that prints its input
    let tell = "[ \"$1\" = --read ] || { cat; echo; printf 'no \\033[31mroom'; } >&2; [ \"$1\" = --read ]; exit $?";
    let leak = "if [ \"$1\" = --read ]; then exit 0; fi; cat >&2; exit 3";
    for (command, expected) in [
        ("exit 7", failed(Some(7), "")),
        ("echo why >&2; echo >&2; exit 1", failed(Some(1), "why")),
        ("no-such-command-of-ours 2>/dev/null", failed(Some(127), "")),
        ("kill -9 $$", failed(None, "signal: 9 (SIGKILL)")),
        // a command that neither reads its input nor keeps it
        ("true", Err(StoreError::NotKept { held: Held::Nothing })),
    ] {
        assert_eq!(write(&format!("exec:{command}"), &credential(1)).await, expected, "{command}");
    }
    let with_arguments = |script: &str| format!("exec:f() {{ {script}; }}; f");
    assert_eq!(write(&with_arguments(tell), &credential(1)).await, failed(Some(1), "no [31mroom"));
    let error = write(&with_arguments(leak), &credential(1)).await.unwrap_err().to_string();
    assert!(error.contains("[redacted]") && !error.contains(password.expose()), "{error}");
}

/// The message of a failure shows neither the new password nor the old one, in several encodings.
#[tokio::test]
async fn what_fails_says_no_password() {
    let folder = tempdir().unwrap();
    write(&keeper(&folder), &credential(1)).await.unwrap();
    let hex = "od -An -v -tx1 | tr -d '\\n'";
    for clothes in ["base64 -w 0", hex, "rev", "sed 's#[/+]#\\\\&#g'", "cut -c 30-118"] {
        for (number, told) in [(2, "cat"), (1, "cat kept; cat > /dev/null")] {
            let told = format!("{{ {told}; }} | {clothes} >&2; exit 3");
            let store = keeper(&folder).replace("cat > kept", &told);
            let error = write(&store, &credential(2)).await.unwrap_err().to_string();
            let password = credential(number).password;
            assert!(error.contains("[redacted]"), "{clothes}: {error}");
            assert_eq!(redact(&error, &[password.expose()]), error, "{clothes}");
        }
    }
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_written_over() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("kept"), r#"{"token":"x"}"#).unwrap();
    assert_eq!(write(&keeper(&folder), &credential(1)).await, Err(StoreError::NotOurs));
    assert!(!folder.path().join("writes").exists());
}

#[tokio::test]
async fn what_is_not_kept_is_told() {
    let folder = tempdir().unwrap();
    let store = keeper(&folder);
    write(&store, &credential(1)).await.unwrap();
    let stubborn = store.replace("cat > kept", "cat > /dev/null");
    let expected = StoreError::NotKept { held: held(&credential(1)) };
    assert_eq!(write(&stubborn, &credential(2)).await, Err(expected));
}

#[tokio::test]
async fn the_password_is_neither_an_argument_nor_in_the_environment() {
    let folder = tempdir().unwrap();
    let store = keeper(&folder)
        .replace("cat > kept", "cat /proc/$$/cmdline /proc/$$/environ > seen; cat > kept");
    write(&store, &credential(1)).await.unwrap();
    let seen = fs::read(folder.path().join("seen")).unwrap();
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("keep"), "{seen}");
    assert!(!seen.contains(credential(1).password.expose()));
}
