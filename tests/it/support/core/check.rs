//! What core demands of a provider's answers: that a plan does what the configuration says, and that an apply does what
//! the plan said. Each function returns what it found wrong, a line each.

use foundryhub::framework::{Path, Type, Value};

use super::{
    propose::elements_of,
    schema::{Attribute, Attributes, Block, Nesting},
    value::to_json,
};

/// What is wrong with a plan, given the prior state and the configuration.
pub(crate) fn plan_problems(block: &Block, prior: &Value, config: &Value, planned: &Value) -> Vec<String> {
    let mut problems = Problems::default();
    problems.plan_block(block, prior, config, planned, &Path::default());
    problems.0
}

/// What is wrong with the result of an apply, or with a second plan, given the plan that promised it.
pub(crate) fn result_problems(block: &Block, planned: &Value, actual: &Value) -> Vec<String> {
    let mut problems = Problems::default();
    problems.result_block(block, planned, actual, &Path::default());
    problems.0
}

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, path: &Path, problem: impl AsRef<str>) {
        let path = if path.0.is_empty() { "the object".to_owned() } else { path.to_string() };
        self.0.push(format!("{path}: {}", problem.as_ref()));
    }

    // Plans.

    fn plan_block(&mut self, block: &Block, prior: &Value, config: &Value, planned: &Value, path: &Path) {
        match (config.is_null(), planned.is_null()) {
            (false, true) => return self.add(path, "planned for absence but config wants existence"),
            (true, false) => return self.add(path, "planned for existence but config wants absence"),
            (true, true) => return,
            (false, false) => {}
        }
        self.plan_attributes(&block.attributes, prior, config, planned, path);
        for (name, nested) in &block.blocks {
            let path = path.clone().attribute(name);
            let (prior, config, planned) = (prior.get(name), config.get(name), planned.get(name));
            if planned == config {
                continue;
            } else if config.is_unknown() {
                self.add(&path, format!("planned value {} for unknown dynamic block", to_json(planned)));
            } else if planned.is_unknown() {
                self.add(&path, "planned unknown value for non-computed block");
            } else {
                self.plan_block(nested, prior, config, planned, &path);
            }
        }
    }

    fn plan_attributes(
        &mut self,
        attributes: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        for (name, attribute) in attributes {
            let path = path.clone().attribute(name);
            self.plan_attribute(attribute, prior.get(name), config.get(name), planned.get(name), &path);
        }
    }

    fn plan_attribute(&mut self, attribute: &Attribute, prior: &Value, config: &Value, planned: &Value, path: &Path) {
        let follows_config = planned == config;
        let keeps_prior = planned == prior && !prior.is_null() && !config.is_null();
        if follows_config || keeps_prior {
            return;
        }
        if attribute.computed && (config.is_null() || !attribute.optional) {
            return;
        }
        if config.is_null() {
            return self.add(path, format!("planned value {} for a non-computed attribute", to_json(planned)));
        }
        if let Some((nesting, members)) = &attribute.nested {
            return self.plan_nested(*nesting, members, prior, config, planned, path);
        }
        let (planned, config) = (to_json(planned), to_json(config));
        let prior = if prior.is_null() { String::new() } else { format!(" nor prior value {}", to_json(prior)) };
        self.add(path, format!("planned value {planned} does not match config value {config}{prior}"));
    }

    fn plan_nested(
        &mut self,
        nesting: Nesting,
        members: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        if planned.is_null() {
            return self.add(path, "planned for absence but config wants existence");
        }
        if planned.is_unknown() {
            return self.add(path, "planned unknown for configured value");
        }
        match nesting {
            Nesting::Single => self.plan_attributes(members, prior, config, planned, path),
            Nesting::List | Nesting::Map => {
                let problem = |count, other| format!("count or keys in plan ({count}) disagree with config ({other})");
                let Some(elements) = self.pair(planned, config, path, problem) else { return };
                for (path, planned, config) in elements {
                    self.plan_attributes(members, counterpart(prior, &path), config, planned, &path);
                }
            }
        }
    }

    /// The elements of two lists or maps side by side; `None`, and a problem, when they do not go together.
    fn pair<'v>(
        &mut self,
        left: &'v Value,
        right: &'v Value,
        path: &Path,
        problem: impl Fn(usize, usize) -> String,
    ) -> Option<Vec<(Path, &'v Value, &'v Value)>> {
        match (left, right) {
            (Value::List(left), Value::List(right)) if left.len() == right.len() => {
                let pairs = left.iter().zip(right).enumerate();
                Some(pairs.map(|(index, (left, right))| (path.clone().index(index), left, right)).collect())
            }
            (Value::Map(left), Value::Map(right)) if left.keys().eq(right.keys()) => {
                let pairs = left.iter().zip(right.values());
                Some(pairs.map(|((key, left), right)| (path.clone().key(key.as_ref()), left, right)).collect())
            }
            _ => {
                let count = |value: &Value| match value {
                    Value::List(elements) => elements.len(),
                    Value::Map(members) => members.len(),
                    _ => 0,
                };
                self.add(path, problem(count(left), count(right)));
                None
            }
        }
    }

    // Results.

    fn result_block(&mut self, block: &Block, planned: &Value, actual: &Value, path: &Path) {
        match (planned, actual) {
            (Value::Null, Value::Null) => return,
            (Value::Null, _) => return self.add(path, "was absent, but now present"),
            (_, Value::Null) => return self.add(path, "was present, but now absent"),
            _ => {}
        }
        for (name, attribute) in &block.attributes {
            self.result_value(&attribute.ty, planned.get(name), actual.get(name), &path.clone().attribute(name));
        }
        for (name, nested) in &block.blocks {
            let path = path.clone().attribute(name);
            let (planned, actual) = (planned.get(name), actual.get(name));
            if planned.is_unknown() {
                continue;
            }
            self.result_block(nested, planned, actual, &path);
        }
    }

    fn result_value(&mut self, ty: &Type, planned: &Value, actual: &Value, path: &Path) {
        let change = |verb| format!("was {}, but now {verb}{}", to_json(planned), to_json(actual));
        match (ty, planned, actual) {
            (_, Value::Unknown, _) | (_, Value::Null, Value::Null) => {}
            (_, Value::Null, _) | (_, _, Value::Null) => self.add(path, change("")),
            (_, _, Value::Unknown) => self.add(path, "was known, but now unknown"),
            (Type::Set(_), planned, actual) => self.result_set(planned, actual, path),
            (Type::List(element) | Type::Map(element), planned, actual) => {
                let problem = |planned, actual| format!("{planned} elements were planned, now there are {actual}");
                let Some(elements) = self.pair(planned, actual, path, problem) else { return };
                for (path, planned, actual) in elements {
                    self.result_value(element, planned, actual, &path);
                }
            }
            (Type::Object(members), planned, actual) => {
                for (name, ty) in members {
                    self.result_value(ty, planned.get(name), actual.get(name), &path.clone().attribute(name.as_ref()));
                }
            }
            (_, planned, actual) if planned == actual => {}
            _ => self.add(path, change("")),
        }
    }

    /// Every element must have a counterpart, and there may be fewer of them afterwards, never more.
    fn result_set(&mut self, planned: &Value, actual: &Value, path: &Path) {
        let correlates = |planned: &Value, actual: &Value| planned.is_unknown() || planned == actual;
        let (planned, actual) = (elements_of(planned), elements_of(actual));
        for lost in planned.iter().filter(|planned| !actual.iter().any(|actual| correlates(planned, actual))) {
            self.add(
                path,
                format!("planned set element {} does not correlate with any element in actual", to_json(lost)),
            );
        }
        for extra in actual.iter().filter(|actual| !planned.iter().any(|planned| correlates(planned, actual))) {
            self.add(
                path,
                format!("actual set element {} does not correlate with any element in plan", to_json(extra)),
            );
        }
        if actual.len() > planned.len() {
            self.add(path, format!("length changed from {} to {}", planned.len(), actual.len()));
        }
    }
}

/// The element of `prior` that has the last step of `path`, or null.
fn counterpart<'v>(prior: &'v Value, path: &Path) -> &'v Value {
    let last = Path(path.0.last().cloned().into_iter().collect());
    super::value::at(prior, &last).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(ty: Type, optional: bool, computed: bool) -> Attribute {
        Attribute { ty, nested: None, required: false, optional, computed }
    }

    fn block(name: &str, attribute: Attribute) -> Block {
        Block { attributes: Attributes::from([(name.to_owned(), attribute)]), ..Block::default() }
    }

    fn of(value: Value) -> Value {
        Value::object([("a", value)])
    }

    fn check_plan(attribute: Attribute, prior: Value, config: Value, planned: Value, expected: &str) {
        let problems = plan_problems(&block("a", attribute), &of(prior), &of(config), &of(planned));
        assert_eq!(problems.join("; "), expected);
    }

    #[test]
    fn a_plan_may_only_set_computed_attributes_that_are_not_configured() {
        let optional = || attribute(Type::String, true, false);
        let either = || attribute(Type::String, true, true);
        check_plan(optional(), Value::Null, "x".into(), "x".into(), "");
        check_plan(optional(), "X".into(), "x".into(), "X".into(), "");
        check_plan(either(), Value::Null, Value::Null, Value::Unknown, "");
        let mismatch = r#"a: planned value "X" does not match config value "x""#;
        check_plan(optional(), Value::Null, "x".into(), "X".into(), mismatch);
        check_plan(either(), "old".into(), "x".into(), "X".into(), &format!(r#"{mismatch} nor prior value "old""#));
        let unset = r#"a: planned value "x" for a non-computed attribute"#;
        check_plan(optional(), "x".into(), Value::Null, "x".into(), unset);
    }

    #[test]
    fn an_apply_has_to_keep_planned_values() {
        let check = |ty: Type, planned: Value, actual: Value, expected: &str| {
            let problems = result_problems(&block("a", attribute(ty, true, true)), &of(planned), &of(actual));
            assert_eq!(problems.join("; "), expected);
        };
        check(Type::String, Value::Unknown, "x".into(), "");
        check(Type::String, Value::Unknown, Value::Null, "");
        check(Type::String, "x".into(), "y".into(), r#"a: was "x", but now "y""#);
        check(Type::String, "x".into(), Value::Null, r#"a: was "x", but now null"#);
        check(Type::String, Value::Null, "x".into(), r#"a: was null, but now "x""#);
        let list = |elements: &[Value]| Value::List(elements.to_vec());
        let more = "a: 1 elements were planned, now there are 2";
        check(Type::list(Type::String), list(&["x".into()]), list(&["x".into(), "y".into()]), more);
        let merged = list(&["x".into()]);
        check(Type::set(Type::String), list(&["x".into(), Value::Unknown]), merged, "");
    }
}
