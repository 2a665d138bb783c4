//! `join`: a function with every kind of parameter.

use foundryhub::framework::{
    Attr, Type,
    function::{Function, FunctionError, Parameter, Signature},
};
use serde::Deserialize;

pub(crate) struct Join;

#[derive(Debug, Deserialize)]
pub(crate) struct Arguments {
    separator: Option<String>,
    prefix: Attr<String>,
    texts: Vec<String>,
}

impl Function for Join {
    type Arguments = Arguments;
    type Output = Attr<String>;

    fn name(&self) -> &'static str {
        "join"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Joins texts.",
            description: "Joins texts, with a prefix before them and a separator between them.",
            parameters: vec![
                Parameter::new("separator", Type::String, "What stands between two texts.").or_null(),
                Parameter::new("prefix", Type::String, "What stands before them.").or_null().or_unknown(),
            ],
            variadic: Some(Parameter::new("texts", Type::String, "The texts.")),
            returns: Type::String,
        }
    }

    fn call(&self, Arguments { separator, prefix, texts }: Arguments) -> Result<Attr<String>, FunctionError> {
        assert!(!texts.iter().any(|text| text == "panic"), "joined");
        if texts.iter().any(|text| text == "stall") {
            eprintln!("stalled");
            loop {
                std::thread::park();
            }
        }
        if let Some(empty) = texts.iter().position(String::is_empty) {
            return Err(FunctionError::new("A text must not be empty.").at(2 + empty));
        }
        if prefix.is_unknown() {
            return Ok(Attr::Unknown);
        }
        let joined = texts.join(&separator.unwrap_or_default());
        Ok(format!("{}{joined}", prefix.text().unwrap_or_default()).into())
    }
}
