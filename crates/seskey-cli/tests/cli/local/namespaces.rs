//! Networks that block everything or something, in namespaces of their own, where the endpoints have their real names
//! and ports, and packets are dropped or have no route.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::{env, fs, path::Path, process::Command};

use serde_json::Value;

/// The script that sets up the network, and runs the cases in it.
const NETWORK: &str = r#"
set -e
ip link set lo up
# a device that nobody reads: what is sent there is never answered
ip tuntap add dev silent mode tun
ip link set silent up
ip addr add 192.0.2.10/32 dev lo
ip route add 203.0.113.0/24 dev silent
# packets to port 25 go there, before the table of what is local is looked at
ip rule add pref 1000 lookup local
ip rule del pref 0
ip rule add pref 10 ipproto tcp dport 25 lookup 100
ip route add default dev silent src 192.0.2.10 table 100
mount --bind hosts /etc/hosts
exec seskey local --http 127.0.0.1:4566 --smtp 192.0.2.10:587 --smtps 192.0.2.10:465 -- sh -e cases.sh
"#;

/// The address of eu-west-1 has no route; the address of eu-central-1 never answers; ap-south-1 has no address.
const HOSTS: &str = "\
127.0.0.1 localhost
192.0.2.10 email-smtp.us-east-1.amazonaws.com
198.51.100.7 email-smtp.eu-west-1.amazonaws.com
203.0.113.7 email-smtp.eu-central-1.amazonaws.com
";

/// Region and port, the first cause, its certainty, and a word of its evidence; without a cause, nothing is wrong.
const CASES: [(&str, u16, &str, &str, &str); 8] = [
    ("us-east-1", 587, "", "", ""),
    ("us-east-1", 465, "", "", ""),
    ("us-east-1", 25, "port-blocked", "certain", "and 465, 587 do"),
    ("us-east-1", 2587, "other-port-blocked", "certain", "and 465, 587 do"),
    ("eu-west-1", 587, "all-ports-blocked", "certain", "none of the ports"),
    ("eu-central-1", 25, "all-ports-blocked", "certain", "none of the ports"),
    ("ap-south-1", 587, "dns-failure", "certain", "no address"),
    WITH_IPV6,
];

/// From this case on, the name has an IPv6 address too, which has no route.
const WITH_IPV6: (&str, u16, &str, &str, &str) =
    ("us-east-1", 465, "ipv6-broken", "possible", "over IPv4 and not over IPv6");

#[test]
fn what_the_network_blocks_is_named() {
    let trial =
        "ip tuntap add dev silent mode tun && ip rule add pref 10 ipproto tcp dport 25 lookup 100";
    let trial = Command::new("unshare").args(["-rnm", "sh", "-c", trial]).output();
    if !trial.is_ok_and(|output| output.status.success()) {
        assert!(
            env::var_os("CI").is_none(),
            "no namespaces, or no iproute2, and CI must have them"
        );
        eprintln!("SKIPPED: blocked ports and broken routes, for there are no namespaces here");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    write("hosts", HOSTS);
    write("network.sh", NETWORK);
    // the endpoint in the environment would replace the real one
    let mut script =
        "unset SESKEY_SMTP_ENDPOINT AWS_REGION\nprintf %s \"$SMTP_PASSWORD\" >password\n"
            .to_owned();
    for (number, case) in CASES.iter().enumerate() {
        let (region, port, ..) = case;
        let host = format!("email-smtp.{region}.amazonaws.com");
        // the earlier cases run at the same time
        if case == &WITH_IPV6 {
            script += &format!("wait\necho 2001:db8::7 {host} >>hosts\n");
        }
        script += &format!(
            "seskey diagnose --json --user-name \"$SMTP_USERNAME\" --password-file password \
             --host {host} --port {port} >{number}.json &\n"
        );
    }
    write("cases.sh", &(script + "wait\n"));
    let folder = Path::new(env!("CARGO_BIN_EXE_seskey")).parent().unwrap();
    let output = Command::new("unshare")
        .args(["-rnm", "sh", "network.sh"])
        .current_dir(home.path())
        .env("PATH", format!("{}:{}", folder.display(), env::var("PATH").unwrap()))
        .env_remove("SESKEY_SMTP_ENDPOINT")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (number, (region, port, id, certainty, evidence)) in CASES.iter().enumerate() {
        let answer = fs::read(home.path().join(format!("{number}.json"))).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let first = &answer["causes"][0];
        let text = |name: &str| first[name].as_str().unwrap_or_default();
        assert_eq!((text("id"), text("certainty")), (*id, *certainty), "{region} {port}: {answer}");
        assert!(text("evidence").contains(evidence), "{answer}");
    }
}
