//! The methods, functions and constants that there are, each with the number of its arguments.
//!
//! Source: OpenSearch, the allow lists `java.lang.txt` and `java.util.txt` of lang-painless. `matches`
//! alone is not on them.

use std::ops::RangeInclusive;

use crate::number::Number;

/// A method of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    Contains,
    ContainsKey,
    ContainsValue,
    DoubleValue,
    EndsWith,
    EntrySet,
    Equals,
    EqualsIgnoreCase,
    FloatValue,
    Get,
    GetKey,
    GetLength,
    GetOrDefault,
    GetValue,
    IndexOf,
    IntValue,
    IsEmpty,
    KeySet,
    Length,
    LongValue,
    Size,
    StartsWith,
    Substring,
    ToEpochMilli,
    ToLowerCase,
    ToString,
    ToUpperCase,
    Trim,
    Values,
}

const METHODS: [(&str, Method, RangeInclusive<usize>); 29] = [
    ("contains", Method::Contains, 1..=1),
    ("containsKey", Method::ContainsKey, 1..=1),
    ("containsValue", Method::ContainsValue, 1..=1),
    ("doubleValue", Method::DoubleValue, 0..=0),
    ("endsWith", Method::EndsWith, 1..=1),
    ("entrySet", Method::EntrySet, 0..=0),
    ("equals", Method::Equals, 1..=1),
    ("equalsIgnoreCase", Method::EqualsIgnoreCase, 1..=1),
    ("floatValue", Method::FloatValue, 0..=0),
    ("get", Method::Get, 1..=1),
    ("getKey", Method::GetKey, 0..=0),
    ("getLength", Method::GetLength, 0..=0),
    ("getOrDefault", Method::GetOrDefault, 2..=2),
    ("getValue", Method::GetValue, 0..=0),
    ("indexOf", Method::IndexOf, 1..=2),
    ("intValue", Method::IntValue, 0..=0),
    ("isEmpty", Method::IsEmpty, 0..=0),
    ("keySet", Method::KeySet, 0..=0),
    ("length", Method::Length, 0..=0),
    ("longValue", Method::LongValue, 0..=0),
    ("size", Method::Size, 0..=0),
    ("startsWith", Method::StartsWith, 1..=1),
    ("substring", Method::Substring, 1..=2),
    ("toEpochMilli", Method::ToEpochMilli, 0..=0),
    ("toLowerCase", Method::ToLowerCase, 0..=0),
    ("toString", Method::ToString, 0..=0),
    ("toUpperCase", Method::ToUpperCase, 0..=0),
    ("trim", Method::Trim, 0..=0),
    ("values", Method::Values, 0..=0),
];

impl Method {
    /// Returns the method of this name and how many arguments it takes.
    pub(crate) fn named(name: &str) -> Option<(Self, RangeInclusive<usize>)> {
        let found = METHODS.iter().find(|(known, ..)| *known == name)?;
        Some((found.1, found.2.clone()))
    }

    pub(crate) fn name(self) -> &'static str {
        METHODS.iter().find(|(_, known, _)| *known == self).map_or("", |(name, ..)| name)
    }
}

/// A function of a class. Those of `Math` are of doubles alone, as in OpenSearch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Function {
    Abs,
    Ceil,
    Floor,
    Max,
    Min,
    ParseDouble,
    ParseInt,
    ParseLong,
    Pow,
    Round,
    Sqrt,
    ValueOf,
}

const FUNCTIONS: [(&str, &str, Function, usize); 12] = [
    ("Math", "abs", Function::Abs, 1),
    ("Math", "ceil", Function::Ceil, 1),
    ("Math", "floor", Function::Floor, 1),
    ("Math", "max", Function::Max, 2),
    ("Math", "min", Function::Min, 2),
    ("Double", "parseDouble", Function::ParseDouble, 1),
    ("Integer", "parseInt", Function::ParseInt, 1),
    ("Long", "parseLong", Function::ParseLong, 1),
    ("Math", "pow", Function::Pow, 2),
    ("Math", "round", Function::Round, 1),
    ("Math", "sqrt", Function::Sqrt, 1),
    ("String", "valueOf", Function::ValueOf, 1),
];

impl Function {
    /// Returns the function of this class and how many arguments it takes.
    pub(crate) fn named(class: &str, name: &str) -> Option<(Self, usize)> {
        let found = FUNCTIONS.iter().find(|known| (known.0, known.1) == (class, name))?;
        Some((found.2, found.3))
    }
}

const CONSTANTS: [(&str, &str, Number); 8] = [
    ("Double", "MAX_VALUE", Number::Double(f64::MAX)),
    ("Double", "MIN_VALUE", Number::Double(5e-324)),
    ("Integer", "MAX_VALUE", Number::Int(i32::MAX)),
    ("Integer", "MIN_VALUE", Number::Int(i32::MIN)),
    ("Long", "MAX_VALUE", Number::Long(i64::MAX)),
    ("Long", "MIN_VALUE", Number::Long(i64::MIN)),
    ("Math", "E", Number::Double(std::f64::consts::E)),
    ("Math", "PI", Number::Double(std::f64::consts::PI)),
];

/// Returns the constant of this class.
pub(crate) fn constant(class: &str, name: &str) -> Option<Number> {
    CONSTANTS.iter().find(|known| (known.0, known.1) == (class, name)).map(|known| known.2)
}

/// Returns whether the class has functions or constants.
pub(crate) fn is_class(name: &str) -> bool {
    FUNCTIONS.iter().any(|known| known.0 == name) || CONSTANTS.iter().any(|known| known.0 == name)
}
