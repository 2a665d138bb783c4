//! Values by their types.

use foundryhub::framework::{Path, Step, Type, Value};

/// A type that some bytes stand for, and the rest of them.
pub(crate) fn type_of(bytes: &[u8]) -> (Type, &[u8]) {
    nested(bytes, 4)
}

fn nested(bytes: &[u8], deepest: usize) -> (Type, &[u8]) {
    let Some((first, mut rest)) = bytes.split_first() else { return (Type::String, bytes) };
    let kind = if deepest == 0 { first % 3 } else { first % 7 };
    let mut inner = |deepest| {
        let (ty, after) = nested(rest, deepest);
        rest = after;
        ty
    };
    let ty = match kind {
        0 => Type::Bool,
        1 => Type::Number,
        2 => Type::String,
        3 => Type::list(inner(deepest - 1)),
        // Sets are of primitive types.
        4 => Type::set(inner(0)),
        5 => Type::map(inner(deepest - 1)),
        _ => {
            let names = ["a", "b", "é"].into_iter().take(usize::from(first / 7 % 4));
            Type::object(names.map(|name| (name, inner(deepest - 1))).collect::<Vec<_>>())
        }
    };
    (ty, rest)
}

/// Whether a value is one of the type.
pub(crate) fn is_of(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Null | Value::Unknown, _)
        | (Value::Bool(_), Type::Bool)
        | (Value::Number(_), Type::Number)
        | (Value::String(_), Type::String) => true,
        (Value::List(elements), Type::List(ty) | Type::Set(ty)) => elements.iter().all(|element| is_of(element, ty)),
        (Value::Map(members), Type::Map(ty)) => members.values().all(|member| is_of(member, ty)),
        (Value::Map(members), Type::Object(types)) => {
            members.len() == types.len() && types.iter().all(|(name, ty)| is_of(value.get(name), ty))
        }
        _ => false,
    }
}

/// Whether a path leads to somewhere in values of the type.
pub(crate) fn leads_into(path: &Path, ty: &Type) -> bool {
    path.0
        .iter()
        .try_fold(ty, |ty, step| match (step, ty) {
            (Step::Index(_), Type::List(element)) | (Step::Key(_), Type::Map(element)) => Some(&**element),
            (Step::Attribute(name), Type::Object(types)) => types.get(name.as_str()),
            _ => None,
        })
        .is_some()
}
