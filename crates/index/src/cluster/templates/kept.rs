//! The templates that are kept: how they are put, found, deleted, and what they make of a name.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use pampero_opensearch::names::{matches, overlap};
use pampero_opensearch::{Exception, ExceptionKind};

use super::{ComponentTemplate, IndexTemplate, LegacyTemplate, Simulation};
use crate::cluster::Cluster;
use crate::cluster::blueprint::Blueprint;
use crate::cluster::metadata::Metadata;

impl Cluster {
    /// Keeps a composable template; `create` refuses to replace one.
    ///
    /// # Errors
    /// Its name, one of its components, or its priority beside that of others is wrong.
    pub fn put_index_template(
        &self,
        name: &str,
        template: IndexTemplate,
        create: bool,
    ) -> Result<(), Exception> {
        check_name(name)?;
        self.change(|metadata| {
            if create && metadata.index_templates.contains_key(name) {
                return Err(Exception::illegal_argument(format!(
                    "index template [{name}] already exists"
                )));
            }
            metadata.check_template(name, &template)?;
            metadata.index_templates.insert(name.to_owned(), template);
            Ok(())
        })
    }

    /// Keeps a component template; `create` refuses to replace one.
    ///
    /// # Errors
    /// Its name is wrong.
    pub fn put_component_template(
        &self,
        name: &str,
        component: ComponentTemplate,
        create: bool,
    ) -> Result<(), Exception> {
        check_name(name)?;
        self.change(|metadata| {
            if create && metadata.component_templates.contains_key(name) {
                return Err(Exception::illegal_argument(format!(
                    "component template [{name}] already exists"
                )));
            }
            metadata.component_templates.insert(name.to_owned(), component);
            Ok(())
        })
    }

    /// Keeps a legacy template; `create` refuses to replace one.
    ///
    /// # Errors
    /// Its name is wrong.
    pub fn put_legacy_template(
        &self,
        name: &str,
        template: LegacyTemplate,
        create: bool,
    ) -> Result<(), Exception> {
        check_name(name)?;
        self.change(|metadata| {
            if create && metadata.legacy_templates.contains_key(name) {
                return Err(Exception::illegal_argument(format!(
                    "index_template [{name}] already exists"
                )));
            }
            metadata.legacy_templates.insert(name.to_owned(), template);
            Ok(())
        })
    }

    /// Returns the composable templates that a comma list of names and patterns means.
    pub fn index_templates(&self, patterns: &str) -> Vec<(String, IndexTemplate)> {
        select(&self.metadata().index_templates, patterns)
    }

    /// Returns the component templates that a comma list of names and patterns means.
    pub fn component_templates(&self, patterns: &str) -> Vec<(String, ComponentTemplate)> {
        select(&self.metadata().component_templates, patterns)
    }

    /// Returns the legacy templates that a comma list of names and patterns means.
    pub fn legacy_templates(&self, patterns: &str) -> Vec<(String, LegacyTemplate)> {
        select(&self.metadata().legacy_templates, patterns)
    }

    /// Deletes composable templates by name or pattern.
    ///
    /// # Errors
    /// There is none.
    pub fn delete_index_template(&self, pattern: &str) -> Result<(), Exception> {
        self.change(|metadata| remove_named(&mut metadata.index_templates, pattern))
    }

    /// Deletes legacy templates by name or pattern.
    ///
    /// # Errors
    /// There is none.
    pub fn delete_legacy_template(&self, pattern: &str) -> Result<(), Exception> {
        self.change(|metadata| remove_named(&mut metadata.legacy_templates, pattern))
    }

    /// Deletes component templates by name or pattern.
    ///
    /// # Errors
    /// There is none, or a composable template still needs one.
    pub fn delete_component_template(&self, pattern: &str) -> Result<(), Exception> {
        self.change(|metadata| {
            let needs = |template: &IndexTemplate| {
                template.composed_of.iter().any(|component| matches(pattern, component))
            };
            let users: Vec<&str> = metadata
                .index_templates
                .iter()
                .filter(|(_, template)| needs(template))
                .map(|(name, _)| name.as_str())
                .collect();
            if !users.is_empty() {
                return Err(Exception::illegal_argument(format!(
                    "component templates [{pattern}] cannot be removed as they are still in use by index templates [{}]",
                    users.join(", ")
                )));
            }
            remove_named(&mut metadata.component_templates, pattern)
        })
    }

    /// Tells what the templates make of the name of an index; `new` counts as if it were kept.
    ///
    /// # Errors
    /// The new template could not be kept.
    pub fn simulate_index(
        &self,
        index: &str,
        new: Option<&IndexTemplate>,
    ) -> Result<Simulation, Exception> {
        const NEW: &str = "simulate_new_template";
        let metadata = self.metadata();
        if let Some(template) = new {
            metadata.check_template(NEW, template)?;
        }
        Ok(metadata.simulate(index, new.map(|template| (NEW, template))))
    }

    /// Tells what a template makes, components included, whatever the name of the index.
    ///
    /// # Errors
    /// A component is missing, or another template counts as much.
    pub fn simulate_template(
        &self,
        name: &str,
        template: &IndexTemplate,
    ) -> Result<Simulation, Exception> {
        let metadata = self.metadata();
        metadata.check_template(name, template)?;
        let rivals = metadata.index_templates.iter().filter(|(other, it)| {
            *other != name && any_overlap(&it.index_patterns, &template.index_patterns)
        });
        let overlapping =
            rivals.map(|(name, it)| (name.clone(), it.index_patterns.clone())).collect();
        Ok(Simulation { blueprint: metadata.compose(template), overlapping })
    }
}

impl Metadata {
    /// Returns what the templates make of a name; `new` counts as if it were kept.
    pub(crate) fn simulate(&self, index: &str, new: Option<(&str, &IndexTemplate)>) -> Simulation {
        let kept = self.index_templates.iter().map(|(name, template)| (name.as_str(), template));
        let mut matching: Vec<(&str, &IndexTemplate)> = kept
            .filter(|(name, _)| new.is_none_or(|(replaced, _)| replaced != *name))
            .chain(new)
            .filter(|(_, template)| template.matches(index))
            .collect();
        matching.sort_by_key(|(_, template)| Reverse(template.priority.unwrap_or(0)));
        let legacy = self.matching_legacy(index);
        let overlapping = |losing: &[(&str, &IndexTemplate)],
                           legacy: &[(&str, &LegacyTemplate)]| {
            let losing = losing.iter().map(|(name, it)| (*name, &it.index_patterns));
            let legacy = legacy.iter().map(|(name, it)| (*name, &it.index_patterns));
            losing.chain(legacy).map(|(name, it)| (name.to_owned(), it.clone())).collect()
        };
        match matching.split_first() {
            Some(((_, winner), losing)) => Simulation {
                blueprint: self.compose(winner),
                overlapping: overlapping(losing, &legacy),
            },
            None => {
                let mut blueprint = Blueprint::default();
                legacy.iter().for_each(|(_, template)| blueprint.lay_over(&template.template));
                Simulation { blueprint, overlapping: Vec::new() }
            }
        }
    }

    /// Returns the legacy templates that match, the lowest first.
    fn matching_legacy(&self, index: &str) -> Vec<(&str, &LegacyTemplate)> {
        let mut matching: Vec<(&str, &LegacyTemplate)> = self
            .legacy_templates
            .iter()
            .filter(|(_, template)| template.matches(index))
            .map(|(name, template)| (name.as_str(), template))
            .collect();
        matching.sort_by_key(|(_, template)| template.order);
        matching
    }

    /// Lays the components of a template over one another, and the template over all.
    pub(crate) fn compose(&self, template: &IndexTemplate) -> Blueprint {
        let mut blueprint = Blueprint::default();
        let components =
            template.composed_of.iter().filter_map(|name| self.component_templates.get(name));
        components.for_each(|component| blueprint.lay_over(&component.template));
        if let Some(own) = &template.template {
            blueprint.lay_over(own);
        }
        blueprint
    }

    /// Refuses a template whose components are missing, or beside which another one counts as much.
    fn check_template(&self, name: &str, template: &IndexTemplate) -> Result<(), Exception> {
        let missing: Vec<&str> = template
            .composed_of
            .iter()
            .filter(|it| !self.component_templates.contains_key(*it))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            return Err(Exception::new(
                ExceptionKind::InvalidIndexTemplate,
                format!(
                    "index_template [{name}] invalid, cause [index template [{name}] specifies component templates [{}] that do not exist]",
                    missing.join(", ")
                ),
            ));
        }
        let priority = template.priority.unwrap_or(0);
        let rivals: Vec<(&String, &IndexTemplate)> = self
            .index_templates
            .iter()
            .filter(|(other, it)| {
                *other != name
                    && it.priority.unwrap_or(0) == priority
                    && any_overlap(&it.index_patterns, &template.index_patterns)
            })
            .collect();
        if rivals.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = rivals.iter().map(|(name, _)| name.as_str()).collect();
        let patterns: Vec<String> = rivals
            .iter()
            .map(|(name, it)| format!("{name} => [{}]", it.index_patterns.join(", ")))
            .collect();
        Err(Exception::illegal_argument(format!(
            "index template [{name}] has index patterns [{}] matching patterns from existing templates [{}] with patterns ({}) that have the same priority [{priority}], multiple index templates may not match during index creation, please use a different priority",
            template.index_patterns.join(", "),
            names.join(", "),
            patterns.join(", ")
        )))
    }
}

fn any_overlap(some: &[String], others: &[String]) -> bool {
    some.iter().any(|one| others.iter().any(|other| overlap(one, other)))
}

/// Refuses the name of a template.
fn check_name(name: &str) -> Result<(), Exception> {
    let rule = if name.trim().is_empty() {
        "name must not be empty"
    } else if name.contains(' ') {
        "name must not contain a space"
    } else if name.contains(',') {
        "name must not contain a ','"
    } else if name.contains('#') {
        "name must not contain a '#'"
    } else if name.contains('*') {
        "name must not contain a '*'"
    } else if name.starts_with('_') {
        "name must not start with '_'"
    } else if name.to_lowercase() != name {
        "name must be lower cased"
    } else {
        return Ok(());
    };
    Err(Exception::new(
        ExceptionKind::InvalidIndexTemplate,
        format!("index_template [{name}] invalid, cause [{rule}]"),
    ))
}

fn missing(name: &str) -> Exception {
    Exception::new(ExceptionKind::IndexTemplateMissing, format!("index_template [{name}] missing"))
}

/// Takes away what a name or pattern means; a plain name, or a list, must be there.
fn remove_named<T>(templates: &mut BTreeMap<String, T>, pattern: &str) -> Result<(), Exception> {
    let before = templates.len();
    templates.retain(|name, _| !matches(pattern, name));
    if templates.len() == before && pattern != "*" {
        return Err(missing(pattern));
    }
    Ok(())
}

/// Returns what a comma list of names and patterns means, in the order of names.
fn select<T: Clone>(templates: &BTreeMap<String, T>, patterns: &str) -> Vec<(String, T)> {
    let patterns: Vec<&str> = patterns.split(',').map(str::trim).collect();
    let wanted = |name: &str| patterns.iter().any(|pattern| matches(pattern, name));
    templates
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, template)| (name.clone(), template.clone()))
        .collect()
}
