//! Answers that are right until something between the service and its caller spoils them.

use axum::http::StatusCode;
use serde_json::Value;

use super::super::http::{Answer, Payload, Request};
use super::{Action, Verdict};

/// A host that nobody asked for.
const ELSEWHERE: &str = "https://elsewhere.example";

/// What a proxy or a front end answers in its own name.
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Request</title></head><body><h1>It did not work</h1></body></html>";

/// More than a client should read.
const HUGE: usize = 64 << 20;

/// The answer that sends the caller to another host.
pub(crate) fn redirect(request: &Request) -> Answer {
    Answer::empty(StatusCode::TEMPORARY_REDIRECT).with("location", url(ELSEWHERE, request))
}

impl Verdict {
    /// Does to an answer what the action says.
    pub(crate) fn spoil(&self, request: &Request, answer: &mut Answer) {
        if self.html {
            answer.body = Payload::Text("text/html", PAGE.to_owned());
        }
        match self.action {
            Action::Empty => answer.body = Payload::Empty,
            Action::Huge => answer.body = Payload::Text("application/json", " ".repeat(HUGE)),
            Action::Plain => {
                answer.body = match std::mem::replace(&mut answer.body, Payload::Empty) {
                    Payload::Empty => Payload::Empty,
                    Payload::Json(body) => Payload::Text("text/plain", body.to_string()),
                    Payload::Text(_, text) => Payload::Text("text/plain", text),
                }
            }
            Action::Loop => {
                let here = url(&request.base, request);
                change_list(answer, |list| list["nextLink"] = Value::String(here));
            }
            Action::Endless => {
                const PAGE: &str = "emulated-page";
                let number: u64 = request.query(PAGE).and_then(|number| number.parse().ok()).unwrap_or_default();
                let next = request.url_with(PAGE, &(number + 1).to_string());
                change_list(answer, |list| list["nextLink"] = Value::String(next));
            }
            Action::Astray => {
                let elsewhere = url(ELSEWHERE, request);
                for (name, value) in &mut answer.headers {
                    if matches!(*name, "location" | "azure-asyncoperation" | "operation-location") {
                        value.clone_from(&elsewhere);
                    }
                }
                change_list(answer, |list| list["nextLink"] = Value::String(elsewhere));
            }
            _ => {}
        }
    }
}

fn url(base: &str, request: &Request) -> String {
    format!("{base}{}?{}", request.raw_path, request.raw_query)
}

/// Changes the body of an answer that is a page of a list.
fn change_list(answer: &mut Answer, change: impl FnOnce(&mut Value)) {
    let mut body = match &answer.body {
        Payload::Empty => return,
        Payload::Json(body) => body.clone(),
        Payload::Text(_, text) => serde_json::from_str(text).unwrap_or_default(),
    };
    if body.get("value").is_some_and(Value::is_array) {
        change(&mut body);
        answer.body = Payload::Json(body);
    }
}
