//! One manual page, in the macros of man(7). `mandoc -T lint` finds no fault in it.

use clap::{Arg, ArgAction, Command, builder::PossibleValue};
use roff::{Inline, Roff, bold, italic, roman};

use super::{
    facts::{ENVIRONMENT, EXIT_STATUS, FILES, Fact},
    subcommands,
};
use crate::guide::{Guide, guide};

/// The date of the last review of the pages. A build must not depend on its day.
const DATE: &str = "2026-11-27";
const SOURCE: &str = concat!("seskey ", env!("CARGO_PKG_VERSION"));

/// Returns the name of the page of a command, such as `seskey-rotate`.
pub(super) fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

pub(super) fn page(command: &Command) -> String {
    let name = name(command);
    let verb = name.split('-').nth(1).unwrap_or_default();
    let mut page = Roff::new();
    page.control("TH", [&*name.to_uppercase(), "1", DATE, SOURCE, "User Commands"]);

    let summary = command.get_about().map(ToString::to_string).unwrap_or_default();
    section(&mut page, "NAME");
    text(&mut page, &format!("{name} - {}", summary.trim_end_matches('.')));

    section(&mut page, "SYNOPSIS");
    let usage = command.clone().render_usage().to_string();
    let called = command.get_bin_name().unwrap_or(name);
    for (index, line) in usage.trim_start_matches("Usage:").lines().enumerate() {
        if index > 0 {
            page.control("br", []);
        }
        let arguments = line.trim_start().strip_prefix(called).unwrap_or(line);
        page.text([bold(called), roman(arguments)]);
    }

    section(&mut page, "DESCRIPTION");
    let description = command.get_long_about().map(ToString::to_string);
    let details = description.as_deref().and_then(|text| text.split_once("\n\n"));
    paragraphs(&mut page, details.map_or(&summary, |(_, details)| details));

    let guide = guide(called.trim_start_matches("seskey").trim_start());
    section(&mut page, "EXAMPLES");
    for (line, what) in guide.examples {
        item(&mut page, vec![bold(*line)], what);
    }

    if subcommands(command).next().is_some() {
        section(&mut page, "COMMANDS");
        for command in subcommands(command) {
            let about = command.get_about().map(ToString::to_string);
            let reference = vec![bold(self::name(command)), roman("(1)")];
            item(&mut page, reference, &about.unwrap_or_default());
        }
    }

    options(&mut page, command);

    section(&mut page, "ENVIRONMENT");
    for (arg, variable) in command.get_arguments().filter_map(|arg| Some((arg, arg.get_env()?))) {
        let option = arg.get_long().expect("only an option has a variable");
        let meaning = format!("The value of --{option}.");
        item(&mut page, vec![bold(variable.to_string_lossy())], &meaning);
    }
    facts(&mut page, ENVIRONMENT, verb);

    if FILES.iter().any(|fact| fact.is_of(verb)) {
        section(&mut page, "FILES");
        facts(&mut page, FILES, verb);
    }

    section(&mut page, "EXIT STATUS");
    facts(&mut page, EXIT_STATUS, verb);

    section(&mut page, "SEE ALSO");
    see_also(&mut page, command, guide);
    page.control("PP", []);
    text(&mut page, concat!("The pages docs/*.md are in ", env!("CARGO_PKG_REPOSITORY"), "."));
    page.render()
}

/// Writes the arguments, then the options under their headings. The options of every command come last.
fn options(page: &mut Roff, command: &Command) {
    let shown = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    let mut headings: Vec<Option<&str>> = vec![];
    for arg in shown().filter(|arg| !arg.is_positional()) {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    headings.sort_by_key(Option::is_some);
    if shown().any(Arg::is_positional) {
        section(page, "ARGUMENTS");
        shown().filter(|arg| arg.is_positional()).for_each(|arg| option(page, arg));
    }
    section(page, "OPTIONS");
    for heading in headings {
        if let Some(heading) = heading {
            page.control("SS", [heading]);
        }
        let under = |arg: &&Arg| !arg.is_positional() && arg.get_help_heading() == heading;
        shown().filter(under).for_each(|arg| option(page, arg));
    }
}

fn option(page: &mut Roff, arg: &Arg) {
    let mut header = vec![];
    header.extend(arg.get_short().map(|short| bold(format!("-{short}"))));
    if let Some(long) = arg.get_long() {
        header.extend((!header.is_empty()).then(|| roman(", ")));
        header.push(bold(format!("--{long}")));
    }
    if arg.get_action().takes_values() {
        header.extend((!header.is_empty()).then(|| roman(" ")));
        header.push(italic(value_name(arg)));
    }
    let is_repeated = matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
    header.extend((is_repeated && arg.is_positional()).then(|| roman(" ...")));

    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string);
    let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
    let defaults: Vec<_> = defaults.collect();
    let mut help = help.unwrap_or_default();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        help += &format!(" [default: {}]", defaults.join(", "));
    }
    let has_values = arg.get_action().takes_values() && !arg.is_hide_possible_values_set();
    let values = if has_values { arg.get_possible_values() } else { vec![] };
    let (told, bare): (Vec<_>, Vec<_>) =
        values.iter().partition(|value| value.get_help().is_some());
    if !bare.is_empty() {
        let names: Vec<_> = bare.iter().map(|value| value.get_name()).collect();
        help += &format!(" [possible values: {}]", names.join(", "));
    }
    item(page, header, &help);
    possible_values(page, &told);
}

fn possible_values(page: &mut Roff, values: &[&PossibleValue]) {
    if values.is_empty() {
        return;
    }
    page.control("RS", []);
    for value in values {
        let help = value.get_help().map(ToString::to_string);
        item(page, vec![bold(value.get_name())], &help.unwrap_or_default());
    }
    page.control("RE", []);
}

fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}

fn facts(page: &mut Roff, facts: &[Fact], verb: &str) {
    for fact in facts.iter().filter(|fact| fact.is_of(verb)) {
        item(page, vec![bold(fact.name)], fact.meaning);
    }
}

/// Writes the command above, the commands below, and the related commands of the guide.
fn see_also(page: &mut Roff, command: &Command, guide: &Guide) {
    let above = name(command).rsplit_once('-').map(|(above, _)| above.to_owned());
    let below = subcommands(command).map(|command| name(command).to_owned());
    let beside = guide.see_also.iter().map(|other| format!("seskey-{}", other.replace(' ', "-")));
    let mut others = above.into_iter().chain(below).chain(beside).peekable();
    while let Some(other) = others.next() {
        let comma = if others.peek().is_some() { "," } else { "" };
        page.text([bold(other), roman(format!("(1){comma}"))]);
    }
}

fn section(page: &mut Roff, title: &str) {
    page.control("SH", [title]);
}

fn item(page: &mut Roff, header: Vec<Inline>, help: &str) {
    page.control("TP", []);
    page.text(header);
    text(page, help);
}

fn paragraphs(page: &mut Roff, paragraphs: &str) {
    for (index, paragraph) in paragraphs.split("\n\n").enumerate() {
        if index > 0 {
            page.control("PP", []);
        }
        text(page, paragraph);
    }
}

/// Writes text in lines that are short enough even when escaped: roff fills them.
fn text(page: &mut Roff, text: &str) {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    for line in lines {
        page.text([roman(line)]);
    }
}

const WIDTH: usize = 64;
