//! Columns of text, aligned.

/// Writes rows below their headings, each column as wide as its widest cell; the last one has no end.
pub(super) fn write<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| std::array::from_fn(|column| printable(&row[column]))).collect();
    let headings = headings.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&headings]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in [&headings].into_iter().chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Makes a text one line without anything that a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["jfk".to_owned(), "1".to_owned()], ["é".to_owned(), "two".to_owned()]];
        assert_eq!(write(["PLACE", "N"], &rows), "PLACE  N\njfk    1\né      two\n");
        assert_eq!(write(["PLACE"], &[]), "PLACE\n");
    }

    #[test]
    fn terminals_are_not_told_anything() {
        let rows = [["a\u{1b}[31m\nb\u{9b}".to_owned(), String::new()]];
        assert_eq!(write(["A", "B"], &rows), "A          B\na [31m b\n");
    }
}
