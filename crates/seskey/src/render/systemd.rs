//! A file for `EnvironmentFile=` of systemd. Source: systemd.exec(5).

use super::{
    Grammar, Row, Target,
    assignments::{Syntax, held, render, values},
    names::{VARIABLES, is_variable, none},
};

pub(super) const ROW: Row = Row {
    target: Target::Systemd,
    name: "systemd",
    description: "an EnvironmentFile= of systemd",
    file: "",
    source: "systemd.exec(5), EnvironmentFile=",
    judge: "the reader of environment.d",
    names: VARIABLES,
    whole: false,
    entry_fits: none,
    namespace_fits: none,
    key_fits: is_variable,
    grammar: Grammar::Own {
        render: |entry, names, before| render(Syntax::Systemd, entry, names, before),
        held: |text, names, place| held(Syntax::Systemd, text, names, place),
        values: |text, _| values(Syntax::Systemd, text),
    },
};
