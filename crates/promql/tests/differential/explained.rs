//! The differences that are meant, each with its reason.

/// A difference between the two engines that is no mistake.
pub(crate) struct Explained {
    /// What is different, and why it stays so.
    pub(crate) reason: &'static str,
    /// Says whether a query, our answer and theirs fall under it.
    pub(crate) holds: fn(&str, &crate::answer::Answered, &crate::answer::Answered) -> bool,
}

/// All of them.
pub(crate) const EXPLAINED: [Explained; 0] = [];
