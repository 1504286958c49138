//! The AWS stores against moto, an emulator that is not ours, with injected faults.
//!
//! The SDK takes the endpoints of the stores from the environment. So the cases are marked as ignored, and one test
//! runs them in a process of their own.

mod faults;
mod object;
mod probe;
mod proxy;
mod secrets_manager;
mod server;
mod ssm;
mod stage;

use std::{
    env,
    io::{self, Write},
    process::Command,
};

use server::Moto;

#[test]
fn against_moto() {
    let Some(moto) = Moto::start() else {
        assert!(env::var_os("CI").is_none(), "moto_server is not installed");
        // straight to the terminal: the output of a test is not shown when it passes
        writeln!(io::stderr(), "SKIPPED: moto_server is not installed, see tests/peers/install")
            .unwrap();
        return;
    };
    let endpoint = proxy::start(moto.address);
    for names in [
        &["AWS_ENDPOINT_URL"][..],
        &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_SSM"],
    ] {
        let environment = [
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ];
        let cases = Command::new(env::current_exe().unwrap())
            .args(["moto::", "--ignored", "--test-threads=8"])
            .env_clear()
            .envs(environment)
            .envs(names.iter().map(|name| (name, &endpoint)))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&cases.stdout);
        assert!(cases.status.success() && !said.contains("running 0 tests"), "{names:?}: {said}");
    }
}
