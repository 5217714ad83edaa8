//! The parts of a parsed template.

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Text as it is.
    Text(String),
    /// A value.
    Value {
        path: Path,
        /// Whether it is written as it is, whatever the rule of escaping.
        is_raw: bool,
    },
    /// What is written for each item of a list, or once for anything else that is there.
    Section { path: Path, body: Vec<Node> },
    /// What is written when there is nothing.
    Inverted { path: Path, body: Vec<Node> },
    /// A value as JSON.
    ToJson(Path),
    /// The items of a list with something between them.
    Join { path: Path, delimiter: String },
    /// What is inside, as it stands in the query of a URL.
    Url(Vec<Node>),
}

/// The name of a value, with dots between its parts; `.` is what the section is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Path(pub(super) String);

impl Path {
    pub(super) fn is_dot(&self) -> bool {
        self.0 == "."
    }
}

/// Returns the names that `nodes` use, each once; of sections their bodies too only if `is_deep`.
pub(super) fn names(nodes: &[Node], is_deep: bool) -> Vec<String> {
    let mut found = Vec::new();
    collect(nodes, is_deep, &mut found);
    found
}

fn collect(nodes: &[Node], is_deep: bool, found: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Text(_) => {}
            Node::Value { path, .. } | Node::ToJson(path) | Node::Join { path, .. } => {
                note(path, found);
            }
            Node::Section { path, body } => {
                note(path, found);
                if is_deep {
                    collect(body, is_deep, found);
                }
            }
            // Nothing becomes the context there, so that its names are those of the outside.
            Node::Inverted { path, body } => {
                note(path, found);
                collect(body, is_deep, found);
            }
            Node::Url(body) => collect(body, is_deep, found),
        }
    }
}

fn note(path: &Path, found: &mut Vec<String>) {
    if !path.is_dot() && !found.contains(&path.0) {
        found.push(path.0.clone());
    }
}
