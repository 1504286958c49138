//! The mailbox API for test suites: waiting for a message, its links and codes, and Mailpit's API. No parameter is
//! ignored.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use seskey_local::server::{Config, Server};
use testkit::{
    smtp_client::{AccessKey, Client, create_access_key, create_mailer},
    wire::{Answer, exchange},
};

async fn started() -> (Server, AccessKey) {
    let server = Server::start(Config::ephemeral()).await.unwrap();
    create_mailer(&server);
    let key = create_access_key(&server);
    (server, key)
}

/// Sends a message to bob@example.org, and returns its ID.
async fn send(server: &Server, key: &AccessKey, message: &str) -> String {
    let mut client = Client::logged_in("mailbox", server, key).await;
    client.begin_message().await;
    client
        .send(format!("From: News <news@example.com>\r\nTo: bob@example.org\r\n{message}\r\n.\r\n"))
        .await;
    let reply = client.line().await.unwrap();
    reply.strip_prefix("250 Ok ").unwrap_or_else(|| panic!("{reply}")).to_owned()
}

async fn ask(address: SocketAddr, request: &str, body: &str) -> Answer {
    exchange(address, request, &[], body).await
}

async fn json_of(address: SocketAddr, request: &str) -> Value {
    let answer = ask(address, request, "").await;
    assert_eq!(answer.status(), 200, "{request}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

const PAGE: &str = "Subject: =?utf-8?q?Willkommen=E2=80=A6?=\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\n\
    Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    <p>Gr=FC=DFe: <a href=3D\"https://example.com/?a=3D1&amp;b=3D2\">654321</a><img src=3D\"cid:logo\">\r\n--r\r\n\
    Content-Type: image/gif\r\nContent-ID: <logo>\r\nContent-Disposition: inline; filename=logo.png\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nR0lGODlh\r\n--r\r\n\
    Content-Type: text/html\r\nContent-Disposition: attachment; filename=\"a.html\"\r\n\r\n\
    <script>alert(1)</script>\r\n--r--";

#[tokio::test]
async fn no_parameter_is_passed_over() {
    let (server, key) = started().await;
    send(&server, &key, "Subject: hi\r\n\r\nhi").await;
    for request in [
        "GET /_aws/ses?to=bob@example.org",
        "GET /_aws/ses?id=1&id=2",
        "GET /_aws/ses?limit=many",
        "DELETE /_aws/ses?to=bob@example.org",
        "DELETE /_aws/ses?after=1",
        "GET /_seskey/health?verbose",
        "GET /_seskey/clock?now",
        "DELETE /_seskey/faults?all=1",
        "GET /_seskey/messages/wait?recipient=bob@example.org",
        "GET /_seskey/messages/wait?timeout=1h",
        "GET /_seskey/messages/wait?timeout=3600",
        "GET /_seskey/messages/latest/links?all=1",
        "GET /api/v1/messages?page=2",
        "GET /api/v1/messages?limit=-1",
        "DELETE /api/v1/messages?ID=1",
        "GET /api/v1/search",
        "GET /api/v1/search?query=tag:x",
        "DELETE /api/v1/search?query=",
        "GET /api/v1/search?query=hi&tz=Europe/Berlin",
        "GET /view/latest.html?embed=1",
    ] {
        assert_eq!(ask(server.http, request, "").await.status(), 400, "{request}");
    }
    for body in ["{\"IDS\":[\"1\"]}", "[]", "x"] {
        assert_eq!(ask(server.http, "DELETE /api/v1/messages", body).await.status(), 400, "{body}");
    }
    let answer = ask(server.http, "GET /_aws/ses?to=a", "").await;
    assert!(answer.body.contains("to is not known here, which takes id, email, after, limit"));
    assert_eq!(json_of(server.http, "GET /api/v1/info").await["Messages"], 1, "none is gone");
}

#[tokio::test]
async fn a_message_is_waited_for() {
    let (server, key) = started().await;
    let http = server.http;
    let nothing = ask(http, "GET /_seskey/messages/wait?to=bob@example.org&timeout=0", "").await;
    assert_eq!((nothing.status(), nothing.body.as_str()), (204, ""));

    let waiting = tokio::spawn(async move {
        json_of(http, "GET /_seskey/messages/wait?to=BOB@example.org&subject=willkommen").await
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let other = send(&server, &key, "Subject: other\r\n\r\nhi").await;
    let page = send(&server, &key, PAGE).await;
    let found = waiting.await.unwrap();
    assert_eq!(found["Id"], *page);
    assert_eq!(found["Subject"], "Willkommen…");
    assert_eq!(found["Body"]["text_part"], Value::Null);
    assert!(found["Body"]["html_part"].as_str().unwrap().starts_with("<p>Grüße"), "{found}");

    for (query, id) in [
        ("", &other),
        ("from=news@example.com", &other),
        ("since=2020-01-01T00:00:00Z", &other),
        (&*format!("since={other}"), &page),
        ("subject=WILL", &page),
    ] {
        let found = json_of(http, &format!("GET /_seskey/messages/wait?{query}&timeout=5")).await;
        assert_eq!(found["Id"], **id, "{query}");
    }
    let first = json_of(http, "GET /_seskey/messages/wait?timeout=5").await;
    let unzoned = first["Timestamp"].as_str().unwrap();
    let again =
        json_of(http, &format!("GET /_seskey/messages/wait?since={unzoned}&timeout=5")).await;
    assert_eq!(again["Id"], *other, "a time as the mailbox shows it");
    for since in ["nonsense", "", "2999", "0102aa-gone"] {
        let answer = ask(http, &format!("GET /_seskey/messages/wait?since={since}"), "").await;
        assert_eq!(answer.status(), 400, "{since}");
    }
    for query in [
        "to=ann@example.org",
        "from=ann@example.org",
        "since=2999-01-01T00:00:00Z",
        "since=latest",
        "subject=none",
    ] {
        let answer = ask(http, &format!("GET /_seskey/messages/wait?{query}&timeout=0"), "").await;
        assert_eq!(answer.status(), 204, "{query}");
    }
    let of = |what: &str| format!("GET /_seskey/messages/{page}/{what}");
    assert_eq!(
        json_of(http, &of("links")).await,
        json!({"links": ["https://example.com/?a=1&b=2"]})
    );
    assert_eq!(json_of(http, &of("codes")).await, json!({"codes": ["654321"]}));
    assert_eq!(ask(http, "GET /_seskey/messages/none/codes", "").await.status(), 404);
}

/// A wait for the message after another finds it even if the other is deleted meanwhile.
#[tokio::test]
async fn a_wait_outlives_what_it_began_behind() {
    let (server, key) = started().await;
    let http = server.http;
    send(&server, &key, "Subject: 0\r\n\r\nhi").await;
    let first = send(&server, &key, "Subject: 1\r\n\r\nhi").await;
    let query = format!("GET /_seskey/messages/wait?since={first}&to=bob@example.org");
    let waiting = tokio::spawn(async move { json_of(http, &query).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    ask(http, &format!("DELETE /_aws/ses?id={first}"), "").await;
    let second = send(&server, &key, "Subject: 2\r\n\r\nhi").await;
    assert_eq!(waiting.await.unwrap()["Id"], *second);
}

/// A message that SES did not compose is shown like one that it composed.
#[tokio::test]
async fn mail_by_smtp_has_subject_and_body() {
    let (server, key) = started().await;
    send(&server, &key, "Subject: hi\r\n\r\none").await;
    send(&server, &key, &format!("Subject: long\r\n\r\n{}", "x\r\n".repeat(100_000))).await;
    let listed = json_of(server.http, "GET /_aws/ses").await;
    let [short, long] = &listed["messages"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!(short["Subject"], "hi");
    assert_eq!(short["Body"], json!({"html_part": null, "text_part": "one\r\n"}));
    assert!(long.get("Subject").is_none() && long["RawData"].as_str().unwrap().len() > 300_000);
}

#[tokio::test]
async fn clients_of_mailpit_find_what_they_know() {
    let (server, key) = started().await;
    let http = server.http;
    let first =
        send(&server, &key, "Subject: first\r\nMessage-ID: <m@example.com>\r\n\r\nhi  there\r\n")
            .await;
    let page = send(&server, &key, PAGE).await;

    let list = json_of(http, "GET /api/v1/messages?start=0&limit=1").await;
    assert_eq!(
        (&list["total"], &list["messages_count"], &list["unread"]),
        (&json!(2), &json!(2), &json!(2))
    );
    let [row] = &list["messages"].as_array().unwrap()[..] else { panic!("{list}") };
    assert_eq!(
        (&row["ID"], &row["Attachments"], &row["Read"]),
        (&json!(page), &json!(2), &json!(false))
    );
    assert_eq!(row["From"], json!({"Name": "News", "Address": "news@example.com"}));
    assert_eq!(row["Snippet"], "Grüße: 654321");

    let message = json_of(http, "GET /api/v1/message/latest").await;
    assert_eq!(message["To"], json!([{"Name": "", "Address": "bob@example.org"}]));
    let part = |list: &str| message[list][0]["PartID"].as_str().unwrap().to_owned();
    let (inline, attached) = (part("Inline"), part("Attachments"));
    assert_eq!(message["Attachments"][0]["FileName"], "a.html");
    let image = ask(http, &format!("GET /api/v1/message/{page}/part/{inline}"), "").await;
    assert_eq!((image.header("content-type"), image.body.as_str()), (Some("image/gif"), "GIF89a"));
    let found = json_of(http, "GET /api/v1/search?query=is:unread&limit=50").await;
    assert_eq!(found["messages"][0]["ID"], *first, "the other was read");

    let headers = json_of(http, &format!("GET /api/v1/message/{first}/headers")).await;
    assert_eq!(headers["Subject"], json!(["first"]));
    let raw = ask(http, &format!("GET /api/v1/message/{first}/raw"), "").await;
    assert!(raw.body.ends_with("\r\n\r\nhi  there\r\n\r\n"), "{}", raw.body);
    assert_eq!(ask(http, &format!("GET /view/{first}.txt"), "").await.body, "hi  there\r\n\r\n");
    assert_eq!(ask(http, &format!("GET /view/{first}.html"), "").await.status(), 404);

    // a part that a stranger wrote is not a page of this origin
    let view = ask(http, "GET /view/latest.html", "").await;
    // its images are embedded: a page of no origin may request none
    assert!(view.body.contains("src=\"data:image/gif;base64,R0lGODlh\""), "{}", view.body);
    let script = ask(http, &format!("GET /api/v1/message/{page}/part/{attached}"), "").await;
    assert_eq!(script.header("content-type"), Some("text/html"));
    for answer in [view, script, image, raw] {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("sandbox; default-src 'none';"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }

    let change = json!({"IDs": [], "Read": true}).to_string();
    assert_eq!(ask(http, "PUT /api/v1/messages", &change).await.body, "ok");
    assert_eq!(json_of(http, "GET /api/v1/messages").await["unread"], 0);
    let change = json!({"IDs": [first, "none"], "Read": false}).to_string();
    ask(http, "PUT /api/v1/messages", &change).await;
    assert_eq!(json_of(http, "GET /api/v1/messages").await["unread"], 1);
    ask(http, "DELETE /api/v1/search?query=subject:first", "").await;
    assert_eq!(json_of(http, "GET /api/v1/search?query=to:bob").await["messages_count"], 1);
    ask(http, "DELETE /api/v1/messages", &json!({"IDs": ["none"]}).to_string()).await;
    assert_eq!(json_of(http, "GET /api/v1/info").await["Messages"], 1);
    ask(http, "DELETE /api/v1/messages", "").await;
    assert_eq!(json_of(http, "GET /api/v1/messages").await["total"], 0);
    for path in ["message/latest", "chaos", "tags", "webui", "message/latest/html-check"] {
        assert_eq!(ask(http, &format!("GET /api/v1/{path}"), "").await.status(), 404, "{path}");
    }
}
