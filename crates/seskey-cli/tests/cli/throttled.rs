//! IAM throttles an account that has many users: the verbs that read them slow down, and succeed.

use std::thread;

use testkit::{
    apis::Iam,
    process::{LocalSes, seskey},
};

/// Each user has a key that is younger than the credential report, so that the key is looked up by itself.
const USERS: usize = 20;

#[test]
fn what_reads_many_users_goes_slower() {
    thread::scope(|scope| {
        for (per_second, burst) in [(5, 20), (3, 3)] {
            scope.spawn(move || read_slowly(per_second, burst));
        }
    });
}

fn read_slowly(per_second: usize, burst: usize) {
    let home = tempfile::tempdir().unwrap();
    let local = LocalSes::start(home.path(), &[], &[]);
    let iam = Iam::of(&local);
    // a report without these users
    iam.done("GenerateCredentialReport", &[]);
    for n in 0..USERS {
        iam.sender(&format!("app-{n}"));
    }
    let plan = format!("[[rate]]\nper-second = {per_second}\nburst = {burst}\n");
    let (status, body) = iam.post("iam", "/_seskey/faults", "application/toml", &plan).unwrap();
    assert_eq!(status, 204, "{body}");
    for verb in ["audit", "list"] {
        let output = seskey(home.path())
            .args([verb, "--json"])
            .env("AWS_ENDPOINT_URL", format!("http://{}", local.at("/http")))
            .env("AWS_ACCESS_KEY_ID", local.at("/root/access_key_id"))
            .env("AWS_SECRET_ACCESS_KEY", local.at("/root/secret_access_key"))
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap();
        let (said, told) = (String::from_utf8_lossy(&output.stderr), &output.stdout);
        assert!(output.status.success(), "{verb} at {per_second} a second: {said}");
        let told = String::from_utf8_lossy(told);
        assert_eq!(told.matches("\"app-").count() / USERS, 1, "{verb}: {told}");
    }
}
