//! Operators between numbers, and between a number and a vector.

use super::column::{Computed, Scalars, Vector};
use super::{Evaluator, Grid};
use crate::error::QueryError;
use crate::options::WindowRule;
use crate::syntax::{Binary, BinaryOperator};

impl Evaluator<'_> {
    pub(super) fn binary(&self, binary: &Binary, grid: Grid) -> Result<Computed, QueryError> {
        let lhs = self.eval(&binary.lhs, grid)?;
        let rhs = self.eval(&binary.rhs, grid)?;
        match (lhs, rhs) {
            (Computed::Scalar(lhs), Computed::Scalar(rhs)) => {
                self.between_scalars(binary.operator, lhs, rhs, grid).map(Computed::Scalar)
            }
            (Computed::Vector(vector), Computed::Scalar(scalars)) => {
                self.with_scalar(binary, vector, &scalars, false).map(Computed::Vector)
            }
            (Computed::Scalar(scalars), Computed::Vector(vector)) => {
                self.with_scalar(binary, vector, &scalars, true).map(Computed::Vector)
            }
            (Computed::Vector(lhs), Computed::Vector(rhs)) => {
                self.between_vectors(binary, lhs, rhs, grid).map(Computed::Vector)
            }
            // The types were checked before.
            (Computed::Text(_), _) | (_, Computed::Text(_)) => {
                Ok(Computed::Vector(Vector::default()))
            }
        }
    }

    fn between_scalars(
        &self,
        operator: BinaryOperator,
        lhs: Scalars,
        rhs: Scalars,
        grid: Grid,
    ) -> Result<Scalars, QueryError> {
        if let (Scalars::Constant(lhs), Scalars::Constant(rhs)) = (&lhs, &rhs) {
            return Ok(Scalars::Constant(operator.number(*lhs, *rhs)));
        }
        self.budget.hold(grid.count)?;
        let number = |step| operator.number(lhs.at(step), rhs.at(step));
        Ok(Scalars::Each((0..grid.count).map(number).collect()))
    }

    fn with_scalar(
        &self,
        binary: &Binary,
        mut vector: Vector,
        scalars: &Scalars,
        scalar_is_left: bool,
    ) -> Result<Vector, QueryError> {
        let operator = binary.operator;
        let keeps_name = binary.keeps_name(self.options.window);
        for series in &mut vector.series {
            series.column.map_steps(|step, value| {
                let scalar = scalars.at(step);
                let (lhs, rhs) = if scalar_is_left { (scalar, value) } else { (value, scalar) };
                if !operator.is_comparison() || binary.returns_bool {
                    return Some(operator.number(lhs, rhs));
                }
                operator.holds(lhs, rhs).then_some(value)
            });
            if !keeps_name {
                series.labels = series.labels.without_metric_name();
            }
        }
        vector.merged()
    }
}

impl Binary {
    /// Returns whether results keep the name of the metric: when they are filtered only.
    pub(super) fn keeps_name(&self, rule: WindowRule) -> bool {
        match self.operator {
            // Prometheus 2 keeps it.
            BinaryOperator::Atan2 => rule == WindowRule::LeftClosed,
            operator => operator.is_comparison() && !self.returns_bool,
        }
    }
}

impl BinaryOperator {
    /// Applies the operator; a comparison answers 0 or 1.
    pub(super) fn number(self, lhs: f64, rhs: f64) -> f64 {
        match self {
            Self::Add => lhs + rhs,
            Self::Sub => lhs - rhs,
            Self::Mul => lhs * rhs,
            Self::Div => lhs / rhs,
            Self::Mod => lhs % rhs,
            Self::Pow => lhs.powf(rhs),
            Self::Atan2 => lhs.atan2(rhs),
            comparison => f64::from(u8::from(comparison.holds(lhs, rhs))),
        }
    }

    /// Returns whether a comparison holds; false of any other operator.
    #[expect(clippy::float_cmp, reason = "PromQL compares exactly")]
    pub(super) fn holds(self, lhs: f64, rhs: f64) -> bool {
        match self {
            Self::Equal => lhs == rhs,
            Self::NotEqual => lhs != rhs,
            Self::Less => lhs < rhs,
            Self::LessOrEqual => lhs <= rhs,
            Self::Greater => lhs > rhs,
            Self::GreaterOrEqual => lhs >= rhs,
            _ => false,
        }
    }
}
