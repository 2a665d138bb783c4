//! What the author of a function implements: a signature, a struct for its arguments and a call.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Diagnostic, Step, Type, Value,
    schema::Refusal,
    structs::{Mismatch, from_value, to_value},
};

/// A provider-defined function. It depends on nothing but its arguments: engines call it without configuring the provider.
pub trait Function: Send + Sync + 'static {
    /// The arguments by the names of the parameters; the variadic ones are a list.
    type Arguments: DeserializeOwned;
    /// The result.
    type Output: Serialize;

    /// The name behind `provider::NAME::`.
    fn name(&self) -> &'static str;

    /// Its signature.
    fn signature(&self) -> Signature;

    /// Calls it. Arguments are null or unknown only where the signature allows that.
    ///
    /// # Errors
    /// What is wrong with an argument or with the call.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Output, FunctionError>;
}

/// The signature of a function.
#[derive(Clone, Debug)]
pub struct Signature {
    /// In a sentence.
    pub summary: &'static str,
    /// In Markdown.
    pub description: &'static str,
    /// In the order of the arguments.
    pub parameters: Vec<Parameter>,
    /// The parameter of all further arguments.
    pub variadic: Option<Parameter>,
    /// The type of the result.
    pub returns: Type,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The type of the argument.
    pub ty: Type,
    /// In Markdown.
    pub description: &'static str,
    pub(crate) allow_null: bool,
    /// Whether the function is called while the argument is unknown. Otherwise the result is unknown as well.
    pub(crate) allow_unknown: bool,
}

impl Parameter {
    /// A parameter whose argument must be known and set.
    pub fn new(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self { name, ty, description, allow_null: false, allow_unknown: false }
    }

    /// The argument may be null.
    pub fn or_null(mut self) -> Self {
        self.allow_null = true;
        self
    }

    /// The argument may be unknown.
    pub fn or_unknown(mut self) -> Self {
        self.allow_unknown = true;
        self
    }
}

impl Signature {
    /// The parameter of the argument at this position.
    ///
    /// # Errors
    /// There is no such argument.
    pub(crate) fn parameter(&self, index: usize) -> Result<&Parameter, FunctionError> {
        self.parameters.get(index).or(self.variadic.as_ref()).ok_or_else(|| self.wrong_count())
    }

    /// The error for arguments that do not fit their struct.
    fn unfit(&self, mismatch: Mismatch) -> FunctionError {
        let argument = match &mismatch.path.0[..] {
            [Step::Attribute(name), rest @ ..] => match self.parameters.iter().position(|it| it.name == name) {
                Some(position) => Some(position),
                None => match rest {
                    [Step::Index(index), ..] => usize::try_from(*index).ok().map(|index| self.parameters.len() + index),
                    _ => None,
                },
            },
            _ => None,
        };
        FunctionError { argument, ..mismatch.into() }
    }

    fn wrong_count(&self) -> FunctionError {
        let more = if self.variadic.is_some() { " or more" } else { "" };
        FunctionError::new(format!("The number of arguments is wrong: it takes {}{more}.", self.parameters.len()))
    }
}

/// Why a function has no result. Engines show no more than this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// What is wrong, and what would be right.
    pub(crate) text: String,
    /// The argument at fault, counted from zero, variadic ones included.
    pub(crate) argument: Option<usize>,
}

impl FunctionError {
    /// An error that is not about one argument.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: None }
    }

    /// The same error about one argument.
    pub fn at(mut self, argument: usize) -> Self {
        self.argument = Some(argument);
        self
    }
}

/// A result that cannot be told is the fault of no argument.
impl From<Mismatch> for FunctionError {
    fn from(mismatch: Mismatch) -> Self {
        Diagnostic::from(mismatch).into()
    }
}

impl From<Diagnostic> for FunctionError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(format!("{}: {}", diagnostic.summary, diagnostic.detail))
    }
}

/// The refusal of an argument, as of an attribute; its position is still to be said.
impl From<Refusal> for FunctionError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.detail)
    }
}

/// A [`Function`] with its types erased.
pub trait AnyFunction: Send + Sync {
    /// The name behind `provider::NAME::`.
    fn name(&self) -> &'static str;
    /// Its signature.
    fn signature(&self) -> Signature;
    /// Calls it with these arguments.
    ///
    /// # Errors
    /// What is wrong with an argument or with the call.
    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError>;
}

impl<F: Function> AnyFunction for F {
    fn name(&self) -> &'static str {
        Function::name(self)
    }

    fn signature(&self) -> Signature {
        Function::signature(self)
    }

    fn call(&self, mut arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let signature = Function::signature(self);
        for (index, argument) in arguments.iter().enumerate() {
            let parameter = signature.parameter(index)?;
            if argument.is_null() && !parameter.allow_null {
                return Err(FunctionError::new(format!("{} must not be null.", parameter.name)).at(index));
            }
            if !argument.is_wholly_known() && !parameter.allow_unknown {
                return Ok(Value::Unknown);
            }
        }
        if arguments.len() < signature.parameters.len() {
            return Err(signature.wrong_count());
        }
        let rest = Value::List(arguments.split_off(signature.parameters.len()));
        let names = signature.parameters.iter().chain(&signature.variadic).map(|parameter| parameter.name);
        let arguments = Value::object(names.zip(arguments.into_iter().chain([rest])));
        let arguments = from_value(arguments).map_err(|mismatch| signature.unfit(mismatch))?;
        Ok(to_value(&Function::call(self, arguments)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// Its struct is another than its signature.
    struct Wrong;

    #[derive(Deserialize)]
    struct Arguments {
        #[serde(rename = "first")]
        _first: String,
        #[serde(rename = "second")]
        _second: u64,
        #[serde(rename = "rest")]
        _rest: Vec<u64>,
    }

    impl Function for Wrong {
        type Arguments = Arguments;
        type Output = String;

        fn name(&self) -> &'static str {
            "wrong"
        }

        fn signature(&self) -> Signature {
            let text = |name| Parameter::new(name, Type::String, "");
            Signature {
                summary: "",
                description: "",
                parameters: vec![text("first"), Parameter::new("second", Type::Number, "")],
                variadic: Some(text("rest")),
                returns: Type::String,
            }
        }

        fn call(&self, _arguments: Arguments) -> Result<String, FunctionError> {
            Ok(String::new())
        }
    }

    #[test]
    fn an_argument_that_does_not_fit_the_struct_is_named() {
        let (text, number) = (|| Value::from("a"), || Value::from(1));
        for (arguments, position) in
            [(vec![text(), text()], 1), (vec![number(), number()], 0), (vec![text(), number(), number(), text()], 3)]
        {
            let error = AnyFunction::call(&Wrong, arguments).unwrap_err();
            assert_eq!(error.argument, Some(position), "{}", error.text);
            assert!(error.text.contains("The provider cannot read its own values"), "{}", error.text);
        }
        assert_eq!(AnyFunction::call(&Wrong, vec![text(), number()]), Ok(Value::from("")));
    }
}
