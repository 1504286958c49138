//! Every form of `render` is read, under the usual names and under others.

use std::collections::BTreeSet;

use seskey::{
    AccessKeyId, Credential, SmtpCredential, SmtpPassword,
    credential::{CredentialError, Found, csv},
    mail_manager::{IngressPassword, IngressPointId, MailManagerCredential},
    render::{Entry, Form, Names, RenderError, Target},
};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const PASSWORD: &str = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";

fn credential(host: Option<&str>) -> SmtpCredential {
    SmtpCredential {
        iam_user: None,
        user_name: AccessKeyId::parse(ID).unwrap(),
        password: SmtpPassword::parse(PASSWORD).unwrap(),
        endpoint: host.map(str::to_owned),
    }
}

fn found(host: Option<&str>, port: Option<u16>) -> Found {
    Found { credential: credential(host).into(), port }
}

fn of_mail_manager(password: &str, host: Option<&str>) -> Credential {
    Credential::MailManager(MailManagerCredential {
        user_name: IngressPointId::parse("inp-3q4cpdgvz5l2mvd7kxrj9a0b").unwrap(),
        password: IngressPassword::parse(password).unwrap(),
        endpoint: host.map(str::to_owned),
    })
}

#[test]
fn every_form_is_read() {
    for target in Target::all().filter(|target| target.is_read()) {
        for host in ["email-smtp.eu-west-1.amazonaws.com", "127.0.0.1", "::1"] {
            let from = Some("news@example.com".to_owned());
            let credential = credential(Some(host));
            let entry = Entry { credential, host: host.to_owned(), port: 2587, from };
            let text = match Form::from(target).render(&entry, "", &BTreeSet::new()) {
                Err(RenderError::Host) if host == "::1" => continue,
                text => text.unwrap(),
            };
            let read = match target.name() {
                "csv" | "opensmtpd" | "postfix-sender" => found(None, None),
                "exim" | "sendmail" => found(Some(host), None),
                _ => found(Some(host), Some(2587)),
            };
            assert_eq!(Found::read(&text), Ok(vec![read]), "{target}: {text}");
        }
    }
}

/// A number that is not a port is an error, and is never ignored in favour of the usual port.
#[test]
fn no_form_passes_over_a_port() {
    let host = "email-smtp.eu-west-1.amazonaws.com";
    for target in Target::all().filter(|target| target.is_read()) {
        let from = Some("news@example.com".to_owned());
        let credential = credential(Some(host));
        let entry = Entry { credential, host: host.to_owned(), port: 2587, from };
        let text = Form::from(target).render(&entry, "", &BTreeSet::new()).unwrap();
        for number in ["99999", "0"] {
            let wrong = text.replace("2587", number);
            assert!(wrong == text || is_refused(&wrong), "{target}: {wrong}");
        }
    }
    for number in ["99999", "0"] {
        let place = format!("EMAIL_HOST={host}\nEMAIL_PORT={number}\n");
        let text = format!("{place}EMAIL_USER={ID}\nEMAIL_PASSWORD={PASSWORD}\n");
        assert_eq!(Found::read(&text), Err(CredentialError::Port { line: 2 }), "{text}");
    }
}

/// Whether the text is refused. If host and port are one text, the endpoint is at fault.
fn is_refused(text: &str) -> bool {
    use CredentialError as E;
    matches!(Found::read(text), Err(E::Port { .. } | E::Endpoint { .. }))
}

/// A chosen password is written by every form in which it has no special meaning, and by all that escape it, and read.
#[test]
fn every_form_takes_a_credential_of_mail_manager() {
    let host = "a1.b2.mail-manager-smtp.amazonaws.com";
    let marks = "!@#$%^&*()_+-=[]{}|.,?";
    let escaping = ["json", "kubernetes", "url", "password", "symfony", "mailer-dsn"];
    for target in Target::all() {
        for password in ["Abc-def_ghi.jkl+2", marks] {
            let credential = of_mail_manager(password, None);
            let from = Some("news@example.com".to_owned());
            let entry = Entry { credential, host: host.to_owned(), port: 587, from };
            let text = match Form::from(target).render(&entry, "", &BTreeSet::new()) {
                Err(error) => {
                    let refused = password == marks && !escaping.contains(&target.name());
                    assert!(refused && error == RenderError::Password, "{target}: {error}");
                    continue;
                }
                Ok(text) => text,
            };
            if !target.is_read() {
                continue;
            }
            let (host, port) = match target.name() {
                "csv" | "opensmtpd" | "postfix-sender" => (None, None),
                "exim" | "sendmail" => (Some(host), None),
                _ => (Some(host), Some(587)),
            };
            let found = Found { credential: of_mail_manager(password, host), port };
            assert_eq!(Found::read(&text), Ok(vec![found]), "{target}: {text}");
        }
    }
}

#[test]
fn mail_manager_has_no_tls_wrapper() {
    let credential = of_mail_manager("Abcdef12", None);
    let entry = Entry { credential, host: "h".to_owned(), port: 465, from: None };
    let text = Form::from(Target::Env).render(&entry, "", &BTreeSet::new());
    assert_eq!(text, Err(RenderError::TlsWrapper));
}

/// The lines of `render` are found by their look in a whole configuration.
#[test]
fn lines_are_found_in_a_configuration() {
    let host = "email-smtp.eu-west-1.amazonaws.com";
    let text = format!(
        "[server]\nhttp_port = 80\n\n[smtp]\nhost = {host}:587\nuser = {ID}\npassword = {PASSWORD}\n;password =\n"
    );
    assert_eq!(Found::read(&text), Ok(vec![found(Some(host), None)]));
    let elsewhere = text.replace(host, "relay.example");
    assert_eq!(Found::read(&elsewhere), Err(CredentialError::UnknownForm));
    let two = text.replace(";password =", "old = AKIAI44QH8DHBEXAMPLE");
    assert_eq!(Found::read(&two), Err(CredentialError::UnknownForm));
}

#[test]
fn names_of_others_are_read() {
    for target in [Target::Env, Target::Systemd, Target::Json, Target::Kubernetes] {
        let names = Names {
            host: "EMAIL_HOST".to_owned(),
            port: "EMAIL_PORT".to_owned(),
            user_name: "EMAIL_HOST_USER".to_owned(),
            password: "EMAIL_HOST_PASSWORD".to_owned(),
            ..Names::of(target)
        };
        let form = Form::new(target, names).unwrap();
        let credential = credential(Some("localhost"));
        let entry = Entry { credential, host: "localhost".to_owned(), port: 2465, from: None };
        let text = form.render(&entry, "", &BTreeSet::new()).unwrap();
        assert_eq!(Found::read(&text), Ok(vec![found(Some("localhost"), Some(2465))]), "{text}");
    }
}

#[test]
fn others_may_stand_beside_it() {
    let line = format!("{ID}:{PASSWORD}");
    for text in [
        format!("# relays\n[smtp.example.com]:587 user:secret\n[127.0.0.1]:2587\n  {line}\n"),
        format!(
            "defaults\nauth on\naccount other\nhost a.example\nuser x\npassword y\n\naccount ses\n\
             host 127.0.0.1\nport 2587\nuser {ID}\npassword \"{PASSWORD}\"\n"
        ),
        format!(
            "# mail\nexport SMTP_USERNAME='{ID}'\nSMTP_HOST=127.0.0.1\nSMTP_PORT=2587\n\
             SMTP_PASSWORD = \"{PASSWORD}\"\n"
        ),
        format!(
            "PORT=8080\nSMTP_HOST=127.0.0.1:2587\nexport MAIL_USER={ID}\nMAIL_PASS='{PASSWORD}'\n"
        ),
        format!("SMTP endpoint,SMTP user name,SMTP password\n127.0.0.1:2587,{ID},{PASSWORD}\n"),
        csv::write_with_endpoint(&credential(None), "127.0.0.1:2587"),
        format!(
            "{{\"smtp_user_name\":\"{ID}\",\"smtp_password\":\"{PASSWORD}\",\"smtp_endpoint\":\"127.0.0.1\",\
             \"ports\":{{\"starttls\":[2587],\"tls_wrapper\":[]}}}}"
        ),
    ] {
        let read = Found::read(&text);
        assert_eq!(read, Ok(vec![found(Some("127.0.0.1"), Some(2587))]), "{text}");
    }
    let by_sender = format!("a@example.com {line}\n");
    assert_eq!(Found::read(&by_sender), Ok(vec![found(None, None)]));
}

#[test]
fn what_is_missing_is_named() {
    let missing = |line, what| Err(CredentialError::Missing { line, what });
    for (text, error) in [
        (format!("A=1\nMAIL_USER={ID}\n"), missing(1, "SMTP_PASSWORD")),
        (format!("MAIL_PASSWORD={PASSWORD}\n"), missing(1, "SMTP_USERNAME")),
        (
            "apiVersion: v1\nkind: Secret\ndata:\n  a: Yg==\n".to_owned(),
            missing(4, "SMTP_USERNAME and no SMTP_PASSWORD"),
        ),
        (format!("account ses\nuser {ID}\n"), missing(1, "password")),
        ("hello world\n".to_owned(), Err(CredentialError::UnknownForm)),
        (
            "SMTP_USERNAME=inp-3q4cpdgv\nSMTP_PASSWORD=a/b\n".to_owned(),
            Err(CredentialError::IngressPassword { line: 2 }),
        ),
        ("SMTP_USERNAME=inp-3q4cpdgv\n".to_owned(), missing(1, "SMTP_PASSWORD")),
    ] {
        assert_eq!(Found::read(&text), error, "{text}");
    }
}
