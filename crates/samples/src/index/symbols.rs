//! Each name and value of a label once, for as long as a series uses it.

use std::collections::HashMap;
use std::sync::Arc;

/// Stands for a text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Symbol(u32);

/// Texts and the symbols that stand for them.
#[derive(Default)]
pub(super) struct Symbols {
    /// Each text and how often it is used; a text that nobody uses is empty.
    texts: Vec<(Arc<str>, u32)>,
    by_text: HashMap<Arc<str>, Symbol>,
    free: Vec<Symbol>,
}

impl Symbols {
    /// Returns the symbol of a text; `None` when no series uses it.
    pub(super) fn get(&self, text: &str) -> Option<Symbol> {
        self.by_text.get(text).copied()
    }

    /// Returns the symbol of a text, and counts one more use.
    pub(super) fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.by_text.get(text) {
            self.texts[symbol.0 as usize].1 += 1;
            return symbol;
        }
        let text: Arc<str> = text.into();
        let symbol = match self.free.pop() {
            Some(symbol) => symbol,
            None => {
                self.texts.push(("".into(), 0));
                Symbol((self.texts.len() - 1) as u32)
            }
        };
        self.texts[symbol.0 as usize] = (Arc::clone(&text), 1);
        self.by_text.insert(text, symbol);
        symbol
    }

    /// Counts one use less.
    pub(super) fn release(&mut self, symbol: Symbol) {
        let (text, uses) = &mut self.texts[symbol.0 as usize];
        *uses -= 1;
        if *uses == 0 {
            self.by_text.remove(text);
            *text = "".into();
            self.free.push(symbol);
        }
    }

    /// Returns the text of a symbol.
    pub(super) fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize].0
    }
}
