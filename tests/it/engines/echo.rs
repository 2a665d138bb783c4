//! The layers below the real provider under real engines, with the provider of `tests/echo`: values come back as they
//! were, and errors are shown as they are.

use tempfile::TempDir;

use crate::support::{
    echo,
    engine::{Engine, Product, Provider, Workspace, for_each_engine, for_each_engine_that},
};

/// A workspace with the echo provider, this configuration, and the directory where the provider keeps things.
fn workspace(engine: &'static Engine, config: &str) -> (Workspace, TempDir) {
    let things = tempfile::tempdir().unwrap();
    let workspace = Workspace::with_provider(engine, Provider::new("foundryhub/echo", echo::program()));
    workspace.config(&format!("provider \"echo\" {{\n  directory = {:?}\n}}\n{config}", things.path()));
    (workspace, things)
}

#[tokio::test]
async fn numbers_come_back_with_all_digits() {
    for_each_engine_that(Engine::keeps_all_digits, async |engine| {
        let (workspace, _things) = workspace(
            engine,
            r#"
variable "sign" {
  default = 1
}
locals {
  plain   = [0.1, 1 / 3, 1e30, 18446744073709551615, 9223372036854775808, 9007199254740993, 0.5, 1e-30, 1 / 1048576, 0]
  # What functions make as floats and nothing has been done to.
  floats  = [log(2, 10), pow(1.1, 2), pow(2, -40), pow(2, -537)]
  numbers = concat([for number in local.plain : number * var.sign], local.floats)
}
resource "echo_value" "it" {
  number = local.numbers[1]
  list   = local.numbers
  lifecycle {
    postcondition {
      condition     = alltrue([for i, n in local.numbers : self.list[i] == n])
      error_message = "Another number came back."
    }
  }
}
"#,
        );
        for sign in ["-var=sign=1", "-var=sign=-1"] {
            workspace.apply(&[sign]).await.succeeded();
            workspace.plan(&[sign]).await.exits(0);
        }
        let state = workspace.run(&["state", "pull"]).await.succeeded().stdout;
        for number in ["-0.1,", "-1000000000000000000000000000000,", "-18446744073709551615,", "-9007199254740993,"] {
            assert!(state.contains(number), "{number} is missing from {state}");
        }
    })
    .await;
}

#[tokio::test]
async fn values_of_every_type_come_back_even_if_unknown_at_plan() {
    for_each_engine(async |engine| {
        let (workspace, _things) = workspace(
            engine,
            r#"
variable "input" {
  default = "one"
}
resource "terraform_data" "it" {
  input = var.input
}
locals {
  text = "pre-${terraform_data.it.output}"
  # Not null and never empty, as an engine knows before it knows the value.
  set = var.input == "one" ? [terraform_data.it.output] : [terraform_data.it.output, "more"]
}
resource "echo_value" "it" {
  string  = local.text
  bool    = terraform_data.it.output == "one"
  list    = [length(local.text), 0.1]
  set     = local.set
  map     = { (var.input) = length(local.text) }
  object  = { text = local.text, number = 0.1 }
  single  = { text = local.text, number = 1 / 3 }
  nested_list = [{ text = local.text }, { number = length(local.text) }]
  nested_map  = { (var.input) = { text = local.text } }
  single_block { text = local.text }
  lifecycle {
    postcondition {
      condition = (
        self.string == local.text && self.set == toset(local.set) && self.object.text == local.text &&
        self.single.number == 1 / 3 && self.nested_list[0].text == local.text &&
        self.nested_map[var.input].text == local.text && self.single_block.text == local.text
      )
      error_message = "Another value came back."
    }
  }
}
resource "echo_value" "all_unknown" {
  either = terraform_data.it.output
  dynamic "single_block" {
    for_each = toset([terraform_data.it.output])
    content {
      text = single_block.key
    }
  }
}
"#,
        );
        for input in ["-var=input=one", "-var=input=two"] {
            workspace.plan(&[input]).await.exits(2);
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[input]).await.exits(0);
        }
        let kept = workspace.in_state("echo_value.all_unknown").await.unwrap();
        assert_eq!(kept["values"]["single_block"]["text"], "two");
        workspace.destroy(&[]).await.succeeded();
    })
    .await;
}

#[tokio::test]
async fn attributes_in_nested_objects_keep_computed_values_return_to_defaults_and_replace() {
    for_each_engine(async |engine| {
        let (workspace, _things) = workspace(
            engine,
            r#"
variable "mode" {
  type    = string
  default = null
}
variable "kind" {
  default = "k"
}
resource "echo_value" "it" {
  nested_list = [{ text = "a", kind = "k" }, { text = "b", mode = var.mode, kind = var.kind }]
  nested_map  = { a = { mode = var.mode, kind = "k" } }
  single_block {
    mode = var.mode
    kind = var.kind
  }
}
"#,
        );
        for mode in [&["-var=mode=own"][..], &[]] {
            workspace.plan(mode).await.exits(2);
            workspace.apply_planned().await.succeeded();
            workspace.plan(mode).await.exits(0);
        }
        let kept = workspace.in_state("echo_value.it").await.unwrap();
        for place in ["/nested_list/1", "/nested_map/a", "/single_block"] {
            let object = kept["values"].pointer(place).unwrap();
            assert_eq!((&object["mode"], &object["made"]), (&"plain".into(), &"made".into()), "{place}");
        }
        workspace.plan(&["-var=kind=other"]).await.exits(2).says("must be replaced");
        workspace.plan(&["-var=mode=Wild"]).await.exits(1).says("Not lower case");
    })
    .await;
}

#[tokio::test]
async fn a_value_of_ten_mebibytes_comes_back() {
    for_each_engine(async |engine| {
        let thing = "resource \"echo_thing\" \"it\" {\n  name        = \"big\"\n  blob_length = 10485760\n}\n";
        let (workspace, _things) = workspace(engine, thing);
        workspace.apply(&[]).await.succeeded();
        let kept = workspace.in_state("echo_thing.it").await.unwrap();
        assert_eq!(kept["values"]["blob"].as_str().map(str::len), Some(10 << 20));
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn a_sensitive_value_is_hidden_in_output() {
    for_each_engine(async |engine| {
        let (workspace, _things) = workspace(engine, "resource \"echo_value\" \"it\" {\n  sensitive = \"s3cret\"\n}\n");
        for outcome in [workspace.apply(&[]).await, workspace.run(&["show", "-no-color"]).await] {
            let outcome = outcome.succeeded().says("(sensitive value)");
            assert!(!outcome.to_string().contains("s3cret"), "{outcome}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_one_call_is_an_error_of_that_call() {
    for_each_engine(async |engine| {
        let (workspace, things) = workspace(
            engine,
            r#"
resource "echo_thing" "bad" {
  name = "bad"
  mode = "panic in create"
}
resource "echo_thing" "good" {
  name = "good"
}
"#,
        );
        let outcome = workspace.apply(&[]).await.exits(1);
        assert!(!outcome.to_string().contains("plugin crashed"), "{outcome}");
        outcome.says("with echo_thing.bad,");
        assert!(workspace.in_state("echo_thing.good").await.is_some(), "the others go on");
        assert!(things.path().join("good").exists());
    })
    .await;
}

#[tokio::test]
async fn a_panic_that_ends_the_process_is_shown_as_a_crash() {
    for_each_engine(async |engine| {
        let (workspace, _things) =
            workspace(engine, "resource \"echo_thing\" \"it\" {\n  name = \"it\"\n  mode = \"crash in create\"\n}\n");
        let outcome = workspace.env("TF_LOG", "error").apply(&[]).await.exits(1);
        match engine.product {
            Product::Terraform => outcome.says("plugin crashed!").says("panic: out of control"),
            // OpenTofu 1.12 has the code for it, and a go-plugin with which it is never reached.
            Product::OpenTofu => outcome.says("Plugin did not respond").says("[ERROR]").says("panic: out of control"),
        };
    })
    .await;
}

#[tokio::test]
async fn an_empty_string_means_null_and_stays_as_it_is_written() {
    for_each_engine(async |engine| {
        let (workspace, _things) = workspace(
            engine,
            r#"
variable "left_out" {
  default = false
}
locals {
  empty = var.left_out ? null : ""
  inner = { text = local.empty, either = local.empty, mode = local.empty, kind = local.empty }
}
resource "echo_value" "it" {
  string      = local.empty
  sensitive   = local.empty
  either      = local.empty
  kind        = local.empty
  single      = local.inner
  nested_list = [local.inner]
  nested_map  = { k = local.inner }
  single_block {
    text   = local.empty
    either = local.empty
    mode   = local.empty
    kind   = local.empty
  }
}
resource "echo_thing" "it" {
  name = "it"
  text = local.empty
  mode = local.empty
}
"#,
        );
        workspace.apply(&[]).await.succeeded();
        let kept = workspace.in_state("echo_value.it").await.unwrap()["values"].clone();
        for place in [
            "/string",
            "/either",
            "/kind",
            "/single/either",
            "/nested_list/0/mode",
            "/nested_map/k/text",
            "/single_block/mode",
        ] {
            assert_eq!(kept.pointer(place).and_then(|value| value.as_str()), Some(""), "{place} of {kept}");
        }
        workspace.plan(&[]).await.exits(0);
        workspace.plan(&["-refresh-only"]).await.says("found no differences");
        // Null says the same, so that only the spelling changes.
        workspace.plan(&["-var=left_out=true"]).await.exits(2).says("0 to add, 2 to change, 0 to destroy");
        workspace.apply_planned().await.succeeded();
        workspace.plan(&["-var=left_out=true"]).await.exits(0);
        workspace.plan(&[]).await.exits(2).says("0 to add, 2 to change, 0 to destroy");
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.plan(&["-replace=echo_value.it"]).await.exits(2);
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
    })
    .await;
}

#[tokio::test]
async fn another_spelling_within_a_collection_is_no_change() {
    for_each_engine(async |engine| {
        let (workspace, _things) = workspace(
            engine,
            r#"
variable "names" {
  type    = list(string)
  default = ["a", "b"]
}
resource "echo_value" "it" {
  name_set  = var.names
  name_list = var.names
  name_map  = { for i, name in var.names : i => name }
}
"#,
        );
        workspace.apply(&[]).await.succeeded();
        let other = "-var=names=[\"A\", \"B\"]";
        workspace.plan(&[other]).await.exits(0);
        let more = "-var=names=[\"A\", \"b\", \"c\"]";
        workspace.apply(&[more]).await.succeeded();
        workspace.plan(&[more]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn a_data_source_is_read_at_plan_or_if_unknown_then_at_apply() {
    for_each_engine(async |engine| {
        let (workspace, things) = workspace(
            engine,
            r#"
resource "echo_thing" "it" {
  name = "it"
  text = "one"
}
data "echo_text" "now" {
  name = "now"
  timeouts { read = "7s" }
}
data "echo_text" "later" {
  name = trimprefix(echo_thing.it.id, "thing-")
  note = ""
}
output "texts" {
  value = [data.echo_text.now.text, data.echo_text.now.timeouts.read, data.echo_text.later.text, data.echo_text.later.note]
}
"#,
        );
        workspace.plan(&[]).await.exits(1).says("No such file").says("with data.echo_text.now,").says("name = \"now\"");
        std::fs::write(things.path().join("now"), "at once").unwrap();
        workspace.apply(&[]).await.succeeded();
        let texts = workspace.run(&["output", "-json", "texts"]).await.succeeded().json();
        assert_eq!(texts, serde_json::json!(["at once", "7s", "one", ""]));
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn a_function_takes_null_and_unknown_and_an_error_names_its_argument() {
    for_each_engine_that(Engine::knows_functions, async |engine| {
        let (workspace, _things) = workspace(
            engine,
            r#"
variable "text" {
  default = "b"
}
resource "terraform_data" "it" {
  input = "> "
}
output "texts" {
  value = [
    provider::echo::join("-", "", "a", var.text),
    provider::echo::join(null, null, "a", "b"),
    provider::echo::join("-", terraform_data.it.output, "a", terraform_data.it.output),
  ]
}
"#,
        );
        workspace.apply(&[]).await.succeeded();
        let texts = workspace.run(&["output", "-json", "texts"]).await.succeeded().json();
        assert_eq!(texts, serde_json::json!(["a-b", "ab", "> a-> "]));
        workspace.plan(&[]).await.exits(0);
        let outcome = workspace.plan(&["-var=text="]).await.exits(1).says("A text must not be empty.");
        outcome.says("Invalid value for \"texts\" parameter");
    })
    .await;
}

#[tokio::test]
async fn a_query_lists_objects_and_generates_their_import_configuration() {
    for_each_engine(async |engine| {
        if !engine.knows_lists_and_actions() {
            return;
        }
        let (workspace, things) = workspace(engine, "");
        for name in ["a", "b", "c"] {
            std::fs::write(things.path().join(name), "text").unwrap();
        }
        let query = |arguments: &str, config: &str| {
            let list = format!("list \"echo_thing\" \"all\" {{\n  provider = echo\n{arguments}\n{config}\n}}\n");
            std::fs::write(workspace.path().join("all.tfquery.hcl"), list).unwrap();
        };
        query("  limit = 2", "");
        let outcome = workspace.run(&["query", "-no-color"]).await.succeeded().says("name=b the b");
        assert!(!outcome.stdout.contains("the c"), "{outcome}");
        query("", "  config {\n    prefix = \"c\"\n  }");
        let outcome = workspace.run(&["query", "-no-color"]).await.succeeded().says("name=c the c");
        assert!(!outcome.stdout.contains("the a"), "{outcome}");
        std::fs::write(things.path().join("b"), "error").unwrap();
        query("  include_resource = true", "");
        workspace.run(&["query", "-no-color"]).await.exits(1).says("A bad thing").says("b is bad.");
        std::fs::write(things.path().join("b"), "warning").unwrap();
        let outcome = workspace.run(&["query", "-no-color"]).await.succeeded().says("A strange thing");
        outcome.says("b is left out.").says("name=a the a").says("name=c the c");

        std::fs::remove_file(things.path().join("b")).unwrap();
        let generated = workspace.path().join("generated.tf");
        let file = format!("-generate-config-out={}", generated.display());
        workspace.run(&["query", "-no-color", &file]).await.succeeded();
        workspace.apply(&[]).await.succeeded().says("2 imported, 0 added, 0 changed, 0 destroyed");
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn an_action_shows_its_progress_and_its_errors() {
    for_each_engine(async |engine| {
        if !engine.knows_lists_and_actions() {
            return;
        }
        let (workspace, things) = workspace(
            engine,
            r#"
variable "name" {
  default = "made"
}
action "echo_write" "it" {
  config {
    name = var.name
    text = echo_thing.it.id
  }
}
resource "echo_thing" "it" {
  name = "it"
  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.echo_write.it]
    }
  }
}
"#,
        );
        workspace.apply(&[]).await.succeeded().says("writing made");
        assert_eq!(std::fs::read_to_string(things.path().join("made")).unwrap(), "thing-it");
        let invoke = ["-invoke=action.echo_write.it", "-var=name=no/where"];
        workspace.apply(&invoke).await.exits(1).says("writing no/where").says("The file cannot be written");
        // Terraform validates only what it knows without variables.
        let refused = ["-invoke=action.echo_write.it", "-var=name=journal"];
        workspace.plan(&refused).await.exits(1).says("Not this file");
    })
    .await;
}
