//! `/_emulator/…`: what a test in another process may ask of the emulator. No sign-in; it answers this machine only.

use axum::http::Method;
use serde_json::{Value, json};

use super::errors::ArmError;
use super::faults::{Rule, words};
use super::http::{Answer, Request};
use super::operations::{self, Outcome, State};
use super::seed::Seed;
use super::world::World;
use super::{clock, entra, ids, workspaces};

/// The path's first segment.
pub(crate) const ROOT: &str = "_emulator";

/// Answers a control request; `docs/internals/emulator.md` lists them.
pub(crate) fn answer(world: &mut World, request: &Request) -> Result<Answer, ArmError> {
    let path: Vec<&str> = request.segments[1..].iter().map(String::as_str).collect();
    let bad = |message: String| ArmError::bad_request("BadControlRequest", message);
    if !request.local {
        return Err(ArmError::forbidden("Forbidden", "Control requests come from the emulator's own machine only."));
    }
    match (&request.method, &path[..]) {
        (&Method::GET, ["requests"]) => {
            let arm_only = request.query("arm").is_some();
            let records = world.log.records().iter().filter(|record| !record.path.starts_with("/_emulator"));
            Ok(Answer::ok(json!(records.filter(|record| !arm_only || record.is_arm()).collect::<Vec<_>>())))
        }
        (&Method::DELETE, ["requests"]) => {
            world.log.clear();
            Ok(Answer::ok(Value::Null))
        }
        (&Method::POST, ["clock", "advance"]) => {
            let by = request.query("by").ok_or_else(|| bad("by is missing".to_owned()))?;
            world.clock.advance(clock::duration(by).map_err(bad)?);
            Ok(Answer::ok(json!({ "now": clock::seconds(world.clock.now()) })))
        }
        (&Method::POST, ["faults"]) => {
            let rule = String::from_utf8_lossy(&request.body).trim().parse::<Rule>().map_err(bad)?;
            Ok(Answer::ok(json!({ "id": world.faults.add(rule).to_string() })))
        }
        (&Method::DELETE, ["faults"]) => {
            world.faults.clear();
            Ok(Answer::ok(Value::Null))
        }
        (&Method::POST, ["options"]) => {
            let text = String::from_utf8_lossy(&request.body).replace(['\r', '\n'], " ");
            world.options.change(&words(&text).map_err(bad)?).map_err(bad)?;
            Ok(Answer::ok(Value::Null))
        }
        (&Method::POST, ["seed"]) => {
            let seed = Seed::parse(&String::from_utf8_lossy(&request.body)).map_err(|error| bad(error.to_string()))?;
            seed.plant(world).map_err(|error| bad(format!("{error:#}")))?;
            Ok(Answer::ok(Value::Null))
        }
        (&Method::GET, ["operations"]) => {
            let running = world.store.operations.iter().filter(|operation| operation.state == State::Running);
            let running: Vec<Value> = running
                .map(|operation| json!({ "id": operation.id, "method": operation.method, "resource": operation.resource }))
                .collect();
            Ok(Answer::ok(json!(running)))
        }
        (&Method::POST, ["operations", which, how]) => {
            let outcome = match *how {
                "finish" => Outcome::Succeeded,
                "cancel" => Outcome::Canceled,
                "fail" => Outcome::Failed {
                    code: request.query("code").unwrap_or("InternalServerError").to_owned(),
                    message: request.query("message").unwrap_or("The emulator was told to fail this.").to_owned(),
                },
                other => return Err(bad(format!("{other:?} is none of finish, fail, cancel"))),
            };
            let now = world.clock.now();
            let running = world.store.operations.iter().filter(|operation| operation.state == State::Running);
            let chosen: Vec<_> = running
                .filter(|operation| {
                    *which == "all" || operation.id == *which || ids::name(&operation.resource) == *which
                })
                .map(|operation| operation.id.clone())
                .collect();
            for id in &chosen {
                operations::end(world, id, Some(outcome.clone()), now);
            }
            Ok(Answer::ok(json!({ "ended": chosen.len() })))
        }
        (&Method::POST, ["image-builds"]) => {
            let id = request.query("workspace").ok_or_else(|| bad("workspace is missing".to_owned()))?;
            let registry = workspaces::attach_registry(world, &ids::key(id));
            registry
                .map(|registry| Answer::ok(json!({ "containerRegistry": registry })))
                .ok_or_else(|| ArmError::resource_not_found(id))
        }
        (&Method::POST, ["assertions"]) => {
            let audience = request.query("audience").unwrap_or(entra::EXCHANGE);
            let value = match (request.query("issuer"), request.query("subject")) {
                (Some(issuer), Some(subject)) => entra::new_assertion(world, issuer, subject, audience),
                (None, None) => entra::github_assertion(world, Some(audience)),
                _ => return Err(bad("issuer and subject go together".to_owned())),
            };
            Ok(Answer::ok(json!({ "value": value })))
        }
        (&Method::POST, ["tokens", "revoke"]) => {
            world.signer.generation += 1;
            Ok(Answer::ok(Value::Null))
        }
        _ => Err(ArmError::not_found("NotFound", "No such control request.")),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::HeaderMap;

    use super::super::options::Options;
    use super::*;

    /// No test may open a socket that others could reach, so that the rule is tested without one.
    #[test]
    fn another_machine_controls_nothing() {
        let mut world = World::new(Options::default()).expect("a world");
        let mut request = Request {
            method: Method::GET,
            raw_path: "/_emulator/operations".to_owned(),
            segments: vec![ROOT.to_owned(), "operations".to_owned()],
            raw_query: String::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            base: "https://emulator.test".to_owned(),
            local: true,
            plain: false,
            caller: String::new(),
        };
        assert!(answer(&mut world, &request).is_ok());
        request.local = false;
        assert_eq!(answer(&mut world, &request).expect_err("a refusal").status, 403);
    }
}
