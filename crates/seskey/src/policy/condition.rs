//! One key of a `Condition` element: its operator, and the values that the policy wants.

use super::{
    context::{Known, values_of},
    document::Effect,
    operator::{Comparison, Operator},
    value::Value,
};

/// `{ operator: { key: values } }`. All conditions of a statement must hold; of the values one is enough.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) test: Test,
    /// In lower case.
    pub(super) key: String,
    pub(super) values: Vec<Value>,
}

/// An operator with what may stand before and after its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    set: Option<SetOperator>,
    pub(super) operator: &'static Operator,
    if_exists: bool,
}

/// How the several values of a key in the request are taken together.
#[derive(Debug, Clone, Copy)]
enum SetOperator {
    ForAllValues,
    ForAnyValue,
}

impl Test {
    /// Such as `StringLike`, `ForAllValues:StringLike`, `StringLikeIfExists`; `Null` stands alone.
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
    /// Several values in the request without a set operator: AWS does not say. One that compares is enough, and
    /// under an operator that negates none may.
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

/// What cannot be compared is no match, and never helps the requester.
pub(super) fn satisfies(matched: Option<bool>, negated: bool, effect: Effect) -> bool {
    match matched {
        Some(matched) => matched != negated,
        None => negated && effect == Effect::Deny,
    }
}
