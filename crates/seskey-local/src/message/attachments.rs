//! The types of files that SES does not send, recognized by the extensions of their names.
//!
//! Source: SES Developer Guide, "Amazon SES unsupported attachment types".

use mail_parser::{MessageParser, MimeHeaders};

use super::{
    HeaderError,
    parameters::{Parameters, content_disposition, content_type},
};
use crate::address::unescaped;

/// Checks the text of `Content-Type`, including the name of a file.
pub(super) fn check_type(text: &str) -> Result<(), HeaderError> {
    check_file_name("Content-Type", &content_type(text)?)
}

/// Checks the text of `Content-Disposition`, including the name of a file.
pub(super) fn check_disposition(text: &str) -> Result<(), HeaderError> {
    check_file_name("Content-Disposition", &content_disposition(text)?)
}

fn check_file_name(field: &str, parameters: &Parameters<'_>) -> Result<(), HeaderError> {
    let is_name = |name: &str| ["name", "filename"].iter().any(|it| it.eq_ignore_ascii_case(name));
    let names =
        parameters.iter().filter(|(name, _)| is_name(name.split('*').next().unwrap_or(name)));
    // RFC 2231 and RFC 2047: the name is in pieces, or encoded
    let (encoded, plain): (Vec<_>, Vec<_>) =
        names.partition(|(name, value)| name.contains('*') || value.contains("=?"));
    let decoded = (!encoded.is_empty()).then(|| decoded(field, &encoded));
    let plain = plain.iter().map(|(_, value)| unescaped(value.trim_matches('"')));
    match decoded.into_iter().chain(plain).find(|file_name| is_refused(file_name)) {
        Some(file_name) => Err(HeaderError::IllegalFileName(file_name)),
        None => Ok(()),
    }
}

/// Decodes the file name in these parameters together. The parser gets no others, which would cost it much time.
fn decoded(field: &str, names: &[&(&str, &str)]) -> String {
    let names: String = names.iter().map(|(name, value)| format!(";{name}={value}")).collect();
    let header = format!("{field}: x/x{names}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(&header);
    parsed.as_ref().and_then(|parsed| parsed.attachment_name()).unwrap_or_default().to_owned()
}

/// Whether SES refuses a file of this name. Dots and blanks at its end are ignored, as in Windows.
fn is_refused(file_name: &str) -> bool {
    let extension = file_name.trim_end_matches(['.', ' ']).rsplit_once('.').map(|(_, last)| last);
    extension.is_some_and(|found| EXTENSIONS.iter().any(|it| it.eq_ignore_ascii_case(found)))
}

const EXTENSIONS: &[&str] = &[
    "ade", "adp", "app", "asp", "bas", "bat", "cer", "chm", "cmd", "com", "cpl", "crt", "csh",
    "der", "exe", "fxp", "gadget", "hlp", "hta", "inf", "ins", "isp", "its", "js", "jse", "ksh",
    "lib", "lnk", "mad", "maf", "mag", "mam", "maq", "mar", "mas", "mat", "mau", "mav", "maw",
    "mda", "mdb", "mde", "mdt", "mdw", "mdz", "msc", "msh", "msh1", "msh2", "mshxml", "msh1xml",
    "msh2xml", "msi", "msp", "mst", "ops", "pcd", "pif", "plg", "prf", "prg", "reg", "scf", "scr",
    "sct", "shb", "shs", "sys", "ps1", "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "tmp", "url",
    "vb", "vbe", "vbs", "vps", "vsmacros", "vss", "vst", "vsw", "vxd", "ws", "wsc", "wsf", "wsh",
    "xnk",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A name in tens of thousands of pieces, for which a header has room, is read only once.
    #[test]
    fn a_name_in_many_pieces() {
        let pieces: String = (0..20_000).map(|n| format!(";\r\n name*{n}*=utf-8''a")).collect();
        assert_eq!(check_type(&format!("text/plain{pieces}")), Ok(()));
        let others: String = (0..20_000).map(|n| format!(";\r\n n{n}*0*=utf-8''a")).collect();
        assert_eq!(check_type(&format!("text/plain;name*0=a{others}")), Ok(()));
    }

    #[test]
    fn file_names() {
        let exe = |name: &str| Err(HeaderError::IllegalFileName(name.to_owned()));
        for (disposition, expected) in [
            ("attachment", Ok(())),
            ("attachment; filename=report.pdf", Ok(())),
            ("attachment; filename=exe", Ok(())),
            ("attachment; other=setup.exe", Ok(())),
            ("attachment; filename=setup.exe.txt", Ok(())),
            ("attachment; filename=setup.exe", exe("setup.exe")),
            ("inline; FileName=\"my setup.EXE\"", exe("my setup.EXE")),
            ("attachment; filename=\"setup.e\\xe\"", exe("setup.exe")),
            ("attachment; filename=\"setup.exe. \"", exe("setup.exe. ")),
            ("attachment; filename*=utf-8''setup%2Eexe", exe("setup.exe")),
            ("attachment; filename*0=\"setup.e\"; filename*1=xe", exe("setup.exe")),
            ("attachment; filename=\"=?utf-8?B?c2V0dXAuZXhl?=\"", exe("setup.exe")),
        ] {
            assert_eq!(check_disposition(disposition), expected, "{disposition}");
        }
        assert_eq!(check_type("text/plain; name=a.js"), exe("a.js"));
        assert_eq!(check_type("text/plain; name*=utf-8''a%2ejs"), exe("a.js"));
        assert_eq!(check_type("text/plain; name=a.json"), Ok(()));
    }
}
