//! Texts as users see them, whoever wrote what is in them: a service, or a configuration that is quoted.

/// The longest text, and the longest word of one, in characters. What is longer is cut in the middle.
const LONGEST: usize = 16_000;
const LONGEST_WORD: usize = 1_000;

/// The text without what a terminal would obey and without user names and passwords of URLs, cut where it is too long.
pub fn shown(text: &str) -> String {
    let text = without_user_information(&text.replace("\r\n", "\n"));
    let words: String = text.split_inclusive([' ', '\n']).map(|word| cut(word, LONGEST_WORD)).collect();
    let mut shown = String::with_capacity(words.len());
    for character in cut(&words, LONGEST).chars() {
        if is_obeyed(character) { shown.extend(character.escape_unicode()) } else { shown.push(character) }
    }
    shown
}

/// Whether terminals and editors act on a character instead of showing it: control characters, ends of lines beside the usual
/// one, and what turns the direction of writing.
fn is_obeyed(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// The beginning and the end of a text that is longer than so many characters.
fn cut(text: &str, longest: usize) -> String {
    let count = text.chars().count();
    if count <= longest {
        return text.to_owned();
    }
    let part = longest / 2;
    let start: String = text.chars().take(part).collect();
    let end: String = text.chars().skip(count - part).collect();
    format!("{start}[… {} characters …]{end}", count - 2 * part)
}

fn without_user_information(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>')).unwrap_or(rest.len());
        let url = &rest[..end];
        let authority = &url[..url.find(['/', '?', '#']).unwrap_or(end)];
        let after_colon = authority.split_once(':').map_or("", |(_, after)| after);
        let is_port = after_colon.bytes().all(|byte| byte.is_ascii_digit()) || authority.starts_with('[');
        // A password may have the characters that end an authority, though they should be encoded there.
        let user_information = if is_port { authority.rfind('@') } else { url.rfind('@') };
        shown.push_str("://");
        shown.push_str(&rest[user_information.map_or(0, |at| at + 1)..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_escaped() {
        assert_eq!(shown("a\r\nb\tc é\n"), "a\nb\tc é\n");
        assert_eq!(shown("\u{1b}[31mred\u{7}\r\u{9b}2J\0"), r"\u{1b}[31mred\u{7}\u{d}\u{9b}2J\u{0}");
        assert_eq!(shown("\u{1b}]8;;https://evil.test\u{1b}\\x"), r"\u{1b}]8;;https://evil.test\u{1b}\x");
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{2028}d"), r"a\u{202e}b\u{2066}c\u{2028}d");
    }

    #[test]
    fn a_long_text_and_a_long_word_are_cut_in_the_middle() {
        let word = "é".repeat(1_000_000);
        let text = shown(&format!("There is no {word}. Check it."));
        let half = "é".repeat(500);
        assert!(text.starts_with(&format!("There is no {half}[… 999002 characters …]é")), "{text}");
        assert!(text.ends_with("é. Check it.") && text.chars().count() < 1100, "{text}");
        let lines = shown(&"a line\n".repeat(100_000));
        assert!(lines.chars().count() < 16_100 && lines.contains("[… 684000 characters …]"));
        let whole = "a line\n".repeat(2_000);
        assert_eq!(shown(&whole), whole);
    }

    #[test]
    fn a_url_loses_its_user_name_and_password() {
        for (text, expected) in [
            ("the endpoint `https://user:pass@host:8443/x` is", "the endpoint `https://host:8443/x` is"),
            ("\"https://user@host\" and http://u:p@h.", "\"https://host\" and http://h."),
            ("https://user:p/a?s#s@host/x", "https://host/x"),
            ("https://user:p@ss@host", "https://host"),
            ("https://host:8443/a@b?c=d@e https://[::1]:1/a@b", "https://host:8443/a@b?c=d@e https://[::1]:1/a@b"),
            ("https://host/a@b, mail a:b@c.test", "https://host/a@b, mail a:b@c.test"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
