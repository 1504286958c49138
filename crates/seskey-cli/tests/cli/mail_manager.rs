//! `seskey verify` with a Mail Manager credential, at a server that plays an ingress endpoint: STARTTLS, then AUTH with
//! the user name and the password unchanged.

use std::{
    fs,
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use testkit::scripted::{Certificates, NAME};
use tokio::runtime::Runtime;

const USER: &str = "inp-3q4cpdgvz5l2mvd7kxrj9a0b";
/// A password with each mark that Mail Manager accepts.
const PASSWORD: &str = "Ab1!@#$%^&*()_+-=[]{}|.,?";

const DIALOGUE: &str = "\
    < 220 mail-manager-smtp.amazonaws.com ESMTP
    > EHLO
    < 250-mail-manager-smtp.amazonaws.com
    < 250-STARTTLS
    < 250 Ok
    > STARTTLS
    < 220 Ready to start TLS
    tls
    > EHLO
    < 250-mail-manager-smtp.amazonaws.com
    < 250 AUTH PLAIN LOGIN
    > AUTH PLAIN
    < 235 Authentication successful.
    > QUIT
    < 221 Bye";

#[test]
fn it_logs_in_with_what_was_chosen() {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
    let certificates = Certificates::valid();
    let (authority, file) = (folder.path().join("ca.pem"), folder.path().join("mail-manager.json"));
    fs::write(&authority, &certificates.ca_pem).unwrap();
    let credential = serde_json::json!({
        "smtp_user_name": USER, "smtp_password": PASSWORD, "smtp_endpoint": NAME,
    });
    fs::write(&file, credential.to_string()).unwrap();
    let (port, said) = runtime.block_on(certificates.play(DIALOGUE));
    let output = Command::new(env!("CARGO_BIN_EXE_seskey"))
        .args(["verify", "--smtp-endpoint", &format!("127.0.0.1:{port}"), "--starttls"])
        .arg("--ca-file")
        .arg(authority)
        .arg("--credentials")
        .arg(file)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.stdout, b"235 Authentication successful.\n", "{errors}");
    let login = BASE64_STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
    let said = runtime.block_on(said).unwrap();
    assert_eq!(said.encrypted[1], format!("AUTH PLAIN {login}"));
    assert!(said.clear.iter().all(|line| !line.starts_with("AUTH")), "{:?}", said.clear);
}
