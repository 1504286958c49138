//! Passwords a second: one region, all regions of one key, many keys on all cores.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use seskey::{Region, SecretAccessKey, SigningDate, SmtpPassword};

const KEYS: usize = 20_000;

fn benches(criterion: &mut Criterion) {
    let secret = SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
    let region = Region::parse("us-east-1").unwrap();
    let regions: Vec<Region> = Region::with_smtp().collect();
    let keys: Vec<SecretAccessKey> =
        (0..KEYS).map(|n| SecretAccessKey::parse(&format!("{n:040}")).unwrap()).collect();

    let mut group = criterion.benchmark_group("derive");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one region", |bench| {
        bench.iter(|| SmtpPassword::derive(black_box(&secret), black_box(&region)))
    });

    group.throughput(Throughput::Elements(regions.len() as u64));
    group.bench_function("all regions of one key", |bench| {
        bench.iter(|| {
            let date = SigningDate::new(black_box(&secret));
            for region in &regions {
                black_box(date.password(region));
            }
        });
    });

    group.throughput(Throughput::Elements(KEYS as u64));
    group.bench_function("many keys on one core", |bench| {
        bench.iter(|| {
            keys.iter().for_each(|secret| drop(black_box(SmtpPassword::derive(secret, &region))))
        });
    });
    group.bench_function("many keys on all cores", |bench| {
        bench.iter(|| {
            keys.par_iter()
                .for_each(|secret| drop(black_box(SmtpPassword::derive(secret, &region))))
        });
    });
}

criterion_group!(passwords, benches);
criterion_main!(passwords);
