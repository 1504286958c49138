//! The SMTP password of a secret access key, for every region with an SMTP endpoint.

#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;

use seskey::{Region, SecretAccessKey, SmtpPassword};

fn main() -> Result<(), Box<dyn Error>> {
    let secret: SecretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".parse()?;
    for region in Region::with_smtp() {
        // a password is printed only on request
        println!("{region} {}", SmtpPassword::derive(&secret, &region).expose());
    }
    Ok(())
}
