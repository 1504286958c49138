//! Why an object of S3 was not read, in sentences.

use seskey_aws::{Cause, Denial, object::ObjectError};

use super::{Failure, aws};

pub(crate) fn failure(bucket: &str, key: &str, error: &ObjectError) -> Failure {
    let object = format!("s3://{bucket}/{key}");
    match error {
        ObjectError::Call(error) => {
            let failure = aws::failure(error);
            match &error.cause {
                Cause::NoSuchEntity { message } => Failure::new(
                    format!("there is no {object}: {message}"),
                    "check the bucket and the key; a key does not begin with a slash",
                ),
                // S3 does not tell a caller that may not list whether the object is missing
                Cause::AccessDenied { denial: Denial::NotAllowed, .. } => Failure::new(
                    format!("{object}: {}", failure.message),
                    format!(
                        "permit s3:GetObject on arn:aws:s3:::{bucket}/{key} and, if it is encrypted by a key of your own, \
                         kms:Decrypt; without s3:ListBucket this is also the answer where there is no such key"
                    ),
                ),
                Cause::Unreadable => Failure::new(
                    format!("{object}: the answer cannot be read"),
                    "check that AWS_ENDPOINT_URL_S3 leads to S3",
                ),
                _ => Failure { message: format!("{object}: {}", failure.message), ..failure },
            }
        }
        ObjectError::TooLarge { limit } => Failure::new(
            format!("{object} has more than {} MiB", limit >> 20),
            "it is to be a seskey.toml: check the key",
        ),
        error => {
            Failure::new(format!("{object}: {error}"), "it is to be a seskey.toml: check the key")
        }
    }
}
