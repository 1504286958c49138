//! The table of docs/render.md is the table of the program.

use std::fmt::Write;

use seskey::render::Target;

const PAGE: &str = include_str!("../../../../docs/render.md");
const BEGIN: &str = "<!-- targets -->\n";
const END: &str = "<!-- end of targets -->\n";

#[test]
fn every_target_is_in_the_page() {
    let (_, rest) = PAGE.split_once(BEGIN).unwrap();
    let (written, _) = rest.split_once(END).unwrap();
    let table = table();
    assert!(written == table, "docs/render.md should have between its marks:\n\n{table}");
}

fn table() -> String {
    let mut table = "| target | what is written | in | options | of others in the file | is read by | judged by |\n\
                     |---|---|---|---|---|---|---|\n"
        .to_owned();
    for target in Target::all() {
        let (what, source) = (target.description(), target.source());
        let what = match source {
            "" => what.to_owned(),
            _ if source.starts_with("https:") => format!("[{what}]({source})"),
            _ => format!("{what} ({source})"),
        };
        let code =
            |text: &str| if text.is_empty() { "–".to_owned() } else { format!("`{text}`") };
        let options: Vec<_> = target.options().map(code).collect();
        let others = if target.keeps_others() { "kept" } else { "whole file" };
        let read = match (target.is_read(), target.is_store()) {
            (true, true) => "`--credentials`, stores",
            (true, false) => "`--credentials`",
            (false, _) => "–",
        };
        let judge = if target.judge().is_empty() { "–" } else { target.judge() };
        let file = code(target.file());
        let options = if options.is_empty() { "–".to_owned() } else { options.join(", ") };
        writeln!(
            table,
            "| `{target}` | {what} | {file} | {options} | {others} | {read} | {judge} |"
        )
        .unwrap();
    }
    table
}
