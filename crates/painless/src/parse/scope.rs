//! Which variables are known at a place of a script.

use crate::syntax::Type;

/// The variables that are declared around a place.
#[derive(Debug, Default)]
pub(super) struct Scope<'s> {
    /// Names with the places of their variables, innermost last.
    names: Vec<(&'s str, usize)>,
    /// The type of each variable that was ever declared.
    slots: Vec<Type>,
}

impl<'s> Scope<'s> {
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().rev().find(|(known, _)| *known == name).map(|(_, slot)| *slot)
    }

    pub(super) fn declare(&mut self, name: &'s str, kind: Type) -> usize {
        let slot = self.slots.len();
        self.slots.push(kind);
        self.names.push((name, slot));
        slot
    }

    pub(super) fn type_of(&self, slot: usize) -> Type {
        self.slots[slot]
    }

    /// Marks where a block begins.
    pub(super) fn enter(&self) -> usize {
        self.names.len()
    }

    /// Forgets what was declared since the mark.
    pub(super) fn leave(&mut self, mark: usize) {
        self.names.truncate(mark);
    }

    pub(super) fn into_slots(self) -> Vec<Type> {
        self.slots
    }
}
