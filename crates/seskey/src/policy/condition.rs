//! One key of a `Condition` element, with its operator and the values in the policy.

use super::{
    context::{Known, values_of},
    document::Effect,
    operator::{Comparison, Operator},
    value::Value,
};

/// `{ operator: { key: values } }`. All conditions of a statement must hold; one of the values is enough.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) test: Test,
    /// The condition key, in lower case.
    pub(super) key: String,
    pub(super) values: Vec<Value>,
}

/// An operator with its set operator and its `IfExists`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    set: Option<SetOperator>,
    pub(super) operator: &'static Operator,
    if_exists: bool,
}

/// The way to combine several values of a key in the request.
#[derive(Debug, Clone, Copy)]
enum SetOperator {
    ForAllValues,
    ForAnyValue,
}

impl Test {
    /// Parses a name such as `StringLike`, `ForAllValues:StringLike`, `StringLikeIfExists`; `Null` stands alone.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (set, name) = if let Some(name) = name.strip_prefix("ForAllValues:") {
            (Some(SetOperator::ForAllValues), name)
        } else if let Some(name) = name.strip_prefix("ForAnyValue:") {
            (Some(SetOperator::ForAnyValue), name)
        } else {
            (None, name)
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let operator = Operator::named(name)?;
        let alone = set.is_none() && !if_exists;
        (alone || !matches!(operator.comparison, Comparison::Null)).then_some(Self {
            set,
            operator,
            if_exists,
        })
    }
}

impl Condition {
    /// Whether the condition holds for a request with this context, in a statement of this effect.
    ///
    /// AWS does not say what several values in the request mean without a set operator. Here one match is enough, and
    /// under a negated operator none may match.
    pub(super) fn holds(&self, context: Known<'_>, effect: Effect) -> bool {
        let given = values_of(context, &self.key);
        let is_absent = given.is_empty();
        // "a null dataset, such as an empty string"
        let is_null = given.iter().all(String::is_empty);
        let Test { set, operator, if_exists } = self.test;
        if matches!(operator.comparison, Comparison::Null) {
            return self
                .values
                .iter()
                .any(|value| matches!(value, Value::Bool(wanted) if *wanted == is_null));
        }
        let mut compares = given.iter().map(|given| {
            let compared =
                self.values.iter().map(|value| value.compare(operator.comparison, given, context));
            satisfies(any(compared), operator.negated, effect)
        });
        match set {
            _ if is_absent && if_exists => true,
            Some(SetOperator::ForAllValues) => is_null || compares.all(|holds| holds),
            Some(SetOperator::ForAnyValue) => !is_null && compares.any(|holds| holds),
            None if operator.negated => compares.all(|holds| holds),
            None => compares.any(|holds| holds),
        }
    }
}

/// Whether one matched; `None` if none did and not all could be compared.
pub(super) fn any(mut compared: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    compared
        .try_fold(Some(false), |found, one| match one {
            Some(true) => Err(Some(true)),
            Some(false) => Ok(found),
            None => Ok(None),
        })
        .unwrap_or_else(|matched| matched)
}

/// Whether the operator holds. A value that cannot be compared never helps the requester.
pub(super) fn satisfies(matched: Option<bool>, negated: bool, effect: Effect) -> bool {
    match matched {
        Some(matched) => matched != negated,
        None => negated && effect == Effect::Deny,
    }
}
