//! The events of an accepted message, by the simulator's addresses, the suppression list and the plan of faults, and
//! the calls that wait for them.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use seskey_local::{
    faults::Plan,
    server::{Config, Server},
};
use testkit::{
    smtp_client::{AccessKey, Client, create_access_key, create_mailer},
    wire::exchange,
};

async fn started() -> (Server, AccessKey) {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    create_mailer(&server);
    let key = create_access_key(&server);
    (server, key)
}

const MESSAGE: &str =
    "From: News <news@example.com>\r\nTo: bob@example.org\r\nSubject: hi\r\n\r\nhi\r\n";

/// Sends a message, and returns its ID.
async fn send(server: &Server, key: &AccessKey, recipients: &[&str], message: &str) -> String {
    let mut client = Client::logged_in("events", server, key).await;
    client.send("MAIL FROM:<news@example.com>\r\n").await;
    client.expect_line("250 Ok").await;
    for recipient in recipients {
        client.send(format!("RCPT TO:<{recipient}>\r\n")).await;
        client.expect_line("250 Ok").await;
    }
    client.send("DATA\r\n").await;
    client.expect_line("354 *").await;
    client.send(format!("{message}.\r\n")).await;
    let reply = client.line().await.unwrap();
    reply.strip_prefix("250 Ok ").unwrap_or_else(|| panic!("{reply}")).to_owned()
}

async fn ask(http: SocketAddr, request: &str) -> (u16, Value) {
    let answer = exchange(http, request, &[], "").await;
    (answer.status(), serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

/// Returns the events of a message.
async fn told(server: &Server, id: &str) -> Vec<Value> {
    let (status, answer) = ask(server.http, &format!("GET /_seskey/messages/{id}/events")).await;
    assert_eq!(status, 200, "{id}");
    let events = answer["events"].as_array().unwrap().iter();
    events.map(|it| it["Event"].clone()).collect()
}

fn types(events: &[Value]) -> String {
    let names = events.iter().map(|it| it["eventType"].as_str().unwrap());
    names.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_simulator_answers_as_its_address_says() {
    let (server, key) = started().await;
    for (to, expected, detail) in [
        ("bob@example.org", "Send Delivery", Value::Null),
        ("success@simulator.amazonses.com", "Send Delivery", Value::Null),
        ("bounce+1@simulator.amazonses.com", "Send Bounce", json!(["Permanent", "General"])),
        ("suppressionlist@simulator.amazonses.com", "Send Bounce", json!(["Permanent", "General"])),
        ("ooto@simulator.amazonses.com", "Send Delivery Bounce", json!(["Transient", "General"])),
        ("complaint@simulator.amazonses.com", "Send Delivery Complaint", Value::Null),
    ] {
        let id = send(&server, &key, &[to], MESSAGE).await;
        let events = told(&server, &id).await;
        assert_eq!(types(&events), expected, "{to}");
        let bounce = &events.last().unwrap()["bounce"];
        if !detail.is_null() {
            assert_eq!(json!([bounce["bounceType"], bounce["bounceSubType"]]), detail, "{to}");
        }
        assert_eq!(events[0]["mail"]["destination"], json!([to]));
        // bounces and complaints of the simulator do not put the address on the suppression list
        let again = send(&server, &key, &[to], MESSAGE).await;
        assert_eq!(types(&told(&server, &again).await), expected, "{to} again");
    }
}

#[tokio::test]
async fn an_event_is_waited_for() {
    let (server, key) = started().await;
    let http = server.http;
    assert_eq!(ask(http, "GET /_seskey/events?type=bounce&timeout=0").await.0, 204);
    for wrong in
        ["type=Opened", "type=Open", "since=yesterday", "timeout=601", "subject=hi", "timeout=x"]
    {
        assert_eq!(ask(http, &format!("GET /_seskey/events?{wrong}")).await.0, 400, "{wrong}");
    }
    let bounce = "GET /_seskey/events?type=Bounce&to=BOUNCE@simulator.amazonses.com&timeout=60";
    let waiting = tokio::spawn(ask(http, bounce));
    tokio::time::sleep(Duration::from_millis(50)).await;
    send(&server, &key, &["bob@example.org"], MESSAGE).await;
    let id = send(&server, &key, &["bounce@simulator.amazonses.com"], MESSAGE).await;
    let (status, found) = waiting.await.unwrap();
    assert_eq!((status, &found["Event"]["mail"]["messageId"]), (200, &json!(id)));
    let number = found["Id"].as_str().unwrap();

    for (query, expected) in [
        (format!("message={id}"), "Send"),
        (format!("message={id}&type=bounce"), "Bounce"),
        ("from=news@example.com&since=2020-01-01T00:00:00Z".to_owned(), "Send"),
        ("to=bob@example.org&type=Delivery".to_owned(), "Delivery"),
    ] {
        let (status, found) = ask(http, &format!("GET /_seskey/events?{query}")).await;
        assert_eq!((status, &found["Event"]["eventType"]), (200, &json!(expected)), "{query}");
    }
    assert_eq!(ask(http, "GET /_seskey/events?since=latest&timeout=0").await.0, 204);
    let after = format!("GET /_seskey/events?since={number}&timeout=0");
    assert_eq!(ask(http, &after).await.0, 204);
    assert_eq!(ask(http, "GET /_seskey/events?from=eve@example.com&timeout=0").await.0, 204);
    assert_eq!(ask(http, "GET /_seskey/messages/none/events").await.0, 404);
    assert_eq!(ask(http, "DELETE /_seskey/events").await.0, 204);
    assert_eq!(told(&server, &id).await, [json!(null); 0]);
}

/// A planned fate is that of its recipient alone, and a permanent one is remembered.
#[tokio::test]
async fn the_plan_has_a_fate_for_a_recipient() {
    let (server, key) = started().await;
    let plan = "[[event]]\nto = \"gone@*\"\nevent = \"Bounce\"\n\
        [[event]]\nto = \"full@*\"\ncalls = [1]\nevent = \"Bounce\"\nbounce = \"Transient/MailboxFull\"\n\
        [[event]]\nto = \"slow@*\"\nevent = \"DeliveryDelay\"\ndelay = \"MailboxFull\"\n\
        [[event]]\nto = \"angry@*\"\nevent = \"Complaint\"\n";
    server.set_faults(Plan::parse(plan).unwrap());
    let all =
        ["bob@b.example", "gone@b.example", "full@b.example", "slow@b.example", "angry@b.example"];
    let first = told(&server, &send(&server, &key, &all, MESSAGE).await).await;
    assert_eq!(types(&first), "Send Delivery Bounce Bounce DeliveryDelay Complaint");
    assert_eq!(first[1]["delivery"]["recipients"], json!([all[0], all[4]]));
    assert_eq!(first[3]["bounce"]["bouncedRecipients"][0]["status"], "5.2.2");
    assert_eq!(first[4]["deliveryDelay"]["delayType"], "MailboxFull");

    server.set_faults(Plan::default());
    let second = told(&server, &send(&server, &key, &all, MESSAGE).await).await;
    assert_eq!(types(&second), "Send Delivery Bounce Complaint");
    assert_eq!(second[1]["delivery"]["recipients"], json!([all[0], all[2], all[3]]));
    assert_eq!(second[2]["bounce"]["bounceSubType"], "OnAccountSuppressionList");
    assert_eq!(second[3]["complaint"]["complaintSubType"], "OnAccountSuppressionList");
}

/// A message with the test file for virus scanners is delivered to nobody.
#[tokio::test]
async fn what_is_harmful_is_thrown_away() {
    let (server, key) = started().await;
    let file =
        ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let message = format!("{MESSAGE}{file}\r\n");
    let id = send(&server, &key, &["bob@example.org"], &message).await;
    let events = told(&server, &id).await;
    assert_eq!(types(&events), "Reject");
    assert_eq!(events[0]["reject"], json!({"reason": "Bad content"}));
    assert_eq!(ask(server.http, "GET /_seskey/messages/wait?timeout=0").await.0, 204);
}

/// An event describes its message: the header as it was written, the sender, and the way it was sent.
#[tokio::test]
async fn an_event_describes_its_message() {
    let (server, key) = started().await;
    let message = format!(
        "X-SES-CONFIGURATION-SET: allowed\r\nX-SES-MESSAGE-TAGS: campaign=spring\r\n\
         Message-ID: <1@example.com>\r\n{MESSAGE}"
    );
    let id = send(&server, &key, &["bob@example.org"], &message).await;
    let mail = &told(&server, &id).await[1]["mail"];
    let names: Vec<&str> =
        mail["headers"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    let written =
        ["X-SES-CONFIGURATION-SET", "X-SES-MESSAGE-TAGS", "Message-ID", "From", "To", "Subject"];
    assert_eq!(names, written);
    assert_eq!(mail["commonHeaders"]["from"], json!(["News <news@example.com>"]));
    assert_eq!(
        mail["tags"],
        json!({
            "ses:operation": ["SendSmtpEmail"],
            "ses:configuration-set": ["allowed"],
            "ses:source-ip": ["127.0.0.1"],
            "ses:from-domain": ["example.com"],
            "campaign": ["spring"],
            "ses:caller-identity": ["mailer"],
            "ses:outgoing-ip": ["127.0.0.1"],
        })
    );
    for (lines, is_truncated) in [(1, false), (12, true)] {
        let message = format!("X-Long: {}\r\n", "x".repeat(900)).repeat(lines) + MESSAGE;
        let id = send(&server, &key, &["bob@example.org"], &message).await;
        assert_eq!(told(&server, &id).await[0]["mail"]["headersTruncated"], is_truncated);
    }
}
