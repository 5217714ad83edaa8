//! A table of `_cat`: chosen columns, sorted rows, as text or JSON.

use std::cmp::Ordering;

use pampero_opensearch::Exception;
use pampero_opensearch::names::matches;
use serde_json::{Map, Value};

use crate::rest::answer::Answer;
use pampero_opensearch::parameters::Parameters;

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) about: &'static str,
    /// Whether it is shown without being asked for.
    pub(super) shown: bool,
    /// Whether its text stands at the right edge, as numbers do.
    pub(super) right: bool,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(u64),
    /// A number of bytes, shown with a unit unless one is asked for.
    Bytes(u64),
    Absent,
}

/// Columns and the rows that belong to them.
#[derive(Debug)]
pub(super) struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<Cell>>,
}

/// A column that is shown, under the name by which it was asked for.
struct Choice {
    at: usize,
    title: String,
}

impl Column {
    /// A column of text that is shown.
    pub(super) const fn text(
        name: &'static str,
        aliases: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, aliases, about, shown: true, right: false }
    }

    /// A column of numbers that is shown.
    pub(super) const fn number(
        name: &'static str,
        aliases: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, aliases, about, shown: true, right: true }
    }

    /// The same, shown only when it is asked for.
    pub(super) const fn hidden(self) -> Self {
        Self { shown: false, ..self }
    }

    fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn render(&self, unit: Option<u64>) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::Bytes(bytes) => Some(match unit {
                Some(unit) => (bytes / unit).to_string(),
                None => human_bytes(*bytes),
            }),
            Self::Absent => None,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one) | Self::Bytes(one), Self::Number(other) | Self::Bytes(other)) => {
                one.cmp(other)
            }
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Absent, Self::Absent) => Ordering::Equal,
            (Self::Absent, _) => Ordering::Less,
            (_, Self::Absent) => Ordering::Greater,
            (one, other) => one.render(None).cmp(&other.render(None)),
        }
    }
}

impl Table {
    pub(super) fn new(columns: &'static [Column]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row, which has a cell for every column.
    pub(super) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len(), "a cell for every column");
        self.rows.push(row);
    }

    /// Returns the list of columns.
    pub(super) fn help(&self) -> String {
        let widths = |text: fn(&Column) -> String| {
            self.columns.iter().map(|it| text(it).chars().count()).max().unwrap_or(0)
        };
        let aliases = |column: &Column| match column.aliases {
            [] => "-".to_owned(),
            aliases => aliases.join(","),
        };
        let (names, others) = (widths(|it| it.name.to_owned()), widths(aliases));
        let lines = self.columns.iter().map(|column| {
            format!("{:names$} | {:others$} | {}\n", column.name, aliases(column), column.about)
        });
        lines.collect()
    }

    /// Answers with the table as `h`, `s`, `v`, `bytes` and `format` say.
    pub(super) fn answer(mut self, parameters: &Parameters) -> Result<Answer, Exception> {
        let unit = parameters.text("bytes").map(read_unit).transpose()?;
        if let Some(keys) = parameters.list("s") {
            self.sort(&keys)?;
        }
        let choices = self.choose(parameters.list("h").as_deref());
        match parameters.text("format") {
            None | Some("" | "text") => {
                let titled = parameters.boolean("v", false)?;
                Ok(Answer::text(self.to_text(&choices, titled, unit)))
            }
            Some("json") => Ok(Answer::json(self.to_json(&choices, unit))),
            Some(other) => Err(Exception::unsupported(format!("format [{other}]"))),
        }
    }

    fn sort(&mut self, keys: &[&str]) -> Result<(), Exception> {
        let mut order = Vec::new();
        for key in keys {
            let (name, descending) = match key.rsplit_once(':') {
                Some((name, "desc")) => (name, true),
                Some((name, "asc")) => (name, false),
                _ => (*key, false),
            };
            let at = self.columns.iter().position(|column| column.is_named(name));
            let at = at.ok_or_else(|| {
                Exception::illegal_argument(format!("Unable to sort by unknown sort key `{name}`"))
            })?;
            order.push((at, descending));
        }
        self.rows.sort_by(|one, other| {
            let compared = order.iter().map(|(at, descending)| {
                let compared = one[*at].compare(&other[*at]);
                if *descending { compared.reverse() } else { compared }
            });
            compared.fold(Ordering::Equal, Ordering::then)
        });
        Ok(())
    }

    /// Returns the columns that are shown; names that no column has are passed over.
    fn choose(&self, asked: Option<&[&str]>) -> Vec<Choice> {
        let columns = || self.columns.iter().enumerate();
        let Some(asked) = asked else {
            let shown = columns().filter(|(_, column)| column.shown);
            return shown
                .map(|(at, column)| Choice { at, title: column.name.to_owned() })
                .collect();
        };
        let mut choices: Vec<Choice> = Vec::new();
        for name in asked {
            if let Some((at, _)) = columns().find(|(_, column)| column.is_named(name)) {
                choices.push(Choice { at, title: (*name).to_owned() });
                continue;
            }
            let found = columns().filter(|(_, column)| {
                matches(name, column.name) || column.aliases.iter().any(|it| matches(name, it))
            });
            for (at, column) in found {
                if choices.iter().all(|choice| choice.at != at) {
                    choices.push(Choice { at, title: column.name.to_owned() });
                }
            }
        }
        choices
    }

    fn to_text(&self, choices: &[Choice], titled: bool, unit: Option<u64>) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        if titled {
            lines.push(choices.iter().map(|choice| choice.title.clone()).collect());
        }
        for row in &self.rows {
            let cells = choices.iter().map(|it| row[it.at].render(unit).unwrap_or_default());
            lines.push(cells.collect());
        }
        let width =
            |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..choices.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            for (at, cell) in line.iter().enumerate() {
                let width = widths[at];
                if 0 < at {
                    text.push(' ');
                }
                let last = at + 1 == line.len();
                if self.columns[choices[at].at].right {
                    text.push_str(&format!("{cell:>width$}"));
                } else if last {
                    text.push_str(cell);
                } else {
                    text.push_str(&format!("{cell:width$}"));
                }
            }
            text.push('\n');
        }
        text
    }

    fn to_json(&self, choices: &[Choice], unit: Option<u64>) -> Value {
        let rows = self.rows.iter().map(|row| {
            let cells = choices.iter().map(|choice| {
                let value = row[choice.at].render(unit).map_or(Value::Null, Value::from);
                (choice.title.clone(), value)
            });
            Value::from(cells.collect::<Map<String, Value>>())
        });
        rows.collect()
    }
}

fn read_unit(text: &str) -> Result<u64, Exception> {
    match text {
        "b" => Ok(1),
        "k" | "kb" => Ok(1 << 10),
        "m" | "mb" => Ok(1 << 20),
        "g" | "gb" => Ok(1 << 30),
        "t" | "tb" => Ok(1 << 40),
        "p" | "pb" => Ok(1 << 50),
        _ => Err(Exception::illegal_argument(format!(
            "bytes must be one of [b, k, kb, m, mb, g, gb, t, tb, p, pb], not [{text}]"
        ))),
    }
}

/// Writes a size as OpenSearch does: one decimal, cut rather than rounded, and none when it is 0.
fn human_bytes(bytes: u64) -> String {
    const UNITS: [(u32, &str); 5] = [(50, "pb"), (40, "tb"), (30, "gb"), (20, "mb"), (10, "kb")];
    let Some((power, unit)) = UNITS.iter().find(|(power, _)| 1 << power <= bytes) else {
        return format!("{bytes}b");
    };
    let size = 1u64 << power;
    let tenths = (bytes % size) as u128 * 10 / size as u128;
    match tenths {
        0 => format!("{}{unit}", bytes / size),
        _ => format!("{}.{tenths}{unit}", bytes / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::text("index", &["i", "idx"], "name"),
        Column::number("docs.count", &["dc"], "documents"),
        Column::number("store.size", &["ss"], "size"),
        Column::text("note", &[], "note").hidden(),
    ];

    fn table() -> Table {
        let mut table = Table::new(COLUMNS);
        let row = |name: &str, documents, bytes, note| {
            vec![Cell::text(name), Cell::Number(documents), Cell::Bytes(bytes), note]
        };
        table.push(row("b", 9, 1536, Cell::Absent));
        table.push(row("aa", 10, 208, Cell::text("x")));
        table
    }

    #[track_caller]
    fn check(query: &str, expected: &str) {
        let parameters = Parameters::read("/_cat", Some(query));
        let mut table = table();
        let unit = parameters.text("bytes").map(read_unit).transpose().unwrap();
        if let Some(keys) = parameters.list("s") {
            table.sort(&keys).unwrap();
        }
        let choices = table.choose(parameters.list("h").as_deref());
        let text = table.to_text(&choices, parameters.boolean("v", false).unwrap(), unit);
        assert_eq!(text, expected, "{query}");
    }

    #[test]
    fn columns_are_chosen_sorted_and_padded() {
        check("", "b   9 1.5kb\naa 10  208b\n");
        check(
            "v",
            "index docs.count store.size\nb              9      1.5kb\naa            10       208b\n",
        );
        check("s=index", "aa 10  208b\nb   9 1.5kb\n");
        check("s=dc:desc&h=i", "aa\nb\n");
        check("s=ss:desc&h=i", "b\naa\n");
        check("h=i,ss&bytes=b&v", "i    ss\nb  1536\naa  208\n");
        check("h=docs*,nothing,note&v", "docs.count note\n         9 \n        10 x\n");
    }

    #[test]
    fn json_has_strings_only() {
        let table = table();
        let choices = table.choose(Some(&["i", "note", "dc"]));
        assert_eq!(
            table.to_json(&choices, None),
            serde_json::json!([
                { "i": "b", "note": null, "dc": "9" },
                { "i": "aa", "note": "x", "dc": "10" },
            ])
        );
    }

    #[test]
    fn an_unknown_key_cannot_sort() {
        let refused = table().sort(&["nothing"]).unwrap_err();
        assert_eq!(refused.reason(), "Unable to sort by unknown sort key `nothing`");
    }

    #[test]
    fn columns_are_listed() {
        assert!(table().help().starts_with("index      | i,idx | name\n"));
    }

    #[track_caller]
    fn check_bytes(bytes: u64, expected: &str) {
        assert_eq!(human_bytes(bytes), expected);
    }

    #[test]
    fn sizes_are_cut_to_one_decimal() {
        check_bytes(0, "0b");
        check_bytes(1023, "1023b");
        check_bytes(1024, "1kb");
        check_bytes(1536, "1.5kb");
        check_bytes(19_083_264, "18.1mb");
        check_bytes(1 << 30, "1gb");
        check_bytes(u64::MAX, "16383.9pb");
    }
}
