//! The functions of PromQL, each with its parameters and the type it answers.

use crate::syntax::ValueType;

/// Defines [`Function`] and its tables from one list: variant, name, parameters, optional
/// parameters (`MANY` for any number), type of the answer.
macro_rules! functions {
    ($($variant:ident $name:literal ($($param:ident),*) $optional:tt -> $returns:ident;)*) => {
        /// A function of PromQL.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub(crate) enum Function {
            $($variant,)*
        }

        const ALL: &[Function] = &[$(Function::$variant,)*];

        impl Function {
            /// Returns how it is written in a query.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the types of its parameters; the last ones may be optional.
            pub(crate) const fn params(self) -> &'static [ValueType] {
                match self { $(Self::$variant => &[$(ValueType::$param),*],)* }
            }

            /// Returns how many of the parameters may be left out, and whether the last one may be
            /// repeated.
            pub(crate) const fn optional(self) -> Optional {
                match self { $(Self::$variant => functions!(@optional $optional),)* }
            }

            /// Returns the type of what it answers.
            pub(crate) const fn returns(self) -> ValueType {
                match self { $(Self::$variant => ValueType::$returns,)* }
            }
        }
    };
    (@optional MANY) => { Optional::Repeated };
    (@optional $count:literal) => { Optional::Last($count) };
}

/// Which parameters need not be given exactly once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Optional {
    /// So many at the end may be left out.
    Last(usize),
    /// The last one may be left out or repeated.
    Repeated,
}

functions! {
    Abs "abs" (Vector) 0 -> Vector;
    Absent "absent" (Vector) 0 -> Vector;
    AbsentOverTime "absent_over_time" (Matrix) 0 -> Vector;
    Acos "acos" (Vector) 0 -> Vector;
    Acosh "acosh" (Vector) 0 -> Vector;
    Asin "asin" (Vector) 0 -> Vector;
    Asinh "asinh" (Vector) 0 -> Vector;
    Atan "atan" (Vector) 0 -> Vector;
    Atanh "atanh" (Vector) 0 -> Vector;
    AvgOverTime "avg_over_time" (Matrix) 0 -> Vector;
    Ceil "ceil" (Vector) 0 -> Vector;
    Changes "changes" (Matrix) 0 -> Vector;
    Clamp "clamp" (Vector, Scalar, Scalar) 0 -> Vector;
    ClampMax "clamp_max" (Vector, Scalar) 0 -> Vector;
    ClampMin "clamp_min" (Vector, Scalar) 0 -> Vector;
    Cos "cos" (Vector) 0 -> Vector;
    Cosh "cosh" (Vector) 0 -> Vector;
    CountOverTime "count_over_time" (Matrix) 0 -> Vector;
    DayOfMonth "day_of_month" (Vector) 1 -> Vector;
    DayOfWeek "day_of_week" (Vector) 1 -> Vector;
    DayOfYear "day_of_year" (Vector) 1 -> Vector;
    DaysInMonth "days_in_month" (Vector) 1 -> Vector;
    Deg "deg" (Vector) 0 -> Vector;
    Delta "delta" (Matrix) 0 -> Vector;
    Deriv "deriv" (Matrix) 0 -> Vector;
    Exp "exp" (Vector) 0 -> Vector;
    FirstOverTime "first_over_time" (Matrix) 0 -> Vector;
    Floor "floor" (Vector) 0 -> Vector;
    HistogramAvg "histogram_avg" (Vector) 0 -> Vector;
    HistogramCount "histogram_count" (Vector) 0 -> Vector;
    HistogramFraction "histogram_fraction" (Scalar, Scalar, Vector) 0 -> Vector;
    HistogramQuantile "histogram_quantile" (Scalar, Vector) 0 -> Vector;
    HistogramStddev "histogram_stddev" (Vector) 0 -> Vector;
    HistogramStdvar "histogram_stdvar" (Vector) 0 -> Vector;
    HistogramSum "histogram_sum" (Vector) 0 -> Vector;
    HoltWinters "holt_winters" (Matrix, Scalar, Scalar) 0 -> Vector;
    Hour "hour" (Vector) 1 -> Vector;
    Idelta "idelta" (Matrix) 0 -> Vector;
    Increase "increase" (Matrix) 0 -> Vector;
    Irate "irate" (Matrix) 0 -> Vector;
    LabelJoin "label_join" (Vector, String, String, String) MANY -> Vector;
    LabelReplace "label_replace" (Vector, String, String, String, String) 0 -> Vector;
    LastOverTime "last_over_time" (Matrix) 0 -> Vector;
    Ln "ln" (Vector) 0 -> Vector;
    Log10 "log10" (Vector) 0 -> Vector;
    Log2 "log2" (Vector) 0 -> Vector;
    MaxOverTime "max_over_time" (Matrix) 0 -> Vector;
    MinOverTime "min_over_time" (Matrix) 0 -> Vector;
    Minute "minute" (Vector) 1 -> Vector;
    Month "month" (Vector) 1 -> Vector;
    Pi "pi" () 0 -> Scalar;
    PredictLinear "predict_linear" (Matrix, Scalar) 0 -> Vector;
    PresentOverTime "present_over_time" (Matrix) 0 -> Vector;
    QuantileOverTime "quantile_over_time" (Scalar, Matrix) 0 -> Vector;
    Rad "rad" (Vector) 0 -> Vector;
    Rate "rate" (Matrix) 0 -> Vector;
    Resets "resets" (Matrix) 0 -> Vector;
    Round "round" (Vector, Scalar) 1 -> Vector;
    Scalar "scalar" (Vector) 0 -> Scalar;
    Sgn "sgn" (Vector) 0 -> Vector;
    Sin "sin" (Vector) 0 -> Vector;
    Sinh "sinh" (Vector) 0 -> Vector;
    Sort "sort" (Vector) 0 -> Vector;
    SortDesc "sort_desc" (Vector) 0 -> Vector;
    Sqrt "sqrt" (Vector) 0 -> Vector;
    StddevOverTime "stddev_over_time" (Matrix) 0 -> Vector;
    StdvarOverTime "stdvar_over_time" (Matrix) 0 -> Vector;
    SumOverTime "sum_over_time" (Matrix) 0 -> Vector;
    Tan "tan" (Vector) 0 -> Vector;
    Tanh "tanh" (Vector) 0 -> Vector;
    Time "time" () 0 -> Scalar;
    Timestamp "timestamp" (Vector) 0 -> Vector;
    Vector "vector" (Scalar) 0 -> Vector;
    Year "year" (Vector) 1 -> Vector;
}

impl Function {
    /// Returns the function of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|function| function.name() == name)
    }

    /// Returns whether its value depends on the step even when no argument does.
    ///
    /// Source: Prometheus, `promql/functions.go`, `AtModifierUnsafeFunctions`.
    pub(crate) const fn depends_on_step(self) -> bool {
        matches!(
            self,
            Self::DayOfMonth
                | Self::DayOfWeek
                | Self::DayOfYear
                | Self::DaysInMonth
                | Self::Hour
                | Self::Minute
                | Self::Month
                | Self::Year
                | Self::PredictLinear
                | Self::Time
                | Self::Timestamp
        )
    }
}

/// Returns the names of all functions, in alphabetical order.
pub fn function_names() -> impl ExactSizeIterator<Item = &'static str> {
    ALL.iter().map(|function| function.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_their_names() {
        assert!(function_names().is_sorted());
        assert_eq!(Function::find("rate"), Some(Function::Rate));
        assert_eq!(Function::find("Rate"), None);
        for function in ALL {
            assert_eq!(Function::find(function.name()), Some(*function));
        }
    }
}
