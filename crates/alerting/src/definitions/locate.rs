//! Finds the line and the column of a value in the text of a JSON document.

/// Returns line and column, counted from 1 and in characters, of the value at a JSON pointer; of the value
/// round it that is there when the pointer leads beyond. The text must be JSON.
pub(crate) fn locate(text: &str, pointer: &str) -> (usize, usize) {
    let mut scan = Scan { text: text.as_bytes(), at: 0 };
    scan.skip_space();
    let mut found = scan.at;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !scan.enter(&part) {
            break;
        }
        found = scan.at;
    }
    line_and_column(text, found)
}

/// Returns line and column of a byte.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// A place in a text of JSON.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_whitespace() || byte == b',' || byte == b':')
        {
            self.at += 1;
        }
    }

    /// Goes from the beginning of an object or a list to the value of a member or an item.
    fn enter(&mut self, part: &str) -> bool {
        match self.peek() {
            Some(b'{') => self.enter_object(part),
            Some(b'[') => self.enter_list(part),
            _ => false,
        }
    }

    fn enter_object(&mut self, part: &str) -> bool {
        self.at += 1;
        // Of a member that stands there twice the last one counts, as it does for who reads the document.
        let mut found = None;
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                break;
            }
            let begin = self.at;
            self.skip_value();
            let key = self.text.get(begin..self.at).unwrap_or_default();
            let key: Option<String> = serde_json::from_slice(key).ok();
            self.skip_space();
            if key.as_deref() == Some(part) {
                found = Some(self.at);
            }
            self.skip_value();
        }
        match found {
            Some(at) => {
                self.at = at;
                true
            }
            None => false,
        }
    }

    fn enter_list(&mut self, part: &str) -> bool {
        let Ok(index) = part.parse::<usize>() else { return false };
        self.at += 1;
        for _ in 0..index {
            self.skip_space();
            if matches!(self.peek(), None | Some(b']')) {
                return false;
            }
            self.skip_value();
        }
        self.skip_space();
        !matches!(self.peek(), None | Some(b']'))
    }

    /// Goes behind a value, counting brackets, so that no depth is too much.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_text(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                    self.at += 1;
                    continue;
                }
                _ => self.skip_word(),
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_text(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }

    fn skip_word(&mut self) {
        while self.peek().is_some_and(|byte| !b",]} \n\r\t:".contains(&byte)) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"a\": [1, {\"b\\\"c\": \"ü]\", \"d/e\": null}],\n  \"f\": true\n}\n";

    #[test]
    fn values_are_found() {
        check("", (1, 1));
        check("/a", (2, 8));
        check("/a/0", (2, 9));
        check("/a/1", (2, 12));
        check("/a/1/b\"c", (2, 21));
        check("/a/1/d~1e", (2, 34));
        check("/f", (3, 8));
    }

    #[test]
    fn what_is_not_there_is_the_value_round_it() {
        check("/x", (1, 1));
        check("/a/7", (2, 8));
        check("/f/0", (3, 8));
    }

    #[track_caller]
    fn check(pointer: &str, place: (usize, usize)) {
        assert_eq!(locate(TEXT, pointer), place, "{pointer}");
    }
}
