//! The variables of the environment.

use std::env;

/// Returns the value of a variable, unless it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
