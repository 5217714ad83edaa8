//! Reads sections key by key, keeps what is wrong, and remembers every key it was asked for.
//!
//! The call that reads a key is its only declaration: name, default, kind and words for the operator
//! stand in it. The list of unknown keys, the reference page and the effective configuration come
//! from what was asked.

use super::kind::{Kind, nearest};
use super::origin::{Origin, Remark};
use super::tree::{Node, Table, VARIABLE_PREFIX, Value};

/// A key that was read.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The table it belongs to, as in `providers.met_norway`, or `places[0]`.
    pub(super) section: String,
    /// Its name.
    pub(super) name: &'static str,
    /// How it is written.
    pub(super) kind: String,
    /// The default as TOML; `None` when there is none.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the pages in the tree show it"))]
    pub(super) default: Option<String>,
    /// The value that holds, as TOML; `None` when there is none.
    pub(super) value: Option<String>,
    /// Where the value was written.
    pub(super) origin: Origin,
    /// What it decides, for the operator.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the pages in the tree show it"))]
    pub(super) doc: &'static str,
}

impl Setting {
    /// Returns the dotted path of the key.
    pub(super) fn path(&self) -> String {
        join(&self.section, self.name)
    }

    /// Returns the variable that stands for the key.
    pub(super) fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.path().replace('.', "__").to_uppercase())
    }
}

/// Reads a tree of settings.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Remark>,
    pub(super) warnings: Vec<Remark>,
    pub(super) settings: Vec<Setting>,
    /// The sections that were read, with what they are about.
    pub(super) sections: Vec<(String, &'static str)>,
    unknown: Vec<Unknown>,
}

#[derive(Debug)]
struct Unknown {
    section: String,
    name: String,
    origin: Origin,
    is_table: bool,
}

impl Reader {
    /// Reads the section `name` of `parent` with `read`; keys that `read` did not ask for are unknown.
    pub(super) fn section<R>(
        &mut self,
        parent: &mut Table,
        name: &str,
        doc: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> R,
    ) -> R {
        let node = parent.remove(name);
        self.table(name, doc, node, read)
    }

    /// Reads `node` as the table with the path `path`.
    pub(super) fn table<R>(
        &mut self,
        path: &str,
        doc: &'static str,
        node: Option<Node>,
        read: impl FnOnce(&mut Section<'_>) -> R,
    ) -> R {
        let origin = node.as_ref().map_or(Origin::Default, |node| node.key_origin.clone());
        let keys = match node.map(|node| node.value) {
            Some(Value::Table(keys)) => keys,
            None => Table::new(),
            Some(_) => {
                let what = format!("this is a table; write [{path}] and its keys below");
                self.problem(origin.clone(), path, what);
                Table::new()
            }
        };
        self.sections.push((path.to_owned(), doc));
        let mut section = Section { reader: self, path: path.to_owned(), keys, origin };
        let result = read(&mut section);
        let Section { path, keys, .. } = section;
        self.leave_over(&path, keys);
        result
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn leave_over(&mut self, section: &str, keys: Table) {
        self.unknown.extend(keys.into_iter().map(|(name, node)| Unknown {
            section: section.to_owned(),
            name,
            origin: node.key_origin,
            is_table: matches!(node.value, Value::Table(_)),
        }));
    }

    /// Notes that something is wrong.
    pub(super) fn problem(&mut self, origin: Origin, key: &str, what: impl Into<String>) {
        self.problems.push(Remark { origin, key: key.to_owned(), what: what.into() });
    }

    /// Notes that something works but is hardly meant.
    pub(super) fn warning(&mut self, origin: Origin, key: &str, what: impl Into<String>) {
        self.warnings.push(Remark { origin, key: key.to_owned(), what: what.into() });
    }

    /// Turns the keys that nobody asked for into problems, now that every known key is known.
    pub(super) fn refuse_unknown(&mut self) {
        for Unknown { section, name, origin, is_table } in std::mem::take(&mut self.unknown) {
            let known = self.known_in(&section);
            let near = nearest(&name, known.iter().copied());
            // Otherwise it may be the right key in the wrong section.
            let meant = near.map(str::to_owned).or_else(|| self.elsewhere(&name, is_table));
            let what = match meant {
                Some(meant) => format!("unknown key; did you mean {meant}?"),
                None => format!("unknown key; known here are {}", known.join(", ")),
            };
            self.problem(origin, &join(&section, &name), what);
        }
    }

    /// Returns the keys and the sections that `section` may have.
    fn known_in(&self, section: &str) -> Vec<&str> {
        let keys = self.settings.iter().filter(|setting| setting.section == section);
        let below = self.sections.iter().filter_map(|(path, _)| match section {
            "" => path.split(['.', '[']).next(),
            _ => path.strip_prefix(section)?.strip_prefix('.')?.split('[').next(),
        });
        let mut known: Vec<&str> = keys.map(|setting| setting.name).chain(below).collect();
        // A list of tables is known whether or not it has a member.
        let lists = [("", "places"), ("metrics", "targets")];
        known.extend(lists.iter().filter(|(of, _)| *of == section).map(|(_, list)| *list));
        known.sort_unstable();
        known.dedup();
        known
    }

    fn elsewhere(&self, name: &str, is_table: bool) -> Option<String> {
        if is_table {
            let below = format!(".{name}");
            return self
                .sections
                .iter()
                .map(|(path, _)| path.clone())
                .find(|path| path.ends_with(&below));
        }
        self.settings.iter().find(|setting| setting.name == name).map(Setting::path)
    }
}

/// A table that is being read.
pub(super) struct Section<'r> {
    pub(super) reader: &'r mut Reader,
    /// The dotted path of the table.
    pub(super) path: String,
    /// The keys that were not asked for yet.
    pub(super) keys: Table,
    /// Where the table begins.
    pub(super) origin: Origin,
}

impl Section<'_> {
    /// Reads the key `name`; a value that is wrong becomes a problem and counts as the default.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        default: T,
        kind: &Kind<T>,
        doc: &'static str,
    ) -> T {
        let shown = (kind.show)(&default);
        self.take(name, Some(shown), kind, doc).unwrap_or(default)
    }

    /// Reads the key `name`, which has no default; `None` when it was not written or is wrong.
    pub(super) fn read_optional<T>(
        &mut self,
        name: &'static str,
        kind: &Kind<T>,
        doc: &'static str,
    ) -> Option<T> {
        self.take(name, None, kind, doc)
    }

    /// Returns where the key `name`, which was read before, was written.
    pub(super) fn origin_of(&self, name: &str) -> Origin {
        let mut settings = self.reader.settings.iter().rev();
        let setting = settings.find(|setting| setting.section == self.path && setting.name == name);
        setting.map_or(Origin::Default, |setting| setting.origin.clone())
    }

    /// Tells whether the key `name`, which was read before, was written.
    pub(super) fn is_written(&self, name: &str) -> bool {
        self.origin_of(name) != Origin::Default
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        default: Option<String>,
        kind: &Kind<T>,
        doc: &'static str,
    ) -> Option<T> {
        let node = self.keys.remove(name);
        let origin = node.as_ref().map_or(Origin::Default, |node| node.origin.clone());
        let value = node.and_then(|node| {
            let value = (kind.read)(&node);
            value.map_err(|what| self.problem_at(node.origin, name, what)).ok()
        });
        let shown = value.as_ref().map(|value| (kind.show)(value));
        self.note(Setting {
            section: self.path.clone(),
            name,
            kind: kind.name.clone(),
            value: shown.or_else(|| default.clone()),
            default,
            origin,
            doc,
        });
        value
    }

    /// Remembers a key for the list of known ones and for the reference.
    pub(super) fn note(&mut self, setting: Setting) {
        self.reader.settings.push(setting);
    }

    /// Notes that the key `name` of this table is wrong.
    pub(super) fn problem_at(&mut self, origin: Origin, name: &str, what: impl Into<String>) {
        let key = join(&self.path, name);
        self.reader.problem(origin, &key, what);
    }

    /// Notes that this table as a whole is wrong.
    pub(super) fn problem(&mut self, what: impl Into<String>) {
        let (origin, path) = (self.origin.clone(), self.path.clone());
        self.reader.problem(origin, &path, what);
    }

    /// Returns the dotted path of the key `name`.
    pub(super) fn key(&self, name: &str) -> String {
        join(&self.path, name)
    }
}

fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}
