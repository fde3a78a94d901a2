//! `docs/codes.md` says what the tables say. After changing one, write it anew:
//! `HOSHU_WRITE_DOCS=1 cargo test -p alink --test handbook`.

use std::{fmt::Write as _, fs, path::Path};

use alink::{
    codes::TABLE,
    log::{Content, Reason},
};

#[test]
fn the_handbook_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/codes.md");
    let expected = handbook();
    if std::env::var_os("HOSHU_WRITE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "docs/codes.md is not what the tables say: write it anew (see this test's head)"
    );
}

fn handbook() -> String {
    let mut page = String::from(
        "# Codes and log texts\n\n\
         What a number or a reason means, why it comes, and what to do about it. Written from the tables in\n\
         `crates/alink`, and held to them by a test. A device may answer with codes of its own (100000 to\n\
         110000, or any other): they are passed on as they are.\n\n\
         # Codes\n",
    );
    for entry in TABLE {
        writeln!(
            page,
            "\n## {} {}\n\n{}\n\nNext: {}",
            entry.code, entry.title, entry.cause, entry.next_step
        )
        .unwrap();
    }
    page.push_str("\n# Log contents\n\nWhat a line of the device log tells; braces are filled in.\n\n| kind | content |\n| --- | --- |\n");
    for number in Content::NUMBERS {
        let (kind, text) = (
            Content::kind_of(*number).unwrap(),
            Content::template(*number).unwrap(),
        );
        writeln!(page, "| {} | `{text}` |", kind.as_str()).unwrap();
    }
    page.push_str("\n# Log reasons\n\nWhy a line's message or connection went as it did. A text that is all braces is the cause in words.\n");
    for number in Reason::NUMBERS {
        let explanation = Reason::explain(*number).unwrap();
        let text = Reason::template(*number).unwrap();
        writeln!(
            page,
            "\n## `{text}`\n\n{}\n\nNext: {}",
            explanation.cause, explanation.next_step
        )
        .unwrap();
    }
    page
}
