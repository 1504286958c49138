//! The console at an address that other machines reach.

use std::fs;

use testkit::{process::Console, tls::issue};

use super::{Browser, FORM, client, encoded, opened};

/// Beyond this machine, the console speaks TLS to every client, and shows its pages to clients with the token.
#[test]
fn other_machines_reach_it_by_tls_and_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let (local, _) = opened(folder.path(), &[]);
    let issued = issue("console.example", 4000);
    fs::write(folder.path().join("cert.pem"), issued.certificate.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), issued.key.serialize_pem()).unwrap();
    let options = ["--listen", "0.0.0.0:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let named = [&options[..], &["--host-name", "console.example"]].concat();
    let console = Console::start(client(folder.path(), &local), &named);
    assert!(console.url.starts_with("https://console.example:"), "{}", console.url);

    let stranger = Browser::trusting(&console.url, &issued.ca_pem);
    for path in ["/", "/credentials", "/credentials/new", "/?token=00", "/jobs/1"] {
        let page = stranger.get(path);
        assert_eq!((page.status, page.header("set-cookie")), (403, None), "{path}");
        assert!(!page.body.contains("form_token"), "{path}");
    }
    assert_eq!(stranger.send("GET", "/", &["Host: evil.example"], "").status, 421);
    let opened = stranger.get(&console.url[console.url.find("/?").unwrap()..]);
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");

    let browser = stranger.opened(&console.url);
    assert_eq!(browser.get("/credentials").status, 200);
    let fields = [("user", "app"), ("step", "review")];
    assert_eq!(browser.post("/credentials/new", &fields).status, 200);
    // the same host without TLS is another origin
    let clear = format!("Origin: http://{}", browser.address);
    let form = encoded(fields.into_iter().chain([("form_token", browser.form_token.as_str())]));
    assert_eq!(browser.send("POST", "/credentials/new", &[FORM, &clear], &form).status, 403);

    let port = browser.address.rsplit_once(':').unwrap().1;
    let clear = Browser::answer_in_clear(port.parse().unwrap());
    assert!(!clear.contains("HTTP/") && !clear.contains("html"), "{clear}");
}
