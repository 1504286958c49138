//! Passwords per second: for one region, for all regions of one key, for many keys on all cores; and the same by the
//! crate `hmac`, and in Python.

#![allow(clippy::unwrap_used)]

use std::{hint::black_box, process::Command, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use seskey::{Region, SecretAccessKey, SmtpPassword, derive_each};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const KEYS: usize = 20_000;

fn passwords(criterion: &mut Criterion) {
    let secret = SecretAccessKey::parse(SECRET).unwrap();
    let region = Region::parse("us-east-1").unwrap();
    let regions: Vec<Region> = Region::with_smtp().collect();
    let key = |n| SecretAccessKey::parse(&format!("{n:040}")).unwrap();
    let keys: Vec<SecretAccessKey> = (0..KEYS).map(key).collect();
    let derive = |secret: &SecretAccessKey| drop(black_box(SmtpPassword::derive(secret, &region)));

    let mut group = criterion.benchmark_group("passwords");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one region", |bench| bench.iter(|| derive(black_box(&secret))));
    let by_hmac =
        |region: &Region| drop(black_box(signature(&date_key(black_box(SECRET)), region)));
    group.bench_function("one region, by the crate hmac", |bench| bench.iter(|| by_hmac(&region)));
    group.bench_function("one region, in Python", |bench| bench.iter_custom(python));

    group.throughput(Throughput::Elements(regions.len() as u64));
    group.bench_function("all regions of one key", |bench| {
        bench.iter(|| {
            let rows = regions.iter().map(|region| (black_box(&secret), region));
            derive_each(rows).for_each(|password| drop(black_box(password)));
        });
    });

    group.bench_function("all regions of one key, by the crate hmac", |bench| {
        bench.iter(|| {
            let date = date_key(black_box(SECRET));
            regions.iter().for_each(|region| drop(black_box(signature(&date, region))));
        });
    });

    group.throughput(Throughput::Elements(KEYS as u64));
    group
        .bench_function("many keys, one core", |bench| bench.iter(|| keys.iter().for_each(derive)));
    group.bench_function("many keys, all cores", |bench| {
        bench.iter(|| keys.par_iter().for_each(derive));
    });
}

/// Computes the step that all regions share.
fn date_key(secret: &str) -> Hmac<Sha256> {
    let key = Zeroizing::new(format!("AWS4{secret}"));
    signed(Hmac::new_from_slice(key.as_bytes()).unwrap(), b"11111111")
}

/// Computes the signature in a password, not yet as Base64.
fn signature(date: &Hmac<Sha256>, region: &Region) -> Hmac<Sha256> {
    let messages = [region.as_str().as_bytes(), b"ses", b"aws4_request", b"SendRawEmail"];
    messages.into_iter().fold(date.clone(), signed)
}

/// Returns the signature of a message, as the next key.
fn signed(mut key: Hmac<Sha256>, message: &[u8]) -> Hmac<Sha256> {
    key.update(message);
    let mut signature = key.finalize().into_bytes();
    let next = Hmac::new_from_slice(&signature).unwrap();
    signature.zeroize();
    next
}

/// Returns the time that Python takes for so many passwords, without its start.
#[expect(clippy::disallowed_methods, reason = "a benchmark is no part of the library")]
fn python(count: u64) -> Duration {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/derive.py");
    let count = count.to_string();
    let output =
        Command::new("python3").args([script, "--count", &count, SECRET, "us-east-1"]).output();
    let output = output.expect("the comparison needs python3");
    Duration::from_secs_f64(String::from_utf8(output.stdout).unwrap().trim().parse().unwrap())
}

criterion_group!(benches, passwords);
criterion_main!(benches);
