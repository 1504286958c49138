//! Planned faults over sockets. Calls by AWS's own SDK are in `seskey-aws`.

use jiff::SignedDuration;
use seskey_local::{
    account::{Action, Holder, Principal},
    faults::Plan,
    server::{Config, Server},
};
use testkit::smtp_client::{
    AccessKey, Client, create_access_key, create_mailer, get, tls_connector,
};
use testkit::wire::exchange;

async fn server(plan: &str) -> (Server, AccessKey) {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    create_mailer(&server);
    server.set_faults(Plan::parse(plan).unwrap());
    let key = create_access_key(&server);
    (server, key)
}

async fn greeted(server: &Server) -> Client {
    let mut client = Client::connect("faults", server.smtps).await;
    client.start_tls(&tls_connector(server), "localhost").await;
    client.expect_line("220 *").await;
    client
}

/// Returns the reply to a login on a new connection.
async fn login(server: &Server, key: &AccessKey) -> Option<String> {
    let mut client = greeted(server).await;
    client.send(format!("AUTH PLAIN {}\r\n", key.plain("us-east-1"))).await;
    client.line().await
}

#[tokio::test]
async fn a_command_fails_as_often_as_it_is_planned() {
    let (server, key) = server(
        "[[smtp]]\ncommand = \"AUTH\"\ncalls = [1]\nreply = \"454 Temporary authentication failure\"\n\
         [[smtp]]\ncommand = \"auth\"\ncalls = [2]\ndrop = \"before\"\n",
    )
    .await;
    assert_eq!(login(&server, &key).await.unwrap(), "454 Temporary authentication failure");
    assert_eq!(login(&server, &key).await, None);
    assert_eq!(login(&server, &key).await.unwrap(), "235 Authentication successful.");
}

#[tokio::test]
async fn a_greeting_and_a_421_end_the_connection() {
    let (server, _) = server(
        "[[smtp]]\ncommand = \"CONNECT\"\ncalls = [1]\nreply = \"421 Too many concurrent SMTP connections\"\n\
         [[smtp]]\ncommand = \"NOOP\"\nreply = \"421 Service not available\"\n",
    )
    .await;
    let mut refused = Client::connect("refused", server.smtp).await;
    refused.expect_line("421 Too many concurrent SMTP connections").await;
    refused.expect_closed().await;
    let mut client = greeted(&server).await;
    client.send("NOOP\r\n").await;
    client.expect_line("421 Service not available").await;
    client.expect_closed().await;
}

/// A message whose reply is lost was accepted or not, as the plan says.
#[tokio::test]
async fn a_message_whose_reply_is_lost() {
    for (moment, messages) in [("before", 0), ("after", 1)] {
        let (server, key) =
            server(&format!("[[smtp]]\ncommand = \".\"\ndrop = \"{moment}\"\n")).await;
        let mut client = Client::logged_in(moment, &server, &key).await;
        client.begin_message().await;
        client.send("From: news@example.com\r\n\r\nhi\r\n.\r\n").await;
        client.expect_closed().await;
        let mailbox = get(&server, "/_aws/ses").await;
        assert_eq!(mailbox.matches("\"RawData\":").count(), messages, "{moment}: {mailbox}");
    }
}

#[tokio::test]
async fn a_new_key_logs_in_when_its_time_has_come() {
    let (server, key) = server("[keys]\ncreated = \"1h\"\n").await;
    assert_eq!(login(&server, &key).await.unwrap(), "535 Authentication Credentials Invalid");
    server.move_clock(SignedDuration::from_hours(1)).await.unwrap();
    assert_eq!(login(&server, &key).await.unwrap(), "235 Authentication successful.");
}

/// A deleted key stops working at once, or as late as the plan says.
#[tokio::test]
async fn a_deleted_key_logs_in_until_its_time_has_come() {
    for (plan, late) in [("", false), ("[keys]\ndeleted = \"1h\"\n", true)] {
        let (server, key) = server(plan).await;
        delete(&server, &key);
        let reply = login(&server, &key).await.unwrap();
        assert_eq!(reply.starts_with("235"), late, "{reply}");
        server.move_clock(SignedDuration::from_hours(1)).await.unwrap();
        let reply = login(&server, &key).await.unwrap();
        assert_eq!(reply, "535 Authentication Credentials Invalid");
    }
}

/// A session that is logged in outlives its key: only a new login is refused.
#[tokio::test]
async fn an_open_session_outlives_its_key() {
    let (server, key) = server("").await;
    let mut client = Client::logged_in("open", &server, &key).await;
    delete(&server, &key);
    client.begin_message().await;
    client.send("From: news@example.com\r\n\r\nhi\r\n.\r\n").await;
    client.expect_line("250 Ok *").await;
    let reply = login(&server, &key).await.unwrap();
    assert_eq!(reply, "535 Authentication Credentials Invalid");
}

#[tokio::test]
async fn an_open_session_ends_with_its_permission() {
    let (server, key) = server("").await;
    let mut client = Client::logged_in("open", &server, &key).await;
    let deny = Action::PutPolicy {
        holder: Holder::User("mailer".to_owned()),
        policy_name: "no-more".to_owned(),
        document: r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ses:*","Resource":"*"}}"#
            .to_owned(),
    };
    server.apply(deny).unwrap();
    client.begin_message().await;
    client.send("From: news@example.com\r\n\r\nhi\r\n.\r\n").await;
    client.expect_line("554 Access denied: *").await;
}

fn delete(server: &Server, key: &AccessKey) {
    let principal = Principal::User("mailer".to_owned());
    let access_key_id = key.id.clone();
    server.apply(Action::DeleteAccessKey { principal, access_key_id }).unwrap();
}

#[tokio::test]
async fn the_plan_is_changed_while_it_runs() {
    let (server, key) = server("").await;
    let put = async |plan: &str| exchange(server.http, "POST /_seskey/faults", &[], plan).await;
    let plan = "[[smtp]]\ncommand = \"AUTH\"\nreply = \"454 Temporary service failure\"\n";
    assert_eq!(put(plan).await.status(), 204);
    assert_eq!(login(&server, &key).await.unwrap(), "454 Temporary service failure");

    let wrong = put("[[smtp]]\ncommand = \"AUTH\"\nreply = \"250 Ok\"\n").await;
    assert_eq!(wrong.status(), 400);
    assert!(wrong.body.contains("from 400 to 599"), "{}", wrong.body);
    let in_force = exchange(server.http, "GET /_seskey/faults", &[], "").await;
    assert_eq!(in_force.body, plan, "a plan that cannot be read changes nothing");

    assert_eq!(exchange(server.http, "DELETE /_seskey/faults", &[], "").await.status(), 204);
    assert_eq!(login(&server, &key).await.unwrap(), "235 Authentication successful.");
}

/// Sends a message to one recipient, and returns the last reply; `None` if the connection is closed.
async fn send_to(client: &mut Client, recipient: &str) -> Option<String> {
    for line in ["MAIL FROM:<news@example.com>", &format!("RCPT TO:<{recipient}>"), "DATA"] {
        client.send(format!("{line}\r\n")).await;
        match client.line().await? {
            reply if reply.starts_with(['2', '3']) => {}
            refused => return Some(refused),
        }
    }
    client.send("From: news@example.com\r\n\r\nhi\r\n.\r\n").await;
    client.line().await
}

/// A rule chooses mail by its user, its sender and its recipient, at the step where they are known.
#[tokio::test]
async fn a_rule_chooses_its_mail() {
    let (server, key) = server(
        "[[smtp]]\ncommand = \"RCPT\"\nto = \"bounce@*\"\nreply = \"550 Mailbox unavailable\"\n\
         [[smtp]]\ncommand = \".\"\nuser = \"mail*\"\nto = \"*@slow.example\"\ncalls = [1]\n\
         reply = \"454 Throttling failure: Maximum sending rate exceeded\"\n\
         [[smtp]]\ncommand = \".\"\nfrom = \"other@example.com\"\nreply = \"554 No\"\n\
         [[smtp]]\ncommand = \"AUTH\"\nuser = \"somebody\"\nreply = \"535 Authentication Credentials Invalid\"\n",
    )
    .await;
    let mut client = Client::logged_in("chosen", &server, &key).await;
    for (recipient, expected) in
        [("bounce@example.net", "550 Mailbox unavailable"), ("ann@slow.example", "503 ")]
    {
        let reply = send_to(&mut client, recipient).await.unwrap();
        assert!(reply.starts_with(expected), "{recipient}: {reply}");
    }
    client.send("RSET\r\n").await;
    client.expect_line("250 Ok").await;
    for (recipient, expected) in [
        ("ann@fast.example", "250 Ok"),
        ("ann@slow.example", "454 Throttling failure: Maximum sending rate exceeded"),
        ("ann@slow.example", "250 Ok"),
    ] {
        let reply = send_to(&mut client, recipient).await.unwrap();
        assert!(reply.starts_with(expected), "{recipient}: {reply}");
    }
    let attempts = get(&server, "/_seskey/attempts").await;
    assert!(attempts.contains("Maximum sending rate exceeded"), "{attempts}");
}

/// The user of a login is known once its user name is, with any mechanism.
#[tokio::test]
async fn a_rule_chooses_who_logs_in() {
    let plan = "[[smtp]]\ncommand = \"AUTH\"\nuser = \"mailer\"\nreply = \"454 Temporary authentication failure\"\n";
    let (server, key) = server(plan).await;
    let mut client = greeted(&server).await;
    client.send("AUTH PLAIN\r\n").await;
    client.expect_line("334*").await;
    client.send(format!("{}\r\n", key.plain("us-east-1"))).await;
    client.expect_line("454 Temporary authentication failure").await;
    // the client is not logged in, and no state of the exchange is left
    client.send("MAIL FROM:<news@example.com>\r\n").await;
    client.expect_line("530 Authentication required").await;
    let other = "AGFub3RoZXIAcGFzc3dvcmQ="; // \0another\0password
    client.send(format!("AUTH PLAIN {other}\r\n")).await;
    client.expect_line("535 Authentication Credentials Invalid").await;
}

#[tokio::test]
async fn a_session_ends_after_its_messages() {
    let (server, key) = server("[session]\nmessages = 2\n").await;
    for _ in 0..2 {
        let mut client = Client::logged_in("session", &server, &key).await;
        for _ in 0..2 {
            assert!(send_to(&mut client, "ann@example.net").await.unwrap().starts_with("250 Ok"));
        }
        client.send("MAIL FROM:<news@example.com>\r\n").await;
        client.expect_line("421 *Maximum message count per session reached.").await;
        client.expect_closed().await;
    }
}

/// The connection is closed after a 421, at the end of a message too.
#[tokio::test]
async fn a_421_to_a_message_ends_the_connection() {
    let (server, key) =
        server("[[smtp]]\ncommand = \".\"\nreply = \"421 Service not available\"\n").await;
    let mut client = Client::logged_in("last", &server, &key).await;
    let reply = send_to(&mut client, "ann@example.net").await;
    assert_eq!(reply.unwrap(), "421 Service not available");
    client.expect_closed().await;
}
