//! Lists and actions, as core works through them.

use foundryhub::framework::{Path, Value};
use serde_json::Value as Json;

use super::{
    Core, Session,
    report::Diagnostics,
    schema::{Block, ResourceType},
    session::encode,
    value,
};
use crate::support::{
    plugin::within,
    tfplugin6::{
        ClientCapabilities, generate_resource_config,
        invoke_action::{self, event::Type as Event},
        list_resource, plan_action, validate_action_config, validate_list_resource_config,
    },
};

/// One object of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    pub(crate) display_name: String,
    pub(crate) identity: Json,
    /// Null unless it was asked for.
    pub(crate) object: Json,
}

impl Core {
    /// Lists objects as `terraform query` does, `limit` at most.
    pub(crate) async fn list(
        &mut self,
        name: &str,
        config: Json,
        include_object: bool,
        limit: i64,
    ) -> (Vec<Listed>, Diagnostics) {
        let session = self.session().await;
        let catalog = self.catalog(&session).await;
        let block = catalog.lists.get(name).unwrap_or_else(|| panic!("there is no list resource {name}"));
        let config = value::config_of(block, &config).unwrap_or_else(|why| panic!("core refuses {name}: {why}"));
        let mut diagnostics = self.configure_session(&session, false).await;
        let mut listed = Vec::new();
        if !diagnostics.has_errors() {
            diagnostics.0.extend(session.validate_list(name, block, &config).await.0);
        }
        if !diagnostics.has_errors() {
            let request = list_resource::Request {
                type_name: name.to_owned(),
                config: encode(&config, &block.ty()),
                include_resource_object: include_object,
                limit,
            };
            let work = session.list(catalog.resource(name), request);
            let (found, more) = session.interruptible(self.interrupt.take(), work).await;
            listed = found;
            diagnostics.0.extend(more.0);
        }
        self.leave(session).await;
        self.note(&diagnostics);
        self.transcript.push_str(&format!("{listed:?}\n"));
        (listed, diagnostics)
    }

    /// The configuration that the provider generates for an object, as an engine writes it: without what is not set.
    pub(crate) async fn generate(&mut self, type_name: &str, object: &Json) -> Json {
        let session = self.session().await;
        let catalog = self.catalog(&session).await;
        assert!(catalog.capabilities.generate_resource_config, "the provider generates no configuration");
        let ty = catalog.resource(type_name).block.ty();
        let state = value::value_of(&ty, object, &Path::default()).expect("an object of this type");
        let request = generate_resource_config::Request { type_name: type_name.to_owned(), state: encode(&state, &ty) };
        let rpc = format!("GenerateResourceConfig {type_name}");
        let answer = within(&rpc, session.client().generate_resource_config(request)).await;
        let mut answer = session.answer(&rpc, answer);
        let diagnostics = session.diagnostics(&rpc, &mut answer.diagnostics, None);
        assert_eq!(diagnostics.0, [], "{rpc}");
        let mut config = value::to_json(&session.decode(&rpc, answer.config, &ty));
        self.leave(session).await;
        config.as_object_mut().expect("a configuration").retain(|_, value| !value.is_null());
        config
    }

    /// Plans an action, of whose configuration not everything need be known, and invokes it if it is. Returns what it
    /// reported.
    pub(crate) async fn invoke(&mut self, name: &str, config: Json) -> (Vec<String>, Diagnostics) {
        self.walk_action(name, config, true).await
    }

    /// Invokes an action whose plan knew nothing of its configuration. Core does not validate it any more.
    pub(crate) async fn invoke_unplanned(&mut self, name: &str, config: Json) -> (Vec<String>, Diagnostics) {
        self.walk_action(name, config, false).await
    }

    async fn walk_action(&mut self, name: &str, config: Json, plans: bool) -> (Vec<String>, Diagnostics) {
        let session = self.session().await;
        let catalog = self.catalog(&session).await;
        let block = catalog.actions.get(name).unwrap_or_else(|| panic!("there is no action {name}"));
        let config = value::config_of(block, &config).unwrap_or_else(|why| panic!("core refuses {name}: {why}"));
        let mut diagnostics = self.configure_session(&session, true).await;
        let mut reported = Vec::new();
        if plans && !diagnostics.has_errors() {
            diagnostics.0.extend(session.plan_action(name, block, &config).await.0);
        }
        if !diagnostics.has_errors() && config.is_wholly_known() {
            let work = session.invoke(name, block, &config);
            let (progress, more) = session.interruptible(self.interrupt.take(), work).await;
            reported = progress;
            diagnostics.0.extend(more.0);
        }
        self.leave(session).await;
        self.note(&diagnostics);
        self.transcript.push_str(&format!("{reported:?}\n"));
        (reported, diagnostics)
    }
}

impl Session {
    async fn validate_list(&self, name: &str, block: &Block, config: &Value) -> Diagnostics {
        let rpc = format!("ValidateListResourceConfig {name}");
        let request = validate_list_resource_config::Request {
            type_name: name.to_owned(),
            config: encode(config, &block.ty()),
            ..Default::default()
        };
        let answer = within(&rpc, self.client().validate_list_resource_config(request)).await;
        self.diagnostics(&rpc, &mut self.answer(&rpc, answer).diagnostics, Some(block))
    }

    /// Core takes no more than the limit, nothing after an error, and no object of an event with warnings and no identity.
    async fn list(&self, ty: &ResourceType, request: list_resource::Request) -> (Vec<Listed>, Diagnostics) {
        let rpc = format!("ListResource {}", request.type_name);
        let (limit, include_object) = (request.limit as usize, request.include_resource_object);
        let answer = within(&rpc, self.client().list_resource(request)).await;
        let mut events = self.answer(&rpc, answer);
        let (mut listed, mut diagnostics) = (Vec::new(), Diagnostics::default());
        while let Some(mut event) = self.message(&rpc, within(&rpc, events.message()).await) {
            self.refuse_if(&rpc, "there are more objects than wanted", listed.len() == limit);
            let said = self.diagnostics(&rpc, &mut event.diagnostic, None);
            diagnostics.0.extend(said.0.clone());
            if diagnostics.has_errors() {
                break;
            }
            if event.identity.is_none() && !said.0.is_empty() {
                continue;
            }
            let identity = self.identity(&rpc, ty, event.identity);
            self.refuse_missing_identity(&rpc, ty, identity.as_ref());
            self.refuse_if(&rpc, "there is an object", event.resource_object.is_some() != include_object);
            listed.push(Listed {
                display_name: event.display_name,
                identity: identity.as_ref().map(value::to_json).unwrap_or_default(),
                object: value::to_json(&self.decode(&rpc, event.resource_object, &ty.block.ty())),
            });
        }
        (listed, diagnostics)
    }

    pub(super) async fn plan_action(&self, name: &str, block: &Block, config: &Value) -> Diagnostics {
        let (rpc, config) = (format!("ValidateActionConfig {name}"), encode(config, &block.ty()));
        let request = validate_action_config::Request { action_type: name.to_owned(), config: config.clone() };
        let answer = within(&rpc, self.client().validate_action_config(request)).await;
        let diagnostics = self.diagnostics(&rpc, &mut self.answer(&rpc, answer).diagnostics, Some(block));
        if diagnostics.has_errors() {
            return diagnostics;
        }
        let rpc = format!("PlanAction {name}");
        let client_capabilities = Some(ClientCapabilities::default());
        let request = plan_action::Request { action_type: name.to_owned(), config, client_capabilities };
        let answer = within(&rpc, self.client().plan_action(request)).await;
        let mut answer = self.answer(&rpc, answer);
        self.refuse_if(&rpc, "nothing was deferrable", answer.deferred.is_some());
        self.diagnostics(&rpc, &mut answer.diagnostics, Some(block))
    }

    pub(super) async fn invoke(&self, name: &str, block: &Block, config: &Value) -> (Vec<String>, Diagnostics) {
        let rpc = format!("InvokeAction {name}");
        let request = invoke_action::Request {
            action_type: name.to_owned(),
            config: encode(config, &block.ty()),
            client_capabilities: Some(ClientCapabilities::default()),
        };
        let answer = within(&rpc, self.client().invoke_action(request)).await;
        let mut events = self.answer(&rpc, answer);
        let (mut reported, mut completed) = (Vec::new(), None);
        while let Some(event) = self.message(&rpc, within(&rpc, events.message()).await) {
            self.refuse_if(&rpc, "something comes after the end", completed.is_some());
            match event.r#type.expect("an event of some type") {
                Event::Progress(progress) => reported.push(progress.message),
                Event::Completed(mut end) => {
                    completed = Some(self.diagnostics(&rpc, &mut end.diagnostics, Some(block)));
                }
            }
        }
        self.refuse_if(&rpc, "it never ends", completed.is_none());
        (reported, completed.unwrap_or_default())
    }
}
