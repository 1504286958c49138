//! The third-party client lettre logs in and sends over both kinds of TLS.

use std::net::SocketAddr;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{Certificate, Tls, TlsParameters},
    },
};
use seskey_local::{
    account::{Action, Answer},
    server::{Config, Server},
};
use testkit::smtp_client::{create_access_key, create_mailer, get};

type Kind = fn(TlsParameters) -> Tls;

fn kinds(server: &Server) -> [(SocketAddr, Kind); 2] {
    [(server.smtp, Tls::Required), (server.smtps, Tls::Wrapper)]
}

fn transport(
    server: &Server,
    address: SocketAddr,
    tls: Kind,
    credentials: Credentials,
    mechanism: Mechanism,
) -> AsyncSmtpTransport<Tokio1Executor> {
    let authority = Certificate::from_pem(server.authority_pem.as_bytes()).unwrap();
    let parameters = TlsParameters::builder("localhost".to_owned())
        .add_root_certificate(authority)
        .build_rustls()
        .unwrap();
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
        .port(address.port())
        .tls(tls(parameters))
        .credentials(credentials)
        .authentication(vec![mechanism])
        .build()
}

#[tokio::test]
async fn a_message_over_both_kinds_of_tls() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    create_mailer(&server);
    let key = create_access_key(&server);
    let message = |subject: &str| {
        Message::builder()
            .from("News <news@example.com>".parse().unwrap())
            .to("bob@example.org".parse().unwrap())
            .subject(subject)
            .body(".\r\n..\r\nhi\r\n".to_owned())
            .unwrap()
    };
    for (address, tls) in kinds(&server) {
        for mechanism in [Mechanism::Plain, Mechanism::Login] {
            let subject = format!("{address} {mechanism}");
            let right = Credentials::new(key.id.clone(), key.password("us-east-1"));
            let transport = transport(&server, address, tls, right, mechanism);
            assert!(transport.test_connection().await.unwrap());
            let response = transport.send(message(&subject)).await.unwrap();
            let id = response.message().next().unwrap().strip_prefix("Ok ").unwrap().to_owned();
            let mailbox = get(&server, "/_aws/ses").await;
            assert!(mailbox.contains(&id) && mailbox.contains(&subject), "{mailbox}");
            assert!(mailbox.contains(r"\r\n\r\n.\r\n..\r\nhi\r\n"), "{mailbox}");
        }
    }
    let last_used = Action::GetAccessKeyLastUsed { access_key_id: key.id };
    let Answer::AccessKeyLastUsed { last_used: Some(last_used), .. } =
        server.apply(last_used).unwrap()
    else {
        panic!("no use was recorded")
    };
    assert_eq!((&*last_used.service_name, &*last_used.region), ("ses-smtp", "us-east-1"));
}

#[tokio::test]
async fn a_wrong_password_is_a_535() {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    create_mailer(&server);
    let key = create_access_key(&server);
    for (address, tls) in kinds(&server) {
        for mechanism in [Mechanism::Plain, Mechanism::Login] {
            let wrong = Credentials::new(key.id.clone(), key.password("eu-west-1"));
            let transport = transport(&server, address, tls, wrong, mechanism);
            let error = transport.test_connection().await.unwrap_err();
            assert_eq!(error.status().unwrap().to_string(), "535", "{error}");
        }
    }
}
