//! A diagnosis of typed values: from the text of a file to the causes, with and without the secret access key.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use seskey::{
    Secret, SecretAccessKey,
    diagnose::{Evidence, FileValues, Values, diagnose},
};

const FILE: &str = "[email-smtp.eu-west-1.amazonaws.com]:587 AKIAI44QH8DHBABCDEFG:BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9\n";
const SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbIAMSECRET+";

fn judgment(secret: Option<&SecretAccessKey>) -> usize {
    let file = FileValues::read(black_box(FILE));
    let evidence = Evidence::of(Values {
        user_name: file.user_name.as_ref().map(Secret::expose),
        password: file.password.as_ref().map(Secret::expose),
        secret,
        host: file.host.as_deref(),
        port: file.port,
        place: file.place,
        tls_mode: file.tls_mode,
        ..Values::default()
    });
    diagnose(&evidence).findings.len()
}

fn diagnoses(criterion: &mut Criterion) {
    let secret = SecretAccessKey::parse(SECRET).unwrap();
    let mut group = criterion.benchmark_group("diagnose");
    group.bench_function("a file", |bench| bench.iter(|| judgment(None)));
    group.bench_function("a file and a secret access key", |bench| {
        bench.iter(|| judgment(Some(&secret)));
    });
    group.finish();
}

criterion_group!(benches, diagnoses);
criterion_main!(benches);
