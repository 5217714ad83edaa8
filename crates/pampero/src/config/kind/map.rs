//! Tables of texts, as in `{ site = "north" }`.

use std::collections::BTreeMap;

use super::{Kind, not_a, quoted, text_of};
use crate::config::tree::{Node, Value};

/// A table of texts whose names `check` accepts; otherwise it says what is wrong with a name.
pub(in crate::config) fn texts(
    name: &'static str,
    check: fn(&str) -> Result<(), String>,
) -> Kind<BTreeMap<String, String>> {
    let read = move |node: &Node| {
        let advice = r#"write a table of texts, as in { site = "north" }"#;
        let Value::Table(members) = &node.value else {
            return Err(not_a("a table", node, advice));
        };
        members
            .iter()
            .map(|(name, member)| {
                check(name)?;
                let text = text_of(member).ok_or_else(|| not_a("a text", member, advice))?;
                Ok((name.clone(), text.to_owned()))
            })
            .collect()
    };
    let show = |texts: &BTreeMap<String, String>| {
        let members: Vec<String> = texts
            .iter()
            .map(|(name, text)| format!("{} = {}", quoted(name), quoted(text)))
            .collect();
        if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
    };
    Kind::new(name, read, show)
}
