//! What can be checked of a script as a whole: its last expression is its answer, everything else must
//! do something and be reached.

use crate::ScriptError;
use crate::syntax::{Expression, ExpressionKind, Statement, StatementKind};

/// Turns the last expression into the answer and checks every statement.
pub(super) fn finish(source: &str, statements: &mut [Statement]) -> Result<(), ScriptError> {
    if statements.is_empty() {
        return Err(ScriptError::at(source, 0, "the script is empty"));
    }
    answer_with_last(statements);
    check_block(source, statements)?;
    if !returns(statements) {
        return Err(ScriptError::at(source, 0, "the script answers nothing: end it with return"));
    }
    Ok(())
}

/// An expression that ends the script is returned, also from within the blocks of a last `if`.
fn answer_with_last(statements: &mut [Statement]) {
    let Some(last) = statements.last_mut() else {
        return;
    };
    match &mut last.kind {
        StatementKind::Evaluate(expression) => {
            last.kind = StatementKind::Return(expression.clone());
        }
        StatementKind::If { branches, otherwise } => {
            branches.iter_mut().for_each(|(_, block)| answer_with_last(block));
            otherwise.iter_mut().for_each(|block| answer_with_last(block));
        }
        _ => {}
    }
}

fn check_block(source: &str, statements: &[Statement]) -> Result<(), ScriptError> {
    for (index, statement) in statements.iter().enumerate() {
        if index > 0 && leaves(&statements[index - 1]) {
            let message = "this statement is never reached";
            return Err(ScriptError::at(source, statement.span.start, message));
        }
        if let StatementKind::Evaluate(expression) = &statement.kind {
            check_effect(source, expression)?;
        }
        for block in blocks(statement) {
            check_block(source, block)?;
        }
    }
    Ok(())
}

/// Refuses an expression that stands as a statement and does nothing.
pub(super) fn check_effect(source: &str, expression: &Expression) -> Result<(), ScriptError> {
    match expression.kind {
        ExpressionKind::Assign { .. }
        | ExpressionKind::Step { .. }
        | ExpressionKind::Call { .. }
        | ExpressionKind::Static { .. } => Ok(()),
        _ => {
            let message = "this expression does nothing here: write return before it, or assign it";
            Err(ScriptError::at(source, expression.span.start, message))
        }
    }
}

fn blocks(statement: &Statement) -> Vec<&[Statement]> {
    match &statement.kind {
        StatementKind::If { branches, otherwise } => {
            let branches = branches.iter().map(|(_, block)| block.as_slice());
            branches.chain(otherwise.as_deref()).collect()
        }
        StatementKind::While { body, .. }
        | StatementKind::DoWhile { body, .. }
        | StatementKind::For { body, .. }
        | StatementKind::ForEach { body, .. } => vec![body],
        _ => Vec::new(),
    }
}

/// Returns whether what stands behind the statement is never reached.
fn leaves(statement: &Statement) -> bool {
    let block_leaves = |block: &[Statement]| block.last().is_some_and(leaves);
    match &statement.kind {
        StatementKind::Return(_) | StatementKind::Break | StatementKind::Continue => true,
        StatementKind::If { branches, otherwise: Some(otherwise) } => {
            branches.iter().all(|(_, block)| block_leaves(block)) && block_leaves(otherwise)
        }
        _ => false,
    }
}

fn returns(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| {
        matches!(statement.kind, StatementKind::Return(_))
            || blocks(statement).into_iter().any(returns)
    })
}
