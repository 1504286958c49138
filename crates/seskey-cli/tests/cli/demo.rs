//! The README's first command.

use std::process::Command;

use serde_json::Value;

#[test]
fn every_step_holds() {
    let output = Command::new(env!("CARGO_BIN_EXE_seskey"))
        .args(["demo", "--json"])
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["held"], true);
    let details: Vec<&str> = answer["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["detail"].as_str().unwrap())
        .collect();
    let replies = |code: &str| details.iter().filter(|detail| detail.starts_with(code)).count();
    assert_eq!((replies("235 "), replies("250 "), replies("535 "), replies("554 ")), (5, 1, 6, 1));
}
