//! Typed values, and the messages of applications: the certainty of the cause that each shows.

use seskey::{
    Region, SecretAccessKey, SmtpPassword,
    diagnose::{Evidence, FileValues, Said, TlsMode, Values, diagnose},
};

const SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbIAMSECRET+";
const ID: &str = "AKIAI44QH8DHBABCDEFG";

/// The host, the port and the TLS mode in a file show the right cause first, with its certainty.
#[test]
fn what_a_file_says_of_the_way_shows_its_cause() {
    const HOST: &str = "email-smtp.us-east-1.amazonaws.com";
    let of = |text: &str| {
        let file = FileValues::read(text);
        let (host, port) = (file.host.as_deref(), file.port);
        let (place, tls_mode) = (file.place, file.tls_mode);
        let values = Values { host, port, place, tls_mode, ..Values::default() };
        let report = diagnose(&Evidence::of(values));
        let first = report.findings.first();
        first.map(|finding| format!("{} {}", finding.cause.id, finding.certainty.as_str()))
    };
    let wrapper = "tls-wrapper-on-starttls-port";
    let starttls = "starttls-on-wrapper-port";
    for (text, cause, certainty) in [
        ("SMTP_HOST=smtp.gmail.com\nSMTP_PORT=587\n".to_owned(), "foreign-host", "certain"),
        ("MAIL_HOST=smtp.eu.mailgun.org\n".to_owned(), "foreign-host", "certain"),
        (format!("SMTP_HOST={HOST}\nSMTP_PORT=abc\n"), "port-is-no-number", "certain"),
        (format!("SMTP_HOST={HOST}\nSMTP_PORT=70000\n"), "port-is-no-number", "certain"),
        (format!("SMTP_HOST={HOST}:587\n"), "port-in-host", "possible"),
        (format!("SMTP_HOST={HOST}\nSMTP_PORT=587\nSMTP_SECURE=true\n"), wrapper, "possible"),
        (format!("MAIL_HOST={HOST}\nMAIL_PORT=587\nMAIL_ENCRYPTION=ssl\n"), wrapper, "certain"),
        (format!("EMAIL_HOST={HOST}\nEMAIL_PORT=2587\nEMAIL_USE_SSL=True\n"), wrapper, "certain"),
        (format!("{{\"host\":\"{HOST}\",\"port\":587,\"secure\":true}}"), wrapper, "possible"),
        (format!("MAIL_URL=smtps://a:b@{HOST}:587\n"), wrapper, "certain"),
        (format!("SMTP_HOST={HOST}\nSMTP_PORT=465\nSMTP_SECURITY=starttls\n"), starttls, "certain"),
        (format!("EMAIL_HOST={HOST}\nEMAIL_PORT=465\nEMAIL_USE_TLS=True\n"), starttls, "certain"),
        (format!("SMTP_HOST={HOST}\nSMTP_PORT=465\nSMTP_SECURE=false\n"), starttls, "possible"),
        (format!("EMAIL_HOST={HOST}\nEMAIL_PORT=465\nEMAIL_USE_TLS=False\n"), starttls, "possible"),
        (format!("EMAIL_HOST={HOST}\nEMAIL_PORT=587\nEMAIL_USE_TLS=False\n"), "no-tls", "certain"),
        (format!("EMAIL_HOST={HOST}\nEMAIL_PORT=587\n"), "no-tls", "possible"),
    ] {
        assert_eq!(of(&text), Some(format!("{cause} {certainty}")), "{text}");
    }
    for text in [
        format!("SMTP_HOST={HOST}\nSMTP_PORT=465\nSMTP_SECURE=true\n"),
        format!("SMTP_HOST={HOST}\nSMTP_PORT=587\nSMTP_SECURE=false\n"),
        format!("MAIL_HOST={HOST}\nMAIL_PORT=587\nMAIL_ENCRYPTION=tls\n"),
        format!("SMTP_HOST={HOST}\nSMTP_PORT=${{PORT:-587}}\n"),
        format!("GF_SMTP_HOST={HOST}:587\n"),
        format!("[{HOST}]:587 a:b\n"),
        format!("smtps://a:b@{HOST}:465\n"),
        "SMTP_HOST=mail.gmail.example\n".to_owned(),
        format!("[smtp]\nhost = {HOST}:587\n"),
    ] {
        assert_eq!(of(&text), None, "{text}");
    }
    let mode = FileValues::read("EMAIL_USE_TLS=False\nEMAIL_USE_SSL=True\n").tls_mode;
    assert_eq!(mode, Some(TlsMode::Wrapper));
    let mode = FileValues::read("EMAIL_USE_SSL=False\nEMAIL_USE_TLS=True\n").tls_mode;
    assert_eq!(mode, Some(TlsMode::Starttls));
}

/// Whether 40 characters are a secret access key depends on them, and on what else is known.
#[test]
fn forty_characters_are_not_always_a_secret_access_key() {
    let secret = SecretAccessKey::parse(SECRET).unwrap();
    let region = Region::parse("us-east-2").unwrap();
    let right = SmtpPassword::derive(&secret, &region);
    let of = |password, secret| {
        let user_name = Some(ID);
        diagnose(&Evidence::of(Values { user_name, password, secret, ..Values::default() }))
    };
    let shown = |password, secret| -> Vec<(&str, &str)> {
        let report = of(password, secret);
        report.findings.iter().map(|it| (it.cause.id, it.certainty.as_str())).collect()
    };
    let raw = "raw-secret-as-password";
    assert_eq!(shown(Some(SECRET), Some(&secret)), [(raw, "certain")]);
    assert_eq!(shown(Some(SECRET), None), [(raw, "possible")]);
    let cut = Some(&right.expose()[..40]);
    assert_eq!(shown(cut, None), [(raw, "possible"), ("cut-off", "possible")]);
    let digest = Some("da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_eq!(shown(digest, None), [("not-a-password", "certain")]);
}

/// A failed login in the words of an application is not a reply of the server.
#[test]
fn evidence_says_who_refuses() {
    for (text, who) in [
        ("535 Authentication Credentials Invalid", "the server refuses the login"),
        ("SMTP Error: Could not authenticate.", "the application says that the login failed"),
    ] {
        let evidence = Evidence { said: Said::read(text), ..Evidence::default() };
        let findings = diagnose(&evidence).findings;
        let of_login = findings.iter().filter(|it| it.cause.id.starts_with("key-in"));
        assert!(of_login.clone().count() == 1);
        assert!(of_login.clone().all(|it| it.evidence.starts_with(who)), "{findings:?}");
    }
}

/// The messages of applications in the public threads, shortened, show the right cause first.
#[test]
fn the_words_of_applications_lead_to_a_cause() {
    const SES: &str = "email-smtp.us-east-1.amazonaws.com";
    for (text, cause) in [
        // totaljs/framework#712
        (format!("mail-smtp ---> ({SES}) ssl3_get_record:wrong version number"), "tls-wrapper-on-starttls-port"),
        // mozilla/fxa-auth-server#445
        (format!("postfix/smtp[2]: connect to {SES}[192.0.2.1]:25: Connection timed out"), "port-blocked"),
        // mautic/mautic#3704
        ("Failed to authenticate on SMTP server with username \"mary\" using 1 possible authenticators: 535 Authentication Credentials Invalid".to_owned(), "iam-user-name"),
        // OmniLayer/omniwallet#1161
        ("smtplib.SMTPAuthenticationError: (530, 'Must issue a STARTTLS command first')".to_owned(), "no-tls"),
        // mperham/inspeqtor#143
        ("Error firing event: 530 Authentication required".to_owned(), "auth-not-tried"),
        // grafana/grafana#6425
        ("err: 530 5.7.1 Client was not authenticated".to_owned(), "auth-not-tried"),
        // Kitura/Swift-SMTP#141
        ("Bad response received for command. response: 535 AUTH failed".to_owned(), "raw-secret-as-password"),
        // fleetdm/fleet#9609
        ("err=\"client auth error: 535 Authentication Credentials Invalid\"".to_owned(), "raw-secret-as-password"),
        // grafana/grafana#8071
        ("error=\"tls: first record does not look like a TLS handshake\"".to_owned(), "tls-wrapper-on-starttls-port"),
        // grafana/grafana#8422
        ("lvl=eror msg=\"Failed to send alert notification email\" error=EOF".to_owned(), "starttls-on-wrapper-port"),
        // hackclub/hackathons-backend#543
        ("Net::SMTPServerBusy: 454 Throttling failure: Maximum sending rate exceeded.".to_owned(), "quota"),
        // mautic/mautic#9644
        ("Expected response code 250 but got code \"454\", with message \"454 Throttling failure: Maximum sending rate exceeded.\"".to_owned(), "quota"),
        // Billionmail/BillionMail#156
        ("Remote-MTA: dns; x\nDiagnostic-Code: smtp; 530 Authentication required".to_owned(), "auth-not-tried"),
        (format!("Connection could not be established with host \"ssl://{SES}:587\": SSL routines::wrong version number"), "tls-wrapper-on-starttls-port"),
        (format!("Unable to connect to {SES}:587 (Connection timed out)"), "other-port-blocked"),
        ("Error: unable to verify the first certificate\n  code: 'ESOCKET'".to_owned(), "untrusted-certificate"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution".to_owned(), "dns-failure"),
        ("Error: connect EHOSTUNREACH 192.0.2.1:587".to_owned(), "other-port-blocked"),
    ] {
        let evidence = Evidence::default().with_said(Said::read(&text));
        let report = diagnose(&evidence);
        assert_eq!(report.findings.first().map(|it| it.cause.id), Some(cause), "{text}: {report:?}");
    }
}

/// Other messages of applications and servers show the right cause first, and exclude others.
#[test]
fn a_text_proves_who_speaks() {
    const SES: &str = "email-smtp.us-east-1.amazonaws.com";
    let ports =
        ["other-port-blocked", "port-blocked", "all-ports-blocked", "vpc-endpoint-unreached"];
    for (text, cause, absent) in [
        ("Error: connect ECONNREFUSED 127.0.0.1:587".to_owned(), "host-not-set", &ports[..]),
        ("Error: connect ECONNREFUSED ::1:587".to_owned(), "host-not-set", &ports),
        ("ConnectionRefusedError: [Errno 111] Connection refused".to_owned(), "host-not-set", &ports[2..]),
        ("[WinError 10061] No connection could be made because the target machine actively refused it".to_owned(), "host-not-set", &ports[2..]),
        (format!("{SES}:587: Connection refused"), "connection-refused", &["host-not-set", "all-ports-blocked"]),
        ("[WinError 10060] A connection attempt failed".to_owned(), "all-ports-blocked", &["host-not-set"]),
        ("535-5.7.8 Username and Password not accepted. Learn more at https://support.google.com/mail/?p=BadCredentials".to_owned(), "foreign-host", &[]),
        ("535-5.7.8 Username and Password not accepted. https://support.google.com/\n535 5.7.8 it is".to_owned(), "foreign-host", &[]),
        ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled".to_owned(), "foreign-host", &[]),
        ("dial tcp: lookup smtp.office365.com: no such host".to_owned(), "foreign-host", &[]),
        ("535 Authentication failed: see https://sendgrid.com/docs".to_owned(), "foreign-host", &[]),
        ("535 <me@mail.yahoo.com> Authentication Credentials Invalid".to_owned(), "raw-secret-as-password", &["foreign-host"]),
        ("unencrypted connection".to_owned(), "no-tls", &[]),
        ("wrong host name".to_owned(), "other-auth-host", &["host-name-mismatch"]),
        ("EOF".to_owned(), "starttls-on-wrapper-port", &[]),
        ("SMTP-AUTH requested but missing user name".to_owned(), "auth-not-tried", &[]),
        ("Client network socket disconnected before secure TLS connection was established".to_owned(), "foreign-server", &["starttls-on-wrapper-port"]),
    ] {
        let report = diagnose(&Evidence::default().with_said(Said::read(&text)));
        let shown: Vec<_> = report.findings.iter().map(|it| it.cause.id).collect();
        assert_eq!(shown.first(), Some(&cause), "{text}: {shown:?}");
        assert!(absent.iter().all(|id| !shown.contains(id)), "{text}: {shown:?}");
        assert!(report.findings.iter().all(|it| !text.contains("efused") || !it.evidence.contains("nothing answered")), "{report:?}");
    }
}

/// A command of Postfix is a remedy only if Postfix is known.
#[test]
fn a_remedy_is_of_postfix_where_that_is_known() {
    let has_command = |evidence: Evidence| {
        let report = diagnose(&evidence);
        assert!(!report.findings.is_empty());
        report.findings.iter().any(|it| it.remedy.contains("post"))
    };
    let of = |text: &str| Evidence::default().with_said(Said::read(text));
    for text in [
        "Missing credentials for \"PLAIN\"",
        "The server response was: Authentication required",
        "535 Authentication Credentials Invalid",
    ] {
        assert!(!has_command(of(text)), "{text}");
        assert!(has_command(of(&format!("postfix/smtp[7]: {text}"))), "{text}");
        assert!(has_command(Evidence { is_of_postfix: true, ..of(text) }), "{text}");
    }
    let file = FileValues::read("[email-smtp.us-east-1.amazonaws.com]:587 a:b\n");
    assert!(file.is_of_postfix && !FileValues::read("SMTP_HOST=a.example\n").is_of_postfix);
}

/// The DNS name of a VPC endpoint is an SMTP endpoint of its region.
#[test]
fn a_vpc_endpoint_is_an_endpoint() {
    for (id, zone) in [
        ("vpce-0ebd5a1c2f3e4d5b6-t7zh1k4x", ""),
        ("vpce-0ebd5a1c2f3e4d5b6-t7zh1k4x", "-us-east-1a"),
    ] {
        let host = format!("{id}{zone}.email-smtp.us-east-1.vpce.amazonaws.com");
        let evidence =
            Evidence::of(Values { host: Some(&host), port: Some(587), ..Values::default() });
        assert_eq!(evidence.region, Region::parse("us-east-1").ok());
        assert!(diagnose(&evidence).findings.is_empty(), "{host}");
        let said = Said::read(&format!("connect to {host}[192.0.2.1]:587: Connection timed out"));
        assert_eq!(Evidence::default().with_said(said).host, evidence.host);
    }
}

/// A secret access key in a file is that of the password only if its access key ID is the user name.
#[test]
fn a_file_has_the_secret_of_its_user_name() {
    let secret = SecretAccessKey::parse(SECRET).unwrap();
    let password = SmtpPassword::derive(&secret, &Region::parse("us-east-2").unwrap());
    let password = password.expose();
    let read = |id: &str, password: &str| {
        let text = format!(
            "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={SECRET}\nSMTP_USERNAME={ID}\nSMTP_PASSWORD={password}\n"
        );
        FileValues::read(&text)
    };
    let of_same = read(ID, password);
    assert_eq!(of_same.secret.as_ref().map(seskey::Secret::expose), Some(SECRET));
    assert_eq!(of_same.password.as_ref().map(seskey::Secret::expose), Some(password));
    assert!(!format!("{of_same:?}").contains(&SECRET[..12]));
    assert_eq!(read("AKIAI44QH8DHBOTHERID", password).secret, None);
    let alone = format!("AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n");
    assert_eq!(FileValues::read(&alone).secret, None);
}
