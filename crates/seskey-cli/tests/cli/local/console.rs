//! The pages of the console, as a browser requests them.

mod beyond;
mod browser;
mod killed;
mod once;
mod permissions;

use std::{fs, path::Path, process::Command};

use testkit::{
    apis::{Iam, advance},
    process::{Console, LocalSes, seskey},
};

use self::browser::{Browser, FORM, encoded};

/// Starts a local SES, and a browser that has opened its pages.
fn opened(folder: &Path, arguments: &[&str]) -> (LocalSes, Browser) {
    let local = LocalSes::start(folder, arguments, &[]);
    let browser = Browser::open(local.at("/console"));
    (local, browser)
}

/// Returns a command of the program with the environment that leads to a local SES, as its root user.
fn client(folder: &Path, local: &LocalSes) -> Command {
    let mut command = seskey(folder);
    command
        .env("AWS_ENDPOINT_URL", local.at("/endpoint_url"))
        .env("AWS_ACCESS_KEY_ID", local.at("/root/access_key_id"))
        .env("AWS_SECRET_ACCESS_KEY", local.at("/root/secret_access_key"))
        .env("AWS_REGION", local.at("/region"))
        .env("SESKEY_SMTP_ENDPOINT", local.at("/smtp"))
        .env("SESKEY_CA_FILE", local.at("/ca_file"));
    command
}

#[test]
fn the_printed_address_opens_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalSes::start(folder.path(), &[], &[]);
    let console = Console::start(client(folder.path(), &local), &[]);
    for (url, reading) in [(console.url.as_str(), 403), (local.at("/console"), 200)] {
        let stranger = Browser::stranger(url);
        for path in
            ["/", "/credentials", "/credentials/new", "/credentials?token=", "/?region=eu-west-1"]
        {
            let page = stranger.get(path);
            assert_eq!(page.status, reading, "{path}");
            assert!(!page.body.contains("form_token") && page.header("set-cookie").is_none());
        }
        let wrong = stranger.get(&format!("/?token={}", "0".repeat(32)));
        assert_eq!((wrong.status, wrong.header("set-cookie")), (403, None));
        let filled_in = encoded([("user", "app"), ("step", "begin"), ("form_token", "")]);
        assert_eq!(stranger.send("POST", "/credentials/new", &[FORM], &filled_in).status, 403);
        let right = stranger.get(&url[url.find("/?").unwrap()..]);
        assert_eq!((right.status, right.header("location")), (303, Some("/")));
        let cookie = right.header("set-cookie").unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        let token = url.split("token=").nth(1).unwrap();
        for path in ["//evil.example/", "/\\evil.example/", "///evil.example/"] {
            let moved = stranger.get(&format!("{path}?token={token}"));
            assert_eq!(moved.header("location"), Some("/evil.example/"), "{path}");
        }
        let browser = Browser::open(url);
        let pages = ["/", "/credentials/new"].map(|path| browser.get(path));
        assert!(pages.iter().all(|page| page.status == 200 && !page.body.contains(token)));
        assert!(!cookie.contains(token) && !cookie.contains(&browser.form_token));
    }
}

/// Ignored, it would seem to have had an effect.
#[test]
fn a_parameter_that_a_page_does_not_know_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_local, browser) = opened(folder.path(), &[]);
    for (path, takes) in [
        ("/?Region=eu-west-1", "it takes region"),
        ("/credentials?user=app", "it takes name, status, older, all"),
        ("/credentials/new?region=eu-west-1&form=bob@example.com", "it takes user, region, style"),
        ("/credentials/app?check=1&form=a@example.com", "it takes check, diagnose, from, to"),
        ("/credentials/app/rotate?now=1", "it takes none"),
        ("/mailbox?from=ann@example.com", "it takes query, show, start"),
        ("/mailbox/delete?id=1", "it takes none"),
        ("/mailbox/1/text?raw", "it takes none"),
        ("/jobs/1?x=%3Cb%3E", "it takes none"),
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, 400, "{path}");
        assert!(
            page.body.contains("this page has no parameter") && page.body.contains(takes),
            "{path}"
        );
        assert!(!page.body.contains("<b>"), "{path}");
    }
    let filled_in =
        encoded([("user", "app"), ("step", "begin"), ("form_token", &browser.form_token)]);
    assert_eq!(browser.send("POST", "/credentials/new?dry-run", &[FORM], &filled_in).status, 400);
    assert!(!browser.get("/credentials?all=on").body.contains(">app<"));
    for path in [
        "/credentials/new?user=app&tag=a%3Db",
        "/credentials?name=&status=&older=",
        "/mailbox?show=refused",
    ] {
        assert_eq!(browser.get(path).status, 200, "{path}");
    }
}

#[test]
fn a_form_counts_from_its_own_page_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (_local, browser) = opened(folder.path(), &[]);
    let own = format!("Origin: http://{}", browser.address);
    let form = |token: &str| encoded([("user", "app"), ("step", "begin"), ("form_token", token)]);
    let right = form(&browser.form_token);
    let zeros = form(&"0".repeat(32));
    for (fields, body, status) in [
        (vec![FORM], "user=app&step=begin", 403),
        (vec![FORM], zeros.as_str(), 403),
        (vec!["Content-Type: text/plain"], &right, 403),
        (vec![], &right, 403),
        (vec![FORM, "Origin: http://evil.example"], &right, 403),
        (vec![FORM, "Origin: null"], &right, 403),
        (vec![FORM, &own, "Sec-Fetch-Site: cross-site"], &right, 403),
        (vec![FORM, "Sec-Fetch-Site: same-site"], &right, 403),
        (vec![FORM, "Host: evil.example"], &right, 421),
    ] {
        let page = browser.send("POST", "/credentials/new", &fields, body);
        assert_eq!(page.status, status, "{fields:?} {}", page.body);
    }
    assert!(browser.get("/credentials").body.contains("No user may send"));
    assert_eq!(browser.send("POST", "/credentials/new", &[FORM, &own], &right).status, 303);
}

#[test]
fn every_answer_keeps_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (local, browser) = opened(folder.path(), &[]);
    let (job, _) = browser.done("/credentials/new", &[("user", "app"), ("region", "us-east-1")]);
    let stranger = Browser::stranger(local.at("/console"));
    let answers = [
        browser.get("/"),
        browser.get("/nothing"),
        browser.get("/credentials/nobody"),
        browser.get("/console/app.css"),
        browser.get("/console/app.js"),
        browser.get(&job),
        browser.get(&format!("{job}/events")),
        browser.get("/jobs/99"),
        browser.post(&format!("{job}/show"), &[]),
        browser.post(&format!("{job}/show"), &[]),
        browser.post("/credentials/new", &[("user", "other"), ("step", "review")]),
        browser.post("/credentials/new", &[("user", "a b"), ("step", "review")]),
        browser.send("PUT", "/credentials", &[], ""),
        stranger.post("/credentials/new", &[]),
        stranger.get("/?token=x"),
    ];
    let statuses = answers.each_ref().map(|answer| answer.status);
    assert_eq!(
        statuses,
        [200, 404, 404, 200, 200, 200, 200, 404, 200, 410, 200, 422, 405, 403, 403]
    );
    for answer in &answers {
        let policy = answer.header("content-security-policy").expect(&answer.head);
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        for (name, value) in [
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.head);
        }
        assert!(["no-store", "no-cache"].contains(&answer.header("cache-control").unwrap()));
        // the page needs nothing that the policy forbids
        assert!(!answer.body.contains("style=") && !answer.body.contains("onclick"));
    }
}

#[test]
fn the_root_is_still_the_path_of_the_apis() {
    let folder = tempfile::tempdir().unwrap();
    let (_local, browser) = opened(folder.path(), &[]);
    let is_page = |answer: &browser::Page| answer.body.starts_with("<!doctype html>");
    for path in ["/", "/?region=eu-west-1", "/?token=wrong"] {
        assert!(is_page(&browser.get(path)), "{path}");
    }
    for path in ["/?Action=GetUser&Version=2010-05-08", "/?X-Amz-Signature=0"] {
        assert!(browser.get(path).body.contains("<ErrorResponse"), "{path}");
    }
    let signed = browser.send("GET", "/", &["Authorization: AWS4-HMAC-SHA256 x"], "");
    let posted = browser.send("POST", "/", &[FORM], "Action=GetUser&Version=2010-05-08");
    assert!(!is_page(&signed) && !is_page(&posted));
    assert_eq!(browser.get("/_seskey/health").body, r#"{"status":"ok"}"#);
}

#[test]
fn what_people_type_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let (local, browser) = opened(folder.path(), &[]);
    for name in
        ["<script>alert(1)</script>", "a'b", "a\"onfocus=\"x", "\u{202e}ppa", "--help", "a\nb"]
    {
        let page = browser.post("/credentials/new", &[("user", name), ("step", "review")]);
        assert_eq!(page.status, if name == "--help" { 200 } else { 422 }, "{name}");
        assert!(!page.body.contains("<script>alert") && !page.body.contains("\"onfocus"), "{name}");
        let path = format!("/credentials/{}", encoded([(name, "")]).trim_end_matches('='));
        let page = browser.get(&path);
        assert!([404, 422].contains(&page.status), "{name} {}", page.status);
        assert!(!page.body.contains("<script>alert") && !page.body.contains('\u{202e}'), "{name}");
    }
    for (name, path) in [
        ("new", "/credentials/%6Eew"),
        ("=1+1", "/credentials/%3D1%2B1"),
        ("--all", "/credentials/%2D%2Dall"),
    ] {
        let fields = [("user", name), ("region", "us-east-1"), ("tag", "note=a b")];
        let (job, page) = browser.done("/credentials/new", &fields);
        assert!(page.body.contains("Retrieve SMTP credentials"), "{name}: {}", page.text());
        assert!(page.body.contains(&format!("href=\"{path}\"")), "{}", page.body);
        assert!(browser.get(path).body.contains("AKIA"), "{name}");
        let csv = browser.post(&format!("{job}/file"), &[("target", "csv")]);
        let cell = csv.body.lines().nth(1).unwrap().split(',').next().unwrap();
        assert_eq!(cell, if name == "new" { name.to_owned() } else { format!("'{name}") });
    }
    assert!(!local.log().contains("panicked"));
}

#[test]
fn each_deed_is_shown_and_then_done() {
    let folder = tempfile::tempdir().unwrap();
    let (_local, browser) = opened(folder.path(), &[]);
    browser
        .done("/credentials/new", &[("user", "app"), ("region", "us-east-1"), ("style", "inline")]);
    let store = format!("file:{}", folder.path().join("app.env").display());
    let review = |deed: &str, fields: &[(&str, &str)], says: &str| {
        let path = format!("/credentials/app/{deed}");
        let page = browser.post(&path, &[fields, &[("step", "review")]].concat());
        assert!(page.text().contains(says), "{deed}: {}", page.text());
        path
    };
    let done = |path: &str, fields: &[(&str, &str)], says: &str| {
        let (_, page) = browser.done(path, fields);
        assert!(page.text().contains(says), "{path}: {}", page.text());
    };
    let fields = [("to", store.as_str()), ("now", "yes")];
    let path = review("rotate", &fields, "app: create an access key");
    assert!(!folder.path().join("app.env").exists(), "a plan changes nothing");
    done(&path, &fields, "app: handed over the access key");
    assert!(fs::read_to_string(folder.path().join("app.env")).unwrap().contains("SMTP_PASSWORD"));
    for store in [
        "exec:id >ran",
        "kubernetes:ns/name?kubectl=/bin/true",
        "kubernetes:ns/name?kubeconfig=/etc/hostname",
    ] {
        for deed in ["rotate", "revoke"] {
            let path = review(deed, &[("to", store)], "a page runs no commands");
            assert_eq!(browser.post(&path, &[("to", store), ("step", "begin")]).status, 422);
        }
    }
    let path = review("revoke", &[], "app: deactivate the access key AKIA");
    let unmarked = browser.post(&path, &[("step", "begin")]);
    assert!(unmarked.status == 422 && unmarked.text().contains("the box is not ticked"));
    done(&path, &[("confirm", "yes")], "app: deactivated AKIA");
    done(&review("undo", &[], "again"), &[], "activated the access key");
    let path = review("migrate", &[], "add app to group AWSSESSendingGroupDoNotRename");
    done(&path, &[], "Done.");
    let check = browser.get("/credentials/app?check=yes&from=a@example.com&to=b@example.net");
    assert!(check.text().contains("It may send: allowed by statement"), "{}", check.text());
    let diagnosed = browser.get("/credentials/app?diagnose=yes&from=a@example.com");
    assert!(diagnosed.text().contains("nothing wrong was found"), "{}", diagnosed.text());
    let path = review("delete", &[], "delete user arn:aws:iam::000000000000:user/app");
    for wrong in ["", "ap", "App"] {
        let page = browser.post(&path, &[("confirm", wrong), ("step", "begin")]);
        assert!(page.text().contains("this is not the name of the user"), "{wrong}");
    }
    done(&path, &[("confirm", "app")], "deleted user");
    let gone = browser.get("/credentials/app");
    // the job is still found
    assert!(gone.status == 404 && gone.body.contains("href=\"/jobs/1\""), "{}", gone.text());
}

/// The ages of keys follow the moved clock of the local SES, not the machine's.
#[test]
fn ages_are_by_the_clock_of_the_local_ses() {
    let folder = tempfile::tempdir().unwrap();
    let (local, browser) = opened(folder.path(), &[]);
    Iam::of(&local).sender("app");
    advance(&local, "100d");
    for path in ["/credentials", "/credentials/app"] {
        let page = browser.get(path);
        assert!(page.text().contains("100 days"), "{path}: {}", page.text());
    }
}
