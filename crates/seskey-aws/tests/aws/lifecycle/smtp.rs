//! The SMTP client against a server that plays a dialogue: the commands that it sends, those that it refuses to send,
//! and its handling of every failure. Plain SMTP is tested against the local SES.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use seskey::{AccessKeyId, SmtpCredential, SmtpPassword};
use seskey_aws::{
    lifecycle::{
        Interrupt,
        prove::{Proof, prove},
    },
    smtp::{
        Address, CertificateProblem, Client, Malformed, Phase, Reply, Security, Server, SmtpError,
        Timeouts, Transcript,
    },
};
use testkit::scripted::{Certificates, NAME, Said};

const USER: &str = "AKIAIOSFODNN7EXAMPLE";
const PASSWORD: &str = "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9";

const TO_TLS: &str = "\
    < 220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-VCSHDP1YZ A1b2C3d4E5f6G7h8I9j0
    > EHLO [127.0.0.1]
    < 250-email-smtp.amazonaws.com
    < 250-8BITMIME
    < 250-STARTTLS
    < 250-AUTH PLAIN LOGIN
    < 250 Ok
    > STARTTLS
    < 220 Ready to start TLS
    tls
    > EHLO [127.0.0.1]
";

const OFFER_BOTH: &str = "\
    < 250-email-smtp.amazonaws.com
    < 250-AUTH PLAIN LOGIN
    < 250 Ok
    > AUTH PLAIN
";

struct Played {
    outcome: Result<(), SmtpError>,
    transcript: Transcript,
    clear: Vec<String>,
    encrypted: Vec<String>,
}

async fn log_in(certificates: &Certificates, security: Security, dialogue: &str) -> Played {
    log_in_as(certificates, security, NAME, dialogue).await
}

async fn log_in_as(
    certificates: &Certificates,
    security: Security,
    name: &str,
    dialogue: &str,
) -> Played {
    let (port, played) = certificates.play(dialogue).await;
    let patience = Duration::from_millis(if dialogue.contains("hold") { 300 } else { 5000 });
    let timeouts = Timeouts { connect: patience, reply: patience };
    let client = Client::new(Some(certificates.ca_pem.as_bytes()), timeouts).unwrap();
    let server =
        Server { server_name: name.to_owned(), ..Server::new("127.0.0.1", port, security) };
    let mut transcript = Transcript::default();
    let outcome = client.prove(&server, USER, PASSWORD, &mut transcript).await;
    let Said { clear, encrypted } = played.await.unwrap();
    Played { outcome, transcript, clear, encrypted }
}

fn refused(phase: Phase, code: u16, lines: &[&str]) -> Result<(), SmtpError> {
    let lines = lines.iter().map(|&line| line.to_owned()).collect();
    Err(SmtpError::Refused { phase, reply: Reply { code, lines } })
}

#[tokio::test]
async fn logs_in_over_starttls() {
    let bye = "< 235 Authentication successful.\n> QUIT\n< 221 Bye";
    let played =
        log_in(&Certificates::valid(), Security::Starttls, &format!("{TO_TLS}{OFFER_BOTH}{bye}"))
            .await;
    assert_eq!(played.outcome, Ok(()));
    assert_eq!(played.clear, ["EHLO [127.0.0.1]", "STARTTLS"]);
    let plain = BASE64_STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
    assert_eq!(played.encrypted, ["EHLO [127.0.0.1]", &format!("AUTH PLAIN {plain}"), "QUIT"]);
    assert_eq!(played.transcript.tls.unwrap().version, "TLSv1_3");
    let phases: Vec<Phase> = played.transcript.replies.iter().map(|(phase, _)| *phase).collect();
    use Phase::*;
    assert_eq!(phases, [Greeting, Ehlo, Starttls, EhloOverTls, Auth, Quit]);
}

#[tokio::test]
async fn logs_in_by_login_over_the_tls_wrapper() {
    let dialogue = "tls
        < 220 email-smtp.amazonaws.com ESMTP
        > EHLO
        < 250-email-smtp.amazonaws.com
        < 250-auth login
        < 250 Ok
        > AUTH LOGIN
        < 334 VXNlcm5hbWU6
        > QUtJQUlPU0ZPRE5ON0VYQU1QTEU=
        < 334 UGFzc3dvcmQ6
        > Qkx
        < 235 Authentication successful.
        > QUIT
        < 221 Bye";
    let played = log_in(&Certificates::valid(), Security::TlsWrapper, dialogue).await;
    assert_eq!(played.outcome, Ok(()));
    assert_eq!(played.encrypted[3], BASE64_STANDARD.encode(PASSWORD));
}

#[tokio::test]
async fn the_servers_refusal_is_kept_word_for_word() {
    for (reply, code, lines) in [
        (
            "< 535 Authentication Credentials Invalid",
            535,
            vec!["Authentication Credentials Invalid"],
        ),
        ("< 454 Temporary authentication failure", 454, vec!["Temporary authentication failure"]),
        ("< 535-first\n< 535 \u{1b}[2Jsecond", 535, vec!["first", "\u{1b}[2Jsecond"]),
        ("< 334 Ok", 334, vec!["Ok"]),
    ] {
        let played = log_in(
            &Certificates::valid(),
            Security::Starttls,
            &format!("{TO_TLS}{OFFER_BOTH}{reply}"),
        )
        .await;
        assert_eq!(played.outcome, refused(Phase::Auth, code, &lines));
    }
}

#[tokio::test]
async fn each_phase_can_be_refused() {
    let valid = Certificates::valid();
    for (dialogue, outcome) in [
        (
            "< 421 Too many concurrent SMTP connections",
            refused(Phase::Greeting, 421, &["Too many concurrent SMTP connections"]),
        ),
        ("< 220 x\n> EHLO\n< 500 no", refused(Phase::Ehlo, 500, &["no"])),
        (
            "< 220 x\n> EHLO\n< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 454 later",
            refused(Phase::Starttls, 454, &["later"]),
        ),
        (&format!("{TO_TLS}< 421 no"), refused(Phase::EhloOverTls, 421, &["no"])),
    ] {
        assert_eq!(
            log_in(&valid, Security::Starttls, dialogue).await.outcome,
            outcome,
            "{dialogue}"
        );
    }
}

#[tokio::test]
async fn nothing_secret_is_said_in_clear() {
    let stripped = "< 220 x\n> EHLO\n< 250-x\n< 250-AUTH PLAIN LOGIN\n< 250 Ok\nhold";
    let played = log_in(&Certificates::valid(), Security::Starttls, stripped).await;
    assert_eq!(played.outcome, Err(SmtpError::StarttlsNotOffered));
    assert_eq!(played.clear, ["EHLO [127.0.0.1]"]);
}

#[tokio::test]
async fn what_is_injected_before_tls_is_refused() {
    let injected =
        "< 220 x\n> EHLO\n< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 220 go\\r\\n250 injected\nhold";
    let played = log_in(&Certificates::valid(), Security::Starttls, injected).await;
    let surplus = SmtpError::Malformed { phase: Phase::Starttls, problem: Malformed::Surplus };
    assert_eq!(played.outcome, Err(surplus));
    assert_eq!(played.clear, ["EHLO [127.0.0.1]", "STARTTLS"]);
}

#[tokio::test]
async fn certificates_are_verified() {
    let (mut foreign, other, expired) =
        (Certificates::valid(), Certificates::valid(), Certificates::expired());
    let certificate =
        |problem| Err(SmtpError::Certificate { server_name: NAME.to_owned(), problem });

    assert_eq!(
        log_in(&expired, Security::TlsWrapper, "tls\nhold").await.outcome,
        certificate(CertificateProblem::Expired)
    );
    foreign.ca_pem.clone_from(&other.ca_pem);
    let played = log_in(&foreign, Security::Starttls, &format!("{TO_TLS}{OFFER_BOTH}hold")).await;
    assert!(matches!(played.outcome, Err(SmtpError::Certificate { .. })), "{:?}", played.outcome);
    assert_eq!(played.encrypted, [""; 0], "not even EHLO is said to a stranger");

    let name = "email-smtp.us-east-1.amazonaws.com";
    let played = log_in_as(&other, Security::TlsWrapper, name, "tls\nhold").await;
    let Err(SmtpError::Certificate {
        server_name,
        problem: CertificateProblem::OtherName { presented },
    }) = played.outcome
    else {
        panic!("{:?}", played.outcome)
    };
    assert_eq!(server_name, name);
    assert!(presented.iter().any(|presented| presented.contains(NAME)), "{presented:?}");
}

#[tokio::test]
async fn a_connection_cut_anywhere_names_its_phase() {
    let valid = Certificates::valid();
    let whole = format!("{TO_TLS}{OFFER_BOTH}");
    let steps: Vec<&str> = whole.lines().collect();
    let mut phases = Vec::new();
    for cut in 0..=steps.len() {
        let played = log_in(&valid, Security::Starttls, &steps[..cut].join("\n")).await;
        match played.outcome {
            Err(SmtpError::Closed { phase }) => phases.push(phase),
            outcome => panic!("cut at {cut}: {outcome:?}"),
        }
    }
    assert!(phases.is_sorted(), "{phases:?}");
    phases.dedup();
    use Phase::*;
    assert_eq!(phases, [Greeting, Ehlo, Starttls, Handshake, EhloOverTls, Auth]);
}

#[tokio::test]
async fn a_silent_server_times_out_in_its_phase() {
    let valid = Certificates::valid();
    for (dialogue, phase) in [
        ("hold", Phase::Greeting),
        ("raw 220 never ends\nhold", Phase::Greeting),
        ("< 220 x\n> EHLO\nhold", Phase::Ehlo),
        ("< 220 x\n> EHLO\n< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 220 x\nhold", Phase::Handshake),
        (&format!("{TO_TLS}{OFFER_BOTH}hold"), Phase::Auth),
    ] {
        let outcome = log_in(&valid, Security::Starttls, dialogue).await.outcome;
        assert_eq!(outcome, Err(SmtpError::Timeout { phase }), "{dialogue}");
    }
}

#[tokio::test]
async fn garbage_is_told_from_a_refusal() {
    let valid = Certificates::valid();
    for (dialogue, problem) in [
        ("< HTTP/1.1 400 Bad Request", Malformed::NotAReply),
        ("< 220-x\n< 250 y", Malformed::CodeChanges),
        (&format!("raw {}\nhold", "x".repeat(5000)), Malformed::LineTooLong),
        (&"< 220-x\n".repeat(200), Malformed::TooManyLines),
    ] {
        let outcome = log_in(&valid, Security::Starttls, dialogue).await.outcome;
        assert_eq!(
            outcome,
            Err(SmtpError::Malformed { phase: Phase::Greeting, problem }),
            "{dialogue:.30}"
        );
    }
    let plain = log_in(&valid, Security::TlsWrapper, "< 220 this port begins in clear\nhold").await;
    assert!(matches!(plain.outcome, Err(SmtpError::Tls { .. })), "{:?}", plain.outcome);
}

#[tokio::test]
async fn a_server_without_a_known_mechanism_gets_no_secret() {
    let dialogue = format!("{TO_TLS}< 250-x\n< 250 AUTH XOAUTH2\nhold");
    let played = log_in(&Certificates::valid(), Security::Starttls, &dialogue).await;
    assert_eq!(
        played.outcome,
        Err(SmtpError::AuthNotOffered { mechanisms: vec!["XOAUTH2".to_owned()] })
    );
    assert_eq!(played.encrypted, ["EHLO [127.0.0.1]"]);
}

#[tokio::test]
async fn a_secret_that_the_server_repeats_is_not_repeated_by_us() {
    let plain = BASE64_STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
    let dialogue =
        format!("{TO_TLS}{OFFER_BOTH}< 535-AUTH PLAIN {plain}?\n< 535 {PASSWORD} is wrong");
    let played = log_in(&Certificates::valid(), Security::Starttls, &dialogue).await;
    let seen = format!("{:?} {:?}", played.outcome, played.transcript);
    assert!(
        seen.contains("AUTH PLAIN [redacted]?") && seen.contains("[redacted] is wrong"),
        "{seen}"
    );
    assert!(!seen.contains(&plain) && !seen.contains(PASSWORD));
}

#[tokio::test]
async fn what_cannot_be_reached_is_said_at_once() {
    let client = Client::new(None, Timeouts::default()).or_else(|_| {
        Client::new(Some(Certificates::valid().ca_pem.as_bytes()), Timeouts::default())
    });
    let client = client.unwrap();
    let free =
        tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let mut transcript = Transcript::default();
    let server = Server::new("127.0.0.1", free, Security::Starttls);
    let refused = client.prove(&server, USER, PASSWORD, &mut transcript).await;
    assert!(matches!(refused, Err(SmtpError::Connect { port, .. }) if port == free), "{refused:?}");
    let server = Server::new("no-such-host.invalid", 587, Security::Starttls);
    let unknown = client.prove(&server, USER, PASSWORD, &mut transcript).await;
    assert!(matches!(unknown, Err(SmtpError::Dns { .. })), "{unknown:?}");
    assert_eq!(transcript, Transcript::default());
}

#[tokio::test]
async fn sends_a_message() {
    let certificates = Certificates::valid();
    let dialogue = format!(
        "{TO_TLS}{OFFER_BOTH}< 235 ok
        > MAIL FROM:<a@example.com>
        < 250 Ok
        > RCPT TO:<b@example.com>
        < 250 Ok
        > RCPT TO:<c@example.com>
        < 250 Ok
        > DATA
        < 354 End data with <CR><LF>.<CR><LF>
        > Subject: x
        > 
        > ..
        > .
        < 250 Ok 0102019dec617b98
        > QUIT
        < 221 Bye"
    );
    let (port, played) = certificates.play(&dialogue).await;
    let client = Client::new(Some(certificates.ca_pem.as_bytes()), Timeouts::default()).unwrap();
    let server = Server {
        server_name: NAME.to_owned(),
        ..Server::new("127.0.0.1", port, Security::Starttls)
    };
    let address = |text| Address::parse(text).unwrap();
    let mut transcript = Transcript::default();
    let mut session = client.connect(&server, &mut transcript).await.unwrap();
    session.log_in(USER, PASSWORD).await.unwrap();
    let to = [address("b@example.com"), address("c@example.com")];
    let reply = session.send(&address("a@example.com"), &to, b"Subject: x\n\n.").await.unwrap();
    session.quit().await;
    assert_eq!(reply.lines, ["Ok 0102019dec617b98"]);
    assert_eq!(played.await.unwrap().encrypted.last().map(String::as_str), Some("QUIT"));
}

#[tokio::test]
async fn a_proof_wants_its_logins_in_a_row() {
    let certificates = Certificates::valid();
    let ending = |reply: &str| format!("{TO_TLS}{OFFER_BOTH}{reply}");
    let good = ending("< 235 ok\n> QUIT\n< 221 Bye");
    let new = ending("< 535 Authentication Credentials Invalid");
    let busy = "< 421 Too many concurrent SMTP connections".to_owned();
    let cut = ending("");
    let dialogues = [&new, &good, &good, &cut, &good, &busy, &good, &good, &good];
    let dialogues: Vec<&str> = dialogues.into_iter().map(String::as_str).collect();
    let (port, _played) = certificates.play_each(&dialogues).await;
    let client = Client::new(Some(certificates.ca_pem.as_bytes()), Timeouts::default()).unwrap();
    let server = Server::new("127.0.0.1", port, Security::Starttls);
    let proof = Proof::new(client, Server { server_name: NAME.to_owned(), ..server });
    let credential = SmtpCredential {
        iam_user: None,
        user_name: AccessKeyId::parse(USER).unwrap(),
        password: SmtpPassword::parse(PASSWORD).unwrap(),
        endpoint: None,
    };
    let mut logins = Vec::new();
    let mut on_login =
        |login: seskey_aws::lifecycle::prove::Login| logins.push(login.outcome.is_ok());
    let proven = prove(&proof, &credential, &mut Interrupt::never(), &mut on_login).await;
    let proven = proven.unwrap().unwrap();
    assert_eq!(proven.attempts, 9);
    // after the refusal, the next logins are spaced out
    assert!(proven.elapsed >= Duration::from_millis(5 * 1500), "{:?}", proven.elapsed);
    assert_eq!(logins, [false, true, true, false, true, false, true, true, true]);
}
